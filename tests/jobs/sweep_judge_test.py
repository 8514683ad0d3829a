#!/usr/bin/env python3
"""sweep_judge_test.py BIN MODEL: judges as rows of the sweep. A model of [sweep] models that [judge] models names is asked the prompt and not scored; its cells
are those of xlrm_judge, stand in tables, status, plan and analysis like others, on any number of ranks; what asks otherwise (the prompt file, the orders)
makes exactly its cells anew; a stopped one goes on, and begins anew where it would be of other content. MODEL: a reward model."""
import csv
import json
import os
import shutil
import signal
import subprocess
import sys
import time

import h5py

import planted_judge
from harness import ENVIRONMENT, Work, cells_below, check, digest, finish, mpirun, run
from planted_judge import EASY, HARD

BIN, MODEL = map(os.path.abspath, sys.argv[1:3])
SWEEP, JUDGE = os.path.join(BIN, "xlrm_sweep"), os.path.join(BIN, "xlrm_judge")
QUESTIONS = EASY + HARD
BAD, USAGE, STOPPED = 1, 2, 75


def write_inputs(work):
    for name in ("train", "dev"):
        with open(work / name + ".jsonl", "w") as file:
            for i, question in enumerate(QUESTIONS):
                for lang in ("en", "ko"):
                    file.write(json.dumps(dict(id=f"{name}-{i}", lang=lang, prompt=question, chosen="12"[i % 2], rejected="89"[i % 3 % 2])) + "\n")
    planted_judge.write_prompt(work / "pair.txt", "pair")
    write_config(work)


def write_config(work, **changed):
    options = {"data.root": work.path, "data.train": "train.jsonl", "data.eval.dev": "dev.jsonl", "data.langs": "en,ko", "sweep.bases": f"b={MODEL}", "sweep.sources": "en",
               "sweep.models": f"rm={MODEL},planted=planted", "train.steps": "1", "train.batch-pairs": "4", "analyze.resamples": "100", "judge.models": "planted",
               "judge.prompt": "pair.txt", "judge.template": "none", "judge.max-new-tokens": "12"}
    options.update({name.replace("__", ".").replace("_", "-"): value for name, value in changed.items()})
    with open(work / "s.cfg", "w") as file:
        for name, value in options.items():
            if value is not None:
                file.write("[{}]\n{} = {}\n".format(*name.split(".", 1), value))


def command(work, output, *more):
    return [SWEEP, "--config", work / "s.cfg", "--output", output, *more]


def sweep(what, words, code=0):
    result = run(words)
    check(result.returncode == code, f"{what}: exit code {result.returncode} instead of {code}\n{result.stdout[-1500:]}{result.stderr[-3000:]}")
    return result


def scores_of(path):
    with h5py.File(path) as file:
        return {(name, when): pair for name, when, *pair in zip(file["scores/id"].asstr()[:], file["scores/occurrence"][:].tolist(), file["scores/chosen"][:].tolist(),
                                                             file["scores/rejected"][:].tolist())}, dict(file.attrs)


def table(out):
    with open(os.path.join(out, "table.csv"), newline="") as file:
        return list(csv.DictReader(file))


