"""Judges repositories with python-tuf: one JSON list of cases on stdin, one verdict a line on stdout."""
import json
import os
import sys
import tempfile

from tuf.ngclient import Updater


def judge(case, url):
    with tempfile.TemporaryDirectory() as folder:
        verdict = {"accepted": False, "why": ""}
        for step in range(case["steps"]):
            base = f"{url}/{case['index']}/{step}"
            try:
                updater = Updater(
                    folder,
                    base + "/metadata/",
                    target_dir=folder,
                    target_base_url=base + "/targets/",
                    bootstrap=case["root"].encode() if step == 0 else None,
                )
                updater.refresh()
                if case["target"] and step == case["steps"] - 1:
                    info = updater.get_targetinfo(case["target"])
                    if info is None:
                        raise ValueError("no such target")
                    updater.download_target(info, os.path.join(folder, "image"))
                verdict = {"accepted": True, "why": ""}
            except Exception as error:  # whatever it throws is its way to say no
                verdict = {"accepted": False, "why": f"{type(error).__name__}: {error}"[:200]}
        return verdict


asked = json.load(sys.stdin)
for one in asked["cases"]:
    print(json.dumps(judge(one, asked["url"])), flush=True)
