#!/usr/bin/env python3
"""sweep_content_test.py BIN MODEL: a sweep never reports results of other content under its names. After one finished sweep each thing that
determines results is changed alone: exactly what comes from it moves to superseded/ and is made anew in one run, every other file stays; the
dry run says so and changes nothing; table and verify say it before from anywhere. What only adds to the grid is computed beside what is there."""
import gzip
import json
import os
import shutil
import subprocess
import sys

from harness import ENVIRONMENT, Work, cells_below, check, digest, files_below, finish, read_tensors, run, write_tensors

SWEEP, MODEL = os.path.join(sys.argv[1], "xlrm_sweep"), sys.argv[2]
BAD, USAGE = 1, 2
LANGUAGES = ("en", "es", "ko", "zh")


def write_rows(path, rows):
    with open(path, "w") as file:
        for row in rows:
            file.write(json.dumps(row) + "\n")


def rows(name, count=8):
    return [dict(id=f"{name}-{i}", lang=lang, prompt=f"{lang} {name} {i}?", chosen=f"yes {i}", rejected=f"no {i}.")
            for i in range(count) for lang in LANGUAGES]


class Sweep:
    """A finished sweep and its inputs; every case works on a copy of both."""

    def __init__(self, work):
        self.work, self.count = work, 0
        self.home = work / "home"
        os.makedirs(self.home)
        write_rows(os.path.join(self.home, "train.jsonl"), rows("t"))
        write_rows(os.path.join(self.home, "dev.jsonl"), rows("d"))
        shutil.copytree(MODEL, os.path.join(self.home, "base"))
        self.write_config(self.home)
        result = self.run(self.home)
        check(result.returncode == 0, f"the first run ends with {result.returncode}\n{result.stderr}")

    @staticmethod
    def write_config(home, **changed):
        options = {"data.train": "train.jsonl", "data.eval.dev": "dev.jsonl", "data.langs": "en,es,ko", "sweep.bases": "b=base",
                   "sweep.sources": "en,ko,all=en+es", "sweep.seeds": "1,2", "train.steps": "2", "train.batch-pairs": "4", "train.lr": "1e-3"}
        options.update({name.replace("__", ".").replace("_", "-"): value for name, value in changed.items()})
        with open(os.path.join(home, "s.cfg"), "w") as file:
            for name, value in options.items():
                section, option = name.split(".", 1)
                file.write(f"[{section}]\n{option} = {value}\n")

    @staticmethod
    def run(home, *more):
        return subprocess.run([SWEEP, "--config", "s.cfg", "--output", "out", *more], cwd=home, env=ENVIRONMENT, capture_output=True, text=True,
                              timeout=300)

    def copy(self):
        self.count += 1
        home = self.work / f"case{self.count}"
        shutil.copytree(self.home, home, copy_function=shutil.copy2)
        plan = os.path.join(home, "out", "plan.json")  # which names its inputs by absolute paths
        text = open(plan).read().replace(f"{self.home}/", f"{home}/")
        open(plan, "w").write(text)
        return home


def tree(folder):
    return {name: digest(os.path.join(folder, name)) for name in files_below(folder)}


def change_row(path, row, **fields):
    lines = open(path).read().splitlines()
    lines[row] = json.dumps(dict(json.loads(lines[row]), **fields))
    open(path, "w").write("\n".join(lines) + "\n")


def move_weights(folder):
    header, body = read_tensors(os.path.join(folder, "model.safetensors"))
    changed = bytearray(body)
    changed[0] ^= 1
    write_tensors(os.path.join(folder, "model.safetensors"), header, bytes(changed))


def outputs_of(out):
    """Files of models, cells, floors, the tokenizer and the world → (digest, time)."""
    return {name: (digest(os.path.join(out, name)), os.stat(os.path.join(out, name)).st_mtime_ns) for name in files_below(out)
            if name.split(os.sep)[0] in ("models", "cells", "floors", "world", "tokenizer")}


def expect_remade(case, out, before, outputs):
    """Of `before` exactly the files of `outputs` (their beginnings) were made anew; the earlier ones are below superseded/."""
    after = outputs_of(out)
    belongs = lambda name: any(name == output or name.startswith((output + "/", output.removesuffix("h5") + ".")) or
                               name.startswith(output.removesuffix("h5")) and output.endswith(".h5") for output in outputs)
    for name, old in before.items():
        if belongs(name):
            check(name in after and after[name][1] != old[1], f"{case}: {name} was not made anew")
        else:
            check(after.get(name) == old, f"{case}: {name} was touched")
    kept = {}
    for name in files_below(os.path.join(out, "superseded")):
        kept.setdefault(name.split(os.sep, 1)[1], set()).add(digest(os.path.join(out, "superseded", name)))
    lost = [name for name, old in before.items() if belongs(name) and old[0] not in kept.get(name, set())]
    check(not lost, f"{case}: lost: {lost}")
    other = [name for name in kept if not belongs(name)]
    check(not other, f"{case}: moved though it did not differ: {other}")


