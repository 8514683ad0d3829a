#!/usr/bin/env python3
"""bad_input_test.py BIN TRL_RUN: every program meets bad input with one message that names file, line, field, option or tensor, the exit
code that the README promises, and nothing under a final name."""
import json
import os
import shutil
import subprocess
import sys

from harness import Work, check, drop_tensor, files_below, finish, mpirun, note, read_tensors, run, write_tensors

BIN, FIXTURE = sys.argv[1], sys.argv[2]
BAD, USAGE, IO = 1, 2, 74
LANGUAGES = ("en", "ko")


def program(name):
    path = os.path.join(BIN, name)
    return path if os.path.exists(path) else None


def rows(count=8):
    return [dict(id=f"r-{i}", lang=lang, prompt=f"q{i}?", chosen=f"yes {i}", rejected=f"no {i}") for i in range(count) for lang in LANGUAGES]


def write_rows(path, items):
    with open(path, "w") as file:
        for item in items:
            file.write((item if isinstance(item, str) else json.dumps(item)) + "\n")
    return path


class Bench:
    """Command lines of the programs on one model folder and one file of rows."""

    def __init__(self, work):
        self.work, self.count = work, 0
        self.good = write_rows(work / "good.jsonl", rows())
        self.model = self.copy_model("model")

    def copy_model(self, name):
        folder = self.work / name
        shutil.copytree(os.path.join(FIXTURE, "model"), folder)
        return folder

    def output(self):
        self.count += 1
        return self.work / f"out{self.count}"

    def commands(self, model=None, data=None, output=None, extra=(), sweep_extra=None):
        """(program, command, folder its output goes to) for each program that is there."""
        model, data = model or self.model, data or self.good
        for name in ("xlrm_prepare", "xlrm_evaluate", "xlrm_train", "xlrm_sweep"):
            path, out = program(name), output or self.output()
            if path is None:
                continue
            more = list(sweep_extra if sweep_extra is not None and name == "xlrm_sweep" else extra)
            if name == "xlrm_prepare":
                arguments = ["--input", data, "--rows", "preference", "--model", model, "--output", os.path.join(out, "pairs.h5")]
            elif name == "xlrm_evaluate":
                arguments = ["--model", model, "--data", data, "--output", os.path.join(out, "cell.h5")]
            elif name == "xlrm_train":
                arguments = ["--objective", "bt", "--model", model, "--data", data, "--output", os.path.join(out, "model"), "--steps", "2"]
            else:
                config = self.work / "sweep.cfg"
                with open(config, "w") as file:
                    file.write(f"[data]\ntrain = {data}\neval.dev = {data}\nlangs = en,ko\n[sweep]\nbases = tiny={model}\n[train]\nsteps = 2\n")
                arguments = ["--config", config, "--output", out]
            yield name, [path, *arguments, *more], out


FINAL = (".h5", ".safetensors", ".md", ".csv", ".txt", "floors/", "training.json")


def expect(case, name, command, out, code, parts, ranks=1):
    """One message with all of `parts`, exit code `code`, no output. Under mpirun the launcher adds words of its own."""
    result = run(command if ranks == 1 else mpirun(ranks, command))
    where = f"{case}, {name}, {ranks} ranks"
    check(result.returncode == code, f"{where}: exit code {result.returncode} instead of {code}\n{result.stderr}")
    lines = [line for line in result.stderr.splitlines() if line.startswith((name + ": ", "xlrm: error: ", "xlrm [rank"))]
    check(len(lines) == 1, f"{where}: {len(lines)} messages instead of one\n{result.stderr}")
    for part in parts:
        check(part in result.stderr, f"{where}: no '{part}' in\n{result.stderr}")
    check("terminate called" not in result.stderr and "Signal" not in result.stderr, f"{where}: it crashed\n{result.stderr}")
    if out and os.path.isdir(out):
        left = [file for file in files_below(out) if file.endswith(FINAL) or file.startswith(FINAL) or os.path.basename(file).startswith(".xlrm")]
        check(not left, f"{where}: it left {left}")


