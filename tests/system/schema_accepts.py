#!/usr/bin/env python3
"""Every example and every topology of the packet cases is valid by the JSON Schema, and each example names that schema for editors."""
import glob
import json
import os
import sys

import jsonschema
import yaml

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
MODELINE = "# yaml-language-server: $schema=../schemas/topology.schema.json"
REFUSED = {"tests/packet/bad-file/topology.yaml"}


def text_keyed(value):
    """YAML keys as JSON has them: text."""
    if isinstance(value, dict):
        return {str(key): text_keyed(item) for key, item in value.items()}
    return [text_keyed(item) for item in value] if isinstance(value, list) else value


def main():
    with open(os.path.join(ROOT, "schemas", "topology.schema.json"), encoding="utf-8") as file:
        schema = json.load(file)
    jsonschema.Draft7Validator.check_schema(schema)
    validator = jsonschema.Draft7Validator(schema)
    wrong, checked = [], 0
    for path in sorted(glob.glob(f"{ROOT}/examples/**/*.yaml", recursive=True) + glob.glob(f"{ROOT}/tests/packet/*/**/*.yaml", recursive=True)):
        name = os.path.relpath(path, ROOT)
        if os.path.basename(path) == "probes.yaml" or name.startswith("tests/packet/examples/"):
            continue
        with open(path, encoding="utf-8") as file:
            text = file.read()
        mistakes = [f"{'/'.join(map(str, mistake.path))}: {mistake.message}" for mistake in validator.iter_errors(text_keyed(yaml.safe_load(text)))]
        # A file to be included need not name a topology.
        mistakes = [mistake for mistake in mistakes if "'topology' is a required property" not in mistake]
        checked += 1
        if bool(mistakes) != (name in REFUSED):
            wrong.append(f"{name}: {mistakes[:3] or 'accepted'}")
        if name.startswith("examples/") and "/" not in name[9:] and not text.startswith(MODELINE):
            wrong.append(f"{name}: does not begin with '{MODELINE}'")
    print("\n".join(wrong))
    print(f"{checked} files, {len(wrong)} wrong")
    return 1 if wrong or not checked else 0


if __name__ == "__main__":
    sys.exit(main())
