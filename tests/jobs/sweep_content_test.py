#!/usr/bin/env python3
"""sweep_content_test.py BIN MODEL: a sweep never reports results of other content under its names. After one finished sweep each thing that
determines results is changed alone: exactly what comes from it moves to superseded/ and is made anew in one run, every other file stays; the
dry run says so and changes nothing; table and verify say it before from anywhere. What only adds to the grid is computed beside what is there.
Rows are tokenised once for each (tokenizer, template, date, files, part, limits), and not again where that is there. Prints a table of what
each change made anew."""
import gzip
import json
import os
import re
import shutil
import subprocess
import sys

from harness import ENVIRONMENT, Work, cells_below, check, digest, files_below, finish, mpirun, read_tensors, run, write_tensors

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
    sweep = Sweep(work)
    changes(sweep)
    unrecorded(sweep)
    there_and_back(sweep)
    replaced_model(sweep)
    additions(sweep)
    prepared_rows(sweep)
    shared_rows(work)
    given_models(work, sweep)
    items_prepared_before(work, sweep)
    drawn(sweep)
    prologue(work)
    print("\n".join(TABLE))
finish()
