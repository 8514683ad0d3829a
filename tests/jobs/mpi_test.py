#!/usr/bin/env python3
"""mpi_test.py BIN FIXTURE FAULTS: programs on an MPI that grants less than they ask for, or that fails.

FAULTS is tests/support/faults.c as a library that is preloaded into the ranks."""
import os
import subprocess
import sys

from harness import Work, check, digest, finish, mpirun, note, run

BIN, FIXTURE, FAULTS = sys.argv[1], sys.argv[2], sys.argv[3]
MODEL, ROWS = os.path.join(FIXTURE, "model"), os.path.join(FIXTURE, "pairs.jsonl")
LOW = ["XLRM_FAULT_THREADS=1"]


def launch(command, faults, timeout=120):
    full = mpirun(2, command)
    exports = [word for fault in [f"LD_PRELOAD={FAULTS}", *faults] for word in ("-x", fault)] if faults else []
    return run(full[:1] + exports + full[1:], timeout)


def low_thread_level(work):
    """Training reduces its gradients without a thread, to the same bits; a sweep, whose coordinator is a thread, refuses to begin."""
    weights = []
    for faults in ([], LOW):
        out = work / f"trained{len(faults)}"
        result = launch([os.path.join(BIN, "xlrm_train"), "--model", MODEL, "--data", ROWS, "--output", out, "--steps", "3"], faults)
        check(result.returncode == 0, f"training: exit code {result.returncode}\n{result.stderr}")
        weights.append(digest(os.path.join(out, "model.safetensors")))
    check(weights[0] == weights[1], "the weights differ without the reducer's thread")
    result = launch([os.path.join(BIN, "xlrm_sweep"), "--smoke", "--output", work / "sweep"], LOW)
    check(result.returncode == 1, f"sweep: exit code {result.returncode}\n{result.stderr}")
    check("MPI_THREAD_MULTIPLE was not granted" in result.stderr, f"sweep: no reason in\n{result.stderr}")
    check("MPI_ABORT" not in result.stderr, f"sweep: MPI was aborted\n{result.stderr}")
    check(not os.path.exists(work / "sweep"), "the refused sweep left a folder")


def failed_collective(work):
    """What MPI refuses one rank is not agreed on: the rank that waits in the same collective must be ended with it."""
    command = [os.path.join(BIN, "xlrm_prepare"), "--input", ROWS, "--model", MODEL, "--output", work / "items.h5"]
    try:
        result = launch(command, ["XLRM_FAULT_ALLGATHER=1", "XLRM_FAULT_RANK=1"], timeout=60)
    except subprocess.TimeoutExpired:
        note("failed collective: the job does not end")
        return
    check(result.returncode == 1, f"failed collective: exit code {result.returncode}\n{result.stderr}")
    check("xlrm [rank 1]: error: MPI_Allgather failed" in result.stderr, f"failed collective: no reason in\n{result.stderr}")


def main():
    with Work() as work:
        low_thread_level(work)
        failed_collective(work)
    finish()


main()
