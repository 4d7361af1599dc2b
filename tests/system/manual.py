#!/usr/bin/env python3
"""manual.py TOPO: whether topo(1) names every command and option that the program has, and no other, and topo-topology(5) is that of the schema."""
import pathlib
import re
import subprocess
import sys

root = pathlib.Path(__file__).resolve().parent.parent.parent
page = (root / "man/topo.1.scd").read_text()


def helped(*words):
    return subprocess.run([sys.argv[1], *words, "--help"], capture_output=True, text=True, check=True, timeout=60).stdout


def options(text):
    return set(re.findall(r"^ +(?:-\w,)?(--[\w-]+)", text, re.MULTILINE)) | {f"-{letter}" for letter in re.findall(r"^ +-(\w),--", text, re.MULTILINE)}


overview = helped()
commands = set(re.findall(r"^  (\w+) ", overview[overview.index("Subcommands:"):], re.MULTILINE))
has = options(overview).union(*(options(helped(command)) for command in commands))
sections = dict(re.findall(r"^# ([A-Z ]+)\n(.*?)(?=^# |\Z)", page, re.MULTILINE | re.DOTALL))
told_commands = set(re.findall(r"^\*topo (\w+)\*", sections["COMMANDS"], re.MULTILINE))
told_options = {name for line in re.findall(r"^\*-.*", sections["OPTIONS"], re.MULTILINE) for name in re.findall(r"\*(-[\w-]+)\*", line)}

mistakes = []
for what, program, manual in (("command", commands, told_commands), ("option", has, told_options)):
    mistakes += [f"topo(1) does not tell the {what} {name}" for name in sorted(program - manual)]
    mistakes += [f"topo(1) tells the {what} {name}, which topo does not have" for name in sorted(manual - program)]
if not commands or not has:
    mistakes.append("no command or option was found in the help")
if subprocess.run([root / "man/make-topology-page", "--check"], check=False, timeout=60).returncode != 0:
    mistakes.append("topo-topology(5) is not that of the schema")
sys.exit("\n".join(mistakes) or 0)
