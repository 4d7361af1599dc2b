#!/usr/bin/env python3
"""workload.py N FOLDER: writes the benchmark's workload W(N) for topo, for the floor program and for those who do it by hand.

W(N) is a bridge for every 250 namespaces; each namespace on it has an address, a default route and one port map; each bridge masquerades.
N may be `tier3`: three bridges with one namespace each.
  lab.yaml   changed.yaml    for topo; changed: the last namespace has another address
  lab.model  changed.model   for topo_floor
  script/{create,change,destroy}   as the tutorials do it: a command for each thing
  batch/{create,change,destroy}    as an expert scripts it: ip -batch, iptables-legacy-restore"""
import dataclasses
import os
import sys

PER_BRIDGE = 250


@dataclasses.dataclass
class Namespace:
    name: str
    veth: str
    bridge: int
    address: str
    port: int

    @property
    def gateway(self):
        return f"10.{self.bridge + 1}.0.1"


def namespaces_of(count, per_bridge):
    return [Namespace(f"n{i}", f"v{i}", i // per_bridge, f"10.{i // per_bridge + 1}.0.{i % per_bridge + 2}", 10000 + i) for i in range(count)]


def topology(bridges, namespaces):
    return [
        "topology: bench", "bridges:", *(f"  br{b}: {{ subnet: 10.{b + 1}.0.0/24, nat: masquerade }}" for b in range(bridges)),
        "namespaces:", *(f"  {ns.name}: {{ attach: {{ br{ns.bridge}: {ns.address} }} }}" for ns in namespaces),
        "ports:", *(f"  {ns.port}: {ns.name}:80" for ns in namespaces)
    ]


def model(bridges, namespaces):
    return [f"{bridges} {len(namespaces)}", *(f"br{b} 10.{b + 1}.0.1" for b in range(bridges)),
            *(f"{ns.name} {ns.veth} {ns.bridge} {ns.address} {ns.gateway} {ns.port}" for ns in namespaces)]


def port_map(ns, action="-A"):
    return [f"-t nat {action} PREROUTING -p tcp --dport {ns.port} -j DNAT --to-destination {ns.address}:80",
            f"-t filter {action} FORWARD -p tcp -d {ns.address} --dport 80 -j ACCEPT"]


def masquerade(bridges):
    return [f"-t nat -A POSTROUTING -s 10.{b + 1}.0.0/24 ! -o br{b} -j MASQUERADE" for b in range(bridges)]


def bridge_commands(bridges):
    return [command for b in range(bridges)
            for command in (f"link add br{b} type bridge", f"address add 10.{b + 1}.0.1/24 dev br{b}", f"link set br{b} up")]


def script_create(bridges, namespaces):
    lines = [f"ip {command}" for command in bridge_commands(bridges)]
    for ns in namespaces:
        inside = f"ip netns exec {ns.name} ip"
        lines += [f"ip netns add {ns.name}", f"ip link add {ns.veth} type veth peer name p{ns.veth}", f"ip link set p{ns.veth} netns {ns.name}",
                  f"{inside} link set p{ns.veth} name eth0", f"ip link set {ns.veth} master br{ns.bridge}", f"ip link set {ns.veth} up",
                  f"{inside} address add {ns.address}/24 dev eth0", f"{inside} link set lo up", f"{inside} link set eth0 up",
                  f"{inside} route add default via {ns.gateway}"]
        lines += [f"iptables-legacy -w {rule}" for rule in port_map(ns)]
    return lines + [f"iptables-legacy -w {rule}" for rule in masquerade(bridges)]


def change(before, after):
    """The same by hand for both: there is little to batch."""
    inside = f"ip -n {after.name}"
    return [f"{inside} address del {before.address}/24 dev eth0", f"{inside} address add {after.address}/24 dev eth0",
            f"{inside} route add default via {after.gateway}",
            *(f"iptables-legacy -w {rule}" for rule in port_map(before, "-D") + port_map(after))]


def script_destroy(bridges, namespaces):
    return ["iptables-legacy -w -F FORWARD", "iptables-legacy -w -t nat -F",
            *(f"ip link delete {ns.veth}; ip netns delete {ns.name}" for ns in namespaces), *(f"ip link delete br{b}" for b in range(bridges))]


def batch_create(bridges, namespaces):
    host = [*bridge_commands(bridges), *(f"netns add {ns.name}" for ns in namespaces),
            *(f"link add {ns.veth} master br{ns.bridge} up type veth peer name eth0 netns {ns.name}" for ns in namespaces)]
    rules = [rule for ns in namespaces for rule in port_map(ns)] + masquerade(bridges)
    lines = ["ip -batch - <<END", *host, "END"]
    for ns in namespaces:
        lines += [f"ip -n {ns.name} -batch - <<END", "link set lo up", "link set eth0 up", f"address add {ns.address}/24 dev eth0",
                  f"route add default via {ns.gateway}", "END"]
    lines.append("iptables-legacy-restore --noflush <<END")
    for table in ("filter", "nat"):
        mark = f"-t {table} "
        lines += [f"*{table}", *(rule.removeprefix(mark) for rule in rules if rule.startswith(mark)), "COMMIT"]
    return lines + ["END"]


def batch_destroy(bridges, namespaces):
    return ["iptables-legacy-restore <<END", "*filter", "COMMIT", "*nat", "COMMIT", "END", "ip -batch - <<END",
            *(f"link delete {ns.veth}" for ns in namespaces), *(f"netns delete {ns.name}" for ns in namespaces),
            *(f"link delete br{b}" for b in range(bridges)), "END"]


def write(size, folder):
    """Returns the number of namespaces."""
    count, per_bridge = (3, 1) if size == "tier3" else (int(size), PER_BRIDGE)
    bridges = -(-count // per_bridge)
    namespaces = namespaces_of(count, per_bridge)
    moved = dataclasses.replace(namespaces[-1], address=f"10.{bridges}.0.254")
    changed = [*namespaces[:-1], moved]
    shell = ["set -e"]
    files = {
        "lab.yaml": topology(bridges, namespaces),
        "changed.yaml": topology(bridges, changed),
        "lab.model": model(bridges, namespaces),
        "changed.model": model(bridges, changed),
        "script/create": shell + script_create(bridges, namespaces),
        "script/change": shell + change(namespaces[-1], moved),
        "script/destroy": shell + script_destroy(bridges, namespaces),
        "batch/create": shell + batch_create(bridges, namespaces),
        "batch/change": shell + change(namespaces[-1], moved),
        "batch/destroy": shell + batch_destroy(bridges, namespaces),
    }
    for name, lines in files.items():
        path = os.path.join(folder, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as out:
            out.write("\n".join(lines) + "\n")
    return count


if __name__ == "__main__":
    if len(sys.argv) != 3 or not (sys.argv[1] == "tier3" or sys.argv[1].isdigit() and int(sys.argv[1]) > 0):
        sys.exit(__doc__)
    write(*sys.argv[1:])
