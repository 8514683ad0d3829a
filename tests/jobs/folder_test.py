#!/usr/bin/env python3
"""folder_test.py BIN TRL_RUN: model folders whose configuration, weights and heads do not fit, through every program that reads
one; and a model with two labels from training to scores."""
import json
import os
import re
import shutil
import sys

from harness import Work, check, drop_tensor, finish, read_tensors, run, write_tensors

BIN, FIXTURE = sys.argv[1], sys.argv[2]
BAD, USAGE = 1, 2


def program(name):
    return os.path.join(BIN, name)


def write_rows(path, rows):
    with open(path, "w") as file:
        file.writelines(json.dumps(row) + "\n" for row in rows)
    return path


def configure(folder, **changes):
    path = os.path.join(folder, "config.json")
    config = json.load(open(path))
    config.update(changes)
    json.dump(config, open(path, "w"))


class Bench:
    def __init__(self, work):
        self.work, self.count = work, 0
        rows = [dict(id=f"r-{i}", lang="en", prompt=f"q{i}?", chosen=f"yes {i}", rejected=f"no {i}") for i in range(8)]
        self.pairs = write_rows(work / "pairs.jsonl", rows)

    def copy(self, name):
        folder = self.work / name
        shutil.copytree(os.path.join(FIXTURE, "model"), folder)
        return folder

    def commands(self, model):
        """(program, command) for each that reads a model folder."""
        self.count += 1
        out = self.work / f"out{self.count}"
        config = self.work / f"sweep{self.count}.cfg"
        with open(config, "w") as file:
            file.write(f"[data]\ntrain = {self.pairs}\neval.dev = {self.pairs}\nlangs = en\n"
                       f"[sweep]\nbases = tiny={model}\n[train]\nsteps = 2\n")
        train = [program("xlrm_train"), "--objective", "bt", "--model", model, "--data", self.pairs,
                 "--output", out + ".model", "--steps", "2"]
        yield "inspect", [program("xlrm_inspect"), "model", model]
        yield "evaluate", [program("xlrm_evaluate"), "--model", model, "--data", self.pairs, "--output", out + ".h5"]
        yield "train", train
        yield "train --dry-run", [*train, "--dry-run"]
        yield "sweep", [program("xlrm_sweep"), "--config", config, "--output", out + ".sweep"]

    def refused(self, case, model, code, parts, absent=()):
        for name, command in self.commands(model):
            result = run(command)
            where = f"{case}, {name}"
            check(result.returncode == code, f"{where}: exit code {result.returncode} instead of {code}\n{result.stderr}")
            for part in parts:
                check(part in result.stderr, f"{where}: no '{part}' in\n{result.stderr}")
            for part in absent:
                check(part not in result.stderr, f"{where}: '{part}' in\n{result.stderr}")

    def accepted(self, case, model):
        for name, command in self.commands(model):
            result = run(command)
            check(result.returncode == 0, f"{case}, {name}: exit code {result.returncode}\n{result.stderr}")


def heads(bench):
    folder = bench.copy("headless")
    drop_tensor(os.path.join(folder, "model.safetensors"), "score.weight")
    bench.refused("classifier without its head", folder, BAD,
                  ["config.json", "LlamaForSequenceClassification", "score.weight", "architectures"])
    configure(folder, architectures=["LlamaModel"])
    bench.accepted("the same as a body", folder)

    folder = bench.copy("causal")
    configure(folder, architectures=["LlamaForCausalLM"])
    bench.refused("causal model with a reward head", folder, BAD, ["config.json", "LlamaForCausalLM", "score.weight"])
    configure(folder, architectures=["LlamaForTokenClassification"])
    bench.refused("token classifier", folder, BAD, ["config.json", "LlamaForTokenClassification", "not supported"])


def headers(bench):
    folder = bench.copy("headers")
    path = os.path.join(folder, "model.safetensors")
    header, body = read_tensors(path)
    write_tensors(path, {"__metadata__": None, **{name: dict(entry, note="x") for name, entry in header.items()}}, body)
    bench.accepted("null metadata and further fields", folder)
    # A float8 buffer that is computed anew is not read; a float8 weight cannot be.
    end = max(entry["data_offsets"][1] for entry in header.values())
    buffer = {"model.layers.0.self_attn.rotary_emb.inv_freq": dict(dtype="F8_E4M3", shape=[4], data_offsets=[end, end + 4])}
    write_tensors(path, {**header, **buffer}, body + b"\x01\x02\x03\x04")
    bench.accepted("float8 buffer", folder)
    norm = header["model.norm.weight"]
    begin, end = norm["data_offsets"]
    middle = begin + (end - begin) // 4
    moved = {name: dict(entry, data_offsets=[at - (end - middle) if at >= end else at for at in entry["data_offsets"]])
             for name, entry in header.items()}
    moved["model.norm.weight"] = dict(norm, dtype="F8_E4M3", data_offsets=[begin, middle])
    write_tensors(path, moved, body[:middle] + body[end:])
    bench.refused("float8 weight", folder, BAD, ["model.safetensors", "model.norm.weight", "F8_E4M3"],
                  absent=["download", "not a valid"])


