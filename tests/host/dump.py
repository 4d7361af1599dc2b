#!/usr/bin/env python3
"""dump.py [NAMESPACE...]: the whole network state of this host and of its named namespaces as sorted lines, for comparing before and after.

Left out is only what changes by itself: indexes, operational state, counters, ages, link-local addresses, learned neighbours, and tso_max_*,
which a bridge keeps of ports that it had and nobody can set. Reading creates nothing: a legacy iptables table is read where it already exists,
and one without a rule counts as absent."""
import ctypes
import json
import os
import re
import subprocess
import sys

LIBC = ctypes.CDLL(None, use_errno=True)
CLONE_NEWNET = 0x40000000

VOLATILE_LINK_KEYS = frozenset("""ifindex link_index link_netnsid link_netns operstate stats stats64 promiscuity allmulti bridge_id root_id
    designated_bridge designated_root designated_cost designated_port root_path_cost root_port topology_change topology_change_detected
    topology_change_ack config_pending hello_timer tcn_timer topology_change_timer gc_timer message_age_timer forward_delay_timer hold_timer
    id no state carrier_changes carrier_up_count carrier_down_count mcast_startup_query_interval tso_max_size tso_max_segs""".split())
VOLATILE_LINK_FLAGS = frozenset(("LOWER_UP", "NO-CARRIER", "M-DOWN"))
VOLATILE_ROUTE_FLAGS = frozenset(("linkdown", "dead"))
VOLATILE_SYSCTL = re.compile(
    r"stable_secret|nf_conntrack_(count|buckets)|route/gc|tcp_(mem|fastopen_key)|udp_mem|/neigh/|mtu_expires|inet_peer|ipv6/conf/.*/mtu$|fs/|unix/"
    r"|^net/core/|hostname|random")


def enter(namespace_file):
    """Moves this thread into the network namespace of an open file."""
    if LIBC.setns(namespace_file.fileno(), CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), "setns", namespace_file.name)


def output(*command):
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout


def records(*command):
    """What an iproute2 program says in JSON; empty records, which it prints for what it skips, are left out."""
    return [record for record in json.loads(output(*command) or "[]") if record]


def pruned(value, keys):
    if isinstance(value, dict):
        return {key: pruned(item, keys) for key, item in value.items() if key not in keys}
    return [pruned(item, keys) for item in value] if isinstance(value, list) else value


def line(kind, record):
    return f"{kind} {json.dumps(record, sort_keys=True)}"


def link_local(text):
    return str(text).startswith(("fe80:", "ff0"))


def links_and_addresses():
    for link in records("ip", "-d", "-j", "address", "show"):
        for address in link.pop("addr_info", []):
            if not link_local(address.get("local", "")):
                yield line("address", pruned(address | {"dev": link["ifname"]}, ("valid_life_time", "preferred_life_time", "tentative")))
        link["flags"] = sorted(set(link.get("flags", ())) - VOLATILE_LINK_FLAGS)
        link["altnames"] = sorted(link.get("altnames", ()))
        bridge = link.get("linkinfo", {}).get("info_data", {})
        if bridge.get("stp_state"):
            # While a spanning tree changes (802.1D) the kernel shows twice the forward delay here, for half a minute, and not what is set.
            bridge.pop("ageing_time", None)
        yield line("link", pruned(link, VOLATILE_LINK_KEYS))


def routes_and_rules():
    for family in ("-4", "-6"):
        for route in records("ip", "-d", "-j", family, "route", "show", "table", "all"):
            if link_local(route.get("dst", "")):
                continue
            route["flags"] = sorted(set(route.get("flags", ())) - VOLATILE_ROUTE_FLAGS)
            for hop in route.get("nexthops", ()):
                hop["flags"] = sorted(set(hop.get("flags", ())) - VOLATILE_ROUTE_FLAGS)
            yield line("route" + family, pruned(route, ("expires", "pref", "used", "age")))
        for rule in records("ip", "-d", "-j", family, "rule", "show"):
            yield line("rule" + family, rule)
        for neighbour in records("ip", "-j", family, "neighbour", "show", "nud", "permanent"):
            yield line("neighbour" + family, neighbour)
        for neighbour in records("ip", "-j", family, "neighbour", "show", "proxy"):
            yield line("proxy" + family, neighbour)


def switching():
    for entry in records("bridge", "-j", "fdb", "show"):
        multicast = int(entry.get("mac", "00")[:2], 16) & 1
        if not multicast and (entry.get("state") in ("permanent", "static") or "static" in entry.get("flags", ())):
            yield line("fdb", entry)
    for entry in records("bridge", "-j", "vlan", "show"):
        yield line("vlan", entry)
    for entry in records("tc", "-j", "qdisc", "show"):
        yield line("qdisc", pruned(entry, ("handle", "parent", "refcnt")))


