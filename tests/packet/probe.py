#!/usr/bin/env python3
"""probe.py FILE.yaml: proves by packets what passes between the network namespaces of this host and what does not.

FILE has `listen` (who serves where) and `probes` (who tries what, and what must come of it); docs/testing.md describes both. One line is
printed for each probe. Exit 0: all as expected; 1: some are not; 2: it could not probe.

A socket stays in the namespace that it was made in, so one thread serves all listeners and one loop sends all probes at once."""
import argparse
import contextlib
import ctypes
import dataclasses
import errno
import itertools
import os
import re
import selectors
import socket
import struct
import sys
import threading
import time

import yaml

LIBC = ctypes.CDLL(None, use_errno=True)
CLONE_NEWNET = 0x40000000
SILENCE_S = 1.0  # a probe is blocked when nothing came this long after every probe that shall be answered had its answer
PATIENCE_S = 6.0  # how long an answer that shall come may take; only failing probes wait so long
LATE_S = 2.5  # an error after this time is the sender's own (no neighbour answers), not a refusal
IP_PKTINFO, IPV6_TRANSPARENT, IP_TRANSPARENT = 8, 75, 19


class CannotProbe(Exception):
    """The proof itself failed: nothing can be said about the network."""


@contextlib.contextmanager
def inside(namespace):
    """Runs the block in a named namespace; "host" is where we are."""
    if namespace == "host":
        yield
        return
    try:
        there = os.open(f"/run/netns/{namespace}", os.O_RDONLY | os.O_CLOEXEC)
    except OSError as error:
        raise CannotProbe(f"there is no namespace {namespace}: {error.strerror}") from error
    here = os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
    try:
        if LIBC.setns(there, CLONE_NEWNET) != 0:
            raise CannotProbe(f"cannot enter namespace {namespace}: {os.strerror(ctypes.get_errno())}")
        yield
    finally:
        if LIBC.setns(here, CLONE_NEWNET) != 0:
            os._exit(2)  # every further probe would be sent from the wrong place
        os.close(here)
        os.close(there)


@dataclasses.dataclass(frozen=True)
class Where:
    """An address with a protocol, and a port where the protocol has one."""

    address: str
    port: int
    protocol: str

    TEXT = re.compile(r"(?:\[(?P<six>[^]]+)\]|(?P<four>[^:/\[\]]+))(?::(?P<port>\d+))?(?:/(?P<protocol>tcp|udp|icmp))?")

    @staticmethod
    def parse(text):
        match = Where.TEXT.fullmatch(text)
        if not match:
            raise CannotProbe(f"'{text}' is no ADDRESS:PORT[/udp] or ADDRESS/icmp")
        protocol = match["protocol"] or "tcp"
        if (match["port"] is None) != (protocol == "icmp"):
            raise CannotProbe(f"'{text}': a port belongs to tcp and udp, and to them alone")
        return Where(match["six"] or match["four"], int(match["port"] or 0), protocol)

    @property
    def family(self):
        return socket.AF_INET6 if ":" in self.address else socket.AF_INET

    def new_socket(self):
        if self.protocol == "icmp":
            number = socket.IPPROTO_ICMPV6 if self.family == socket.AF_INET6 else socket.IPPROTO_ICMP
            made = socket.socket(self.family, socket.SOCK_RAW, number)
        else:
            made = socket.socket(self.family, socket.SOCK_STREAM if self.protocol == "tcp" else socket.SOCK_DGRAM)
        made.setblocking(False)
        return made