def configurations(bench):
    folder = bench.copy("longrope")
    configure(folder, rope_scaling=dict(type="longrope", long_factor=[1, 1], short_factor=[1, 1]), rope_parameters=None)
    bench.refused("longrope", folder, BAD, ["config.json", "rope type 'longrope' is not supported"], absent=["add it"])
    folder = bench.copy("huge")
    configure(folder, hidden_size=10**18)
    bench.refused("huge hidden size", folder, BAD, ["config.json", "'hidden_size' is 1000000000000000000"])


def two_labels(bench):
    """The second label is the first one's negative, so that the two give opposite orders."""
    rows = [dict(id=f"r-{i}", lang="en", prompt=f"q{i}?", response=f"{word} {i}", labels=[value, -value])
            for i in range(8) for word, value in (("yes", 1.0), ("no", -1.0))]
    data = write_rows(bench.work / "labels.jsonl", rows)
    model = bench.work / "two"
    train = [program("xlrm_train"), "--objective", "regression", "--data", data, "--steps", "60", "--lr", "1e-2",
             "--head-init", "zero", "--batch-pairs", "8"]
    result = run([*train, "--model", os.path.join(FIXTURE, "model"), "--output", model])
    check(result.returncode == 0, f"two labels, training: {result.stderr}")
    check("another number of labels" in result.stderr, f"two labels, training: no word of the new head in\n{result.stderr}")

    evaluate = [program("xlrm_evaluate"), "--model", model, "--data", bench.pairs, "--output", bench.work / "two.h5"]
    result = run(evaluate)
    told = "2 label(s)" in result.stderr and "--label 0 to 1" in result.stderr
    check(result.returncode == USAGE and told, f"two labels, evaluate: {result.returncode} {result.stderr}")
    accuracy = {}
    for label in (0, 1):
        result = run([*evaluate, "--label", str(label)])
        check(result.returncode == 0, f"two labels, label {label}: {result.stderr}")
        accuracy[label] = float(re.search(r"accuracy\s+([\d.]+)", result.stdout).group(1)) if result.returncode == 0 else None
    check(accuracy == {0: 100.0, 1: 0.0}, f"two labels: accuracies {accuracy}")
    for label in ("2", "-2"):
        result = run([*evaluate, "--label", label])
        told = f"label {label}" in result.stderr
        check(result.returncode == USAGE and told, f"two labels, label {label}: {result.returncode} {result.stderr}")

    result = run([program("xlrm_inspect"), "model", model])
    check(result.returncode == 0 and "2 labels" in result.stdout, f"two labels, inspect: {result.stdout}{result.stderr}")
    ids = write_rows(bench.work / "ids.jsonl", [dict(ids=[1, 5, 7])])
    result = run([program("xlrm_inspect"), "forward", "--model", model, "--input", ids, "--output", bench.work / "states.h5"])
    check(result.returncode == 0, f"two labels, forward: {result.stderr}")

    result = run([*train, "--model", model, "--output", bench.work / "further"])
    kept = "another number of labels" not in result.stderr
    check(result.returncode == 0 and kept, f"two labels, further training: {result.stderr}")
    started = json.load(open(os.path.join(bench.work / "further", "xlrm.json")))["started_from"] if result.returncode == 0 else {}
    check(started.get("new_head") is False, f"two labels, further training: {started}")
    for name, command in bench.commands(model):
        if name in ("train", "sweep"):  # a sweep scores its bases as well
            result = run(command)
            good = result.returncode == 0 if name == "train" else result.returncode == BAD and "2 labels" in result.stderr
            check(good, f"two labels as a base, {name}: {result.stderr}")


with Work() as work:
    bench = Bench(work)
    bench.accepted("the model as it is", bench.copy("good"))
    heads(bench)
    headers(bench)
    configurations(bench)
    two_labels(bench)
finish()
