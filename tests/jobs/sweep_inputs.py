"""A finished sweep, changes of its inputs, and what the next run made anew: for tests of what a sweep computes again."""
import json
import os
import shutil
import subprocess

from harness import ENVIRONMENT, check, digest, files_below, read_tensors, write_tensors

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

    def __init__(self, program, model, work):
        self.program, self.work, self.count = program, work, 0
        self.home = work / "home"
        os.makedirs(self.home)
        write_rows(os.path.join(self.home, "train.jsonl"), rows("t"))
        write_rows(os.path.join(self.home, "dev.jsonl"), rows("d"))
        shutil.copytree(model, os.path.join(self.home, "base"))
        self.write_config(self.home)
        result = self.run(self.home)
        check(result.returncode == 0, f"the first run ends with {result.returncode}\n{result.stderr}")
        first = Counts.__new__(Counts)
        first.out, first.before = os.path.join(self.home, "out"), 0
        expect_tokenised("the first run", first, [("prepare data.eval.dev", 24), ("prepare data.train", 24)])

    @staticmethod
    def write_config(home, **changed):
        options = {"data.train": "train.jsonl", "data.eval.dev": "dev.jsonl", "data.langs": "en,es,ko", "sweep.bases": "b=base", "sweep.analysis": "no",
                   "sweep.sources": "en,ko,all=en+es", "sweep.seeds": "1,2", "train.steps": "2", "train.batch-pairs": "4", "train.lr": "1e-3"}
        options.update({name.replace("__", ".").replace("_", "-"): value for name, value in changed.items()})
        with open(os.path.join(home, "s.cfg"), "w") as file:
            for name, value in options.items():
                section, option = name.split(".", 1)
                file.write(f"[{section}]\n{option} = {value}\n")

    def run(self, home, *more):
        return subprocess.run([self.program, "--config", "s.cfg", "--output", "out", *more], cwd=home, env=ENVIRONMENT, capture_output=True, text=True,
                              timeout=300)

    def copy(self):
        self.count += 1
        home = self.work / f"case{self.count}"
        shutil.copytree(self.home, home, copy_function=shutil.copy2)
        plan = os.path.join(home, "out", "plan.json")  # which names its inputs by absolute paths
        text = open(plan).read().replace(f"{self.home}/", f"{home}/")
        open(plan, "w").write(text)
        return home


def ledger(out):
    return [json.loads(line) for line in open(os.path.join(out, "ledger.jsonl"))]


class Counts:
    """What the runs in a folder do from now on, by kind of task, and how often rows are tokenised."""

    def __init__(self, out):
        self.out, self.before = out, len(ledger(out))

    def done(self):
        return [entry for entry in ledger(self.out)[self.before:] if entry["event"] == "done"]

    def tokenised(self):
        return [(entry["task"].rsplit(" ", 1)[0], entry["rows_tokenised"]) for entry in self.done() if "rows_tokenised" in entry]

    def line(self, case):
        kinds = [entry["task"].split()[0] for entry in self.done()]
        return f"{case:34}" + "".join(f"{kinds.count(kind):9}" for kind in ("pretrain", "train", "evaluate", "floor", "prepare")) + f"{len(self.tokenised()):12}"


TABLE = [f"{'':34} pretrain    train evaluate    floor  prepare  tokenising"]


def expect_tokenised(case, counts, expected):
    found = sorted(counts.tokenised())
    check(found == sorted(expected), f"{case}: tokenised {found}, not {expected}")
    TABLE.append(counts.line(case))


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
