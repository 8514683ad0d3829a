#!/usr/bin/env python3
"""reference_sweep_test.py BIN: xlrm_sweep --smoke with ATen's operators gives the table of the own kernels within rounding. Trained models differ
in their last bits, so that an item whose two rewards are nearly equal may be judged otherwise: one of a cell at most."""
import csv
import os
import sys

import h5py
import numpy

from harness import Work, check, files_below, finish, run

SWEEP = os.path.join(sys.argv[1], "xlrm_sweep")


def sweep(output, ops):
    result = run(["env", f"XLRM_OPS={ops}", SWEEP, "--smoke", "--output", output], timeout=900)
    check(result.returncode == 0, f"{ops}: exit code {result.returncode}\n{result.stderr[-3000:]}")
    with open(os.path.join(output, "table.csv")) as file:
        rows = list(csv.reader(file))
    return rows, {name: os.path.join(output, name) for name in files_below(output) if name.startswith("cells/") and name.endswith(".h5")}


def number(text):
    try:
        return float(text)
    except ValueError:
        return None


def compare_scores(own, other):
    """The largest difference of a margin, against the largest margin; rewards of the base have no head."""
    worst = 0.0
    for name, path in own.items():
        with h5py.File(path) as a, h5py.File(other[name]) as b:
            if "scores/margin" not in a:
                continue
            x, y = a["scores/margin"][:].astype(float), b["scores/margin"][:].astype(float)
            worst = max(worst, numpy.abs(x - y).max() / max(1.0, numpy.abs(x).max()))
            flips = int(((x > 0) != (y > 0)).sum())
            check(flips <= 1, f"{name}: {flips} of {len(x)} items are judged otherwise")
    print(f"largest difference of a margin: {worst:.2e}")
    check(worst < 1e-4, f"a margin differs by {worst:.2e} of the largest")


with Work() as work:
    own, own_cells = sweep(work / "own", "own")
    other, other_cells = sweep(work / "reference", "reference")
    check(own_cells.keys() == other_cells.keys() and len(own_cells) == 30, f"cells: {len(own_cells)} and {len(other_cells)}")
    compare_scores(own_cells, other_cells)
    check([len(row) for row in own] == [len(row) for row in other], "the tables have other rows or columns")
    apart = [(a, b) for x, y in zip(own, other) for a, b in zip(x, y) if a != b and (number(a) is None or abs(number(a) - number(b)) > 0.05)]
    check(not apart, f"these entries of the tables differ by more than an item: {apart[:10]}")
finish()