def remade(sweep, case, parts, change, outputs, *more, inputs_changed=""):
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
    wet = sweep.run(home, *more)
    check(wet.returncode == 0 and all(part in wet.stderr for part in parts), f"{case}: {wet.returncode}\n{wet.stderr}")
    expect_remade(case, out, before, outputs)
    verify = run([SWEEP, "verify", out])
    check(verify.returncode == 0, f"{case}: verify {verify.stdout}")
    again = sweep.run(home, "--dry-run", *more)
    check("superseded" not in again.stdout and "0 cells to evaluate" not in again.stdout, f"{case}: not settled\n{again.stdout}")


def changes(sweep):
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
           lambda home: change_row(os.path.join(home, "train.jsonl"), 1, rejected="no!"), joint, inputs_changed="data.train: rows of en+es")
    remade(sweep, "an evaluation row", ["cells/b.all.s1/dev.es.h5", "cells/b/dev.es.h5", "floors/", "other rows", "[data] eval.dev"], eval_row,
           [f"cells/{model}/dev.es.h5" for model in ("b", *models)] + floors, inputs_changed="data.eval.dev: rows of es")
    remade(sweep, "another evaluation file", ["cells/b.en.s1/dev.en.h5", "other rows"], other_eval,
           [f"cells/{model}/dev.en.h5" for model in ("b", *models)] + floors)
    remade(sweep, "a length limit", ["cells/b.en.s1/dev.en.h5", "max_length = 2048, not 99"], lambda home: None,
           ["cells"], "--evaluate.max-length", "99")
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
    def accepted(case, change, *more):
        home = sweep.copy()
        out = os.path.join(home, "out")
        change(home)
        before = {name: os.stat(os.path.join(out, name)).st_mtime_ns for name in cells_below(out)}
        result = sweep.run(home, *more)
        check(result.returncode == 0, f"{case}: exit code {result.returncode}\n{result.stderr}")
        again = [name for name, when in before.items() if os.stat(os.path.join(out, name)).st_mtime_ns != when]
        check(not again, f"{case}: evaluated again: {again}")
        check(run([SWEEP, "verify", out]).returncode == 0, f"{case}: verify {run([SWEEP, 'verify', out]).stdout}")
        return out, len(cells_below(out)) - len(before)

    check(accepted("nothing changed", lambda home: None)[1] == 0, "nothing changed: cells came")
    check(accepted("a seed more", lambda home: sweep.write_config(home, sweep__seeds="1,2,3"))[1] == 9, "a seed more: not 9 cells")
    check(accepted("a source more", lambda home: sweep.write_config(home, sweep__sources="en,ko,all=en+es,es"))[1] == 6, "a source more: not 6 cells")
    out, new = accepted("a target more", lambda home: sweep.write_config(home, sweep__targets="en,es,ko,zh"))
    check(new == 7, f"a target more: {new} cells instead of 7")
    floor = json.load(open(os.path.join(out, "floors/en.dev.json")))["targets"]
    check(len(floor.get("zh", {}).get("right", [])) == 8, f"a target more: the floor has {list(floor)}")
    lines = open(os.path.join(out, "table.csv")).read().splitlines()
    column = lines[0].split(",").index("floor")
    empty = [line for line in lines[1:] if not line.split(",")[column]]
    check(not empty, f"a target more: no floor in {empty}")
    added = lambda home: (write_rows(os.path.join(home, "more.jsonl"), rows("m")),
                          open(os.path.join(home, "s.cfg"), "a").write("[data]\neval.more = more.jsonl\n"))
    check(accepted("a benchmark more", added)[1] == 21, "a benchmark more: not 21 cells")
    # Rows of a language that nothing here is made of.
    accepted("rows of another language", lambda home: change_row(os.path.join(home, "train.jsonl"), 3, chosen="ja"))
    accepted("the same base elsewhere", lambda home: os.rename(os.path.join(home, "base"), os.path.join(home, "moved")), "--bases", "b=moved")

    def pack(home):
        with open(os.path.join(home, "dev.jsonl"), "rb") as plain, gzip.open(os.path.join(home, "dev.jsonl.gz"), "wb") as packed:
            packed.write(plain.read())
        sweep.write_config(home, data__eval__dev="dev.jsonl.gz")

    accepted("the same rows packed", pack)


def prologue(work):
    first = work / "smoke"
    grid = ["--smoke", "--sources", "en", "--targets", "en"]
    check(run([SWEEP, *grid, "--output", first]).returncode == 0, "smoke: the first run fails")
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
    sweep = Sweep(work)
    changes(sweep)
    unrecorded(sweep)
    there_and_back(sweep)
    replaced_model(sweep)
    additions(sweep)
    prologue(work)
finish()