def data_cases(bench):
    good = rows()
    missing_field, empty_field = dict(good[2]), dict(good[2], rejected="")
    del missing_field["chosen"]
    stray_byte = bench.work / "stray.jsonl"
    with open(stray_byte, "wb") as file:
        file.write(b"".join(json.dumps(row).encode() + b"\n" for row in good[:2]) + b"\xC0\n")
    pipe = bench.work / "pipe.jsonl"
    os.mkfifo(pipe)
    pipe_end = os.open(pipe, os.O_RDWR)  # so that whoever opens it does not wait
    broken = {
        "missing file": (bench.work / "none.jsonl", IO, ["none.jsonl", "No such file"]),
        "broken JSON": (write_rows(bench.work / "broken.jsonl", good[:2] + ['{"id": "x", "prompt": '] + good[3:]), BAD, ["broken.jsonl:3"]),
        "missing field": (write_rows(bench.work / "missing.jsonl", good[:2] + [missing_field] + good[3:]), BAD, ["missing.jsonl:3", "chosen"]),
        "empty field": (write_rows(bench.work / "empty.jsonl", good[:2] + [empty_field] + good[3:]), BAD, ["empty.jsonl:3", "rejected"]),
    }
    broken |= {
        "not a regular file": (pipe, IO, ["pipe.jsonl", "not a regular file"]),
        "margin beyond single precision": (write_rows(bench.work / "margin.jsonl", good[:2] + [dict(good[2], margin=1e39)]), BAD,
                                           ["margin.jsonl:3: field 'margin' is out of range"]),
        "number beyond double precision": (write_rows(bench.work / "number.jsonl", good[:2] + [json.dumps(good[2])[:-1] + ', "score": 1e400}']), BAD,
                                           ["number.jsonl:3: not valid JSON", "1e400"]),
        "stray byte": (stray_byte, BAD, ["stray.jsonl:3: not valid JSON"]),
        "NUL in an id": (write_rows(bench.work / "nul.jsonl", good[:2] + [dict(good[2], id="a\0b")]), BAD, ["nul.jsonl:3: field 'id'", "U+0000"]),
        "no known form": (write_rows(bench.work / "form.jsonl", [dict(title="a", body="b")]), BAD, ["form.jsonl:1", "title, body", "--columns"]),
    }
    for case, (data, code, parts) in broken.items():
        for ranks in (1, 3) if case in ("broken JSON", "missing file", "number beyond double precision") else (1,):
            for name, command, out in bench.commands(data=data):
                expect(case, name, command, out, code, parts, ranks)
    os.close(pipe_end)
    english = write_rows(bench.work / "english.jsonl", [row for row in good if row["lang"] == "en"])
    for name, command, out in bench.commands(data=english, extra=["--langs", "en,ko"], sweep_extra=[]):
        expect("language without rows", name, command, out, BAD, ["'ko'", "en"])
    long = write_rows(bench.work / "long.jsonl", good[:4] + [dict(good[4], chosen="long " * 40)] + good[5:])
    limit = ["--max-length", "60", "--over-length", "error"]
    sweep_limit = ["--train.max-length", "60", "--train.over-length", "error", "--evaluate.max-length", "60", "--evaluate.over-length", "error"]
    for name, command, out in bench.commands(data=long, extra=limit, sweep_extra=sweep_limit):
        if name != "xlrm_sweep":  # there it is a cell's failure, tested below
            expect("text over the limit", name, command, out, BAD, ["long.jsonl:5", "max-length", "over-length"])


def option_cases(bench):
    typos = {"xlrm_prepare": ("--max-lenght", "max-length"), "xlrm_evaluate": ("--token-budgte", "token-budget"), "xlrm_train": ("--warmup-ration", "warmup-ratio"),
             "xlrm_sweep": ("--ranks-per-cel", "ranks-per-cell")}
    for ranks in (1, 3):
        for name, command, out in bench.commands():
            wrong, nearest = typos[name]
            expect("unknown option", name, [*command, wrong, "1"], out, USAGE, [wrong, nearest], ranks)