def a_row_like_others(work):
    out = work / "first"
    dry = sweep("dry run", command(work, out, "--dry-run"))
    check("2 cells to judge, 0 there already" in dry.stdout and "6 cells to evaluate" in dry.stdout, f"dry run: {dry.stdout}")
    text = sweep("the first run", command(work, out)).stdout
    check("planted" in text, f"the judge is not in the table\n{text}")
    tasks = [entry["task"] for entry in map(json.loads, open(os.path.join(out, "ledger.jsonl"))) if entry["event"] == "done"]
    check(sorted(task for task in tasks if "planted" in task) == ["judge planted dev.en", "judge planted dev.ko"], f"tasks of the judge: {tasks}")
    done = [entry for entry in map(json.loads, open(os.path.join(out, "ledger.jsonl"))) if entry["event"] == "done" and entry["task"] == "judge planted dev.en"]
    check(len(done) == 1 and [done[0].get(name) for name in ("replies", "unparsed", "left_out")] == [2 * len(QUESTIONS), 0, 0], f"ledger: {done}")
    status = json.loads(sweep("status", [SWEEP, "status", out, "--json"]).stdout)
    check(status["kinds"]["judge"] == {"done": 2} and status["state"] == "done", f"status: {status['kinds']}")
    check("there    cells/planted/dev.en.h5" in sweep("plan", [SWEEP, "plan", *command(work, out)[1:]]).stdout, "plan")
    sweep("verify", [SWEEP, "verify", out])
    for lang in ("en", "ko"):
        scores, attributes = scores_of(os.path.join(out, f"cells/planted/dev.{lang}.h5"))
        check(attributes["head"] == "judge" and attributes["model"] == "planted" and attributes["target_lang"] == lang, f"attributes {attributes}")
        expected = {(f"dev-{i}", 0): [0.5, 0.5] if question in HARD else [1.0, 0.0] for i, question in enumerate(QUESTIONS)}
        check(scores == expected, f"{lang}: {scores}")
        by_hand = work / f"hand.{lang}.h5"
        sweep("by hand", [JUDGE, "--data", work / "dev.jsonl", "--langs", lang, "--prompt", work / "pair.txt", "--model", work / "planted", "--template", "none",
                          "--max-new-tokens", "12", "--output", by_hand])
        check(scores_of(by_hand)[0] == scores and digest(work / f"hand.{lang}.replies.jsonl") == digest(os.path.join(out, f"cells/planted/dev.{lang}.replies.jsonl")),
              f"{lang}: xlrm_judge says otherwise")
        rows = [row for row in table(out) if row["base"] == "planted" and row["target"] == lang and row["source"] == "(given)"]
        check(rows and float(rows[0]["accuracy"]) == len(EASY) / len(QUESTIONS) and int(rows[0]["ties"]) == len(HARD), f"{lang}: the table has {rows}")
    summary = json.load(open(os.path.join(out, "analysis/summary.json")))
    check("cells/planted/dev.en.h5" in summary["files"] and all(state == "done" for state in summary["parts"].values()), f"analysis: {summary['parts']}")
    said = {statement["code"] for statement in summary["statements"] if "planted" in statement["place"]}
    check("verdicts_alone" in said, f"remarks on the judge: {said}")
    run(mpirun(3, command(work, work / "ranks", "--ranks-per-cell", "2")))
    check(cells_below(work / "ranks") == cells_below(out) != {}, "cells of groups of two ranks differ")
    return out


def times(out):
    return {name: os.stat(os.path.join(out, name)).st_mtime_ns for name in cells_below(out)}


def changes(work, first):
    judged = {"cells/planted/dev.en.h5", "cells/planted/dev.ko.h5"}

    def remade(what, part, *more, verified=True):
        out = work / what.replace(" ", "_")
        shutil.copytree(first, out, copy_function=shutil.copy2)
        before = times(out)
        if not verified:
            for verb in ("verify", "table"):
                said = run([SWEEP, verb, out])
                check(said.returncode == BAD and "pair.txt" in said.stdout + said.stderr, f"{what}: {verb} ends with {said.returncode}\n{said.stdout}{said.stderr}")
        dry = sweep(what, command(work, out, "--dry-run", *more))
        check(part in dry.stdout, f"{what}, dry run: {dry.stdout}")
        sweep(what, command(work, out, *more))
        changed = {name for name, when in times(out).items() if before[name] != when}
        check(changed == (judged if part else set()), f"{what}: made anew: {changed}")
        kept = [name for name in os.listdir(os.path.join(out, "superseded"))] if part else []
        check(not part or any(os.path.exists(os.path.join(out, "superseded", name, "cells/planted/dev.en.replies.jsonl")) for name in kept), f"{what}: the replies are gone")
        sweep(what + ", verify", [SWEEP, "verify", out])

    remade("another budget", "", "--judge.token-budget", "64")
    remade("other orders", "orders = both-consistent, not AB", "--judge.orders", "AB")
    prompt = open(work / "pair.txt").read()
    with open(work / "pair.txt", "w") as file:
        file.write("# asked otherwise\n" + prompt)
    remade("another prompt", "another prompt", verified=False)
    with open(work / "pair.txt", "w") as file:
        file.write(prompt)


