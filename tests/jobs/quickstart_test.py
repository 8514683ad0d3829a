#!/usr/bin/env python3
"""quickstart_test.py BIN: what xlrm_sweep runs without a configuration shows transfer on any processor: on each of three seeds every reward model is at
least 10 points above the surface floor in every language that it was not trained in, on at least 500 items, and above 85 % in its own."""
import csv
import os
import sys

from harness import Work, check, finish, mpirun, run

SWEEP, SEEDS, LANGUAGES = os.path.join(sys.argv[1], "xlrm_sweep"), ("1", "2", "3"), ("en", "es", "it", "ko", "zh")

with Work() as work:
    result = run(mpirun(2, [SWEEP, "--pretrain-ranks", "2", "--seeds", ",".join(SEEDS), "--evaluate.layers", "none", "--output", work / "out"]), timeout=1100)
    check(result.returncode == 0, f"it ends with {result.returncode}\n{result.stderr[-3000:]}")
    rows = [row for row in csv.DictReader(open(work / "out/table.csv")) if row["subset"] == "" and row["seed"] in SEEDS]
    check(len(rows) == len(SEEDS) * len(LANGUAGES) ** 2, f"{len(rows)} rows of single seeds")
    for row in rows:
        cell = f"{row['source']} to {row['target']}, seed {row['seed']}"
        accuracy, floor = float(row["accuracy"]), float(row["floor"])
        check(int(row["items"]) >= 500, f"{cell}: only {row['items']} items")
        if row["source"] == row["target"]:
            check(accuracy >= 0.85, f"{cell}: {accuracy:.3f}")
        else:
            check(accuracy >= floor + 0.1, f"{cell}: {accuracy:.3f} with a floor of {floor:.3f}")
finish()
