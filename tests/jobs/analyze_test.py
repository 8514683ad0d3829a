#!/usr/bin/env python3
"""analyze_test.py BIN: xlrm_analyze on the cells of a sweep. Its numbers are computed again here from the cells; the same bytes on
several ranks; the sweep's own table; what xarray reads; exit codes."""
import csv
import json
import math
import os
import shutil
import sys
from fractions import Fraction

import h5py
import numpy
import xarray

from harness import Work, check, finish, mpirun, run

BIN = sys.argv[1]
ANALYZE = os.path.join(BIN, "xlrm_analyze")


def files_below(folder):
    return {os.path.relpath(os.path.join(at, name), folder): open(os.path.join(at, name), "rb").read()
            for at, _, names in os.walk(folder) for name in names}


def read_csv(folder, name):
    with open(os.path.join(folder, "analysis", name + ".csv"), newline="") as file:
        return list(csv.DictReader(file))


def stem(item):
    head, dash, tail = item.rpartition("-n")
    return head if dash and tail.isdigit() else item


def cells(folder):
    """{(source, target): {id: (right, subset)}} of the trained models, one seed."""
    found = {}
    for model in os.listdir(os.path.join(folder, "cells")):
        for name in os.listdir(os.path.join(folder, "cells", model)):
            if not name.endswith(".h5"):
                continue
            with h5py.File(os.path.join(folder, "cells", model, name)) as file:
                source = file.attrs["source_lang"]
                if not source:
                    continue
                scores = file["scores"]
                rows = zip(scores["id"].asstr()[:], scores["subset"].asstr()[:], scores["chosen"][:], scores["rejected"][:])
                found[source, file.attrs["target_lang"]] = {item: (bool(c > r), subset) for item, subset, c, r in rows}
    return found


def sign_flips(sums):
    """Exact two-sided p of the sum of `sums` under random signs."""
    ways = {0: 1}
    for size in sums:
        if size:
            after = {}
            for total, count in ways.items():
                for step in (size, -size):
                    after[total + step] = after.get(total + step, 0) + count
            ways = after
    observed = abs(sum(sums))
    return float(Fraction(sum(count for total, count in ways.items() if abs(total) >= observed), sum(ways.values())))


def near(text, value, what):
    check(text != "" and math.isclose(float(text), value, rel_tol=1e-8, abs_tol=1e-9), f"{what}: {text} instead of {value}")


def compare_with_cells(folder):
    data = cells(folder)
    for row in read_csv(folder, "accuracy"):
        cell = data[row["source"], row["target"]]
        kept = [right for right, subset in cell.values() if row["kind"] == "all" or subset == row["category"]]
        near(row["accuracy"], sum(kept) / len(kept), f"accuracy {row}")
    rows = read_csv(folder, "gaps")
    check(len(rows) == 2 * 5 * 4 * 4, f"{len(rows)} gaps instead of 5 targets, 4 other sources, 4 categories, 2 kinds")
    adjusted = {}
    for row in rows:
        first, second = data[row["source"], row["target"]], data[row["compared_with"], row["target"]]
        items = [item for item, (_, subset) in first.items() if row["category"] in ("all", subset)]
        near(row["gap"], sum(first[i][0] - second[i][0] for i in items) / len(items), f"gap {row}")
        clusters = {}
        for item in items:
            clusters[stem(item)] = clusters.get(stem(item), 0) + first[item][0] - second[item][0]
        if any(clusters.values()):
            near(row["p"], sign_flips(list(clusters.values())), f"p {row}")
            adjusted.setdefault((row["category"], row["kind"]), []).append((float(row["p"]), float(row["p_holm"])))
        else:
            check("p:no_discordant_items" in row["undefined"], f"p of equal models: {row}")
        check(float(row["gap_low"] or -2) <= float(row["gap"]) <= float(row["gap_high"] or 2), f"an interval without its value: {row}")
    for family, values in adjusted.items():
        size, largest = 20, 0.0
        for rank, (p, holm) in enumerate(sorted(values)):
            largest = max(largest, min(1.0, (size - rank) * p))
            check(math.isclose(holm, largest, rel_tol=1e-8), f"Holm of {family}: {holm} instead of {largest}")
    for row in read_csv(folder, "pairs"):
        first, second = data[row["first_source"], row["target"]], data[row["second_source"], row["target"]]
        b = sum(first[i][0] and not second[i][0] for i in first)
        c = sum(second[i][0] and not first[i][0] for i in first)
        check((int(row["first"]), int(row["second"])) == (b, c), f"counts {row}")
        if b + c:
            near(row["exact"], min(1.0, 2 * sum(math.comb(b + c, k) for k in range(min(b, c) + 1)) / 2 ** (b + c)), f"McNemar {row}")


def states(folder, model, target, layer, side="chosen"):
    """(item, feature) in the order of the ids, with the ids."""
    with h5py.File(os.path.join(folder, "cells", model, f"facts.{target}.h5")) as file:
        order = numpy.argsort(file["scores/id"].asstr()[:])
        return file[f"activations/last/layer_{layer:02d}/{side}"][:].astype(float)[order]


