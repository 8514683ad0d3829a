#!/usr/bin/env python3
"""sweep_content_test.py BIN MODEL: a sweep never reports results of other content under its names. After one finished sweep each thing that
determines results is changed alone: exactly what comes from it moves to superseded/ and is made anew in one run, every other file stays; the
dry run says so and changes nothing; table and verify say it before from anywhere. What only adds to the grid is computed beside what is there.
Prints a table of what each change made anew."""
import gzip
import json
import os
import shutil
import sys

from harness import Work, cells_below, check, digest, files_below, finish, run
from sweep_inputs import BAD, TABLE, USAGE, Counts, Sweep, change_row, expect_remade, expect_tokenised, move_weights, outputs_of, rows, tree, write_rows

SWEEP, MODEL = os.path.join(sys.argv[1], "xlrm_sweep"), sys.argv[2]


def remade(sweep, case, parts, change, outputs, *more, inputs_changed="", tokenised=()):
    home = sweep.copy()
    out = os.path.join(home, "out")
    change(home)
    if inputs_changed:
        for command in ("verify", "table"):  # from another folder, without the configuration
            result = run([SWEEP, command, out])
            check(result.returncode == BAD and inputs_changed in result.stdout + result.stderr,
                  f"{case}: {command} ends with {result.returncode}\n{result.stdout}{result.stderr}")
    before, whole = outputs_of(out), tree(out)
    dry = sweep.run(home, "--dry-run", *more)
    check(dry.returncode == 0 and all(part in dry.stdout for part in parts), f"{case}, dry run: {dry.returncode}\n{dry.stdout}{dry.stderr}")
    check(tree(out) == whole, f"{case}: the dry run changed the folder")
    counts = Counts(out)
    wet = sweep.run(home, *more)
    expect_tokenised(case, counts, tokenised)
    check(wet.returncode == 0 and all(part in wet.stderr for part in parts), f"{case}: {wet.returncode}\n{wet.stderr}")
    expect_remade(case, out, before, outputs)
    verify = run([SWEEP, "verify", out])
    check(verify.returncode == 0, f"{case}: verify {verify.stdout}")
    again = sweep.run(home, "--dry-run", *more)
    check("superseded" not in again.stdout and "0 cells to evaluate" not in again.stdout, f"{case}: not settled\n{again.stdout}")


def changes(sweep):
    rows_of_dev, rows_of_train = ("prepare data.eval.dev", 24), ("prepare data.train", 24)

    def replace_base(home):
        move_weights(os.path.join(home, "base"))

    def other_base(home):
        shutil.copytree(os.path.join(home, "base"), os.path.join(home, "base2"))
        move_weights(os.path.join(home, "base2"))

    def eval_row(home):
        change_row(os.path.join(home, "dev.jsonl"), 1, chosen="another answer")  # Spanish

    def other_eval(home):
        shutil.copy(os.path.join(home, "dev.jsonl"), os.path.join(home, "dev2.jsonl"))
        change_row(os.path.join(home, "dev2.jsonl"), 0, prompt="what?")  # English
        sweep.write_config(home, data__eval__dev="dev2.jsonl")

    models = [f"b.{source}.s{seed}" for source in ("en", "ko", "all") for seed in (1, 2)]
    joint = [f"{kind}/b.all.s{seed}" for kind in ("models", "cells") for seed in (1, 2)] + ["floors/all.dev.json"]
    trained = [f"{kind}/{model}" for kind in ("models", "cells") for model in models]
    floors = [f"floors/{source}.dev.json" for source in ("en", "ko", "all")]
    remade(sweep, "a language more in a source", ["models/b.all.s1", "en+es, not en+es+ko", "3 results come from it"],
           lambda home: sweep.write_config(home, sweep__sources="en,ko,all=en+es+ko"), joint)
    remade(sweep, "a base's content", ["models/b.en.s1", "another base model"], replace_base, trained + ["cells/b"], inputs_changed="base b")
    remade(sweep, "a base of another folder", ["models/b.en.s1", "another base model"], other_base, trained + ["cells/b"], "--bases", "b=base2")
    remade(sweep, "a training row", ["models/b.all.s1", "other rows", "[data] train"],
           lambda home: change_row(os.path.join(home, "train.jsonl"), 1, rejected="no!"), joint, inputs_changed="data.train: rows of en+es", tokenised=[rows_of_train])
    remade(sweep, "an evaluation row", ["cells/b.all.s1/dev.es.h5", "cells/b/dev.es.h5", "floors/", "other rows", "[data] eval.dev"], eval_row,
           [f"cells/{model}/dev.es.h5" for model in ("b", *models)] + floors, inputs_changed="data.eval.dev: rows of es", tokenised=[rows_of_dev])
    remade(sweep, "another evaluation file", ["cells/b.en.s1/dev.en.h5", "other rows"], other_eval,
           [f"cells/{model}/dev.en.h5" for model in ("b", *models)] + floors, tokenised=[rows_of_dev])
    remade(sweep, "a length limit", ["cells/b.en.s1/dev.en.h5", "max_length = 2048, not 99"], lambda home: None,
           ["cells"], "--evaluate.max-length", "99", tokenised=[rows_of_dev])
    remade(sweep, "a training option", ["models/b.en.s1", "lr = 0.001, not 0.002", "results come from it"], lambda home: None, trained,
           "--train.lr", "2e-3")
    remade(sweep, "weights that were replaced", ["models/b.en.s1", "other weights"],
           lambda home: move_weights(os.path.join(home, "out/models/b.en.s1")), ["models/b.en.s1", "cells/b.en.s1"])


