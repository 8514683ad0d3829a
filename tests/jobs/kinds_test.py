#!/usr/bin/env python3
"""kinds_test.py BIN TRL_RUN: a file of one kind given where another is expected is refused by name, and what costs little to
find out is said before the weights are read, by a run and by --dry-run."""
import json
import os
import shutil
import sys

from harness import Work, check, files_below, finish, run

BIN, FIXTURE = sys.argv[1], sys.argv[2]
MODEL, PAIRS = os.path.join(FIXTURE, "model"), os.path.join(FIXTURE, "pairs.jsonl")
BAD, IO = 1, 74


def program(name):
    return os.path.join(BIN, name)


def expect(case, command, code, parts, absent=()):
    result = run(command)
    check(result.returncode == code, f"{case}: exit code {result.returncode} instead of {code}\n{result.stdout}{result.stderr}")
    for part in parts:
        check(part in result.stderr, f"{case}: no '{part}' in\n{result.stderr}")
    for part in absent:
        check(part not in result.stderr + result.stdout, f"{case}: '{part}' in\n{result.stdout}{result.stderr}")
    return result


def write_rows(path, rows):
    with open(path, "w") as file:
        for row in rows:
            file.write(json.dumps(row) + "\n")
    return path


ROWS = dict(document=[dict(text=f"a text {i}") for i in range(4)],
            response=[dict(prompt=f"q {i}", response="an answer") for i in range(4)],
            ranking=[dict(prompt=f"q {i}", responses=["a", "b", "c"], ranks=[2, 1, 3]) for i in range(4)],
            regression=[dict(prompt=f"q {i}", response="an answer", labels=0.5 * i) for i in range(4)],
            preference=[dict(prompt=f"q {i}", chosen="yes", rejected="no") for i in range(4)])
OBJECTIVES = dict(bt="preference", dpo="preference", lm="document", sft="response", ranking="ranking", regression="regression")


def evaluate(model, data, output, *more):
    return [program("xlrm_evaluate"), "--model", model, "--data", data, "--output", output, *more]


def train(objective, data, output, *more, model=MODEL):
    return [program("xlrm_train"), "--objective", objective, "--model", model, "--data", data, "--output", output, "--steps",
            "1", *more]


def kinds(work):
    files = {}
    for kind, rows in ROWS.items():
        files[kind] = work / f"{kind}.h5"
        rows_file = write_rows(work / f"{kind}.jsonl", rows)
        expect(f"prepare {kind}",
               [program("xlrm_prepare"), "--input", rows_file, "--rows", kind, "--model", MODEL, "--output", files[kind]], 0, [])
    for kind, file in files.items():
        cell = work / f"cell-{kind}.h5"
        if kind in ("preference", "ranking"):  # a ranking has a best answer
            result = expect(f"evaluate {kind}.h5", evaluate(MODEL, file, cell), 0, [])
            check("4 items" in result.stdout, f"evaluate {kind}.h5: {result.stdout}")
        else:
            for more in ([], ["--dry-run"]):
                expect(f"evaluate {kind}.h5 {more}", evaluate(MODEL, file, cell, *more), BAD,
                       [f"{kind}.h5", f"kind {kind}", "preference rows"], ["accuracy"])
            check(not os.path.exists(cell), f"evaluate {kind}.h5: it wrote a cell")
    for objective, kind in OBJECTIVES.items():
        for other, file in files.items():
            if other != kind and (objective, other) != ("dpo", "document"):  # one of each is enough
                expect(f"train {objective} on {other}.h5", train(objective, file, work / "m"), BAD,
                       [f"{other}.h5", f"kind {other}", f"{kind} rows"])
    expect("train, evaluated on documents", train("bt", files["preference"], work / "m", "--eval-data", files["document"]), BAD,
           ["document.h5", "kind document"])
    expect("prepare documents as pairs",
           [program("xlrm_prepare"), "--input", files["document"], "--rows", "preference", "--model", MODEL], BAD,
           ["document.h5", "kind document"])
    expect("prepare documents again",
           [program("xlrm_prepare"), "--input", files["document"], "--model", MODEL, "--output", work / "again.h5"], 0, [])
    cell, states = work / "cell-preference.h5", work / "states.h5"
    write_rows(work / "ids.jsonl", [dict(ids=[1, 2, 3])])
    expect("states", [program("xlrm_inspect"), "forward", "--model", MODEL, "--input", work / "ids.jsonl", "--output", states],
           0, [])
    for file, content in ((cell, "the cell of an evaluation"), (states, "states that xlrm_inspect wrote")):
        for case, command in (("evaluate", evaluate(MODEL, file, work / "x.h5")), ("train", train("bt", file, work / "m")),
                              ("prepare", [program("xlrm_prepare"), "--input", file, "--model", MODEL])):
            expect(f"{case} {os.path.basename(file)}", command, BAD,
                   [os.path.basename(file), content, "items that xlrm_prepare made"])
    check(not os.path.exists(work / "x.h5") and not os.path.exists(work / "m"), "a refused file gave an output")


