#!/usr/bin/env python3
"""train_ranks_test.py BIN TRL_RUN: 2,000 pairs on 1, 2, 3 and 4 ranks. The order of examples is the same, the losses of the first 50 steps
agree within 2e-6, and the trained models order the two answers of a pair alike, unless its margin is within 1e-5 of a tie."""
import json
import os
import random
import sys

import h5py
import numpy

from harness import Work, check, finish, mpirun, run

BIN, FIXTURE = sys.argv[1], sys.argv[2]
PAIRS, STEPS, TIE = 2000, 50, 1e-5


def write_rows(path, count, seed):
    """Sums, right and wrong; lengths differ, so that ranks get different numbers of pairs and tokens."""
    draw = random.Random(seed)
    with open(path, "w") as file:
        for i in range(count):
            terms = [draw.randint(0, 99) for _ in range(draw.randint(2, 8))]
            row = dict(id=f"s-{i}", lang="en", prompt=" + ".join(map(str, terms)) + " = ?", chosen=f"It is {sum(terms)}.",
                       rejected=draw.choice([f"It is {sum(terms) + draw.randint(1, 9)}.", "I do not know" + "." * draw.randint(1, 20)]))
            file.write(json.dumps(row) + "\n")


def train(work, ranks):
    output = work / f"np{ranks}"
    result = run(mpirun(ranks, [os.path.join(BIN, "xlrm_train"), "--model", os.path.join(FIXTURE, "model"), "--data", work / "train.jsonl",
                                "--eval-data", work / "eval.jsonl", "--output", output, "--lr", "1e-4", "--batch-pairs", "32",
                                "--token-budget", "1024", "--epochs", "1", "--template", "none"]), timeout=600)
    check(result.returncode == 0, f"{ranks} ranks: exit code {result.returncode}\n{result.stderr[-2000:]}")
    lines = [json.loads(line) for line in open(os.path.join(output, "metrics.jsonl"))]
    return [line for line in lines if "loss" in line], next(line["eval_accuracy"] for line in reversed(lines) if "eval_accuracy" in line)


def margins(work, ranks):
    cell = work / f"np{ranks}.h5"
    result = run([os.path.join(BIN, "xlrm_evaluate"), "--model", work / f"np{ranks}", "--data", work / "eval.jsonl", "--layers", "none", "--output", cell])
    check(result.returncode == 0, f"evaluation of {ranks} ranks' model: exit code {result.returncode}\n{result.stderr[-2000:]}")
    with h5py.File(cell) as file:
        return file["scores/margin"][:].astype(numpy.float64)


with Work() as work:
    write_rows(work / "train.jsonl", PAIRS, 1)
    write_rows(work / "eval.jsonl", 400, 2)
    steps, accuracy = train(work, 1)
    check(len(steps) >= STEPS, f"{len(steps)} steps")
    check(len({step["num_tokens"] for step in steps}) == len(steps), "num_tokens does not tell the steps apart")
    reference = margins(work, 1)
    for ranks in (2, 3, 4):
        others, other_accuracy = train(work, ranks)
        check([s["num_tokens"] for s in others] == [s["num_tokens"] for s in steps], f"{ranks} ranks: another order of examples")
        worst = max(abs(a["loss"] - b["loss"]) for a, b in zip(steps[:STEPS], others))
        check(worst <= 2e-6, f"{ranks} ranks: losses differ by {worst:.1e}")
        found = margins(work, ranks)
        flipped = (found > 0) != (reference > 0)
        check(not (flipped & (numpy.abs(reference) >= TIE)).any(), f"{ranks} ranks: {flipped.sum()} pairs are ordered otherwise")
        check(abs(other_accuracy - accuracy) * len(reference) <= flipped.sum() + 1e-9, f"{ranks} ranks: evaluation accuracy {other_accuracy}, one rank {accuracy}")
        print(f"{ranks} ranks: losses within {worst:.1e} over {STEPS} steps, margins within {numpy.abs(found - reference).max():.1e}, "
              f"{flipped.sum()} pairs flipped; evaluation accuracy {other_accuracy} ({accuracy})", flush=True)
finish()
