"""Which system calls of a traced topo change something."""
import re

# Sends, table replacements, mounts, namespaces and files: all the ways in which topo can change a host.
_CALLS = "sendmsg,sendto,setsockopt,mount,umount2,unshare,openat,creat,write,pwrite64,rename,renameat,renameat2,unlink,unlinkat,mkdir,mkdirat,rmdir"
_DISTURBED = frozenset(("sendmsg recvmsg setsockopt getsockopt mount umount2 unshare setns socket bind openat write rename renameat unlink mkdir "
                        "mkdirat flock").split())

_REPLACING = frozenset("mount umount2 unshare creat rename renameat renameat2 unlink unlinkat rmdir".split())
_LOCK = re.compile(r"lock")
_TYPE = re.compile(r"nlmsg_type=(\S+?),")


def tracer(output):
    """The command that traces what follows it into the file `output`."""
    return ["strace", "-f", "-v", "-s", "4096", "-o", output, "-e", f"trace={','.join(sorted(_DISTURBED.union(_CALLS.split(','), ['close'])))}"]


def _injector(call, rest):
    return ["strace", "-f", "-qq", "-o", "/dev/null", "-e", f"trace={call}", "-e", f"inject={call}:{rest}"]


def killer(call, number):
    """The command under which what follows it dies at its `number`-th `call`."""
    return _injector(call, f"signal=KILL:when={number}")


def saboteur(call, number, error, lasting=False):
    """The command under which the `number`-th `call` of what follows it fails; lasting: all further ones too."""
    return _injector(call, f"error={error}:when={number}{'+' if lasting else ''}")


def calls(trace, file):
    """(name, number) of the calls that may be disturbed, from the first that opens `file` on; the loader's before it are not topo's. Nor are
    writes to what was not opened as a file: messages to the terminal, and a sanitizer's probing of memory through a pipe. A call that the
    kernel restarts counts once, as where nobody is in its way: a setting is written again and again until nobody else holds the kernel's
    lock of networks, thousands of times on a busy machine, and a point beyond them would never be reached without them. strace counts the
    calls of each thread by themselves; those of the first are given."""
    found, counts, begun, files, first = [], {}, False, set(), None
    with open(trace, encoding="utf-8", errors="replace") as lines:
        for line in lines:
            match = re.match(r"^(\d+) +(\w+)\((\d*)", line)
            if not match or "= ? ERESTART" in line:
                continue
            thread, name, descriptor = match.groups()
            first = first or thread
            if thread != first:
                continue
            counts[name] = counts.get(name, 0) + 1
            begun = begun or f'"{file}"' in line
            if name == "openat" and (opened := re.search(r"= (\d+)$", line)):
                files.add(opened[1])
            elif name == "close":
                files.discard(descriptor)
            if begun and name in _DISTURBED and (name != "write" or descriptor in files):
                found.append((name, counts[name]))
    return found


def _asks_only(message_type):
    """True for netlink messages that read. strace gives the number where the socket is of another namespace than its own."""
    if re.match(r"0x[0-9a-f]+|\d+", message_type):
        number = int(message_type.split()[0], 0)
        if number < 16:
            return True  # NLMSG_NOOP and the like
        if number >> 8 == 10:
            return number & 0xFF in (1, 4, 7, 10, 13, 16, 19, 23)  # NFT_MSG_GET*
        return number & 3 == 2 if number < 0x100 else number & 0xFF in (1, 4, 5)  # RTM_GET*; IPCTNL_MSG_CT_GET*
    return "GET" in message_type or message_type.startswith(("NLMSG_", "SOCK_DIAG_BY_FAMILY"))


def _is_mutating(call, line):
    if call in ("sendmsg", "sendto"):
        return any(not _asks_only(kind) for kind in _TYPE.findall(line))
    if call == "setsockopt":
        return re.search(r"IP6?T_SO_SET_|SOL_IP, 0x40|SOL_IPV6, 0x40", line) is not None
    if call == "openat":
        return re.search(r"O_WRONLY|O_RDWR|O_CREAT|O_TRUNC", line) is not None and not _LOCK.search(line) and '"/dev/' not in line
    if call in ("mkdir", "mkdirat"):
        return "EEXIST" not in line
    # A write is to something that was opened for it before.
    return call in _REPLACING and "ENOENT" not in line


def mutating_calls(trace):
    found = []
    with open(trace, encoding="utf-8", errors="replace") as lines:
        for line in lines:
            match = re.match(r"^\d+ +(\w+)\(", line)
            if match and _is_mutating(match[1], line):
                found.append(line.rstrip()[:400])
    return found
