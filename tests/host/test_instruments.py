#!/usr/bin/env python3
"""Measures the instruments: what the dump must see and must not, what the prober must tell apart, which system calls count as a change.

Runs in a sandbox."""
import os
import subprocess
import sys
import tempfile
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(os.path.dirname(HERE), "packet")]
import dump  # noqa: E402  pylint: disable=wrong-import-position
import probe  # noqa: E402  pylint: disable=wrong-import-position
import quiet  # noqa: E402  pylint: disable=wrong-import-position

BASE = """
ip link add br0 type bridge; ip link set br0 up
ip netns add box; ip link add cable master br0 type veth peer name eth0 netns box; ip link set cable up
ip -n box link set lo up; ip -n box link set eth0 up; ip -n box address add 10.0.0.2/24 dev eth0; ip address add 10.0.0.1/24 dev br0
ip -n box route add 10.1.0.0/24 via 10.0.0.1
iptables-legacy -N MINE; iptables-legacy -A MINE -s 10.9.9.9 -j DROP; iptables-legacy -A MINE -s 10.9.9.8 -j DROP
nft add table inet t; nft add chain inet t c
"""

# (a change, the way back)
SEEN = [
    ("ip link add other type bridge", "ip link del other"),
    ("ip link set br0 mtu 1400", "ip link set br0 mtu 1500"),
    ("ip link set br0 group 5", "ip link set br0 group 0"),
    ("ip link set br0 alias hello", "ip link set br0 alias ''"),
    ("ip link set br0 down", "ip link set br0 up"),
    ("ip link set cable nomaster", "ip link set cable master br0"),
    ("ip link set br0 type bridge ageing_time 1000", "ip link set br0 type bridge ageing_time 30000"),
    ("ip link set br0 type bridge nf_call_iptables 1", "ip link set br0 type bridge nf_call_iptables 0"),
    ("bridge link set dev cable isolated on", "bridge link set dev cable isolated off"),
    ("bridge link set dev cable hairpin on", "bridge link set dev cable hairpin off"),
    ("bridge fdb add 02:00:00:00:00:77 dev cable master static", "bridge fdb del 02:00:00:00:00:77 dev cable master static"),
    ("ip -n box address add 10.0.0.3/24 dev eth0", "ip -n box address del 10.0.0.3/24 dev eth0"),
    ("ip -n box address add fd00::3/64 dev eth0 nodad", "ip -n box address del fd00::3/64 dev eth0"),
    ("ip -n box route add 10.2.0.0/24 via 10.0.0.1", "ip -n box route del 10.2.0.0/24"),
    ("ip -n box route replace 10.1.0.0/24 via 10.0.0.1 proto 116", "ip -n box route replace 10.1.0.0/24 via 10.0.0.1 proto boot"),
    ("ip -n box route add unreachable 10.2.0.0/24 table 7", "ip -n box route del unreachable 10.2.0.0/24 table 7"),
    ("ip -n box rule add from 10.5.0.0/24 lookup 7 priority 5", "ip -n box rule del priority 5"),
    ("ip -n box -6 rule add from fd00::/64 lookup 7 priority 5", "ip -n box -6 rule del priority 5"),
    ("ip neighbour add 10.0.0.9 lladdr 02:00:00:00:00:09 dev br0", "ip neighbour del 10.0.0.9 dev br0"),
    ("tc qdisc add dev cable root tbf rate 1mbit burst 10k latency 1ms", "tc qdisc del dev cable root"),
    ("ip netns exec box sysctl -qw net.ipv4.ip_default_ttl=70", "ip netns exec box sysctl -qw net.ipv4.ip_default_ttl=64"),
    ("sysctl -qw net.ipv4.conf.br0.forwarding=1", "sysctl -qw net.ipv4.conf.br0.forwarding=0"),
    ("sysctl -qw net.bridge.bridge-nf-call-iptables=0", "sysctl -qw net.bridge.bridge-nf-call-iptables=1"),
    ("iptables-legacy -A FORWARD -j MINE", "iptables-legacy -D FORWARD -j MINE"),
    ("iptables-legacy -D MINE 1; iptables-legacy -A MINE -s 10.9.9.9 -j DROP", "iptables-legacy -D MINE 2; iptables-legacy -I MINE -s 10.9.9.9 -j DROP"),
    ("iptables-legacy -P FORWARD DROP", "iptables-legacy -P FORWARD ACCEPT"),
    ("ip6tables-legacy -P INPUT DROP", "ip6tables-legacy -P INPUT ACCEPT"),
    ("ip netns exec box iptables-legacy -t nat -A POSTROUTING -j MASQUERADE", "ip netns exec box iptables-legacy -t nat -F"),
    ("nft add rule inet t c drop", "nft flush chain inet t c"),
    ("ip netns add second", "ip netns del second"),
    ("mkdir /run/left", "rmdir /run/left"),
    ("mount -t tmpfs none /mnt", "umount /mnt"),
]

