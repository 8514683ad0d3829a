#!/usr/bin/env python3
"""sweep_given_test.py BIN MODEL: what a sweep takes ready or makes once. Models that others made, items of xlrm_prepare, a world that is asked for
anew; rows are tokenised once for each (tokenizer, template, date, files, part, limits), and not again where that is there. The graph of all tasks is drawn."""
import json
import os
import re
import shutil
import subprocess
import sys

from harness import ENVIRONMENT, Work, cells_below, check, digest, files_below, finish, mpirun, run
from sweep_inputs import BAD, Counts, Sweep, expect_remade, expect_tokenised, ledger, move_weights, outputs_of, rows, write_rows

SWEEP, MODEL = os.path.join(sys.argv[1], "xlrm_sweep"), sys.argv[2]


def prepared_rows(sweep):
    """A prepared file that is gone is made again only for a task that needs it, and one that is damaged is named and replaced."""
    home = sweep.copy()
    out = os.path.join(home, "out")
    shutil.rmtree(os.path.join(out, "prepared"))
    counts = Counts(out)
    check(sweep.run(home).returncode == 0 and not counts.done(), f"no prepared rows: {counts.done()}")
    check(json.loads(run([SWEEP, "status", out, "--json"]).stdout)["state"] == "done", "no prepared rows: the sweep is not done")
    cell = os.path.join(out, "cells/b.en.s1/dev.ko.h5")
    before = digest(cell)
    os.remove(cell)
    check(sweep.run(home).returncode == 0 and counts.tokenised() == [("prepare data.eval.dev", 24)], f"a cell that is gone: {counts.tokenised()}")
    check(digest(cell) == before, "a cell that is gone: other bytes")
    name = next(name for name in files_below(os.path.join(out, "prepared")) if name.endswith(".h5"))
    file = os.path.join(out, "prepared", name)
    whole = open(file, "rb").read()
    open(file, "wb").write(whole[:-1] + b"?")
    os.remove(cell)
    verify = run([SWEEP, "verify", out])
    check(verify.returncode == BAD and f"prepared/{name}" in verify.stdout, f"damaged rows: {verify.stdout}")
    check(sweep.run(home).returncode == 0 and digest(cell) == before and open(file, "rb").read() == whole, "damaged rows were not made again")
    check(run([SWEEP, "verify", out]).returncode == 0, "damaged rows: verify")


def shared_rows(work):
    """The same file to train on and to evaluate on, two bases of one tokenizer: its rows are tokenised once, by groups of two ranks too."""
    home = work / "shared"
    os.makedirs(home)
    write_rows(os.path.join(home, "rows.jsonl"), rows("r"))
    config = os.path.join(home, "s.cfg")
    open(config, "w").write(f"[data]\ntrain = rows.jsonl\neval.dev = rows.jsonl\nlangs = en,ko\n[sweep]\nbases = a={MODEL},b={MODEL}\n[train]\nsteps = 1\n")
    cells = []
    for name, more in (("alone", []), ("pairs", ["--ranks-per-cell", "2"])):
        command = [SWEEP, "--config", config, "--output", name, *more]
        result = subprocess.run(mpirun(4, command) if more else command, cwd=home, env=ENVIRONMENT, capture_output=True, text=True, timeout=300)
        check(result.returncode == 0, f"shared rows, {name}: {result.returncode}\n{result.stderr}")
        calls = [entry["rows_tokenised"] for entry in ledger(os.path.join(home, name)) if "rows_tokenised" in entry]
        check(calls == [16], f"shared rows, {name}: tokenised {calls}")
        cells.append(cells_below(os.path.join(home, name)))
    check(cells[0] == cells[1] and len(cells[0]) == 12, f"shared rows: {len(cells[0])} cells, or other bytes on four ranks")


