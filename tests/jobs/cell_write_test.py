#!/usr/bin/env python3
"""cell_write_test.py BIN TRL_RUN FAULTS: how a cell is written. Its bytes are the same on any number of ranks, whatever the number format, the
captures and the forms of rows; a full disk or a rank's bad activation is one error; what a killed run leaves is never under the cell's name, and the
next run removes it. FAULTS is tests/support/faults.c as a library that is preloaded."""
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time

from harness import ENVIRONMENT, Work, check, digest, finish, mpirun, read_tensors, run, write_tensors

BIN, MODEL, FAULTS = os.path.join(sys.argv[1], "xlrm_evaluate"), os.path.join(sys.argv[2], "model"), sys.argv[3]
IO = 74


def write_rows(path, count, last="cat"):
    """Items of two and, every third, three answers, as RewardBench 2 has them; every seventh has the texts of the one before."""
    choose = random.Random(1)
    words = "ant bee cat dog eel fox gnu hen".split()
    with open(path, "w") as file:
        row = {}
        for i in range(count):
            texts = choose.sample(words, 4)
            if i == count - 1:
                texts[1] = last
            if i % 7 != 6:
                row = dict(prompt=f"{texts[0]}?", chosen=texts[1:2], rejected=texts[2:4 if i % 3 == 0 else 3])
            file.write(json.dumps(dict(row, id=f"r-{i}", lang="en")) + "\n")


def command(ranks, data, output, *more, model=MODEL):
    return mpirun(ranks, [BIN, "--model", model, "--data", data, "--output", output, *more])


def with_environment(command, **variables):
    exports = [word for name, value in variables.items() for word in ("-x", f"{name}={value}")]
    return run(command[:1] + exports + command[1:])


def temporaries(folder):
    return [name for name in os.listdir(folder) if name.startswith(".xlrm-tmp")] if os.path.isdir(folder) else []


def check_nothing_left(where, folder):
    left = os.listdir(folder) if os.path.isdir(folder) else []
    check(not any(name.endswith((".h5", ".sha256", ".run.json")) or ".xlrm-tmp" in name for name in left), f"{where}: it leaves {left}")


def check_ranks(work):
    write_rows(work / "rows.jsonl", 90)
    for number, options in enumerate((["--activation-dtype", "bf16"], ["--activation-dtype", "fp16", "--capture", "mean", "--capture-tokens", "3"],
                                      ["--activation-dtype", "fp32", "--capture", "last", "--layers", "0,2"], ["--layers", "none"])):
        cells = {}
        for ranks in (1, 2, 3, 5):
            cell = work / f"ranks{number}-{ranks}/c.h5"
            result = run(command(ranks, work / "rows.jsonl", cell, *options, "--token-budget", str(100 * ranks)))
            check(result.returncode == 0, f"{options}, {ranks} ranks: it ends with {result.returncode}\n{result.stderr}")
            cells[ranks] = digest(cell)
            check(open(cell[:-3] + ".sha256").read().split()[0] == cells[ranks], f"{options}, {ranks} ranks: another hash beside it")
        check(len(set(cells.values())) == 1, f"{options}: the bytes depend on the ranks: {cells}")


