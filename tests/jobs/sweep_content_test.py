#!/usr/bin/env python3
"""sweep_content_test.py BIN MODEL: a sweep never reports results of other content under its names. After one finished sweep each thing that
determines results is changed alone: the run and its dry run refuse, naming what differs, and the folder stays as it was; table and verify
say it from anywhere. What only adds to the grid is computed beside what is there."""
import gzip
import json
import os
import shutil
import subprocess
import sys

from harness import ENVIRONMENT, Work, cells_below, check, digest, files_below, finish, read_tensors, run, write_tensors

SWEEP, MODEL = os.path.join(sys.argv[1], "xlrm_sweep"), sys.argv[2]
BAD, USAGE = 1, 2
LANGUAGES = ("en", "es", "ko")


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
        options = {"data.train": "train.jsonl", "data.eval.dev": "dev.jsonl", "data.langs": "en,es", "sweep.bases": "b=base",
                   "sweep.sources": "en,all=en+es", "sweep.seeds": "1", "train.steps": "2", "train.batch-pairs": "4", "train.lr": "1e-3"}
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


def refused(sweep, case, code, parts, change, *more, inputs_changed=""):
    home = sweep.copy()
    change(home)
    before = tree(os.path.join(home, "out"))
    dry, wet = sweep.run(home, "--dry-run", *more), sweep.run(home, *more)
    for name, result in (("dry run", dry), ("run", wet)):
        check(result.returncode == code, f"{case}, {name}: exit code {result.returncode} instead of {code}\n{result.stderr}")
        for part in parts:
            check(part in result.stderr, f"{case}, {name}: no '{part}' in\n{result.stderr}")
    check(dry.stderr == wet.stderr, f"{case}: the dry run says\n{dry.stderr}\nthe run says\n{wet.stderr}")
    check(tree(os.path.join(home, "out")) == before, f"{case}: the folder was changed")
    if not inputs_changed:
        return
    for command in ("verify", "table"):  # from another folder, without the configuration
        result = run([SWEEP, command, os.path.join(home, "out")])
        check(result.returncode == BAD and inputs_changed in result.stdout + result.stderr,
              f"{case}: {command} ends with {result.returncode}\n{result.stdout}{result.stderr}")


