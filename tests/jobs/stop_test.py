#!/usr/bin/env python3
"""stop_test.py BIN FIXTURE: a program that a signal stops ends with code 75 and one sentence: where its state lies and how to go on; the
status file has it too, and the same command goes on."""
import json
import os
import signal
import subprocess
import sys
import time

from harness import ENVIRONMENT, Work, check, finish, mpirun, run

BIN, FIXTURE = sys.argv[1], sys.argv[2]
STOPPED = 75


def stop(command, ranks, begun, wanted=signal.SIGUSR1):
    """Starts, sends the signal once `begun()` holds, and waits. mpirun passes SIGUSR1 on."""
    process = subprocess.Popen(command if ranks == 1 else mpirun(ranks, command), env=ENVIRONMENT, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    end = time.monotonic() + 60
    while process.poll() is None and time.monotonic() < end and not begun():
        time.sleep(0.02)
    process.send_signal(wanted)
    _, text = process.communicate(timeout=120)
    return process.returncode, text


def expect(case, code, text, status, program, parts):
    check(code == STOPPED or status is not None, f"{case}: exit code {code} instead of {STOPPED}\n{text}")
    lines = [line for line in text.splitlines() if line.startswith(program + ": ")]
    check(len(lines) == 1, f"{case}: {len(lines)} sentences about the stop\n{text}")
    for part in parts:
        check(lines and part in lines[0], f"{case}: no '{part}' in\n{text}")
    check("MPI_ABORT" not in text, f"{case}: MPI was aborted\n{text}")
    if status is not None:
        said = json.load(open(status))
        check(said["exit"] == STOPPED, f"{case}: the status file says {said}")
        check(lines and said["reason"] in lines[0], f"{case}: the status file says {said}")


def training(work, rows, model):
    for ranks in (1, 2):
        out, status = work / f"trained{ranks}", work / f"status{ranks}" if ranks > 1 else None
        command = [os.path.join(BIN, "xlrm_train"), "--model", model, "--data", rows, "--output", out, "--steps", "3000", "--batch-pairs", "2",
                   *(["--status-file", status] if status else [])]
        metrics = os.path.join(out + ".checkpoint", "metrics.jsonl")
        code, text = stop(command, ranks, lambda path=metrics: os.path.exists(path) and os.path.getsize(path) > 500)
        expect(f"xlrm_train, {ranks} ranks", code, text, status, "xlrm_train", ["stopped by a signal", "of 3000", out + ".checkpoint", "the same command"])
        steps = len(open(metrics).readlines())
        check(f"step {steps} of 3000" in text, f"xlrm_train, {ranks} ranks: {steps} steps were taken\n{text}")
        again = subprocess.Popen(command if ranks == 1 else mpirun(ranks, command), env=ENVIRONMENT, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)
        for line in again.stderr:
            if "going on from step" in line:
                check(f"going on from step {steps} of 3000" in line, f"resumed: {line}")
                break
        else:
            check(False, "the same command did not go on")
        again.send_signal(signal.SIGUSR1)
        again.communicate(timeout=120)


def sweep(work, rows, model):
    config = work / "sweep.cfg"
    with open(config, "w") as file:
        file.write(f"[data]\ntrain = {rows}\neval.dev = {rows}\nlangs = en\n[sweep]\nbases = tiny={model}\n[train]\nsteps = 3000\nbatch-pairs = 2\n")
    out = work / "sweep"
    status = work / "sweep.status"
    command = [os.path.join(BIN, "xlrm_sweep"), "--config", config, "--output", out, "--status-file", status]
    code, text = stop(command, 2, lambda: os.path.exists(os.path.join(out, "models", "tiny.en.s1.checkpoint", "metrics.jsonl")))
    expect("xlrm_sweep", code, text, status, "xlrm_sweep", ["stopped by a signal", "of 6 tasks", "are left", out, "the same command"])
    code, text = stop([os.path.join(BIN, "xlrm_sweep"), "--smoke", "--pretrain.steps", "100000", "--output", work / "base"], 1,
                      lambda: os.path.exists(os.path.join(work / "base", "models", "base.checkpoint", "metrics.jsonl")))
    expect("xlrm_sweep in its prologue", code, text, None, "xlrm_sweep", ["stopped by a signal", "base", work / "base", "the same command"])


def watches(program, ranks):
    """Whether so many processes of the program catch SIGUSR1: they have begun."""
    ready = 0
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            facts = dict(line.split(":", 1) for line in open(f"/proc/{pid}/status") if ":" in line)
            mine = os.path.realpath(f"/proc/{pid}/exe") == os.path.realpath(os.path.join(BIN, program))
        except OSError:
            continue
        ready += mine and int(facts["SigCgt"], 16) >> (signal.SIGUSR1 - 1) & 1
    return ready >= ranks


def what_keeps_nothing(work, model):
    rows = work / "many.jsonl"
    with open(rows, "w") as file:
        for i in range(20000):
            file.write(f'{{"id": "r-{i}", "lang": "en", "prompt": "q{i}?", "chosen": "yes {i}", "rejected": "no {i}"}}\n')
    for program, arguments in {"xlrm_prepare": ["--input", rows, "--model", model, "--output", work / "items.h5"],
                               "xlrm_evaluate": ["--model", model, "--data", rows, "--output", work / "cell.h5"]}.items():
        for ranks in (1, 2):
            code, text = stop([os.path.join(BIN, program), *arguments], ranks, lambda name=program, count=ranks: watches(name, count))
            expect(f"{program}, {ranks} ranks", code, text, None, program, ["stopped by a signal while", "keeps nothing", "the same command"])
    check(not os.path.exists(work / "items.h5") and not os.path.exists(work / "cell.h5"), "an output of stopped work")


def main():
    with Work() as work:
        rows = work / "rows.jsonl"
        with open(rows, "w") as file:
            for i in range(8):
                file.write(f'{{"id": "r-{i}", "lang": "en", "prompt": "q{i}?", "chosen": "yes {i}", "rejected": "no {i}"}}\n')
        model = os.path.join(FIXTURE, "model")
        training(work, rows, model)
        sweep(work, rows, model)
        what_keeps_nothing(work, model)
    finish()


main()
