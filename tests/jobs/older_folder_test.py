#!/usr/bin/env python3
"""older_folder_test.py BIN FOLDER.tar.xz: a sweep's folder that an earlier version made, before tasks had identities, is verified by what its records
say. With the same options nothing is computed again (but the analysis, which it did not have); what changed since is made anew and the old output kept; a record that is damaged is named.
FOLDER.tar.xz: see tests/fixtures/sweep/SOURCES.md."""
import json
import os
import subprocess
import sys

from harness import ENVIRONMENT, Work, check, digest, files_below, finish, run

SWEEP, ARCHIVE = os.path.join(sys.argv[1], "xlrm_sweep"), sys.argv[2]
OPTIONS = ("--smoke --data.langs en,ko --sources en,ko --targets en,ko --model.hidden 16 --model.heads 2 --model.kv-heads 2 --model.layers 1 "
           "--model.intermediate 16 --evaluate.layers none --tokenizer.vocab-size 900").split()


def unpack(work, name):
    home = work / name
    os.makedirs(home)
    subprocess.run(["tar", "xJf", os.path.abspath(ARCHIVE), "-C", home], check=True)
    return home, os.path.join(home, "out")


def sweep(home, *more):
    return subprocess.run([SWEEP, *OPTIONS, "--output", "out", *more], cwd=home, env=ENVIRONMENT, capture_output=True, text=True, timeout=300)


def results(out):
    return {name: (digest(os.path.join(out, name)), os.stat(os.path.join(out, name)).st_mtime_ns) for name in files_below(out)
            if name.split(os.sep)[0] in ("models", "cells", "floors", "world", "tokenizer")}


def computed(out):
    entries = [json.loads(line) for line in open(os.path.join(out, "ledger.jsonl"))]
    return sorted(entry["task"] for entry in entries if entry["event"] == "done")


def same_options(work):
    home, out = unpack(work, "same")
    check(json.load(open(os.path.join(out, "plan.json")))["schema"] == "XLRM-plan-1", "the folder is not an old one")
    before, done = results(out), computed(out)
    check(len(before) > 30, f"only {len(before)} files")
    result = sweep(home)
    check(result.returncode == 0, f"same options: it ends with {result.returncode}\n{result.stderr}")
    check(results(out) == before, "same options: a result was touched")
    new = sorted(set(computed(out)) - set(done))
    check(new == ["analyze"], f"same options: computed {new}")  # which that version did not have
    check(not os.path.exists(os.path.join(out, "superseded")), "same options: something was moved")
    check(json.load(open(os.path.join(out, "plan.json")))["schema"] == "XLRM-plan-2", "same options: the plan stays as it was")
    for command in ("verify", "table", "status"):
        check(run([SWEEP, command, out]).returncode == 0, f"same options: {command} ends with another code")


def another_rate(work):
    home, out = unpack(work, "rate")
    before = results(out)
    result = sweep(home, "--train.lr", "7e-4")
    check(result.returncode == 0, f"another learning rate: it ends with {result.returncode}\n{result.stderr}")
    after = results(out)
    belongs = lambda name: name.startswith(("models/base.en.s1/", "models/base.ko.s1/", "cells/base.en.s1/", "cells/base.ko.s1/"))
    for name, old in before.items():
        check((after.get(name) == old) != belongs(name), f"another learning rate: {name} is " + ("the old one" if belongs(name) else "touched"))
    moved = {digest(os.path.join(out, "superseded", name)) for name in files_below(os.path.join(out, "superseded"))}
    lost = [name for name, old in before.items() if belongs(name) and old[0] not in moved]
    check(not lost, f"another learning rate: lost {lost}")


def damaged(work):
    home, out = unpack(work, "damaged")
    cell = os.path.join(out, "cells/base.en.s1/facts.ko.h5")
    content = bytearray(open(cell, "rb").read())
    content[len(content) // 2] ^= 1
    open(cell, "wb").write(content)
    result = run([SWEEP, "verify", out])
    check(result.returncode == 1 and "facts.ko.h5" in result.stdout + result.stderr, f"damaged cell: {result.returncode}\n{result.stdout}{result.stderr}")
    check(sweep(home).returncode == 0, "damaged cell: the sweep fails")
    check(run([SWEEP, "verify", out]).returncode == 0, "damaged cell: it stays damaged")


with Work() as work:
    same_options(work)
    another_rate(work)
    damaged(work)
finish()
