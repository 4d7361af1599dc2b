"""Refusals by the kernel of what topo asks it by netlink, at the place where its answers are read (tests/fault/refuse.cpp)."""
import errno
import os
import subprocess

SOURCE = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "fault", "refuse.cpp")
# What the kernel says where something is in use, forbidden, too much, there already, wrong, unknown or gone. EEXIST and ENODEV are at times no
# failure to topo, so that it hears of its mistake only by looking.
_ERRORS = {"change": (errno.EBUSY, errno.EPERM, errno.ENOMEM, errno.EEXIST, errno.EINVAL, errno.EOPNOTSUPP, errno.ENODEV),
           "question": (errno.EBUSY, errno.EPERM, errno.ENOMEM)}
_TYPES = {16: "NEWLINK", 17: "DELLINK", 18: "GETLINK", 20: "NEWADDR", 21: "DELADDR", 22: "GETADDR", 24: "NEWROUTE", 25: "DELROUTE", 26: "GETROUTE",
          29: "DELNEIGH", 30: "GETNEIGH", 32: "NEWRULE", 33: "DELRULE", 34: "GETRULE", 80: "NEWNETCONF", 82: "GETNETCONF"}


class Seam:
    """The library, built into a folder, and what it tells of each run."""

    def __init__(self, folder):
        self.library, self.told = os.path.join(folder, "refuse.so"), os.path.join(folder, "refused")
        subprocess.run(["c++", "-std=c++20", "-O1", "-shared", "-fPIC", "-o", self.library, SOURCE], check=True)

    def environment(self, points=()):
        """That of a topo to which these requests are refused."""
        if os.path.exists(self.told):
            os.remove(self.told)
        # A sanitizer's own library wants to be the first, and its leak checker is no part of this.
        sanitizer = os.environ.get("ASAN_OPTIONS", "") + ":detect_leaks=0:verify_asan_link_order=0"
        return os.environ | {"LD_PRELOAD": self.library, "TOPO_REFUSED": self.told, "TOPO_REFUSE": " ".join(map(str, points)), "ASAN_OPTIONS": sanitizer}

    def _told(self):
        with open(self.told, encoding="ascii") as lines:
            return [line.split() for line in lines]

    def requests(self):
        """What the last run asked of the kernel, each with the ways in which it can be refused, in their order."""
        return [Request(int(protocol), int(kind), int(number), what) for protocol, kind, number, what, *_ in self._told()]

    def refused(self):
        """How many requests of the last run were refused."""
        return sum(words[-1] == "refused" for words in self._told())


class Request:
    def __init__(self, protocol, kind, number, what):
        self.protocol, self.kind, self.number, self.what = protocol, kind, number, what

    def is_change(self):
        return self.what == "change"

    def points(self):
        """The kernel may have done what it refuses, wholly or in part, or have left it; a question is simply not answered."""
        return [Point(self, way) for way in (("undone", "done") if self.is_change() else ("undone",))]


class Point:
    """A request, and how it is refused: with an error of its own, once or (lasting) from there on."""

    def __init__(self, request, way, error=errno.EBUSY, lasting=False):
        self.request, self.way, self.error, self.lasting = request, way, error, lasting

    def with_error(self, position, lasting=False):
        errors = _ERRORS[self.request.what]
        return Point(self.request, self.way, errors[position % len(errors)], lasting)

    def __str__(self):
        return f"{self.request.protocol}:{self.request.kind}:{self.request.number}{'+' if self.lasting else ''}:{self.error}:{self.way}"

    def is_question(self):
        """Whether it is of the network itself; of what only warnings come from, an answer may be done without."""
        return self.request.protocol == 0 and not self.request.is_change()

    def words(self):
        name = _TYPES.get(self.request.kind) if self.request.protocol == 0 else None
        name = name or f"message {self.request.kind} of protocol {self.request.protocol}"
        more = " and all after it" if self.lasting else ""
        return f"{name} number {self.request.number}{more} refused with {errno.errorcode[self.error]}" + (", but done" if self.way == "done" else "")