UNSEEN = [
    "ping -c1 -W1 10.0.0.2",
    "iptables-legacy -t mangle -S; ip6tables-legacy -t nat -S",  # tables that came to exist, empty
    "ip link set cable down; ip link set cable up",
    "ip netns exec box ping -c1 -W1 10.0.0.1",
]

LOUD = ["ip link set br0 mtu 1500", "ip -n box address replace 10.0.0.2/24 dev eth0", "ip route replace 10.7.0.0/24 dev br0", "ip netns add loud",
        "iptables-legacy -A MINE -j DROP", "ip6tables-legacy -N LOUD", "sysctl -qw net.ipv4.ip_default_ttl=64", "touch /run/loud", "rm -f /run/loud",
        "conntrack -F", "mount --bind /mnt /mnt"]
QUIET = ["ip route show table all", "ip rule show", "cat /proc/sys/net/ipv4/ip_forward", "iptables-legacy -S MINE", "conntrack -L",
         "flock /run/test.lock true"]

VERDICTS = [
    ("world -> 198.51.100.2:80 open by host from 198.51.100.1", True),
    ("world -> 198.51.100.2:80 open by world", False),
    ("world -> 198.51.100.2:80 open from 198.51.100.9", False),
    ("world -> 198.51.100.2:80 blocked", False),
    ("world -> 198.51.100.2:80 closed", False),
    ("world -> 198.51.100.2:81 refused", True),
    ("world -> 198.51.100.2:81 open", False),
    ("world -> 198.51.100.2:81 blocked", False),
    ("world -> 198.51.100.2:82 blocked", True),
    ("world -> 198.51.100.2:82 closed", True),
    ("world -> 198.51.100.2:82 refused", False),
    ("world -> 198.51.100.2:53/udp open by host", True),
    ("world -> 198.51.100.2:54/udp refused", True),
    ("world -> 198.51.100.2:82/udp blocked", True),
    ("world -> 198.51.100.2:53/udp as 10.66.0.1 arrives", True),
    ("world -> 198.51.100.2:53/udp as 10.66.0.1 lost", False),
    ("world -> 198.51.100.2:53/udp as 10.66.0.2 lost", True),
    ("world -> [2001:db8:51::2]:80 open by host from 2001:db8:51::1", True),
    ("world -> [2001:db8:51::2]:53/udp as fd00:66::1 arrives", True),
    ("world -> 198.51.100.2/icmp open", True),
    ("world -> [2001:db8:51::2]/icmp open", True),
    ("host -> 198.51.100.1/icmp blocked", True),
    ("host -> [2001:db8:51::1]/icmp refused", True),
    ("host -> 198.51.100.1:90 refused", True),
    ("host -> 198.51.100.1:91/udp refused", True),
]


def shell(command):
    subprocess.run(["bash", "-ec", command], check=True, capture_output=True, text=True)


