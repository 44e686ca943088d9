"""Judges a software bill of materials by CycloneDX's Python library. Argument: the file. Prints {"error": text|null, "names": […]}."""
import json
import sys

from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

with open(sys.argv[1], encoding="utf-8") as file:
    text = file.read()
error = JsonStrictValidator(SchemaVersion.V1_6).validate_str(text)
names = sorted(f"{c.get('group', '') + '/' if c.get('group') else ''}{c['name']}@{c['version']}" for c in json.loads(text)["components"])
print(json.dumps({"error": None if error is None else str(error)[:400], "names": names}))