def check_overflow(work):
    """One item, the last rank's, has a token whose embedding fp16 cannot hold."""
    model = work / "large"
    shutil.copytree(MODEL, model)
    header, body = read_tensors(os.path.join(model, "model.safetensors"))
    begin = header["model.embed_tokens.weight"]["data_offsets"][0]
    width = header["model.embed_tokens.weight"]["shape"][1] * 4
    check(header["model.embed_tokens.weight"]["dtype"] == "F32", "the model is no longer fp32")
    token = json.load(open(os.path.join(model, "tokenizer.json")))["model"]["vocab"]["Z"]
    row = begin + token * width
    body = body[:row] + b"\x20\xbc\xbe\x4c" * (width // 4) + body[row + width:]  # 1e8
    write_tensors(os.path.join(model, "model.safetensors"), header, body)
    write_rows(work / "large.jsonl", 20, last="Z")
    for ranks in (1, 3):
        result = run(command(ranks, work / "large.jsonl", work / "large-out/c.h5", "--activation-dtype", "fp16", "--layers", "0,1", model=model))
        said = [line for line in result.stderr.splitlines() if "error: " in line]
        check(result.returncode == 1, f"overflow, {ranks} ranks: it ends with {result.returncode}\n{result.stderr}")
        check(len(said) == 1 and "layer 0: an activation of " in said[0] and "does not fit in fp16" in said[0] and
              ("rank 2: " in said[0]) == (ranks == 3), f"overflow, {ranks} ranks: {said}")
        check_nothing_left(f"overflow, {ranks} ranks", work / "large-out")


def expect_full(where, result, folder, part):
    said = [line for line in result.stderr.splitlines() if "error: " in line]
    check(result.returncode == IO and len(said) == 1 and part in said[0] and "No space left" in said[0], f"{where}: {result.returncode}, {said}\n{result.stderr}")
    check("egmentation" not in result.stderr and "MPI_ABORT" not in result.stderr, f"{where}: {result.stderr}")
    check_nothing_left(where, folder)


def check_full_disk(work):
    write_rows(work / "full.jsonl", 3000)
    for ranks in (1, 3):
        # Every write is refused although the space could be reserved.
        result = with_environment(command(ranks, work / "full.jsonl", work / "full/c.h5"), LD_PRELOAD=FAULTS, XLRM_FAULT_FULL="c.h5", XLRM_FAULT_RANK="0")
        expect_full(f"writes that fail, {ranks} ranks", result, work / "full", "c.h5")
    os.mkdir(work / "small")
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=200k", "tmpfs", work / "small"], capture_output=True).returncode != 0:
        print("no small disk can be mounted here: those cases are left out")
        return
    try:
        for ranks in (1, 3):
            result = run(command(ranks, work / "full.jsonl", work / "small/out/c.h5"))
            expect_full(f"small disk, {ranks} ranks", result, work / "small/out", "c.h5")
            result = with_environment(command(ranks, work / "full.jsonl", work / "full/c.h5"), TMPDIR=work / "small")
            expect_full(f"small scratch disk, {ranks} ranks", result, work / "full", "TMPDIR")
            check(not temporaries(work / "small"), f"small scratch disk, {ranks} ranks: {temporaries(work / 'small')}")
    finally:
        subprocess.run(["umount", "-l", work / "small"], check=True)


def rank_zero(launcher):
    """Process id of the rank that writes, or None."""
    for entry in os.listdir("/proc"):
        try:
            if entry.isdigit() and b"\0OMPI_COMM_WORLD_RANK=0\0" in open(f"/proc/{entry}/environ", "rb").read() and \
                    int(open(f"/proc/{entry}/stat").read().rsplit(")", 1)[1].split()[1]) == launcher:
                return int(entry)
        except OSError:
            pass
    return None


def check_kills(work):
    write_rows(work / "kill.jsonl", 20000)
    check(run(command(3, work / "kill.jsonl", work / "whole/c.h5", "--token-budget", "20000")).returncode == 0, "the undisturbed run fails")
    left = 0
    for number in range(4):
        folder = work / f"killed{number}"
        process = subprocess.Popen(command(3, work / "kill.jsonl", os.path.join(folder, "c.h5"), "--token-budget", "20000"), env=ENVIRONMENT,
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        while process.poll() is None and not any(name.endswith("c.h5") for name in temporaries(folder)):
            time.sleep(0.001)
        writer = rank_zero(process.pid)
        time.sleep(0.03 * number)
        if writer:
            os.kill(writer, signal.SIGKILL)
        process.wait(timeout=120)
        names = os.listdir(folder)
        left += any(".xlrm-tmp" in name for name in names)
        if "c.h5" in names:
            check(digest(os.path.join(folder, "c.h5")) == digest(work / "whole/c.h5"), f"kill {number}: other bytes lie under the name")
        check(run(command(1, work / "kill.jsonl", os.path.join(folder, "c.h5"), "--token-budget", "20000")).returncode == 0, f"kill {number}: the rerun fails")
        check(digest(os.path.join(folder, "c.h5")) == digest(work / "whole/c.h5"), f"kill {number}: the rerun's bytes differ")
        check(not temporaries(folder), f"kill {number}: the rerun leaves {temporaries(folder)}")
    print(f"{left} of 4 kills struck while the cell was written")
    check(left > 0, "all kills came too late to say anything")


with Work() as work:
    check_ranks(work)
    check_overflow(work)
    check_full_disk(work)
    check_kills(work)
finish()
