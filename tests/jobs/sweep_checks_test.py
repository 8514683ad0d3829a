#!/usr/bin/env python3
"""sweep_checks_test.py BIN MODEL: what a sweep refuses its dry run refuses with the same words and code, and neither leaves a folder; options
that would change nothing are refused by every program; accuracy, floor and gap of the table are over the same items, pairs that share an
id among them."""
import json
import os
import shutil
import sys

from harness import Work, check, files_below, finish, mpirun, run

BIN, MODEL = sys.argv[1], sys.argv[2]
SWEEP, TRAIN, EVALUATE, PREPARE, INSPECT = (os.path.join(BIN, "xlrm_" + name) for name in ("sweep", "train", "evaluate", "prepare", "inspect"))
BAD, USAGE, IO = 1, 2, 74


def write_rows(path, rows):
    with open(path, "w") as file:
        for row in rows:
            file.write(json.dumps(row) + "\n")
    return path


def pair(id, lang, chosen, rejected, prompt=None):
    return dict(id=id, lang=lang, prompt=prompt or f"q{id}", chosen=chosen, rejected=rejected)


def write_config(path, **changed):
    options = {"data.langs": "en,ko", "sweep.bases": f"b={MODEL}", "sweep.seeds": "1", "train.steps": "2", "train.batch-pairs": "4", "train.lr": "1e-3"}
    options.update({name.replace("__", ".").replace("_", "-"): value for name, value in changed.items()})
    with open(path, "w") as file:
        for name, value in options.items():
            if value is not None:
                section, option = name.split(".", 1)
                file.write(f"[{section}]\n{option} = {value}\n")
    return path


def training_rows():
    return [pair(f"t{i}", lang, f"yes t{i}", f"no t{i}") for i in range(12) for lang in ("en", "ko")]


def plain_grid(work):
    train = write_rows(work / "train.jsonl", training_rows())
    dev = write_rows(work / "dev.jsonl", [pair(f"d{i}", lang, f"yes d{i}", f"no d{i}") for i in range(6) for lang in ("en", "ko")])
    return dict(data__train=train, data__eval__dev=dev)


def same_refusals(work):
    grid = plain_grid(work)
    empty = write_rows(work / "empty.jsonl", [])
    bare = work / "bare"
    shutil.copytree(MODEL, bare)
    os.remove(os.path.join(bare, "tokenizer.json"))
    cases = {
        "a target without rows": (dict(data__langs="en,fr", sweep__sources="en"), BAD, ["'fr'", "--targets"]),
        "a source without rows": (dict(sweep__sources="en,fr"), BAD, ["'fr'", "--sources"]),
        "an empty file": (dict(data__train=grid["data__train"] + "," + empty), BAD, ["empty.jsonl", "no rows"]),
        "an empty benchmark": (dict(data__eval__more=empty), BAD, ["empty.jsonl", "no rows"]),
        "no such file": (dict(data__eval__more=work / "none.jsonl"), IO, ["none.jsonl"]),
        "a part that is missing": (dict(data__split="train=0.5,dev=0.5"), USAGE, ["[data] split", "test"]),
        "a base without tokenizer": (dict(sweep__bases=f"b={bare}"), IO, ["tokenizer"]),
        "a batch of nothing": ({"train__batch-pairs": "0"}, USAGE, ["[train]", "--batch-pairs"]),
        "no tokens": ({"evaluate__token-budget": "0"}, USAGE, ["[evaluate]", "--token-budget"]),
        "a layer that is not there": (dict(evaluate__layers="0,9"), USAGE, ["--layers", "9"]),
        "no such template": (dict(evaluate__template="llama-9"), USAGE, ["llama-9"]),
        "one name for two": (dict(sweep__bases=f"b={MODEL},b.x={MODEL}", sweep__sources="x.y=en,y=en"), USAGE, ["models/b.x.y.s1"]),
        "a base's shape": (dict(sweep__bases="own", tokenizer__data=work / "train.jsonl", pretrain__data=work / "train.jsonl", model__hidden="33"), USAGE,
                           ["[model] hidden"]),
        "no ranks": ({"sweep__ranks-per-cell": "0"}, USAGE, ["--ranks-per-cell"]),
        "a place that cannot be written": (dict(), IO, ["/proc"]),
    }
    for case, (changed, code, parts) in cases.items():
        config = write_config(work / "c.cfg", **{**grid, **changed})
        out = "/proc/xlrm/out" if code == IO and parts == ["/proc"] else work / "refused" + "/deep/out"
        dry = run([SWEEP, "--config", config, "--output", out, "--dry-run"])
        wet = run([SWEEP, "--config", config, "--output", out])
        check(dry.returncode == code, f"{case}: the dry run ends with {dry.returncode} instead of {code}\n{dry.stderr}")
        check(wet.returncode == code, f"{case}: the run ends with {wet.returncode} instead of {code}\n{wet.stderr}")
        check(dry.stderr == wet.stderr, f"{case}: the dry run says\n{dry.stderr}\nthe run says\n{wet.stderr}")
        check(all(part in wet.stderr for part in parts), f"{case}: not all of {parts} in\n{wet.stderr}")
        check(not os.path.exists(work / "refused"), f"{case}: a folder is left: {files_below(work / 'refused')}")
    world = run([SWEEP, "--smoke", "--sources", "fr", "--output", work / "refused", "--dry-run"])
    check(world.returncode == BAD and "'fr'" in world.stderr, f"a language that the world lacks: {world.returncode}\n{world.stderr}")
    several = run(mpirun(3, [SWEEP, "--config", write_config(work / "c.cfg", **{**grid, "sweep__sources": "en,fr"}), "--output", work / "refused", "--dry-run"]))
    check(several.returncode == BAD and several.stderr.count("'fr'") == 1, f"a dry run of 3 ranks: {several.returncode}\n{several.stderr}")
    check(not os.path.exists(work / "refused"), "dry runs left a folder")


