"""Reads a JSON list of XML documents from stdin; prints a JSON list of what the 2.0b schema says against each."""
import json
import os
import sys

import openleadr
from lxml import etree

folder = os.path.join(os.path.dirname(openleadr.__file__), "schema")
schema = etree.XMLSchema(etree.parse(os.path.join(folder, "oadr_20b.xsd")))
verdicts = []
for text in json.load(sys.stdin):
    document = etree.fromstring(text.encode())
    verdicts.append("" if schema.validate(document) else str(schema.error_log.last_error))
print(json.dumps(verdicts))