@dataclasses.dataclass(frozen=True)
class Probe:
    """`FROM -> WHERE [as SOURCE-ADDRESS] VERDICT [by NAMESPACE] [from ADDRESS-SEEN]`; a held connection's name may stand for the first part."""

    text: str
    sender: str
    where: Where
    disguise: str
    want: str
    answerer: str
    seen: str

    TEXT = re.compile(r"(?P<sender>\S+)(?: -> (?P<where>\S+)(?: as (?P<disguise>\S+))?)?"
                      r" (?P<want>open|blocked|refused|closed|arrives|lost)(?: by (?P<answerer>\S+))?(?: from (?P<seen>\S+))?")

    @staticmethod
    def parse(text):
        match = Probe.TEXT.fullmatch(text.strip())
        if not match:
            raise CannotProbe(f"'{text}' is no probe")
        where = Where.parse(match["where"]) if match["where"] else None
        if (match["want"] in ("arrives", "lost")) and (where is None or where.protocol != "udp"):
            raise CannotProbe(f"'{text}': whether a packet arrives is told for udp alone")
        return Probe(text.strip(), match["sender"], where, match["disguise"], match["want"], match["answerer"], match["seen"])


@dataclasses.dataclass
class Answer:
    """What came of a probe. `verdict` is None as long as nothing came."""

    verdict: str = None
    detail: str = ""
    after_s: float = 0.0

    def settle(self, verdict, detail, began):
        if self.verdict is None:
            self.verdict, self.detail, self.after_s = verdict, detail, time.monotonic() - began

    def fits(self, probe):
        got = "blocked" if self.verdict is None or (self.verdict == "refused" and self.after_s > LATE_S) else self.verdict
        if probe.want == "closed":
            return got in ("blocked", "refused")
        if got != probe.want:
            return False
        if got != "open" or probe.where is not None and probe.where.protocol == "icmp":
            return True
        answerer, seen = (self.detail.split() + ["", ""])[:2]
        return probe.answerer in (None, answerer) and probe.seen in (None, seen)

    def __str__(self):
        return f"{self.verdict or 'blocked'}{' (' + self.detail + ')' if self.detail else ''}"


class Servers:
    """Listeners in many namespaces, served by one thread: each tells who answers and which source address it sees."""

    def __init__(self):
        self._selector = selectors.DefaultSelector()
        self._known = {}  # (namespace, identity of the namespace, where) -> socket
        self.arrived = set()  # the words of every datagram that came
        threading.Thread(target=self._serve, daemon=True).start()

    def listen(self, wanted):
        """`wanted`: {namespace: [PORT, PORT/udp, ADDRESS:PORT, FIRST-LAST]}. Listening there already is no mistake."""
        for namespace, places in wanted.items():
            with inside(namespace):
                identity = os.stat("/proc/thread-self/ns/net").st_ino
                for where in itertools.chain.from_iterable(map(self._expand, places)):
                    if (namespace, identity, where) not in self._known:
                        self._known[namespace, identity, where] = self._open(namespace, where)

    def close(self, places):
        """Ends what `listen` began, in the same words."""
        for namespace, texts in places.items():
            for where in itertools.chain.from_iterable(map(self._expand, texts)):
                for key in [key for key in self._known if (key[0], key[2]) == (namespace, where)]:
                    listener = self._known.pop(key)
                    self._selector.unregister(listener)
                    listener.close()

    @staticmethod
    def _expand(text):
        text = str(text)
        ports = re.fullmatch(r"(\d+)(?:-(\d+))?(/udp)?", text)
        if not ports:
            return [Where.parse(text)]
        return [Where(address, port, "udp" if ports[3] else "tcp") for port in range(int(ports[1]), int(ports[2] or ports[1]) + 1)
                for address in ("0.0.0.0", "::")]

    def _open(self, namespace, where):
        made = where.new_socket()
        try:
            made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if where.family == socket.AF_INET6:
                made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            made.bind((where.address, where.port))
            if where.protocol == "tcp":
                made.listen(256)
            elif where.family == socket.AF_INET6:
                made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_RECVPKTINFO, 1)
            else:
                made.setsockopt(socket.IPPROTO_IP, IP_PKTINFO, 1)
        except OSError as error:
            made.close()
            raise CannotProbe(f"cannot listen in {namespace} at {where.address} port {where.port}/{where.protocol}: {error.strerror}") from error
        self._selector.register(made, selectors.EVENT_READ, (namespace, "accept" if where.protocol == "tcp" else "datagram"))
        return made

    def _serve(self):
        while True:
            for key, _ in self._selector.select(0.5):
                try:
                    getattr(self, "_" + key.data[1])(key.fileobj, key.data[0])
                except OSError:
                    if key.data[1] == "line":
                        self._selector.unregister(key.fileobj)
                        key.fileobj.close()

    def _accept(self, listener, namespace):
        connection, peer = listener.accept()
        connection.setblocking(False)
        self._selector.register(connection, selectors.EVENT_READ, (namespace, "line"))
        connection.send(f"{namespace} {peer[0]}\n".encode())

    def _line(self, connection, namespace):
        if not connection.recv(4096):
            raise ConnectionResetError
        connection.send(f"{namespace} {connection.getpeername()[0]}\n".encode())

    def _datagram(self, made, namespace):
        words, control, _, peer = made.recvmsg(512, 256)
        self.arrived.add(words)
        answer_from = []  # the address that was asked, whatever the routes prefer
        for level, kind, content in control:
            if (level, kind) == (socket.IPPROTO_IP, IP_PKTINFO):
                answer_from = [(level, kind, struct.pack("=i", 0) + content[4:8] + bytes(4))]
            elif (level, kind) == (socket.IPPROTO_IPV6, socket.IPV6_PKTINFO):
                answer_from = [(level, kind, content[:16] + struct.pack("=i", 0))]
        made.sendmsg([f"{namespace} {peer[0]}".encode()], answer_from, 0, peer)