def given_models(work, sweep):
    """A model that is given ready, as transformers writes it, without xlrm.json: a row of the tables, by content. MODEL is such a folder of transformers'."""
    home = sweep.copy()
    out = os.path.join(home, "out")
    bare = os.path.join(home, "foreign")
    shutil.copytree(os.path.join(out, "models/b.en.s1"), bare)
    for name in ("xlrm.json", "training.json", "metrics.jsonl"):
        os.remove(os.path.join(bare, name))
    sweep.write_config(home, sweep__models=f"rm=foreign,trl={os.path.abspath(MODEL)}")
    counts = Counts(out)
    result = sweep.run(home)
    check(result.returncode == 0, f"given models: {result.returncode}\n{result.stderr}")
    expect_tokenised("a model that is given", counts, [])
    check(len([e for e in counts.done() if e["task"].startswith("evaluate ")]) == 6, f"given models: {counts.done()}")
    lines = [line.split(",") for line in open(os.path.join(out, "table.csv")).read().splitlines()]
    at = {name: i for i, name in enumerate(lines[0])}
    accuracy = lambda base, source, target, seed: [line[at["accuracy"]] for line in lines if line[at["base"]] == base and
                                                   line[at["source"]] == source and line[at["target"]] == target and line[at["seed"]] == seed]
    for target in ("en", "es", "ko"):
        check(accuracy("rm", "(given)", target, "all") == accuracy("b", "en", target, "1") != [], f"given models: other accuracy in {target}")
        check(len(accuracy("trl", "(given)", target, "all")) == 1, f"given models: transformers' own folder has no accuracy in {target}")
    check("model rm, benchmark dev" in open(os.path.join(out, "table.txt")).read(), "given models: not in the table")
    check(run([SWEEP, "verify", out]).returncode == 0, f"given models: {run([SWEEP, 'verify', out]).stdout}")
    before = outputs_of(out)
    move_weights(bare)
    check(sweep.run(home).returncode == 0, "given models: a change is refused")
    expect_remade("a given model's content", out, before, ["cells/rm"])
    for change, part in (("rm=nowhere", "nowhere"), ("b=foreign", "also the name of a base"), ("rm=foreign,rm=base", "given twice")):
        sweep.write_config(home, sweep__models=change)
        result = sweep.run(home, "--dry-run")
        check(result.returncode != 0 and part in result.stderr, f"given models, {change}: {result.returncode}\n{result.stderr}")


def items_prepared_before(work, sweep):
    """Items of xlrm_prepare in place of rows give the same models and scores, without floors; those of another tokenizer are refused."""
    home = sweep.copy()
    prepare = os.path.join(sys.argv[1], "xlrm_prepare")
    for name, more in (("train", []), ("dev", ["--ties", "keep"])):
        result = subprocess.run([prepare, "--model", "base", "--input", name + ".jsonl", "--output", name + ".h5", *more], cwd=home, env=ENVIRONMENT,
                                capture_output=True, text=True, timeout=60)
        check(result.returncode == 0, f"xlrm_prepare: {result.stderr}")
    sweep.write_config(home, data__train="train.h5", data__eval__dev="dev.h5")
    result = sweep.run(home, "--output", "fresh")
    check(result.returncode == 0 and "no surface floor" in result.stderr, f"prepared items: {result.returncode}\n{result.stderr}")
    check(not any("rows_tokenised" in entry for entry in ledger(os.path.join(home, "fresh"))), "prepared items were tokenised")
    for model in ("b.en.s1", "b.all.s2"):
        weights = [digest(os.path.join(home, out, "models", model, "model.safetensors")) for out in ("out", "fresh")]
        check(weights[0] == weights[1], f"prepared items: other weights of {model}")
    accuracies = [[line.split(",")[9] for line in open(os.path.join(home, out, "table.csv")).read().splitlines()[1:]] for out in ("out", "fresh")]
    check(accuracies[0] == accuracies[1], "prepared items: other accuracies")
    check(run([SWEEP, "verify", os.path.join(home, "fresh")]).returncode == 0, "prepared items: verify")
    config = os.path.join(home, "base/tokenizer.json")
    tokenizer = json.load(open(config))
    vocabulary = tokenizer["model"]["vocab"]
    vocabulary["a"], vocabulary["b"] = vocabulary["b"], vocabulary["a"]
    json.dump(tokenizer, open(config, "w"))
    result = sweep.run(home, "--output", "other", "--dry-run")
    check(result.returncode == BAD and ".h5" in result.stderr and "another tokenizer" in result.stderr, f"another tokenizer: {result.returncode}\n{result.stderr}")
    check(not os.path.exists(os.path.join(home, "other")), "another tokenizer: a folder is left")


