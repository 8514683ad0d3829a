#!/usr/bin/env python3
"""sweep_analysis_test.py BIN MODEL: the analysis as a task of the sweep. It is in plan, status and ledger, the same as xlrm_analyze makes by hand
and on any number of ranks; one that was killed goes on where it was; it is made anew, the old one kept, where a result or an option changes,
beside what is there where the grid grows, and over what is there where a cell fails. Models that are given ready are rows of its tables. A
report that cannot be drawn spoils nothing."""
import csv
import json
import os
import shutil
import signal
import subprocess
import sys
import time

from harness import ENVIRONMENT, Work, analysis_below, check, digest, files_below, finish, mpirun, run

SWEEP, ANALYZE, MODEL = os.path.join(sys.argv[1], "xlrm_sweep"), os.path.join(sys.argv[1], "xlrm_analyze"), sys.argv[2]
LANGUAGES = ("en", "es", "ko")


def write_inputs(work):
    for name, count in (("train", 8), ("dev", 12)):
        with open(work / name + ".jsonl", "w") as file:
            for i in range(count):
                for lang in LANGUAGES:
                    file.write(json.dumps(dict(id=f"{name}-{i}", lang=lang, prompt=f"{lang} q{i}?", chosen=f"yes {i} {'x' * (i % 5)}", rejected=f"no {i}.")) + "\n")
    with open(work / "s.cfg", "w") as file:
        file.write(f"[data]\ntrain = {work / 'train.jsonl'}\neval.dev = {work / 'dev.jsonl'}\nlangs = en,ko\n[sweep]\nbases = b={MODEL}\n"
                   "[train]\nsteps = 2\nbatch-pairs = 4\nlr = 1e-2\n[analyze]\nresamples = 200\n")


def command(work, output, *more):
    return [SWEEP, "--config", work / "s.cfg", "--output", output, *more]


def summary(folder):
    return json.load(open(os.path.join(folder, "analysis/summary.json")))


def rows_of(folder, table):
    with open(os.path.join(folder, "analysis", table + ".csv"), newline="") as file:
        return list(csv.DictReader(file))


def events(folder, task):
    return [entry["event"] for entry in map(json.loads, open(os.path.join(folder, "ledger.jsonl"))) if entry.get("task") == task]


def status_of(folder):
    result = run([SWEEP, "status", folder, "--json"])
    return result.returncode, json.loads(result.stdout)


def superseded(folder):
    return sorted(name.split("/", 2)[2] for name in files_below(folder) if name.startswith("superseded/") and name.endswith("summary.json"))


def sweep(case, arguments, code=0):
    result = run(arguments)
    check(result.returncode == code, f"{case}: exit code {result.returncode} instead of {code}\n{result.stdout[-1500:]}{result.stderr[-3000:]}")
    return result


def planned_counted_and_the_same(work):
    out = work / "first"
    dry = sweep("dry run", command(work, out, "--dry-run"))
    check("1 analysis of all cells, 0 there already" in dry.stdout, f"dry run: {dry.stdout}")
    first = sweep("the first run", command(work, out))
    check("minus the target's own" in first.stdout and f"Analysis: {out}/analysis/summary.json" in first.stdout, f"the first run prints\n{first.stdout}")
    check("no report was drawn: no Python with h5py and matplotlib" in first.stderr, f"nothing says why there is no report\n{first.stderr}")
    check(events(out, "analyze") == ["started", "done"], f"ledger: {events(out, 'analyze')}")
    code, status = status_of(out)
    check(code == 0 and status["kinds"]["analyze"] == {"done": 1}, f"status: {code} {status}")
    plan = sweep("plan", [*command(work, out)[:1], "plan", *command(work, out)[1:]])
    check("there    analysis\n" in plan.stdout, f"plan: {plan.stdout}")
    for extension in ("txt", "md", "csv"):
        check(digest(f"{out}/table.{extension}") == digest(f"{out}/analysis/transfer.{extension}"), f"table.{extension} is not the analysis' first table")
    before, lines = analysis_below(out), len(open(f"{out}/ledger.jsonl").readlines())
    times = {name: os.stat(f"{out}/{name}").st_mtime_ns for name in before}
    sweep("again", command(work, out))
    check({name: os.stat(f"{out}/{name}").st_mtime_ns for name in before} == times, "again: the analysis was made anew")
    check(len(open(f"{out}/ledger.jsonl").readlines()) == lines, "again: something was done")
    shutil.copytree(out, work / "hand")
    shutil.rmtree(work / "hand/analysis")
    sweep("by hand", mpirun(2, [ANALYZE, work / "hand", "--resamples", "200"]))
    check(analysis_below(work / "hand") == before, "xlrm_analyze by hand writes other bytes than the sweep")
    sweep("three ranks", mpirun(3, command(work, work / "ranks")))
    check(analysis_below(work / "ranks") == before, "three ranks write other bytes than one")
    return out