def labels(work):
    """A head that learns two labels cannot be evaluated on three."""
    two = write_rows(work / "two.jsonl", [dict(prompt="q", response="a", labels=[1, 2])] * 4)
    three = write_rows(work / "three.jsonl", [dict(prompt="q", response="a", labels=[1, 2, 3])] * 4)
    expect("labels of --eval-data", train("regression", two, work / "m2", "--eval-data", three), BAD,
           ["--eval-data", "3 label(s)", "2"])


def order(work):
    """Of two things that are wrong the one is named that costs less to find: the weights come last."""
    damaged = work / "damaged"
    shutil.copytree(MODEL, damaged)
    os.truncate(os.path.join(damaged, "model.safetensors"), 100)
    documents = work / "document.h5"
    broken = write_rows(work / "broken.jsonl", [dict(prompt="q", chosen="yes")])
    commands = {"evaluate": lambda data, out, *more: evaluate(damaged, data, os.path.join(out, "c.h5"), *more),
                "train": lambda data, out, *more: train("bt", data, os.path.join(out, "m"), *more, model=damaged)}
    for name, command in commands.items():
        for more in ([], ["--dry-run"]):
            case = " ".join([name, *more])
            expect(f"{case}, language", command(PAIRS, work / "o", "--langs", "en,xx", *more), BAD, ["'xx'"],
                   ["model.safetensors"])
            expect(f"{case}, kind", command(documents, work / "o", *more), BAD, ["document.h5"], ["model.safetensors"])
            expect(f"{case}, row", command(broken, work / "o", *more), BAD, ["broken.jsonl:1"], ["model.safetensors"])
            expect(f"{case}, weights", command(PAIRS, work / "o", *more), BAD, ["model.safetensors"])
        expect(f"{name}, output", command(PAIRS, "/proc/xlrm"), IO, ["/proc"], ["model.safetensors"])
        expect(f"{name}, output before data", command(broken, "/proc/xlrm"), IO, ["/proc"], ["broken.jsonl"])
    expect("evaluate, layers", commands["evaluate"](PAIRS, work / "o", "--layers", "99"), 2, ["--layers 99"],
           ["model.safetensors"])
    expect("evaluate, capture", commands["evaluate"](PAIRS, work / "o", "--capture", "lst"), 2, ["--capture: 'lst'"],
           ["model.safetensors"])
    expect("prepare, output", [program("xlrm_prepare"), "--input", broken, "--model", MODEL, "--output", "/proc/xlrm/p.h5"], IO,
           ["/proc"], ["broken.jsonl"])
    ids = write_rows(work / "bad_ids.jsonl", [dict(ids=[99999])])
    forward = [program("xlrm_inspect"), "forward", "--model", damaged, "--input", ids, "--output", work / "s.h5"]
    expect("forward, ids", forward, BAD, ["bad_ids.jsonl:1"], ["model.safetensors"])
    forward[5], forward[7] = write_rows(work / "good_ids.jsonl", [dict(ids=[1])]), "/proc/xlrm/s.h5"
    expect("forward, output", forward, IO, ["/proc"], ["model.safetensors"])
    check(not os.path.exists(work / "o"), f"refused runs left {files_below(work / 'o') if os.path.exists(work / 'o') else ''}")


with Work() as work:
    kinds(work)
    labels(work)
    order(work)
finish()
