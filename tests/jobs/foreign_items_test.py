#!/usr/bin/env python3
"""foreign_items_test.py BIN TRL_RUN: prepared items and cells whose numbers were altered are refused by name before any of
them is an index."""
import json
import os
import shutil
import sys

import h5py
import numpy

from harness import Work, check, finish, run

BIN, FIXTURE = sys.argv[1], sys.argv[2]
MODEL, PAIRS = os.path.join(FIXTURE, "model"), os.path.join(FIXTURE, "pairs.jsonl")


def expect(case, command, code, parts):
    result = run([os.path.join(BIN, command[0]), *command[1:]])
    check(result.returncode == code, f"{case}: exit code {result.returncode} instead of {code}\n{result.stdout}{result.stderr}")
    for part in parts:
        check(part in result.stderr, f"{case}: no '{part}' in\n{result.stderr}")


with Work() as work:
    expect("prepare", ["xlrm_prepare", "--input", PAIRS, "--model", MODEL, "--output", work / "pairs.h5"], 0, [])
    vocabulary = json.load(open(os.path.join(MODEL, "config.json")))["vocab_size"]

    def altered(dataset, index, value):
        shutil.copy(work / "pairs.h5", work / "altered.h5")
        with h5py.File(work / "altered.h5", "r+") as file:
            file[dataset][index] = value
        return work / "altered.h5"

    commands = {"evaluate": ["xlrm_evaluate", "--model", MODEL, "--output", work / "c.h5"],
                "train": ["xlrm_train", "--model", MODEL, "--output", work / "m", "--steps", "1"],
                "dpo": ["xlrm_train", "--objective", "dpo", "--model", MODEL, "--output", work / "m", "--steps", "1"]}
    spoilt = {"token": (("tokens", 3, vocabulary), [f"token {vocabulary}", MODEL]),
              "largest token": (("tokens", 3, 2**31 - 1), [f"token {2**31 - 1}"]),
              "margin": (("items/margin", 0, numpy.inf), ["altered.h5", "margin", "infinite"]),
              "num_correct": (("items/num_correct", 0, 2), ["altered.h5", "2 right answers of 2"]),
              "answers": (("items/answers", 0, 1), ["altered.h5", "1 answer"])}
    for name, dry, cases in (("evaluate", [], spoilt), ("train", [], ("token", "num_correct")), ("dpo", [], ("token",)),
                             ("evaluate", ["--dry-run"], ("token", "answers")), ("train", ["--dry-run"], ("token",))):
        for case in cases:
            change, parts = spoilt[case]
            expect(" ".join([name, *dry, case]), [*commands[name], *dry, "--data", altered(*change)], 1, parts)
    check(not os.path.exists(work / "c.h5") and not os.path.exists(work / "m"), "a refused file gave an output")
    # A reference of fewer tokens than the data have.
    small = work / "small"
    shutil.copytree(MODEL, small)
    config = json.load(open(os.path.join(small, "config.json")))
    json.dump(dict(config, vocab_size=100, bos_token_id=1, eos_token_id=2, pad_token_id=3), open(os.path.join(small, "config.json"), "w"))
    expect("reference", [*commands["dpo"], "--ref-model", small, "--data", work / "pairs.h5"], 1, ["--ref-model", "100"])
finish()
