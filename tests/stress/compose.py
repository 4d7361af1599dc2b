"""Strangers on a host, composed by a seed of what strangers/ holds. No packet meets their rules, so that counters stay what they are."""
import os
import random
import re
import subprocess

FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "strangers")
NOBODY = {"iptables": "203.0.113.", "ip6tables": "2001:db8:bad::"}  # all rules are about senders of these
BUILTIN = {"filter": ("INPUT", "FORWARD", "OUTPUT"), "nat": ("PREROUTING", "INPUT", "OUTPUT", "POSTROUTING"), "raw": ("PREROUTING", "OUTPUT"),
           "mangle": ("PREROUTING", "INPUT", "FORWARD", "OUTPUT", "POSTROUTING"), "security": ("INPUT", "FORWARD", "OUTPUT")}


def text_of(name):
    with open(os.path.join(FOLDER, name), encoding="utf-8") as text:
        return text.read()


def lines_of(name):
    return [line for line in text_of(name).splitlines() if not line.startswith("#")]


def odd_rules():
    """(tool, table, chain, words) of each."""
    return [tuple(line.split(" ", 3)) for line in lines_of("odd-rules.txt")]


def programs():
    """{program: [(table, chain, built-in chains that jump there, rules)]}."""
    found, chains = {}, []
    for line in lines_of("programs.txt"):
        if line.startswith(" "):
            chains[-1][3].append(line.strip())
            continue
        program, table, chain, hooks = line.split()
        chains = found.setdefault(program, [])
        chains.append((table, chain, re.findall(r"[A-Z]+", hooks), []))
    return found


def shell(text):
    feed("", "bash", "-ec", text)


def feed(text, *command):
    done = subprocess.run(command, input=text, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(command)}: {done.stdout}{done.stderr}\n{text}")


def known_here():
    """The odd rules that this kernel and its iptables know."""
    known = []
    for tool, table, chain, words in odd_rules():
        text = f"*{table}\n-A {chain} {words}\nCOMMIT\n"
        if subprocess.run([f"{tool}-legacy-restore", "--noflush"], input=text, capture_output=True, text=True, check=False).returncode == 0:
            known.append((tool, table, chain, words))
            shell(f"{tool}-legacy -t {table} -F {chain}")
    return known


class Mix:
    """The strangers of one seed. `known`: the odd rules to choose from."""

    def __init__(self, seed, known):
        self.dice = random.Random(seed)
        self.known = known
        self.bridges = []

    def some(self, items, least=0):
        items = list(items)
        return self.dice.sample(items, self.dice.randint(least, len(items)))

    def number(self, bits):
        return self.dice.randrange(1 << bits)

    def put(self):
        """Puts them on this host; what is about links comes when these are there, and else each in its turn."""
        self.links()
        for part in self.dice.sample([lambda: self.tables("iptables"), lambda: self.tables("ip6tables"), self.nft, self.routes, self.settings], 5):
            part()

    def counted(self, tool, chain, words):
        return f"[{self.number(33)}:{self.number(40)}] -A {chain} -s {NOBODY[tool]}{self.dice.randint(1, 99)} {words}"

    def tables(self, tool):
        chains, rules = {}, {}
        for of_tool, table, chain, words in self.some(self.known):
            if of_tool == tool:
                rules.setdefault(table, []).append(self.counted(tool, chain, words))
        for program in self.some(programs().values()) if tool == "iptables" else []:
            for table, chain, hooks, verdicts in program:
                chains.setdefault(table, []).append(f":{chain} - [0:0]")
                rules.setdefault(table, []).extend([self.counted(tool, chain, words) for words in verdicts] +
                                                   [self.counted(tool, hook, f"-j {chain}") for hook in hooks])
        text = ""
        for table, wanted in rules.items():
            policies = [f":{chain} {self.dice.choice(('ACCEPT', 'DROP')) if table == 'filter' else 'ACCEPT'} [7:77]" for chain in BUILTIN[table]]
            made, wanted = (self.dice.sample(lines, len(lines)) for lines in (chains.get(table, []), wanted))
            text += "\n".join([f"*{table}", *policies, *made, *wanted, "COMMIT", ""])
        feed(text, f"{tool}-legacy-restore", "-c")

    def nft(self):
        text = text_of("tables.nft")
        for name, value in (("packets", self.number(33)), ("bytes", self.number(40)), ("priority", self.dice.randint(-150, 150))):
            text = text.replace(f"{{{name}}}", str(value))
        feed("".join(self.some(re.findall(r"^table .*?^}\n", text, re.DOTALL | re.MULTILINE))), "nft", "-f", "-")
        if self.dice.random() < 0.4:
            feed("*filter\n:FORWARD ACCEPT\n:DOCKER-USER -\n-A FORWARD -s 203.0.113.5 -j DOCKER-USER\n-A DOCKER-USER -j RETURN\nCOMMIT\n",
                 "iptables-nft-restore")

    def links(self):
        commands = []
        for line in self.some(lines_of("bridges.txt"), 1):
            name, subnet = line.split()
            self.bridges.append(name)
            commands += [f"ip link add {name} type bridge ageing_time {self.dice.randint(10, 300)}00", f"ip link set {name} up",
                         f"ip address add {subnet} dev {name}" + (" nodad" if ":" in subnet else "")]
        for number in range(self.dice.randint(0, 3)):
            ns, port = f"stranger{number}", f"veth{self.number(28):07x}"
            commands += [f"ip netns add {ns}", f"ip link add {port} type veth peer name eth0 netns {ns}",
                         f"ip link set {port} master {self.dice.choice(self.bridges)} up", f"ip -n {ns} link set lo up", f"ip -n {ns} link set eth0 up",
                         f"ip -n {ns} address add 10.255.{number}.2/24 dev eth0", f"ip -n {ns} route add default via 10.255.{number}.1",
                         f"ip netns exec {ns} iptables-legacy -A INPUT -s 203.0.113.9 -j DROP"]
        shell("\n".join(commands + [f"{command} || :" for command in self.here(self.some(lines_of("devices.txt")))]))

    def routes(self):
        shell("\n".join(self.here(self.some(lines_of("routes.txt")))))

    def settings(self):
        for line in self.here(self.some(lines_of("settings.txt"))):
            name, *values = line.split()
            shell(f"sysctl -qw {name}={self.dice.choice(values)}")

    def here(self, lines):
        return [line.replace("{bridge}", self.bridges[0]) for line in lines]

    def meddle(self):
        """Some more rules in front of all others, as a program puts them there that starts now; the commands that take the first ones away again."""
        back = []
        # connbytes turns the host's accounting of connections on, and leaves it so.
        for tool, table, chain, words in self.some(rule for rule in self.known if "connbytes" not in rule[3])[:5]:
            feed(f"*{table}\n-I {chain} 1 -s {NOBODY[tool]}7 {words}\nCOMMIT\n", f"{tool}-legacy-restore", "-w", "--noflush")
            back.insert(0, f"{tool}-legacy -w -t {table} -D {chain} 1")
        return back
