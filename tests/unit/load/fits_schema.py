#!/usr/bin/env python3
"""fits_schema.py SCHEMA FOLDER...: validates every *.yaml below the folders; says which do not fit, and where.

fits_schema.py SCHEMA FILE.txt: the same for the cases of a file, of which those that say `bad` must not fit."""
import json
import pathlib
import re
import sys

import jsonschema
import yaml


class Loader(yaml.SafeLoader):
    """YAML as topo reads it: decimal integers, true, false and null; all else is text."""


Loader.yaml_implicit_resolvers = {}
Loader.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile(r"^(true|false)$"), ["t", "f"])
Loader.add_implicit_resolver("tag:yaml.org,2002:int", re.compile(r"^(0|[1-9][0-9]*)$"), list("0123456789"))
Loader.add_implicit_resolver("tag:yaml.org,2002:null", re.compile(r"^(null|~|)$"), ["n", "~", ""])


def with_text_keys(value):
    if isinstance(value, dict):
        return {str(key): with_text_keys(item) for key, item in value.items()}
    return [with_text_keys(item) for item in value] if isinstance(value, list) else value


def check_cases(validator, path):
    cases = re.split(r"^=== ", pathlib.Path(path).read_text(), flags=re.M)[1:]
    wrong = 0
    for case in cases:
        head, text = case.split("\n", 1)
        errors = [error.message[:200] for error in validator.iter_errors(with_text_keys(yaml.load(text, Loader)))]
        if bool(errors) != head.startswith("bad"):
            wrong += 1
            print(f"{path}: {head}: {errors or 'accepted'}")
    return 1 if wrong or not cases else 0


def main(schema_path, *folders):
    schema = json.loads(pathlib.Path(schema_path).read_text())
    jsonschema.Draft7Validator.check_schema(schema)
    validator = jsonschema.Draft7Validator(schema)
    if folders[0].endswith(".txt"):
        return check_cases(validator, folders[0])
    files = sorted(path for folder in folders for path in pathlib.Path(folder).rglob("*.yaml"))
    bad = 0
    for path in files:
        document = with_text_keys(yaml.load(path.read_bytes(), Loader))
        for error in validator.iter_errors(document):
            bad += 1
            print(f"{path}: {'/'.join(map(str, error.absolute_path))}: {error.message[:200]}")
    if not files:
        print("no files found")
    return 1 if bad or not files else 0


sys.exit(main(*sys.argv[1:]))