def changes(work, first):
    out = work / "changes"
    shutil.copytree(first, out, copy_function=shutil.copy2)
    sweep("another option", command(work, out, "--analyze.resamples", "300"))
    check(superseded(out) == ["analysis/summary.json"] and summary(out)["options"]["resamples"] == 300, f"another option: {superseded(out)}")
    by_hand = sweep("other options by hand", [ANALYZE, out, "--resamples", "150"])
    check("resamples" not in by_hand.stderr, by_hand.stderr)
    check(run([SWEEP, "table", out]).returncode == 0, "an analysis by hand keeps the table from being printed")
    lines = open(work / "dev.jsonl").read()
    changed = lines.replace("yes 3 xxx", "yes of another kind", 1)
    open(work / "dev.jsonl", "w").write(changed)
    told = sweep("a row that changed", command(work, out))
    open(work / "dev.jsonl", "w").write(lines)
    check(superseded(out) == ["analysis/summary.json"] * 2, f"a row that changed: {superseded(out)}\n{told.stderr}")
    check(summary(out)["files"]["cells/b.en.s1/dev.en.h5"] == digest(f"{out}/cells/b.en.s1/dev.en.h5"), "a row that changed: the analysis is of the old cell")
    grown = work / "grown"
    shutil.copytree(first, grown, copy_function=shutil.copy2)
    sweep("a target more", command(work, grown, "--targets", "en,es,ko"))
    check(superseded(grown) == [] and summary(grown)["targets"] == ["en", "es", "ko"], f"a target more: {superseded(grown)} {summary(grown)['targets']}")
    check(status_of(grown)[0] == 0, "a target more: not done")


def failed_cell(work):
    """The rows of one language are too long for the limit, which is an error: its cells fail."""
    rows = open(work / "dev.jsonl").read()
    row = dict(id="dev-99", lang="ko", prompt="long " * 80, chosen="yes", rejected="no")
    open(work / "dev.jsonl", "w").write(rows + json.dumps(row) + "\n")
    limits = ("--evaluate.max-length", "120", "--evaluate.over-length", "error")
    out = work / "failed"
    result = sweep("a cell that fails", mpirun(2, [*command(work, out, *limits), "--status-file", work / "status"]), 0)
    check(json.load(open(work / "status"))["exit"] == 3, f"a cell that fails: {open(work / 'status').read()}\n{result.stderr[-2000:]}")
    found = summary(out)
    missing = [s["place"] for s in found["statements"] if s["code"] == "missing_cell"]
    check(sorted(missing) == ["b dev.ko", "b.en.s1 dev.ko", "b.ko.s1 dev.ko"], f"a cell that fails: stated {missing}")
    check(found["cells"] == {"planned": 6, "used": 3} and "remarks on the data" in result.stdout, f"a cell that fails: not told {found['cells']}\n{result.stdout}")
    code, status = status_of(out)
    check(code == 3 and status["kinds"]["analyze"] == {"done": 1}, f"a cell that fails: status {code} {status}")
    open(work / "dev.jsonl", "w").write(rows)
    sweep("the cell is made", command(work, out, *limits))
    check(summary(out)["cells"] == {"planned": 6, "used": 6} and status_of(out)[0] == 0, f"the cell is made: {summary(out)['cells']}")


def pieces(folder):
    place = os.path.join(folder, "analysis/parts/unfinished")
    return [name for name in os.listdir(place) if not name.startswith(".")] if os.path.isdir(place) else []


