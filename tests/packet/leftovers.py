"""Whether a topo that could not go back (exit 4) has named what it left."""
import json
import re


def _names(state):
    """Of a dump: namespaces, and the bridges, addresses and firewalls that are in one or the host, each as words that an error names it by."""
    place, names = "", set()
    for line in state:
        kind, _, rest = line.partition(" ")
        if kind == "==" and not rest.startswith(("namespaces", "files")):
            place = "" if rest == "the host" else rest
            names.add((place, place))
        elif kind == "link" and '"info_kind": "bridge"' in rest:
            names.add((place, json.loads(rest)["ifname"]))
        elif kind == "address":
            record = json.loads(rest)
            if record["dev"] != "lo":  # it has its own as soon as it is up
                names.add((place, record["dev"], f"{record['local']}/{record['prefixlen']}"))
        elif "TOPO-" in line:
            names.add((place, "firewall"))
    return names


def unnamed(earlier, now, said):
    """What differs between two dumps and is not among what is `said`: the interface, where it says no more than that one may have been changed."""
    missing = []
    for place, *words in sorted(_names(earlier) ^ _names(now)):
        vague = re.search(rf"address {re.escape(':'.join(filter(None, (place, words[0]))))} may have been changed", said)
        if not vague and not re.search(rf"(?<![\w.]){re.escape(words[-1])}(?![\w.])", said):
            missing.append(" ".join(filter(None, (place, *words))))
    return missing
