"""Validates every XML file of a folder against the OpenADR 2.0b schema that ships with the openleadr package.

Usage: python validate_xsd.py FOLDER
Prints one JSON object: how many of each payload were valid, and what is wrong with the others. Exit 1 if any is.
"""

import collections
import json
import os
import sys

import openleadr
from lxml import etree

OADR = "{http://openadr.org/oadr-2.0b/2012/07}"


def main(folder):
    schema_file = os.path.join(os.path.dirname(openleadr.__file__), "schema", "oadr_20b.xsd")
    schema = etree.XMLSchema(etree.parse(schema_file))
    valid = collections.Counter()
    wrong = []
    for name in sorted(os.listdir(folder)):
        if not name.endswith(".xml"):
            continue
        try:
            document = etree.parse(os.path.join(folder, name))
        except etree.XMLSyntaxError as error:
            wrong.append({"file": name, "errors": [str(error)]})
            continue
        if schema.validate(document):
            payload = document.getroot().find(OADR + "oadrSignedObject")[0]
            valid[etree.QName(payload).localname] += 1
        else:
            wrong.append({"file": name, "errors": [f"{e.line}: {e.message}" for e in schema.error_log]})
    print(json.dumps({"valid": valid, "wrong": wrong}))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
