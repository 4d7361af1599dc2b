#!/usr/bin/env python3
"""manual.py TOPO: whether topo(1) names every command and option that the program has, and no other, topo-topology(5) is that of the schema, and the
page on the language knows every key of it."""
import json
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
commands = set(re.findall(r"^  (\w+) ", overview, re.MULTILINE))
has = {"-h", *re.findall(r"--[\w-]+", overview)}.union(*(options(helped(command)) for command in commands))
sections = dict(re.findall(r"^# ([A-Z ]+)\n(.*?)(?=^# |\Z)", page, re.MULTILINE | re.DOTALL))
told_commands = set(re.findall(r"^\*topo (\w+)\*", sections["COMMANDS"], re.MULTILINE))
told_options = {name for line in re.findall(r"^\*-.*", sections["OPTIONS"], re.MULTILINE) for name in re.findall(r"\*(-[\w-]+)\*", line)}

mistakes = []
for what, program, manual in (("command", commands, told_commands), ("option", has, told_options)):
    mistakes += [f"topo(1) does not tell the {what} {name}" for name in sorted(program - manual)]
    mistakes += [f"topo(1) tells the {what} {name}, which topo does not have" for name in sorted(manual - program)]
language = (root / "docs/language.md").read_text()
# What stands as code, in bold or as a title.
told_keys = {word for code in re.findall(r"^```yaml\n[\s\S]*?^```|`[^`\n]+`|\*\*[^*\n]+\*\*|^#.*", language, re.MULTILINE) for word in re.findall(r"[\w-]+", code)}
schema = json.loads((root / "schemas/topology.schema.json").read_text())
keys = {key for node in [schema, *schema["definitions"].values()] for key in node.get("properties", {})}
mistakes += [f"docs/language.md does not tell the key {key}" for key in sorted(keys - told_keys)]
if len(keys) < 40:
    mistakes.append("the keys of the schema were not found")
if not commands or not has:
    mistakes.append("no command or option was found in the help")
if subprocess.run([root / "man/make-topology-page", "--check"], check=False, timeout=60).returncode != 0:
    mistakes.append("topo-topology(5) is not that of the schema")
sys.exit("\n".join(mistakes) or 0)