def blanks(work):
    """Blanks around + , and = belong to no name."""
    config = write_config(work / "b.cfg", **{**plain_grid(work), "sweep__sources": "en , all = en + ko", "sweep__bases": f"b = {MODEL}",
                                             "data__split": "train = 0.5 , test=0.5", "evaluate__layers": "0 , 2", "data__langs": "en, ko"})
    for more in (["--dry-run"], []):
        result = run([SWEEP, "--config", config, "--output", work / "blanks", *more])
        check(result.returncode == 0, f"blanks in lists {more}: {result.returncode}\n{result.stderr}")
    check(os.path.exists(work / "blanks/models/b.all.s1/config.json"), "blanks in lists: no models/b.all.s1")


def useless_options(work):
    grid = plain_grid(work)
    config = write_config(work / "u.cfg", **grid)
    shown = run([SWEEP, "--help"]).stdout
    for section, names in {"train": ["objective", "model", "model-config", "tokenizer", "data", "langs", "split", "part", "output", "source", "seed", "beta",
                                     "loss-type", "ref-model", "concatenate"],
                           "pretrain": ["objective", "output", "source", "beta", "margin", "pooling", "label-smoothing", "over-length"],
                           "evaluate": ["split", "part"]}.items():
        for name in names:
            check(f"--{section}.{name} " not in shown, f"--help of xlrm_sweep offers {section}.{name}")
            value = "dpo" if name == "objective" else "1"
            result = run([SWEEP, "--config", config, "--output", work / "useless", f"--{section}.{name}", value])
            check(result.returncode == USAGE and f"{section}.{name} is not an option of xlrm_sweep: " in result.stderr,
                  f"xlrm_sweep --{section}.{name}: {result.returncode}\n{result.stderr}")
    in_file = run([SWEEP, "--config", write_config(work / "u.cfg", **grid, train__langs="en"), "--output", work / "useless"])
    check(in_file.returncode == USAGE and "u.cfg:" in in_file.stderr and "[sweep] sources" in in_file.stderr, f"[train] langs in a file: {in_file.stderr}")
    check(run([SWEEP, "--smoke", "--data.train", grid["data__train"], "--output", work / "useless"]).returncode == USAGE, "a world and rows of one's own")
    train = [TRAIN, "--model", MODEL, "--data", grid["data__train"], "--output", work / "useless", "--steps", "1"]
    evaluate = [EVALUATE, "--model", MODEL, "--data", grid["data__train"], "--output", work / "useless/c.h5"]
    for command, arguments, name in ((train, ["--beta", "0.1"], "beta"), (train, ["--lora-alpha", "8"], "lora-alpha"), (train, ["--split", "a=0.5,b=0.5"], "split"),
                                     (train, ["--objective", "lm", "--pooling", "last"], "pooling"), (train, ["--eval-part", "b", "--split", "a=0.5,b=0.5"], "eval-part"),
                                     (evaluate, ["--beta", "0.1"], "beta"), (evaluate, ["--split", "a=0.5,b=0.5"], "split"),
                                     (evaluate, ["--layers", "none", "--capture", "last"], "capture"), (evaluate, ["--export-name", "a/b"], "export-name"),
                                     (evaluate, ["--capture", "first"], "capture"),
                                     ([PREPARE, "--model", MODEL, "--input", grid["data__train"]], ["--vocab-size", "9"], "vocab-size"),
                                     ([INSPECT, "tokenize", "--model", MODEL, "--input", grid["data__train"]], ["--template", "none"], "template")):
        result = run([*command, *arguments])
        check(result.returncode == USAGE and f"--{name}" in result.stderr, f"{os.path.basename(command[0])} {arguments}: {result.returncode}\n{result.stderr}")
    check(not os.path.exists(work / "useless"), "refused options left a folder")


