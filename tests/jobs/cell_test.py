#!/usr/bin/env python3
"""cell_test.py BIN TRL_RUN: a cell opens in h5py and xarray as it is, and the state that it stores of the last layer, normed and multiplied by
the head, gives the stored score within 1e-5 · max(1, |score|), with fp32 and with bf16 compute."""
import json
import os
import sys

import h5py
import numpy
import xarray

from harness import Work, check, finish, run

BIN, FIXTURE = sys.argv[1], sys.argv[2]


def scores_from_states(file, side):
    last = max(file["activations/last"])
    states = file[f"activations/last/{last}/{side}"]
    check(states.dtype == numpy.float32, f"the last layer is stored as {states.dtype}")
    states = states[:].astype(numpy.float64)
    rstd = 1.0 / numpy.sqrt((states ** 2).mean(axis=1, keepdims=True) + file["head"].attrs["norm_eps"])
    return (states * rstd * file["head/final_norm"][:].astype(numpy.float64)) @ file["head/weight"][:].astype(numpy.float64)


with Work() as work:
    for dtype in ("fp32", "bf16"):
        cell = work / f"{dtype}.h5"
        result = run([os.path.join(BIN, "xlrm_evaluate"), "--model", os.path.join(FIXTURE, "model"), "--data", os.path.join(FIXTURE, "pairs.jsonl"),
                      "--output", cell, "--dtype", dtype])
        check(result.returncode == 0, f"{dtype}: xlrm_evaluate ends with {result.returncode}\n{result.stderr}")
        facts = json.load(open(work / f"{dtype}.run.json"))
        check(facts.get("device") == "cpu" and "ops" not in facts, f"{dtype}: the run file says {facts}")
        with xarray.open_dataset(cell, group="scores") as scores:
            check(scores.sizes["item"] == 44, f"{dtype}: {scores.sizes} instead of 44 items")
            check(bool((scores["margin"] == scores["chosen"] - scores["rejected"]).all()), f"{dtype}: margin is not chosen - rejected")
            check(str(scores["id"].values[0]) == "r-0", f"{dtype}: the first id is {scores['id'].values[0]}")
        with h5py.File(cell) as file:
            for side in ("chosen", "rejected"):
                stored = file[f"scores/{side}"][:].astype(numpy.float64)
                check(numpy.ptp(stored) > 0.1, f"{dtype}, {side}: the scores hardly differ, so the comparison says nothing")
                worst = numpy.abs((scores_from_states(file, side) - stored) / numpy.maximum(1.0, numpy.abs(stored))).max()
                print(f"{dtype} {side}: largest difference {worst:.2e}")
                check(worst <= 1e-5, f"{dtype}, {side}: the score differs from the one of the stored state by {worst:.2e}")
finish()