def strike(arguments, out, how, count=3):
    """Starts a run and strikes when `count` pieces of the analysis are there."""
    process = subprocess.Popen(arguments, env=ENVIRONMENT, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    while process.poll() is None and len(pieces(out)) < count:
        time.sleep(0.001)
    running = process.poll() is None
    how(process)
    _, text = process.communicate(timeout=120)
    check(running and pieces(out), "the analysis was over before it could be struck")
    return process.returncode, text


def ended_and_resumed(work, first):
    reference, slow = work / "slow", ("--analyze.resamples", "20000")
    shutil.copytree(first, reference, copy_function=shutil.copy2)
    sweep("many resamples", command(work, reference, *slow))
    wanted = analysis_below(reference)
    for case, ranks, how, code in (("SIGKILL", 1, lambda process: process.kill(), -9), ("SIGTERM", 1, lambda process: process.terminate(), 75)):
        out = work / case
        shutil.copytree(first, out, copy_function=shutil.copy2)
        shutil.rmtree(os.path.join(out, "analysis"))
        ended, text = strike(command(work, out, *slow), out, how)
        check(ended == code, f"{case}: exit code {ended} instead of {code}\n{text[-2000:]}")
        check(not os.path.exists(f"{out}/analysis/summary.json"), f"{case}: half an analysis has a summary")
        check(code != 75 or "go" in text and "on" in text, text)
        planted = work / case + "-planted"
        shutil.copytree(out, planted, copy_function=shutil.copy2)
        sweep(case + ", the rerun", command(work, out, *slow))
        check(analysis_below(out) == wanted, f"{case}: the rerun gives other bytes")
        check(not pieces(out), f"{case}: pieces are left")
        name = next(n for n in sorted(pieces(planted)) if any(t["rows"] for t in json.load(open(f"{planted}/analysis/parts/unfinished/{n}"))["made"]))
        path = f"{planted}/analysis/parts/unfinished/{name}"
        piece = json.load(open(path))
        table = next(t for t in piece["made"] if t["rows"])
        place = next(i for i, value in enumerate(table["rows"][0]) if "t" in value)
        table["rows"][0][place]["t"] = "planted"
        json.dump(piece, open(path, "w"))
        sweep(case + ", planted", command(work, planted, *slow))
        check(rows_of(planted, table["name"])[0][table["columns"][place]["name"]] == "planted", f"{case}: {name} was computed again")


def left_out(work, first):
    out = work / "none"
    result = sweep("--analysis no", command(work, out, "--analysis", "no"))
    check(not os.path.exists(f"{out}/analysis") and "report" not in result.stderr and "analyze" not in status_of(out)[1]["kinds"], f"--analysis no: {result.stderr}")
    result = sweep("--report no", command(work, out, "--report", "no"))
    check(os.path.exists(f"{out}/analysis/summary.json") and "report was drawn" not in result.stderr, f"--report no: {result.stderr}")
    broken = work / "broken-python"
    open(broken, "w").write("#!/bin/sh\n[ \"$1\" = -c ] && exit 0\necho 'it broke' >&2\nexit 1\n")
    os.chmod(broken, 0o755)
    result = sweep("a report that fails", ["env", f"XLRM_PYTHON={broken}", *command(work, out)])
    check("it broke" in result.stderr and "xlrm_report failed, as it says above" in result.stderr, f"a report that fails: {result.stderr}")
    refused = sweep("a wrong option", command(work, out, "--analyze.parts", "gasp"), 2)
    check("'gasp' is not a part" in refused.stderr, refused.stderr)


def given_models(work, first):
    """The English model, given ready under another name, has its own rows with the same numbers."""
    out = work / "given"
    shutil.copytree(first, out, copy_function=shutil.copy2)
    sweep("models that are given", command(work, out, "--models", f"mine={first}/models/b.en.s1,raw={MODEL}"))
    rows = rows_of(out, "accuracy")
    for target in ("en", "ko"):
        mine = [r for r in rows if r["base"] == "mine" and r["target"] == target and r["category"] == "all"]
        own = [r for r in rows if (r["base"], r["source"], r["target"], r["category"]) == ("b", "en", target, "all")]
        check(len(mine) == 1 and len(own) == 1, f"given: {len(mine)} rows of mine, {len(own)} of b.en.s1 in {target}")
        check(mine and own and [mine[0][c] for c in ("accuracy", "items")] == [own[0][c] for c in ("accuracy", "items")], f"given: {mine} {own}")
    check(status_of(out)[0] == 0, "given: not done")
    alone = sweep("by hand", [ANALYZE, out, "--resamples", "200"])
    check("mine" in open(f"{out}/analysis/transfer.txt").read(), f"given: no block of its own\n{alone.stdout[-1000:]}")


with Work() as work:
    write_inputs(work)
    first = planned_counted_and_the_same(work)
    changes(work, first)
    failed_cell(work)
    ended_and_resumed(work, first)
    left_out(work, first)
    given_models(work, first)
finish()