class Attempt:
    """One probe under way."""

    _numbers = itertools.count(os.getpid() % 20000)

    def __init__(self, probe, held=None):
        self.probe, self.answer, self.began = probe, Answer(), time.monotonic()
        self.number = next(self._numbers) & 0xFFFF
        self.words = f"probe {os.getpid()} {self.number}".encode()
        self.socket = held
        self._send = {"tcp": self._connect, "udp": self._connect, "icmp": self._ping}[probe.where.protocol]
        try:
            if held is not None:
                held.send(self.words)
            else:
                with inside(probe.sender):
                    self.socket = probe.where.new_socket()
                    if probe.disguise:
                        self._disguise()
                    self._send()
        except OSError as error:
            self._failed(error)

    @property
    def waits(self):
        return self.answer.verdict is None and self.probe.want in ("open", "refused", "arrives")

    def _failed(self, error):
        if error.errno not in (errno.EAGAIN, errno.EINPROGRESS, errno.EPERM):  # EPERM: a filter dropped it on its way out
            self.answer.settle("refused", error.strerror or str(error), self.began)

    def _disguise(self):
        level, option = (socket.IPPROTO_IPV6, IPV6_TRANSPARENT) if ":" in self.probe.disguise else (socket.IPPROTO_IP, IP_TRANSPARENT)
        self.socket.setsockopt(level, option, 1)
        self.socket.bind((self.probe.disguise, 0))

    def _connect(self):
        with contextlib.suppress(BlockingIOError):
            self.socket.connect((self.probe.where.address, self.probe.where.port))
        if self.probe.where.protocol == "udp":
            self.socket.send(self.words)

    def _ping(self):
        six = self.probe.where.family == socket.AF_INET6
        header = struct.pack("!BBHHH", 128 if six else 8, 0, 0, self.number, 1)
        total = sum(struct.unpack("!4H", header))
        checksum = ~((total & 0xFFFF) + (total >> 16)) & 0xFFFF
        self.socket.sendto(header[:2] + struct.pack("!H", 0 if six else checksum) + header[4:], (self.probe.where.address, 0))

    def readable(self):
        try:
            said = self.socket.recv(4096)
        except OSError as error:
            self._failed(error)
            return
        if self.probe.where.protocol == "icmp":
            self._understand(said)
        elif said:
            self.answer.settle("open", said.decode(errors="replace").strip(), self.began)
        else:
            self.answer.settle("refused", "closed by the peer", self.began)

    def _understand(self, packet):
        six = self.probe.where.family == socket.AF_INET6
        icmp = packet if six else packet[(packet[0] & 15) * 4:]
        if len(icmp) < 8:
            return
        if icmp[0] == (129 if six else 0) and struct.unpack("!H", icmp[4:6])[0] == self.number:
            self.answer.settle("open", "", self.began)
        elif icmp[0] == (1 if six else 3) and struct.pack("!HH", self.number, 1) in icmp[8 + (40 if six else 20):][:8]:
            self.answer.settle("refused", "unreachable", self.began)