def stopped(work, first):
    """Votes make the replies many. A stopped run goes on to the bytes of a whole one; one of other content begins anew."""
    many = ("--judge.votes", "400", "--judge.exact", "no", "--analysis", "no")
    whole = work / "whole"
    shutil.copytree(first, whole, copy_function=shutil.copy2)
    sweep("many votes", command(work, whole, *many))
    out = work / "stopped"
    shutil.copytree(first, out, copy_function=shutil.copy2)
    part = os.path.join(out, "cells/planted/dev.en.replies.jsonl.part0")

    def begun(other_than):
        """Replies are there, and not those of the run whose first line this is."""
        try:
            return os.path.getsize(part) > 1000 and open(part).readline() != other_than
        except OSError:
            return False

    def stop(*more, other_than=""):
        process = subprocess.Popen(command(work, out, *many, *more), env=ENVIRONMENT, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        end = time.monotonic() + 60
        while process.poll() is None and time.monotonic() < end and not begun(other_than):
            time.sleep(0.01)
        process.send_signal(signal.SIGUSR1)
        _, text = process.communicate(timeout=120)
        check(process.returncode == STOPPED and begun(other_than), f"a stop {more}: {process.returncode}\n{text}")
        return open(part).readline()

    first_run = stop()
    check(not os.path.exists(os.path.join(out, "cells/planted/dev.en.h5")), "a stopped judge has a cell")
    other_seed = stop("--judge.seed", "5", other_than=first_run)
    check(stop(other_than=other_seed) == first_run, "the same judge is told otherwise")
    kept = open(part).readlines()[:5]
    sweep("going on", command(work, out, *many))
    for lang in ("en", "ko"):
        name = f"cells/planted/dev.{lang}"
        check(digest(os.path.join(out, name + ".h5")) == digest(os.path.join(whole, name + ".h5")), f"going on: {name} has other bytes than a whole run's")
    replies = open(os.path.join(out, "cells/planted/dev.en.replies.jsonl")).read()
    check(len(kept) == 5 and all(line in replies for line in kept[1:]), "going on: replies that were there are not those of the cell")
    left = [name for name in os.listdir(os.path.join(out, "cells/planted")) if "part" in name or "judging" in name]
    check(not left, f"going on: left {left}")


def refusals(work):
    def refused(code, part, **changed):
        write_config(work, **changed)
        result = run(command(work, work / "refused", "--dry-run"))
        check(result.returncode == code and part in result.stderr, f"{changed}: {result.returncode}\n{result.stderr}")

    refused(USAGE, "none of [sweep] models", judge__models="nobody")
    refused(USAGE, "[judge] prompt is not given", judge__prompt=None)
    refused(USAGE, "no judge", judge__models=None)
    refused(USAGE, "has no rule", judge__parser="rewardbench_v2")
    refused(USAGE, "belongs to several --votes", judge__seed="3")
    refused(BAD, os.path.basename(MODEL), judge__models="rm")
    with open(work / "broken.txt", "w") as file:
        file.write("name = x\nversion = 1\nform = pair\n[user]\n{question} {answer_a}\n")
    refused(BAD, "{answer_b} is missing", judge__prompt="broken.txt")
    check(not os.path.exists(work / "refused"), "a refused sweep leaves a folder")
    write_config(work)


def main():
    with Work() as work:
        planted_judge.train(work, os.path.join(BIN, "xlrm_train"), MODEL, ENVIRONMENT)
        write_inputs(work)
        refusals(work)
        first = a_row_like_others(work)
        changes(work, first)
        stopped(work, first)
    finish()


main()
