"""The daemons that set up networks on a host, started for real on the private host that this process is on: each with folders of its own in place of
the machine's, and a network of its own that packets prove."""
import ctypes
import os
import shutil
import signal
import subprocess
import tempfile
import time

WORLD = "198.51.100.1"
HOST = "198.51.100.2"
IN_WORLD = ["ip", "netns", "exec", "world"]
LIBC = ctypes.CDLL(None, use_errno=True)
CLONE_NEWCGROUP = 0x02000000


class Lacking(Exception):
    """What is not installed here."""


def output(*command, code=0, **options):
    done = subprocess.run(command, **{"capture_output": True, "text": True, "timeout": 60, "check": False, "stdin": subprocess.DEVNULL, **options})
    if code is not None and done.returncode != code:
        raise AssertionError(f"{' '.join(command)}: exit {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout


def shell(script):
    return output("bash", "-ec", script)


def wait_for(true, what):
    deadline = time.monotonic() + 30
    while not true():
        if time.monotonic() > deadline:
            raise AssertionError(f"not seen: {what}")
        time.sleep(0.02)


def own_folder(folder, empty=True):
    """Puts a folder of this mount namespace's own in place of one of the machine's; with its files, or empty."""
    over = tempfile.mkdtemp(dir="/run")
    os.chmod(over, 0o755)
    if empty:
        shell(f"mkdir -p {folder}; mount -t tmpfs none {folder}")
    else:
        shell(f"mkdir {over}/upper {over}/work; mount -t overlay none {folder} -o lowerdir={folder},upperdir={over}/upper,workdir={over}/work")


def fetch(inside, address, port):
    """Whether `inside` (the words of a command) finds the server behind that port."""
    answer = subprocess.run([*inside, "curl", "-s", "-m", "2", "-o", "/dev/null", "-w", "%{http_code}", f"http://{address}:{port}/"], capture_output=True,
                            text=True, timeout=20, check=False)
    return answer.stdout == "200"


class Daemon:
    """One daemon and its network. `command`: what starts it in the foreground."""
    programs = ()
    reload = None  # commands that have it write its rules anew

    def __init__(self):
        self.running, self.servers = None, []
        missing = [program for program in self.programs if not shutil.which(program)]
        if missing:
            raise Lacking(", ".join(missing))
        self.empty = tempfile.mkdtemp(dir="/run")

    def spawn(self, *command):
        with open(f"/run/{os.path.basename(command[0])}.log", "ab") as log:
            return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def start(self):
        self.running = self.spawn(*self.command())
        wait_for(self.is_up, f"{self.programs[0]} is up (see /run/{self.programs[0]}.log)")

    def stop(self):
        if self.running:
            self.running.send_signal(signal.SIGTERM)
            self.running.wait(30)

    def command(self):
        raise NotImplementedError

    def is_up(self):
        raise NotImplementedError

    def serve(self, inside, port):
        """A server there of a folder with nothing in it."""
        self.servers.append(subprocess.Popen([*inside, "python3", "-m", "http.server", "-d", self.empty, str(port)], stdin=subprocess.DEVNULL,
                                             stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL))
        wait_for(lambda: f":{port} " in output(*inside, "ss", "-Hltn"), f"a server on port {port}")

    def end_servers(self):
        for server in self.servers:
            server.kill()
            server.wait()
        self.servers = []

    def inside(self):
        """What runs a command in the daemon's network."""
        raise NotImplementedError

    def ways(self):
        """{what: whether it works} of the daemon's own network."""
        raise NotImplementedError

    def own_network(self):
        """Makes it."""

    def disturb(self):
        """What has it write its rules anew."""
        for command in self.reload or ():
            output(*command)
        if not self.reload:
            self.stop()
            self.start()

    def tidy(self):
        """Leaves nothing on the machine. What is on the private host goes with it."""


def use_legacy_iptables():
    """As an administrator chooses it (update-alternatives), in an /etc of this host's own."""
    for tool in ("iptables", "ip6tables"):
        for end in ("", "-save", "-restore"):
            shell(f"ln -sfn /usr/sbin/{tool}-legacy{end} /etc/alternatives/{tool}{end}")


def system_bus():
    os.makedirs("/run/dbus", exist_ok=True)
    output("dbus-daemon", "--system", "--fork", "--nopidfile")


class Firewalld(Daemon):
    """Its network: a namespace behind a bridge in a zone of its own, with a way out, and a port of the host that is forwarded to it; a port that is open
    and one that is not."""
    programs = ("firewalld", "firewall-cmd", "dbus-daemon")
    reload = (["firewall-cmd", "--reload"],)

    def __init__(self, backend="nftables"):
        super().__init__()
        own_folder("/etc", empty=False)
        own_folder("/var/log")
        shell(f"sed -i s/^FirewallBackend=.*/FirewallBackend={backend}/ /etc/firewalld/firewalld.conf")
        system_bus()

    def command(self):
        return "firewalld", "--nofork", "--nopid"

    def is_up(self):
        return subprocess.run(["firewall-cmd", "--state"], capture_output=True, check=False).returncode == 0

    def own_network(self):
        shell("""ip netns add office; ip link add br-office type bridge; ip address add 10.99.0.1/24 dev br-office; ip link set br-office up
                 ip link add office0 master br-office type veth peer name eth0 netns office; ip link set office0 up
                 ip -n office address add 10.99.0.2/24 dev eth0; ip -n office link set lo up; ip -n office link set eth0 up
                 ip -n office route add default via 10.99.0.1; sysctl -qw net.ipv4.ip_forward=1""")
        for words in ("--zone=internal --add-interface=br-office", "--zone=public --add-interface=eth0", "--zone=public --add-masquerade",
                      "--zone=public --add-port=8087/tcp", "--zone=public --add-forward-port=port=8088:proto=tcp:toport=80:toaddr=10.99.0.2",
                      "--new-policy out", "--policy out --add-ingress-zone internal", "--policy out --add-egress-zone public",
                      "--policy out --set-target ACCEPT"):
            output("firewall-cmd", "--permanent", *words.split())
        output("firewall-cmd", "--reload")
        for inside, port in ((self.inside(), 80), (IN_WORLD, 70), ([], 8087), ([], 8089)):
            self.serve(inside, port)

    def inside(self):
        return ["ip", "netns", "exec", "office"]

    def ways(self):
        return {"an open port": fetch(IN_WORLD, HOST, 8087), "no other": not fetch(IN_WORLD, HOST, 8089), "a forwarded port": fetch(IN_WORLD, HOST, 8088),
                "the way out": fetch(self.inside(), WORLD, 70)}


class Docker(Daemon):
    """Its network: a container with a published port, of an image that is made of one program, and another network. The container's control groups go
    below a group of this process's own."""
    programs = ("dockerd", "docker", "containerd", "runc")

    def __init__(self, *options):
        super().__init__()
        self.options = options
        own_folder("/etc", empty=False)
        own_folder("/var/log")
        own_folder("/var/lib/docker")
        self.groups()

    def groups(self):
        """A control group of this process's own as the top of all that it sees: all that a container needs, whatever the machine lends to it."""
        os.mkdir("/run/groups")
        shell("mount -t cgroup2 none /run/groups")
        with open("/proc/self/cgroup", encoding="ascii") as mine:
            below = next(line for line in mine if line.startswith("0::")).strip()[3:].strip("/")
        self.home = os.path.join("/run/groups", below)
        self.top = os.path.join(self.home, f"peace-{time.monotonic_ns()}")
        os.mkdir(self.top)
        self.move(self.top)
        if LIBC.unshare(CLONE_NEWCGROUP) != 0:
            raise OSError(ctypes.get_errno(), "unshare")
        shell("mount -t cgroup2 none /sys/fs/cgroup")
        os.mkdir(f"{self.top}/daemon")
        self.move(f"{self.top}/daemon")

    @staticmethod
    def move(group):
        with open(f"{group}/cgroup.procs", "w", encoding="ascii") as processes:
            processes.write(str(os.getpid()))

    def tidy(self):
        """Ends the container, and gives the machine's tree of control groups back as it was."""
        subprocess.run(["docker", "rm", "-f", "web"], capture_output=True, check=False, timeout=60)
        self.stop()
        self.move(self.home)
        for folder, _, _ in os.walk(self.top, topdown=False):
            deadline = time.monotonic() + 10
            while os.path.isdir(folder) and time.monotonic() < deadline:
                try:
                    os.rmdir(folder)
                except OSError:
                    time.sleep(0.05)

    def command(self):
        return ("dockerd", "--exec-root", "/run/docker", "--pidfile", "/run/docker.pid", "-H", "unix:///run/docker.sock", "--storage-driver", "vfs",
                "--exec-opt", "native.cgroupdriver=cgroupfs", *self.options)

    def is_up(self):
        return subprocess.run(["docker", "version"], capture_output=True, check=False).returncode == 0

    def stop(self):
        self.end_servers()
        super().stop()

    def inside(self):
        return ["nsenter", "-n", "-t", output("docker", "inspect", "-f", "{{.State.Pid}}", "web").strip()]

    def start(self):
        super().start()
        if "web" in output("docker", "ps", "-a", "--format", "{{.Names}}").split():
            output("docker", "start", "web")
            self.serve_inside()

    def serve_inside(self):
        self.serve(self.inside(), 80)
        self.serve(IN_WORLD, 70)

    def own_network(self):
        files = " ".join(sorted({"/bin/sleep", *(word for word in output("ldd", "/bin/sleep").split() if word.startswith("/"))}))
        shell(f"tar -C / -chf - {files} 2>/dev/null | docker import - one-program")
        output("docker", "network", "create", "theirs")
        output("docker", "run", "-d", "--name", "web", "--network", "theirs", "-p", "8000:80", "one-program", "/bin/sleep", "1000")
        self.serve_inside()

    def ways(self):
        return {"a published port": fetch(IN_WORLD, HOST, 8000), "the same of the host": fetch([], "127.0.0.1", 8000),
                "the way out": fetch(self.inside(), WORLD, 70)}


class Libvirt(Daemon):
    """Its network: `default`, with a namespace in a guest's place that has its address from libvirt's DHCP range."""
    programs = ("libvirtd", "virsh", "dnsmasq", "dbus-daemon")
    reload = (["virsh", "-q", "net-destroy", "default"], ["virsh", "-q", "net-start", "default"])

    def __init__(self):
        super().__init__()
        os.environ["LIBVIRT_DEFAULT_URI"] = "qemu:///system"
        own_folder("/etc", empty=False)
        own_folder("/var/log")
        own_folder("/var/cache")
        own_folder("/var/lib/libvirt", empty=False)
        os.mkdir("/var/log/libvirt")
        system_bus()

    def command(self):
        return ("libvirtd",)

    def is_up(self):
        return subprocess.run(["virsh", "-q", "net-list"], capture_output=True, check=False).returncode == 0

    def own_network(self):
        output("virsh", "-q", "net-start", "default")
        shell("""ip netns add guest; ip link add vnet0 type veth peer name eth0 netns guest; ip link set vnet0 up; ip -n guest link set lo up
                 ip -n guest address add 192.168.122.50/24 dev eth0; ip -n guest link set eth0 up""")
        self.plug()
        self.serve(IN_WORLD, 70)

    @staticmethod
    def plug():
        """As a guest has it done: whoever starts the network anew has it plugged in again."""
        shell("ip link set vnet0 master virbr0; ip -n guest route replace default via 192.168.122.1")
        wait_for(lambda: "state forwarding" in output("ip", "-d", "link", "show", "vnet0"), "the guest's port forwards")

    def inside(self):
        return ["ip", "netns", "exec", "guest"]

    def ways(self):
        self.plug()
        return {"the way out": fetch(self.inside(), WORLD, 70),
                "the gateway": subprocess.run([*self.inside(), "ping", "-c1", "-W2", "192.168.122.1"], capture_output=True,
                                              check=False).returncode == 0}