class Prober:
    """Listeners, probes and connections held open through changes of the network."""

    def __init__(self):
        self.servers = Servers()
        self._held = {}

    def hold(self, name, text):
        """Opens a connection (or, in udp, begins a flow) that later probes name."""
        attempt = self._run([Probe.parse(text)])[0]
        if not attempt.answer.fits(attempt.probe):
            raise CannotProbe(f"no connection to hold: {text}: {attempt.answer}")
        self._held[name] = (attempt.probe.where, attempt.socket)

    def prove(self, texts):
        """Sends all probes at once; (probe, answer) of each, in order."""
        attempts = self._run([Probe.parse(text) for text in texts])
        for attempt in attempts:
            if attempt.probe.sender not in self._held and attempt.socket is not None:
                attempt.socket.close()
        return [(attempt.probe, attempt.answer) for attempt in attempts]

    def _begin(self, probe):
        if probe.where is not None:
            return Attempt(probe)
        if probe.sender not in self._held:
            raise CannotProbe(f"'{probe.text}': no connection of this name is held")
        where, held = self._held[probe.sender]
        return Attempt(dataclasses.replace(probe, where=where), held)

    def _run(self, probes):
        attempts = [self._begin(probe) for probe in probes]
        pending = selectors.DefaultSelector()
        for attempt in attempts:
            if attempt.answer.verdict is None:
                pending.register(attempt.socket, selectors.EVENT_READ, attempt)
        began = quiet_since = time.monotonic()
        while pending.get_map():
            now = time.monotonic()
            for attempt in attempts:
                if attempt.waits and attempt.probe.want == "arrives" and attempt.words in self.servers.arrived:
                    attempt.answer.settle("arrives", "", attempt.began)
            waited_for = any(attempt.waits for attempt in attempts)
            if waited_for:
                quiet_since = now
            if now - began > PATIENCE_S or now - quiet_since > SILENCE_S:
                break
            for key, _ in pending.select(0.05):
                key.data.readable()
                if key.data.answer.verdict is not None:
                    pending.unregister(key.fileobj)
        pending.close()
        for attempt in attempts:
            if attempt.probe.want in ("arrives", "lost"):
                attempt.answer = Answer("arrives" if attempt.words in self.servers.arrived else "lost")
        return attempts


def main():
    arguments = argparse.ArgumentParser(description="Proves by packets what passes between network namespaces.")
    arguments.add_argument("file", help="YAML with `listen` and `probes`")
    with open(arguments.parse_args().file, encoding="utf-8") as file:
        case = yaml.safe_load(file)
    prober = Prober()
    prober.servers.listen(case["listen"])
    results = prober.prove(case["probes"])
    for probe, answer in results:
        print(f"  {'ok   ' if answer.fits(probe) else 'WRONG'} {probe.text}" + ("" if answer.fits(probe) else f"   was {answer}"))
    wrong = sum(not answer.fits(probe) for probe, answer in results)
    print(f"{len(results) - wrong} of {len(results)} probes as expected")
    return 1 if wrong or not results else 0


if __name__ == "__main__":
    try:
        CODE = main()
    except (CannotProbe, OSError, KeyError) as failure:
        print(f"probe.py: {failure}", file=sys.stderr)
        CODE = 2
    sys.stdout.flush()
    os._exit(CODE)  # the serving thread has nothing to finish
