#!/usr/bin/env python3
"""sweep_kill_test.py BIN MODEL KILLS: SIGKILL of a random rank at a random moment of a sweep, KILLS times. After a rerun every cell is
there and byte-equal to an undisturbed run's, and so is the analysis, finished cells were not computed again, and every file verifies. Then SIGTERM to mpirun."""
import json
import os
import random
import signal
import subprocess
import sys
import time

from harness import ENVIRONMENT, Work, analysis_below, cells_below, check, files_below, finish, mpirun, run

SWEEP, MODEL, KILLS = os.path.join(sys.argv[1], "xlrm_sweep"), sys.argv[2], int(sys.argv[3])
RANKS = 3
choose = random.Random(int(os.environ.get("XLRM_TEST_SEED", time.time_ns())))


def write_inputs(work):
    with open(work / "rows.jsonl", "w") as file:
        for i in range(60):
            for lang in ("en", "es", "ko"):
                file.write(json.dumps(dict(id=f"r-{i}", lang=lang, prompt=f"{lang} q{i}?", chosen=f"yes {i}", rejected=f"no {i}.")) + "\n")
    with open(work / "sweep.cfg", "w") as file:
        file.write(f"[data]\ntrain = {work / 'rows.jsonl'}\neval.dev = {work / 'rows.jsonl'}\nlangs = en,es,ko\n"
                   f"[sweep]\nbases = tiny={MODEL}\nseeds = 1,2\n[train]\nbatch-pairs = 8\nepochs = 4\nlr = 1e-3\n")


def command(work, output):
    return mpirun(RANKS, [SWEEP, "--config", work / "sweep.cfg", "--output", output])


def ranks_of(launcher):
    """Process ids of the ranks that a launcher started."""
    found = []
    for entry in os.listdir("/proc"):
        try:
            stat = open(f"/proc/{entry}/stat").read() if entry.isdigit() else ""
        except OSError:
            continue
        if stat and int(stat.rsplit(")", 1)[1].split()[1]) == launcher and "xlrm_sweep" in stat:
            found.append(int(entry))
    return found


def times_of(output):
    return {name: os.stat(os.path.join(output, name)).st_mtime_ns for name in cells_below(output)}


def ledger_lines(output):
    try:
        return open(os.path.join(output, "ledger.jsonl"), "rb").read().count(b"\n")
    except OSError:
        return 0


def disturbed(work, output, lines, seconds, strike):
    """Starts a sweep and strikes `seconds` after its ledger has `lines` lines, however busy the machine is; whether it still ran."""
    process = subprocess.Popen(command(work, output), env=ENVIRONMENT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while process.poll() is None and (not ranks_of(process.pid) or ledger_lines(output) < lines):
        time.sleep(0.002)
    time.sleep(seconds)
    running = process.poll() is None
    if running:
        strike(process)
    process.wait(timeout=120)
    return running


def kill_a_rank(process):
    ranks = ranks_of(process.pid)
    if ranks:
        try:
            os.kill(choose.choice(ranks), signal.SIGKILL)
        except ProcessLookupError:
            pass


def terminate(process):
    process.send_signal(signal.SIGTERM)


def go_on(work, output, reference, analysis, case):
    finished = {name: when for name, when in times_of(output).items() if os.path.exists(os.path.join(output, name[:-3] + ".sha256"))}
    partial = [name for name, hash in cells_below(output).items() if reference.get(name) != hash]
    check(not partial, f"{case}: under a final name lie other bytes: {partial}")
    result = run(command(work, output))
    check(result.returncode == 0, f"{case}: the rerun ends with {result.returncode}\n{result.stderr[-2000:]}")
    check(cells_below(output) == reference, f"{case}: the cells differ from an undisturbed run's")
    check(analysis_below(output) == analysis, f"{case}: the analysis differs from an undisturbed run's")
    now = times_of(output)
    again = [name for name, when in finished.items() if now[name] != when]
    check(not again, f"{case}: finished cells were written again: {again}")
    verified = run([SWEEP, "verify", output])
    check(verified.returncode == 0 and "0 are damaged" in verified.stdout, f"{case}: {verified.stdout}")
    left = [name for name in files_below(output) if "/.xlrm-tmp" in name]
    check(not left, f"{case}: temporary files are left after the rerun: {left}")
    return len(finished)


with Work() as work:
    write_inputs(work)
    check(run(command(work, work / "reference")).returncode == 0, "the undisturbed run fails")
    events = ledger_lines(work / "reference")
    reference, analysis = cells_below(work / "reference"), analysis_below(work / "reference")
    check(len(reference) == 21, f"{len(reference)} cells instead of 21")
    struck, kept = 0, 0
    for number in range(KILLS):
        lines, seconds = choose.randrange(events * 9 // 10), choose.uniform(0.0, 0.05)
        output = work / f"killed{number}"
        struck += disturbed(work, output, lines, seconds, kill_a_rank)
        kept += go_on(work, output, reference, analysis, f"SIGKILL {seconds:.3f} s after line {lines} of the ledger")
    print(f"{struck} of {KILLS} kills struck a running sweep, {kept} finished cells were kept")
    check(struck >= KILLS * 0.7, "most kills came too late to say anything")
    check(disturbed(work, work / "terminated", events // 2, 0.0, terminate), "SIGTERM came too late to say anything")
    go_on(work, work / "terminated", reference, analysis, "SIGTERM to mpirun")
    left = [name for name in files_below(work / "reference") if ".partial" in name or ".tmp-" in name]
    check(not left, f"temporary files are left: {left}")
finish()