def refusals(sweep):
    def replace_base(home):
        move_weights(os.path.join(home, "base"))

    def other_base(home):
        shutil.copytree(os.path.join(home, "base"), os.path.join(home, "base2"))
        move_weights(os.path.join(home, "base2"))

    def eval_row(home):
        change_row(os.path.join(home, "dev.jsonl"), 1, chosen="another answer")  # Spanish

    def other_eval(home):
        shutil.copy(os.path.join(home, "dev.jsonl"), os.path.join(home, "dev2.jsonl"))
        change_row(os.path.join(home, "dev2.jsonl"), 0, prompt="what?")
        sweep.write_config(home, data__eval__dev="dev2.jsonl")

    refused(sweep, "a language more in a source", USAGE, ["models/b.all.s1", "en+es, not en+es+ko", "another name"],
            lambda home: sweep.write_config(home, sweep__sources="en,all=en+es+ko"))
    refused(sweep, "a base's content", BAD, ["models/b.en.s1", "another base model"], replace_base, inputs_changed="base b")
    refused(sweep, "a base of another folder", USAGE, ["models/b.en.s1", "another base model"], other_base, "--bases", "b=base2")
    refused(sweep, "a training row", BAD, ["models/b.all.s1", "other rows", "[data] train"],
            lambda home: change_row(os.path.join(home, "train.jsonl"), 1, rejected="no!"), inputs_changed="data.train: rows of en+es")
    refused(sweep, "an evaluation row", BAD, ["cells/b.all.s1/dev.es.h5", "cells/b/dev.es.h5", "floors/", "other rows", "[data] eval.dev"], eval_row,
            inputs_changed="data.eval.dev: rows of es")
    refused(sweep, "another evaluation file", USAGE, ["cells/b.en.s1/dev.en.h5", "other rows"], other_eval)
    refused(sweep, "a length limit", USAGE, ["evaluate.max-length"], lambda home: None, "--evaluate.max-length", "99")
    refused(sweep, "a training option", USAGE, ["train.lr"], lambda home: None, "--train.lr", "2e-3")
    # A folder whose configuration is gone, or results brought from elsewhere: the results say it themselves.
    forget = lambda home: os.remove(os.path.join(home, "out/sweep.cfg.json"))
    refused(sweep, "a length limit, by the cells", USAGE, ["cells/b.en.s1/dev.en.h5", "max_length = 2048, not 99"], forget, "--evaluate.max-length", "99")
    refused(sweep, "a training option, by the models", USAGE, ["models/b.en.s1", "lr = 0.001, not 0.002", "results come from it"], forget, "--train.lr", "2e-3")
    refused(sweep, "weights that were replaced", BAD, ["models/b.en.s1", "other weights"],
            lambda home: move_weights(os.path.join(home, "out/models/b.en.s1")))


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
    check(accepted("a seed more", lambda home: sweep.write_config(home, sweep__seeds="1,2"))[1] == 4, "a seed more: not 4 cells")
    check(accepted("a source more", lambda home: sweep.write_config(home, sweep__sources="en,all=en+es,es"))[1] == 2, "a source more: not 2 cells")
    out, new = accepted("a target more", lambda home: sweep.write_config(home, sweep__targets="en,es,ko"))
    check(new == 3, f"a target more: {new} cells instead of 3")
    floor = json.load(open(os.path.join(out, "floors/en.dev.json")))["targets"]
    check(len(floor.get("ko", {}).get("right", [])) == 8, f"a target more: the floor has {list(floor)}")
    lines = open(os.path.join(out, "table.csv")).read().splitlines()
    column = lines[0].split(",").index("floor")
    empty = [line for line in lines[1:] if not line.split(",")[column]]
    check(not empty, f"a target more: no floor in {empty}")
    added = lambda home: (write_rows(os.path.join(home, "more.jsonl"), rows("m")),
                          open(os.path.join(home, "s.cfg"), "a").write("[data]\neval.more = more.jsonl\n"))
    check(accepted("a benchmark more", added)[1] == 6, "a benchmark more: not 6 cells")
    # Rows of a language that nothing here is made of.
    accepted("rows of another language", lambda home: change_row(os.path.join(home, "train.jsonl"), 2, chosen="ja"))
    accepted("the same base elsewhere", lambda home: os.rename(os.path.join(home, "base"), os.path.join(home, "moved")), "--bases", "b=moved")

    def pack(home):
        with open(os.path.join(home, "dev.jsonl"), "rb") as plain, gzip.open(os.path.join(home, "dev.jsonl.gz"), "wb") as packed:
            packed.write(plain.read())
        sweep.write_config(home, data__eval__dev="dev.jsonl.gz")

    accepted("the same rows packed", pack)


def prologue(work):
    out = work / "smoke"
    grid = ["--smoke", "--sources", "en", "--targets", "en", "--output", out]
    check(run([SWEEP, *grid]).returncode == 0, "smoke: the first run fails")
    for case, parts, forget in (("configuration", ["pretrain.steps"], False), ("base itself", ["models/base ", "steps = 8, not 9", "results come from it"], True)):
        if forget:
            os.remove(os.path.join(out, "sweep.cfg.json"))
        before = tree(out)
        result = run([SWEEP, *grid, "--pretrain.steps", "9"])
        check(result.returncode == USAGE and all(part in result.stderr for part in parts), f"pretrain steps, {case}: {result.returncode}\n{result.stderr}")
        check(tree(out) == before, f"pretrain steps, {case}: the folder was changed")
    result = run([SWEEP, *grid, "--data.world-seed", "2"])
    check(result.returncode == USAGE and "world was made with seed = 1, not 2" in result.stderr, f"world seed: {result.returncode}\n{result.stderr}")
    result = run([SWEEP, *grid, "--tokenizer.vocab-size", "900"])
    check(result.returncode == USAGE and "tokenizer was made with vocab_size = 1000, not 900" in result.stderr, f"vocabulary: {result.returncode}\n{result.stderr}")


with Work() as work:
    sweep = Sweep(work)
    refusals(sweep)
    replaced_model(sweep)
    additions(sweep)
    prologue(work)
finish()
