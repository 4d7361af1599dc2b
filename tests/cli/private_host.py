"""What the suites share that run topo on a private host."""
import contextlib
import os
import pty
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PAIR = """topology: {name}
namespaces: {{ {name}-a: {{}}, {name}-b: {{}} }}
links: [{{ between: [{name}-a, {name}-b], addresses: [10.0.1.10/24, 10.0.1.20/24] }}]
"""
MANY = "topology: many\nbridges: { lan: { subnet: 10.7.0.0/16 } }\nnamespaces: { node: { replicas: 150, attach: lan } }\n"
STATE = "/run/topo"
TOPO = os.path.abspath(sys.argv[1]) if len(sys.argv) > 1 else ""


def topo(*words, **options):
    return subprocess.run([TOPO, *words], **{"capture_output": True, "text": True, "timeout": 120, "check": False, "stdin": subprocess.DEVNULL, **options})


def counts_interrupts(pid):
    """Whether the process has its own answer to SIGTERM by now. Before, the signal ends it as it ends any program, and nothing was touched."""
    try:
        with open(f"/proc/{pid}/status", encoding="ascii") as status:
            caught = next(line for line in status if line.startswith("SigCgt:"))
    except (FileNotFoundError, ProcessLookupError, StopIteration):
        return False
    return int(caught.split()[1], 16) >> (signal.SIGTERM - 1) & 1 == 1


def is_pending(pid, sent):
    """Whether the process has not seen a signal yet that was sent to it."""
    with contextlib.suppress(FileNotFoundError, ProcessLookupError, StopIteration), open(f"/proc/{pid}/status", encoding="ascii") as status:
        return int(next(line for line in status if line.startswith("ShdPnd:")).split()[1], 16) >> (sent - 1) & 1 == 1
    return False


def has_open(pid, path):
    folder = f"/proc/{pid}/fd"
    with contextlib.suppress(FileNotFoundError):
        return any(os.path.realpath(f"{folder}/{name}") == path for name in os.listdir(folder))
    return False


def names():
    """Every named namespace and every link of the host."""
    links = subprocess.run(["ip", "-br", "link"], capture_output=True, text=True, check=True).stdout
    return sorted(os.listdir("/run/netns")), sorted(line.split("@")[0].split()[0] for line in links.splitlines())


class PrivateHost(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, self.folder)
        self.addCleanup(topo, "destroy", "--all")
        self.pair = self.file("pair.yaml", PAIR.format(name="pair"))

    def file(self, name, text):
        path = os.path.join(self.folder, name)
        with open(path, "w", encoding="utf-8") as out:
            out.write(text)
        return path

    def expect(self, code, *words, saying=""):
        done = topo(*words)
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        self.assertIn(saying, done.stdout + done.stderr)
        return done

    def wait_for(self, true, what):
        """`true` may be so for a moment only: it is not asked again."""
        deadline = time.monotonic() + 60
        while not true():
            self.assertLess(time.monotonic(), deadline, f"not seen: {what}")
            time.sleep(0.01)

    def answered(self, answer, *words):
        """The exit code of a topo on a terminal where the question gets `answer` (None: ^C)."""
        pid, terminal = pty.fork()
        if pid == 0:
            os.execv(TOPO, [TOPO, *words])
        said, asked, end = b"", False, time.monotonic() + 60
        while time.monotonic() < end:
            if not select.select([terminal], [], [], 0.2)[0]:
                continue
            try:
                said += os.read(terminal, 4096)
            except OSError:
                break
            if b"[y/N]" in said and not asked:
                asked = True
                if answer is None:
                    os.kill(pid, signal.SIGINT)
                else:
                    os.write(terminal, answer)
        code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        os.close(terminal)
        return code, asked


def main():
    """The tests of the program that is run, on a private host."""
    if os.environ.get("TOPO_TEST_INSIDE") != "1":
        sandbox = os.path.join(ROOT, "tests", "host", "sandbox")
        os.environ["TOPO_TEST_INSIDE"] = "1"
        os.execv(sandbox, [sandbox, sys.executable, os.path.abspath(sys.argv[0]), TOPO, *sys.argv[2:]])
    sys.argv.pop(1)
    unittest.main(verbosity=1)