def table_of(work, name, **changed):
    result = run([SWEEP, "--config", write_config(work / (name + ".cfg"), **changed), "--output", work / name])
    check(result.returncode == 0, f"{name}: {result.returncode}\n{result.stderr}")
    lines = open(work / name + "/table.csv").read().splitlines()
    entries = [dict(zip(lines[0].split(","), line.split(","))) for line in lines[1:]]
    return open(work / name + "/table.txt").read(), [entry for entry in entries if entry["seed"] == "all" and not entry["subset"]], result.stderr


def repeated_ids(work):
    """Two pairs of one id, of which the floor judges one right and one wrong, count as they do with ids of their own."""
    train = write_rows(work / "train.jsonl", training_rows())
    two = lambda i, lang: [(f"p{i}", lang, f"yes p{i}", f"no p{i}"), (f"p{i}", lang, f"no p{i}", f"yes p{i}")]
    shared = [pair(*one, prompt=f"q{i}") for i in range(8) for k in range(2) for lang in ("en", "ko") for one in [two(i, lang)[k]]]
    own = [dict(row, id=f"{row['id']}-n{1 + number // 2 % 2}") for number, row in enumerate(shared)]
    told = {}
    for name, rows in (("shared", shared), ("own", own)):
        text, entries, log = table_of(work, name, data__train=train, data__eval__dev=write_rows(work / (name + ".jsonl"), rows))
        told[name] = [line for line in text.splitlines() if "off-diagonal" in line or " f = " in line]
        check(all(float(entry["floor"]) == 0.5 for entry in entries), f"{name}: floors {[entry['floor'] for entry in entries]}")
        check("floor 50.0 %" in text and "clustered over 8 items" in text, f"{name}: {told[name]}")
        check(log.count("id that an earlier row") == (1 if name == "shared" else 0), f"{name}: the warning of ids in\n{log}")
    check("[data] eval.dev: 16)" in run([SWEEP, "--config", work / "shared.cfg", "--output", work / "shared", "--dry-run"]).stderr, "no count of rows that share an id")
    check(told["shared"] == told["own"], f"{told['shared']} with one id, {told['own']} with ids of their own")


def left_out_items(work):
    """A length limit drops the items of which the floor is wrong, among them the first of two that share an id."""
    train = write_rows(work / "train.jsonl", training_rows())
    long = "x " * 120
    rows = []
    for i in range(4):
        for lang in ("en", "ko"):
            rows += [pair(f"s{i}", lang, f"no s{i}", f"yes s{i}", prompt=long + f"s{i}"), pair(f"s{i}", lang, f"yes s{i}", f"no s{i}")]
    text, entries, _ = table_of(work, "long", data__train=train, data__eval__dev=write_rows(work / "long.jsonl", rows), evaluate__max_length="100")
    check(len(entries) == 4 and all(entry["items"] == "4" and float(entry["floor"]) == 1.0 and entry["left_out"] == "4" for entry in entries), f"left out: {entries}")
    check("en: 4 of 8 items longer than max-length 100 are left out" in text, text)
    check("floor 100.0 %" in text, text)


with Work() as work:
    same_refusals(work)
    blanks(work)
    useless_options(work)
    repeated_ids(work)
    left_out_items(work)
finish()