def debiased_cka(x, y):
    def centre(m):
        k = m @ m.T
        numpy.fill_diagonal(k, 0.0)
        n = len(k)
        rows = k.sum(0) / (n - 2)
        rows -= rows.sum() / (2 * (n - 1))
        k -= rows[:, None] + rows[None, :]
        numpy.fill_diagonal(k, 0.0)
        return k
    k, l = centre(x - x.mean(0)), centre(y - y.mean(0))
    return (k * l).sum() / math.sqrt((k * k).sum() * (l * l).sum())


def compare_with_states(folder):
    def cosines(x, y):
        return (x * y).sum(1) / numpy.linalg.norm(x, axis=1) / numpy.linalg.norm(y, axis=1)

    for row in read_csv(folder, "shift"):
        if row["capture"] != "last" or row["layer"] == "0" or row["model"] not in ("base.en.s1", "base.ko.s1"):
            continue
        base, model = (states(folder, name, row["target"], int(row["layer"])) for name in ("base", row["model"]))
        near(row["cosine"], cosines(base, model).mean(), f"cosine {row}")
        near(row["relative"], numpy.median(numpy.linalg.norm(model - base, axis=1) / numpy.linalg.norm(base, axis=1)), f"relative {row}")
        near(row["cka"], debiased_cka(base, model), f"cka {row}")
    for row in read_csv(folder, "ratios"):
        if row["capture"] != "last" or row["variant"] != "raw" or row["model"] != "base.es.s1":
            continue
        parallel = numpy.stack([states(folder, row["model"], target, int(row["layer"])) for target in ("en", "es", "it", "ko", "zh")], 1)
        singular = numpy.linalg.svd(parallel, compute_uv=False)
        check(abs(float(row["f"]) - (singular[:, 0] / singular.sum(1)).mean()) < 1e-6, f"f {row}")
    data = cells(folder)
    last = max(int(row["layer"]) for row in read_csv(folder, "lens"))
    for row in read_csv(folder, "lens"):
        if int(row["layer"]) == last:  # the lens ends at the model's reward
            cell = data[row["source"], row["target"]]
            near(row["accuracy"], sum(right for right, _ in cell.values()) / len(cell), f"lens {row}")


def compare_with_files(folder):
    with xarray.open_dataset(os.path.join(folder, "analysis", "analysis.h5"), group="gaps") as stored:
        rows = read_csv(folder, "gaps")
        check(stored.sizes["row"] == len(rows), "analysis.h5: another number of rows than gaps.csv")
        for name in ("gap", "gap_low", "p", "relative"):
            for value, row in zip(stored[name].values, rows):
                same = math.isnan(value) if row[name] == "" else math.isclose(value, float(row[name]), rel_tol=1e-9, abs_tol=1e-12)
                check(same, f"analysis.h5: {name} is {value}, gaps.csv has '{row[name]}'")
        reasons = [str(text) for text in stored["relative_undefined"].values] if "relative_undefined" in stored else []
        check(all((text == "") == (row["relative"] != "") for text, row in zip(reasons, rows)), "analysis.h5: reasons beside values")
    summary = json.load(open(os.path.join(folder, "analysis", "summary.json")), parse_constant=lambda name: check(False, name))
    check(summary["schema_version"] == 1 and summary["cells"] == {"planned": 30, "used": 30}, f"summary: {summary['cells']}")
    check(set(summary["parts"].values()) == {"done"}, f"summary: {summary['parts']}")


with Work() as work:
    sweep = run(mpirun(2, [os.path.join(BIN, "xlrm_sweep"), "--smoke", "--analysis", "no", "--output", work / "np1"]))
    check(sweep.returncode == 0, f"the sweep: {sweep.stderr[-2000:]}")
    shutil.copytree(work / "np1", work / "np3")
    before = files_below(work / "np1")
    dry = run([ANALYZE, work / "np1", "--dry-run"])
    check(dry.returncode == 0 and "30 of 30 cells" in dry.stdout and "gaps: to compute" in dry.stdout, f"--dry-run: {dry.stdout}{dry.stderr}")
    check(files_below(work / "np1") == before, "--dry-run wrote something")

    alone = run([ANALYZE, work / "np1"])
    check(alone.returncode == 0 and "minus the target's own" in alone.stdout, f"one rank: {alone.stdout[-500:]}{alone.stderr}")
    three = run(mpirun(3, [ANALYZE, work / "np3"]))
    check(three.returncode == 0, f"three ranks: {three.stderr}")
    check(files_below(work / "np1/analysis") == files_below(work / "np3/analysis"), "three ranks give other bytes than one")
    for extension in ("txt", "md", "csv"):
        same = open(work / f"np1/table.{extension}").read() == open(work / f"np1/analysis/transfer.{extension}").read()
        check(same, f"transfer.{extension} is not the sweep's table.{extension}")
    compare_with_cells(work / "np1")
    compare_with_states(work / "np1")
    compare_with_files(work / "np1")

    check(run([ANALYZE]).returncode == 2, "without a folder: not exit code 2")
    check(run([ANALYZE, work / "np1", "--parts", "gasp"]).returncode == 2, "an unknown part: not exit code 2")
    check(run([ANALYZE, work / "nowhere"]).returncode == 74, "a folder that is not there: not exit code 74")
    os.makedirs(work / "empty")
    empty = run([ANALYZE, work / "empty"])
    check(empty.returncode == 1 and "no cell that verifies" in empty.stderr, f"a folder without cells: {empty.returncode} {empty.stderr}")
finish()
