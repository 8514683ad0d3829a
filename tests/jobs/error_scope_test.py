#!/usr/bin/env python3
"""error_scope_test.py BIN FIXTURE FAULTS short|all: whatever strikes a sweep, on whatever rank, at whatever stage, the job ends at once with
one message and the exit code of its kind, while ranks that were waiting for others' work end with it; MPI is not aborted.

FAULTS is tests/support/faults.c as a library that is preloaded into the ranks."""
import os
import subprocess
import sys
import threading
import time

from harness import ENVIRONMENT, Work, check, finish, mpirun

BIN, FIXTURE, FAULTS, ALL = sys.argv[1], sys.argv[2], sys.argv[3], sys.argv[4] == "all"
ONLY = sys.argv[5:]  # words of the cases to run, for one who mends them
SWEEP = os.path.join(BIN, "xlrm_sweep")
BAD, USAGE, SOME_FAILED, IO = 1, 2, 3, 74
LIMIT = 30.0  # seconds after the message; a free machine needs one or two
PROLOGUE = ["--smoke", "--sources", "en", "--targets", "en", "--pretrain-ranks", "2"]


def launch(ranks, command, faults):
    """Exit code, standard error, and seconds from the first message of an error to the end; None when it did not end."""
    exports = [word for name, value in {"LD_PRELOAD": FAULTS, **faults}.items() for word in ("-x", f"{name}={value}")] if faults else []
    full = mpirun(ranks, command)
    process = subprocess.Popen(full[:1] + exports + full[1:], env=ENVIRONMENT, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    lines, begun = [], []

    def read():
        for line in process.stderr:
            lines.append(line)
            if not begun and "error: " in line:
                begun.append(time.monotonic())

    reader = threading.Thread(target=read)
    reader.start()
    try:
        code = process.wait(timeout=300)
        seconds = time.monotonic() - begun[0] if begun else 0.0
    except subprocess.TimeoutExpired:
        process.terminate()
        code, seconds = None, None
    reader.join()
    return code, "".join(lines), seconds


def expect(case, ranks, command, code, parts, faults):
    """Of failed cells each has a message of its own."""
    if ONLY and not any(word in case for word in ONLY):
        return
    where = f"{case}, {ranks} ranks"
    found, text, seconds = launch(ranks, command, faults)
    print(f"{where}: code {found}" + (f", ended {seconds:.1f} s after its message" if seconds else ""), flush=True)
    check(found == code, f"{where}: exit code {found} instead of {code}\n{text}")
    if found is None:
        return
    check(seconds < LIMIT, f"{where}: it ended {seconds:.1f} s after its message\n{text}")
    errors = [line for line in text.splitlines() if "error: " in line and line.startswith("xlrm")]
    once = len(set(errors)) == len(errors) > 0 if code == SOME_FAILED else len(errors) == 1
    check(once, f"{where}: {len(errors)} messages\n{text}")
    for part in parts:
        check(any(part in line for line in errors), f"{where}: no '{part}' in\n{text}")
    check("MPI_ABORT" not in text, f"{where}: MPI was aborted\n{text}")


RANK1 = {"XLRM_FAULT_RANK": "1"}


def prologue_cases():
    """Name, arguments, faults, code, parts of the message."""
    yield "option of the base's training", ["--pretrain.batch-pairs", "0"], {}, USAGE, ["--batch-pairs must be above 0"]
    yield "shape of the base", ["--model.hidden", "33"], {}, USAGE, ["multiple of heads"]
    yield "full disk, configuration", [], {"XLRM_FAULT_FULL": "sweep.cfg.json"}, IO, ["No space left"]
    yield "full disk, world files", [], {"XLRM_FAULT_FULL": "/world"}, IO, ["No space left"]
    yield "no memory, checking the inputs", [], {"XLRM_FAULT_MEMORY": "train.jsonl"}, BAD, ["out of memory while checking the inputs"]
    yield "full disk, tokenizer", [], {"XLRM_FAULT_FULL": "tokenizer"}, IO, ["tokenizer"]
    yield "data of the base", ["--pretrain.langs", "sw"], {}, BAD, ["'sw'"]
    yield "unreadable data of the base", [], {"XLRM_FAULT_READ": "corpus.jsonl", **RANK1}, IO, ["corpus.jsonl"]
    yield "no memory, the base's data", [], {"XLRM_FAULT_MEMORY": "tokenizer/config.json", **RANK1}, BAD, ["out of memory while"]
    step = {"XLRM_FAULT_MEMORY": "metrics.jsonl", "XLRM_FAULT_RANK": "0"}  # opened just before the first step
    yield "no memory, a step of the base", [], step, BAD, ["out of memory while computing a step"]
    yield "the base diverges", ["--pretrain.lr", "1e30", "--pretrain.warmup-ratio", "0", "--pretrain.clip", "0"], {}, BAD, ["not finite"]
    yield "full disk, the base's metrics", [], {"XLRM_FAULT_FULL": "metrics.jsonl"}, IO, ["metrics.jsonl", "No space left"]
    yield "full disk, the base's weights", [], {"XLRM_FAULT_FULL": "model.safetensors"}, IO, ["model.safetensors", "No space left"]


def cell_cases():
    """Likewise."""
    limit = ["max-length", "60", "over-length", "error"]
    train_limit = [f"--train.{word}" if i % 2 == 0 else word for i, word in enumerate(limit)]
    evaluate_limit = [f"--evaluate.{word}" if i % 2 == 0 else word for i, word in enumerate(limit)]
    yield "full disk, plan", [], {"XLRM_FAULT_FULL": "plan.json"}, IO, ["plan.json", "No space left"]
    yield "full disk, ledger", [], {"XLRM_FAULT_FULL": "ledger.jsonl"}, IO, ["ledger.jsonl", "No space left"]
    yield "data of a training", train_limit, {}, SOME_FAILED, ["train tiny.en.s1 failed", "rows.jsonl:3", "max-length"]
    yield "full disk, a training's result", [], {"XLRM_FAULT_FULL": "models/"}, SOME_FAILED, ["train tiny.en.s1 failed", "No space left"]
    yield "no memory, a training's model", [], {"XLRM_FAULT_MEMORY": "model/model.safetensors", "XLRM_FAULT_BYTES": "8192", **RANK1}, SOME_FAILED, ["out of memory while"]
    yield "data of an evaluation", evaluate_limit, {}, SOME_FAILED, ["dev.en failed", "rows.jsonl:3", "max-length"]
    yield "unreadable model", [], {"XLRM_FAULT_READ": "models/tiny.en.s1/config.json", **RANK1}, SOME_FAILED, ["dev.en failed", "config.json"]
    yield "full disk, a cell", [], {"XLRM_FAULT_FULL": "cells/"}, SOME_FAILED, ["dev.en failed", "No space left"]
    yield "full disk, a floor", [], {"XLRM_FAULT_FULL": "floors/"}, SOME_FAILED, ["floor en dev failed", "No space left"]
    yield "full disk, tables", [], {"XLRM_FAULT_FULL": "table."}, IO, ["table.", "No space left"]


def write_inputs(work):
    with open(work / "rows.jsonl", "w") as file:
        for i in range(8):
            chosen = "long " * 40 if i == 2 else f"yes {i}"
            file.write(f'{{"id": "r-{i}", "lang": "en", "prompt": "q{i}?", "chosen": "{chosen}", "rejected": "no {i}"}}\n')
    with open(work / "sweep.cfg", "w") as file:
        file.write(f"[data]\ntrain = {work / 'rows.jsonl'}\neval.dev = {work / 'rows.jsonl'}\nlangs = en\n"
                   f"[sweep]\nbases = tiny={os.path.join(FIXTURE, 'model')}\n[train]\nsteps = 2\n")


def main():
    with Work() as work:
        write_inputs(work)
        count = 0
        for case, arguments, faults, code, parts in prologue_cases():
            for ranks in (2, 3, 5) if ALL else ((2, 3, 5)[count % 3],):
                expect(case, ranks, [SWEEP, *PROLOGUE, *arguments, "--output", work / f"prologue{count}-{ranks}"], code, parts, faults)
            count += 1
        for case, arguments, faults, code, parts in cell_cases():
            for ranks in (2, 3, 5) if ALL else ((3, 2, 5)[count % 3],):
                cell_ranks = "4" if ranks == 5 and faults.get("XLRM_FAULT_RANK") else "2"  # the struck rank takes part in every cell
                command = [SWEEP, "--config", work / "sweep.cfg", "--ranks-per-cell", cell_ranks, *arguments, "--output", work / f"cells{count}-{ranks}"]
                expect(case, ranks, command, code, parts, faults)
            count += 1
    finish()


main()