def filters():
    for save, names in (("iptables-legacy-save", "ip_tables_names"), ("ip6tables-legacy-save", "ip6_tables_names")):
        with open(f"/proc/thread-self/net/{names}", encoding="ascii") as existing:
            tables = sorted(existing.read().split())
        for table in tables:
            rules = [re.sub(r"\[\d+:\d+\]", "", rule).strip() for rule in output(save, "-t", table).splitlines() if rule[0] not in "#*C"]
            if any(not re.fullmatch(r":[A-Z]+ ACCEPT", rule) for rule in rules):
                yield from (f"{save} {table} {number:05} {rule}" for number, rule in enumerate(rules))
    for table in re.findall(r"^table .*?^}$", output("nft", "--stateless", "list", "ruleset"), re.M | re.S):
        yield from nft_table(table)


NFT_BLOCK = re.compile(r"^\t(\w+ \S+) \{\n(.*?)^\t}$|^\t(\w[^{\n]*)$", re.M | re.S)


def nft_table(text):
    """A table's lines, whatever the order in which its chains, sets and elements came to be."""
    name, _, content = text.partition(" {\n")
    yield f"nft {name}"
    if left := NFT_BLOCK.sub("", content).strip("\n}"):
        yield f"nft {name} not understood: {left}"
    for title, lines, alone in NFT_BLOCK.findall(content):
        before, elements = re.fullmatch(r"(.*?)(?:\t\telements = \{(.*?)\}\n)?", lines, re.S).groups()
        yield f"nft {name} {title}{alone}"
        yield from (f"nft {name} {title} {number:05} {line.strip()}" for number, line in enumerate(before.splitlines()))
        yield from (f"nft {name} {title} element {one}" for one in sorted(re.split(r",\s+", (elements or "").strip())) if one)


def settings():
    top = "/proc/sys/net"
    for folder, folders, files in os.walk(top):
        folders.sort()
        for name in files:
            path = os.path.join(folder, name)
            key = os.path.relpath(path, "/proc/sys")
            if VOLATILE_SYSCTL.search(key):
                continue
            try:
                with open(path, encoding="utf-8") as setting:
                    yield f"sysctl {key} = {setting.read().strip()}"
            except OSError:
                pass  # write-only or without a value here


def network_state():
    lines = []
    for part in (links_and_addresses, routes_and_rules, switching, filters, settings):
        lines.extend(part())
    return sorted(lines)


def files():
    """What stands below /run and what is mounted; locks and topo's own emptied folder mean nothing."""
    with open("/proc/self/mountinfo", encoding="utf-8") as mounts:
        yield from sorted("mount " + " ".join(mount.split()[4:5] + mount.split(" - ")[1].split()[:1]) for mount in mounts)
    found = []
    for folder, folders, names in os.walk("/run"):
        for name in folders + names:
            path = os.path.join(folder, name)
            if "lock" not in name and path != "/run/topo":
                found.append(f"file {path} {os.lstat(path).st_mode:o}")
    yield from sorted(found)
    yield from laid_over_etc()


def laid_over_etc():
    """What `ip netns exec` mounts over the files of /etc, with the folder of it where it is there."""
    for folder, folders, names in os.walk("/etc/netns", followlinks=True):
        yield f"folder {folder} {os.readlink(folder) if os.path.islink(folder) else ''}"
        for name in sorted(names):
            path = os.path.join(folder, name)
            with open(path, encoding="utf-8", errors="replace") as file:
                yield f"file {path} {os.stat(path).st_mode:o} {file.read()!r}"
        folders.sort()


def dump(only=None):
    """The state as a list of lines; `only` limits it to these namespaces ("" is the host)."""
    result = ["== files", *files()]
    named = sorted(os.listdir("/run/netns")) if os.path.isdir("/run/netns") else []
    result.append("== namespaces " + " ".join(named))
    with open("/proc/thread-self/ns/net", encoding="ascii") as here:
        for name in ["", *named]:
            if only is not None and name not in only:
                continue
            result.append(f"== {name or 'the host'}")
            try:
                if name:
                    with open(f"/run/netns/{name}", encoding="ascii") as there:
                        enter(there)
                result.extend(network_state())
            except OSError as error:
                result.append(f"unreadable: {error}")
            finally:
                enter(here)
    return result


if __name__ == "__main__":
    print("\n".join(dump(sys.argv[1:] or None)))