def unrecorded(sweep):
    """Where an output does not say what it comes from, the options that the folder was made with must be the same."""
    home = sweep.copy()
    path = os.path.join(home, "out/floors/en.dev.json")
    floor = json.load(open(path))
    for target in floor["targets"].values():
        del target["recipe"]
    json.dump(floor, open(path, "w"))
    before = tree(os.path.join(home, "out"))
    for more in (["--dry-run"], []):
        result = sweep.run(home, "--train.lr", "2e-3", *more)
        check(result.returncode == USAGE and "train.lr" in result.stderr, f"unrecorded {more}: {result.returncode}\n{result.stderr}")
    check(tree(os.path.join(home, "out")) == before, "unrecorded: the folder was changed")
    check(sweep.run(home).returncode == 0, "unrecorded: the same options are refused")


def there_and_back(sweep):
    """A second change and the first content again: nothing that was moved is lost."""
    home = sweep.copy()
    out = os.path.join(home, "out")
    first = outputs_of(out)
    for rate in ("2e-3", "1e-3", "2e-3"):
        check(sweep.run(home, "--train.lr", rate).returncode == 0, f"there and back: {rate}")
    kept = [name for name in files_below(os.path.join(out, "superseded")) if name.endswith("models/b.en.s1/training.json")]
    check(len(kept) == 3, f"there and back: {kept}")
    digests = {digest(os.path.join(out, "superseded", name.replace("training.json", "model.safetensors"))) for name in kept}
    check(first["models/b.en.s1/model.safetensors"][0] in digests, "there and back: the first model is gone")
    check(run([SWEEP, "verify", out]).returncode == 0, "there and back: verify")


def replaced_model(sweep):
    """A model trained anew by other means: its cells are of the earlier weights."""
    home = sweep.copy()
    move_weights(os.path.join(home, "out/models/b.en.s1"))
    shutil.rmtree(os.path.join(home, "out/models/b.all.s1"))
    summary = os.path.join(home, "out/models/b.en.s1/training.json")
    record = json.load(open(summary))
    record.pop("model_sha256")
    for command in ("verify", "table"):
        result = run([SWEEP, command, os.path.join(home, "out")])
        said = result.stdout + result.stderr
        check(result.returncode == BAD and "models/b.en.s1 holds other weights" in said, f"replaced model: {command} ends with {result.returncode}\n{said}")


def additions(sweep):
    def accepted(case, change, *more, tokenised=()):
        home = sweep.copy()
        out = os.path.join(home, "out")
        change(home)
        before = {name: os.stat(os.path.join(out, name)).st_mtime_ns for name in cells_below(out)}
        counts = Counts(out)
        result = sweep.run(home, *more)
        check(result.returncode == 0, f"{case}: exit code {result.returncode}\n{result.stderr}")
        expect_tokenised(case, counts, tokenised)
        again = [name for name, when in before.items() if os.stat(os.path.join(out, name)).st_mtime_ns != when]
        check(not again, f"{case}: evaluated again: {again}")
        check(run([SWEEP, "verify", out]).returncode == 0, f"{case}: verify {run([SWEEP, 'verify', out]).stdout}")
        return out, len(cells_below(out)) - len(before)

    check(accepted("nothing changed", lambda home: None)[1] == 0, "nothing changed: cells came")
    check(accepted("a seed more", lambda home: sweep.write_config(home, sweep__seeds="1,2,3"))[1] == 9, "a seed more: not 9 cells")
    check(accepted("a source more", lambda home: sweep.write_config(home, sweep__sources="en,ko,all=en+es,es"))[1] == 6, "a source more: not 6 cells")
    out, new = accepted("a target more", lambda home: sweep.write_config(home, sweep__targets="en,es,ko,zh"), tokenised=[("prepare data.eval.dev", 32)])
    check(new == 7, f"a target more: {new} cells instead of 7")
    floor = json.load(open(os.path.join(out, "floors/en.dev.json")))["targets"]
    check(len(floor.get("zh", {}).get("right", [])) == 8, f"a target more: the floor has {list(floor)}")
    lines = open(os.path.join(out, "table.csv")).read().splitlines()
    column = lines[0].split(",").index("floor")
    empty = [line for line in lines[1:] if not line.split(",")[column]]
    check(not empty, f"a target more: no floor in {empty}")
    added = lambda home: (write_rows(os.path.join(home, "more.jsonl"), rows("m")),
                          open(os.path.join(home, "s.cfg"), "a").write("[data]\neval.more = more.jsonl\n"))
    check(accepted("a benchmark more", added, tokenised=[("prepare data.eval.more", 24)])[1] == 21, "a benchmark more: not 21 cells")
    # Rows of a language that nothing here is made of.
    accepted("rows of another language", lambda home: change_row(os.path.join(home, "train.jsonl"), 3, chosen="ja"))
    accepted("the same base elsewhere", lambda home: os.rename(os.path.join(home, "base"), os.path.join(home, "moved")), "--bases", "b=moved")

    def pack(home):
        with open(os.path.join(home, "dev.jsonl"), "rb") as plain, gzip.open(os.path.join(home, "dev.jsonl.gz"), "wb") as packed:
            packed.write(plain.read())
        sweep.write_config(home, data__eval__dev="dev.jsonl.gz")

    accepted("the same rows packed", pack)


with Work() as work:
    sweep = Sweep(SWEEP, MODEL, work)
    changes(sweep)
    unrecorded(sweep)
    there_and_back(sweep)
    replaced_model(sweep)
    additions(sweep)
    print("\n".join(TABLE))
finish()