class Instruments(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        shell(BASE)

    def test_dump_sees_every_change(self):
        for change, back in SEEN:
            with self.subTest(change):
                before = dump.dump()
                shell(change)
                self.assertNotEqual(before, dump.dump())
                shell(back)
                self.assertEqual(before, dump.dump())

    def test_dump_sees_no_noise(self):
        for command in UNSEEN:
            with self.subTest(command):
                before = dump.dump()
                shell(command)
                self.assertEqual(before, dump.dump())

    def test_dump_creates_no_table(self):
        subprocess.run(["unshare", "-n", "bash", "-ec", f"{HERE}/dump.py '' > /dev/null; test ! -s /proc/net/ip_tables_names"], check=True)

    def traced(self, command):
        with tempfile.TemporaryDirectory() as folder:
            trace = os.path.join(folder, "trace")
            subprocess.run([*quiet.tracer(trace), *command.split()], check=True, capture_output=True)
            return quiet.mutating_calls(trace)

    def test_every_change_is_loud(self):
        for command in LOUD:
            with self.subTest(command):
                self.assertTrue(self.traced(command))

    def test_reading_is_quiet(self):
        for command in QUIET:
            with self.subTest(command):
                self.assertEqual([], self.traced(command))

    def test_prober_tells_apart(self):
        shell("iptables-legacy -A INPUT -p tcp --dport 82 -j DROP; iptables-legacy -A INPUT -p udp --dport 82 -j DROP;"
              "iptables-legacy -A INPUT -s 10.66.0.2 -j DROP;"
              "ip netns exec world iptables-legacy -A INPUT -p icmp --icmp-type echo-request -j DROP;"
              "ip netns exec world ip6tables-legacy -A INPUT -p icmpv6 --icmpv6-type echo-request -j REJECT --reject-with icmp6-adm-prohibited;"
              "ip netns exec world iptables-legacy -A INPUT -p tcp --dport 90 -j REJECT --reject-with tcp-reset;"
              "ip netns exec world iptables-legacy -A INPUT -p udp --dport 91 -j REJECT --reject-with icmp-admin-prohibited")
        probe.PATIENCE_S = 3.0  # the wrong ones among them wait so long
        prober = probe.Prober()
        prober.servers.listen({"host": [80, "53/udp", 82]})
        for wanted in (True, False):  # a wrong one makes all others wait
            results = prober.prove([text for text, fits in VERDICTS if fits == wanted])
            for sent, answer in results:
                with self.subTest(sent.text, answer=str(answer)):
                    self.assertEqual(wanted, answer.fits(sent))

    def test_prober_holds_connections(self):
        prober = probe.Prober()
        prober.servers.listen({"host": [85, "85/udp"]})
        prober.hold("line", "world -> 198.51.100.2:85 open by host")
        prober.hold("flow", "world -> 198.51.100.2:85/udp open by host")
        self.assertTrue(all(answer.fits(sent) for sent, answer in prober.prove(["line open by host", "flow open by host"])))
        shell("iptables-legacy -I INPUT -p tcp --dport 85 -j DROP; iptables-legacy -I INPUT -p udp --dport 85 -j DROP")
        self.assertTrue(all(answer.fits(sent) for sent, answer in prober.prove(["line blocked", "flow blocked"])))

    def test_prober_refuses_what_it_cannot_do(self):
        prober = probe.Prober()
        for action in (lambda: prober.servers.listen({"nowhere": [80]}), lambda: prober.servers.listen({"host": ["203.0.113.1:80"]}),
                       lambda: prober.prove(["nowhere -> 198.51.100.2:80 blocked"]), lambda: prober.prove(["unheld blocked"]),
                       lambda: prober.prove(["world -> 198.51.100.2:80 shut"])):
            with self.assertRaises(probe.CannotProbe):
                action()


if __name__ == "__main__":
    RESULT = unittest.main(exit=False, warnings="ignore").result
    sys.stderr.flush()
    os._exit(0 if RESULT.wasSuccessful() and RESULT.testsRun else 1)  # the serving threads have nothing to finish