def model_cases(bench):
    def damaged(name, change):
        folder = bench.copy_model(name)
        change(folder)
        return folder

    def weights(folder):
        return os.path.join(folder, "model.safetensors")

    def truncate(folder):
        os.truncate(weights(folder), os.path.getsize(weights(folder)) - 100)

    def overlap(folder):
        header, body = read_tensors(weights(folder))
        first, second = sorted(header.values(), key=lambda entry: entry["data_offsets"])[:2]
        size = second["data_offsets"][1] - second["data_offsets"][0]
        second["data_offsets"] = [first["data_offsets"][0], first["data_offsets"][0] + size]
        write_tensors(weights(folder), header, body)

    def misshape(folder):
        header, body = read_tensors(weights(folder))
        header["model.layers.1.mlp.up_proj.weight"]["shape"] = [16, 40]
        write_tensors(weights(folder), header, body)

    def small_vocabulary(folder):
        path = os.path.join(folder, "config.json")
        config = json.load(open(path))
        config.update(vocab_size=200, eos_token_id=100, pad_token_id=101)
        json.dump(config, open(path, "w"))
        header, body = read_tensors(weights(folder))
        begin, end = header["model.embed_tokens.weight"]["data_offsets"]
        cut = 58 * 16 * 4
        for entry in header.values():
            if entry["data_offsets"][0] >= end:
                entry["data_offsets"] = [at - cut for at in entry["data_offsets"]]
        header["model.embed_tokens.weight"].update(shape=[200, 16], data_offsets=[begin, end - cut])
        write_tensors(weights(folder), header, body[:end - cut] + body[end:])

    cases = {
        "truncated weights": (damaged("truncated", truncate), ["model.safetensors"]),
        "overlapping tensors": (damaged("overlap", overlap), ["model.safetensors"]),
        "missing tensor": (damaged("missing", lambda folder: drop_tensor(weights(folder), "model.layers.0.self_attn.v_proj.weight")),
                           ["model.layers.0.self_attn.v_proj.weight"]),
        "misshapen tensor": (damaged("misshapen", misshape), ["model.layers.1.mlp.up_proj.weight", "[16, 40]", "[40, 16]"]),
        "tokenizer of another model": (damaged("vocabulary", small_vocabulary), ["258", "200", "tokenizer"]),
    }
    for case, (folder, parts) in cases.items():
        for ranks in (1, 3) if case == "missing tensor" else (1,):
            for name, command, out in bench.commands(model=folder):
                if name == "xlrm_prepare" and case != "tokenizer of another model":
                    continue  # it reads no weights
                expect(case, name, command, out, BAD, parts, ranks)


def output_cases(bench):
    for ranks in (1, 3):
        for name, command, _ in bench.commands(output="/proc/xlrm"):
            expect("unwritable output", name, command, None, IO, ["/proc"], ranks)
    disk = bench.work / "disk"
    os.mkdir(disk)
    if os.geteuid() != 0 or subprocess.run(["mount", "-t", "tmpfs", "-o", "size=12k", "tmpfs", disk], capture_output=True).returncode != 0:
        print("not root: the test of a full disk is left out")
        return
    try:
        with open(os.path.join(disk, "filler"), "wb") as file:
            file.write(b"x" * 4096)
        for name, command, out in bench.commands(output=os.path.join(disk, "out")):
            expect("full disk", name, command, out, IO, [disk])
            shutil.rmtree(out, ignore_errors=True)
    finally:
        subprocess.run(["umount", disk], check=True)


def failed_cells(bench):
    """What strikes one cell is data: the others are done, the exit code is 3, and the reason is told."""
    items = rows()
    items[5]["chosen"] = "long " * 40  # in Korean
    data = write_rows(bench.work / "cells.jsonl", items)
    for name, command, out in bench.commands(data=data):
        if name != "xlrm_sweep":
            continue
        result = run([*command, "--evaluate.max-length", "60", "--evaluate.over-length", "error"])
        check(result.returncode == 3, f"failed cells: exit code {result.returncode} instead of 3\n{result.stderr}")
        check("cells.jsonl:6" in result.stderr and "max-length" in result.stderr, f"failed cells: no reason in\n{result.stderr}")
        cells = [file for file in files_below(os.path.join(out, "cells")) if file.endswith(".h5")]
        check(len(cells) == 3 and all(cell.endswith("dev.en.h5") for cell in cells), f"failed cells: the others should be there: {cells}")
        status = run([command[0], "status", out, "--json"])
        check(status.returncode == 3 and json.loads(status.stdout)["failed"] == 3, f"failed cells: status says {status.stdout}")


def main():
    with Work() as work:
        bench = Bench(work)
        for name, command, out in bench.commands():  # what is damaged below is good as it stands
            result = run(command)
            if result.returncode != 0:
                note(f"good input, {name}: exit code {result.returncode}\n{result.stderr}")
        data_cases(bench)
        option_cases(bench)
        model_cases(bench)
        output_cases(bench)
        failed_cells(bench)
    finish()


main()