def drawn(sweep):
    home = sweep.copy()
    result = subprocess.run([SWEEP, "plan", "--dot", "--config", "s.cfg", "--output", "out"], cwd=home, env=ENVIRONMENT, capture_output=True, text=True)
    check(result.returncode == 0, f"plan --dot: {result.returncode}\n{result.stderr}")
    if shutil.which("dot"):
        svg = subprocess.run(["dot", "-Tsvg"], input=result.stdout, capture_output=True, text=True)
        check(svg.returncode == 0 and "<svg" in svg.stdout, f"dot refuses the graph: {svg.stderr}")
    lines = result.stdout.splitlines()
    node, edge = re.compile(r'  t(\d+) \[label="([^"]+)"(, style=filled, fillcolor=lightgrey)?\];'), re.compile(r"  t(\d+) -> t(\d+);")
    names = {match[1]: match[2] for match in map(node.fullmatch, lines) if match}
    edges = [(names[match[1]], names[match[2]]) for match in map(edge.fullmatch, lines) if match]
    check(lines[0] == "digraph sweep {" and lines[-1] == "}" and len(lines) == len(names) + len(edges) + 4, f"plan --dot:\n{result.stdout}")
    check(("train b.en.s1", "evaluate b.en.s1 dev.ko") in edges and result.stdout.count("lightgrey") == len(names), f"plan --dot:\n{result.stdout}")
    plain = subprocess.run([SWEEP, "plan", "--config", "s.cfg", "--output", "out"], cwd=home, env=ENVIRONMENT, capture_output=True, text=True)
    check(plain.returncode == 0 and "there    models/b.en.s1" in plain.stdout, f"plan: {plain.returncode}\n{plain.stdout}{plain.stderr}")


def prologue(work):
    first = work / "smoke"
    grid = ["--smoke", "--analysis", "no", "--sources", "en", "--targets", "en"]
    check(run([SWEEP, *grid, "--output", first]).returncode == 0, "smoke: the first run fails")
    given = work / "given"
    shutil.copytree(first, given, copy_function=shutil.copy2)
    result = run([SWEEP, *grid, "--models", f"lm={first}/models/base", "--output", given])
    check(result.returncode == 0 and os.path.exists(os.path.join(given, "cells/lm/facts.en.h5")), f"a given model without a head: {result.returncode}\n{result.stderr}")
    check("lm," not in open(os.path.join(given, "table.csv")).read(), "a given model without a head has an accuracy")
    results = ["models", "cells"]
    for case, parts, more, outputs in (
            ("pretrain steps", ["models/base ", "steps = 8, not 9", "results come from it"], ["--pretrain.steps", "9"], results),
            ("world seed", ["world was made with seed = 1, not 2"], ["--data.world-seed", "2"], ["world", "tokenizer", "floors", *results]),
            ("vocabulary", ["tokenizer was made with vocab_size = 1000, not 900"], ["--tokenizer.vocab-size", "900"], ["tokenizer", *results])):
        out = work / case.replace(" ", "-")
        shutil.copytree(first, out, copy_function=shutil.copy2)
        before = outputs_of(out)
        result = run([SWEEP, *grid, "--output", out, *more])
        check(result.returncode == 0 and all(part in result.stderr for part in parts), f"{case}: {result.returncode}\n{result.stderr}")
        expect_remade(case, out, before, outputs)


with Work() as work:
    sweep = Sweep(SWEEP, MODEL, work)
    prepared_rows(sweep)
    shared_rows(work)
    given_models(work, sweep)
    items_prepared_before(work, sweep)
    drawn(sweep)
    prologue(work)
finish()
