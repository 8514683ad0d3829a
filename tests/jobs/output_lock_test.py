#!/usr/bin/env python3
"""output_lock_test.py BIN TRL_RUN [hosts]: one writer at a time for an output of every program. A second start is
refused and leaves the first unharmed; what a killed run left is taken over. `hosts`: the same between two host names
(needs root, and half a minute of silence)."""
import json
import os
import signal
import subprocess
import sys
import time

from harness import ENVIRONMENT, Work, check, files_below, finish, mpirun, run

BIN, FIXTURE, HOSTS = sys.argv[1], sys.argv[2], "hosts" in sys.argv[3:]
MODEL, PAIRS = os.path.join(FIXTURE, "model"), os.path.join(FIXTURE, "pairs.jsonl")
REFUSED = "another run is at work on "


def program(name):
    return os.path.join(BIN, name)


def training(output, steps):
    return [program("xlrm_train"), "--model", MODEL, "--data", PAIRS, "--lr", "0.001", "--batch-pairs", "4", "--steps",
            str(steps), "--output", output]


def on_host(name, command):
    """The command on a machine of another name; the shell becomes the program, so a signal reaches it."""
    return ["unshare", "--uts", "sh", "-c", f'hostname {name} && exec "$@"', "sh", *command]


def start(command):
    return subprocess.Popen(command, env=ENVIRONMENT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def steps_for(work, seconds):
    """As many steps as take about `seconds`, and the time that a start takes."""
    begin = time.monotonic()
    result = run(training(work / "probe", 400))
    whole = time.monotonic() - begin
    check(result.returncode == 0, f"the probe fails\n{result.stderr}")
    times = [json.loads(line).get("step_s", 0.0) for line in open(os.path.join(work / "probe", "metrics.jsonl"))]
    startup = max(whole - sum(times), 0.1)
    return int((seconds + 3 * startup) / (sum(times) / len(times)))


def check_complete(case, output, steps):
    metrics = [json.loads(line) for line in open(os.path.join(output, "metrics.jsonl"))]
    check([line["step"] for line in metrics if "loss" in line] == list(range(1, steps + 1)), f"{case}: metrics.jsonl lacks steps")
    check(json.load(open(os.path.join(output, "training.json")))["summary"]["steps"] == steps,
          f"{case}: training.json is of another run")
    beside = [name for name in os.listdir(os.path.dirname(output)) if name.startswith(os.path.basename(output) + ".")]
    check(not beside, f"{case}: beside the model lies {beside}")


def two_starts(work, delay, steps):
    case, output = f"two starts, {delay} s apart", work / f"two{delay}"
    first = start(training(output, steps))
    time.sleep(delay)
    second = start(training(output, steps))
    ends = [(process.communicate(timeout=200)[1], process.returncode) for process in (first, second)]
    if delay == 0:
        ends.sort(key=lambda end: end[1])  # either may have been the first
    check(ends[0][1] == 0, f"{case}: the first ends with {ends[0][1]}\n{ends[0][0]}")
    check(ends[1][1] == 1 and REFUSED in ends[1][0], f"{case}: the second ends with {ends[1][1]}\n{ends[1][0]}")
    check_complete(case, output, steps)
    again = run(training(output, steps))
    check(again.returncode == 0 and "already trained" in again.stderr,
          f"{case}: the same command again ends with {again.returncode}\n{again.stderr}")


def wait_for_steps(output, process):
    while process.poll() is None and not os.path.exists(os.path.join(output + ".checkpoint", "metrics.jsonl")):
        time.sleep(0.01)
    time.sleep(0.2)


def killed(work, steps, on_first=lambda command: command, on_second=lambda command: command, case="SIGKILL"):
    output = work / case.replace(" ", "-")
    owner = start(on_first(training(output, steps)))
    wait_for_steps(output, owner)
    refused = run(on_second(training(output, steps)))
    check(refused.returncode == 1 and REFUSED in refused.stderr,
          f"{case}: beside the live run it ends with {refused.returncode}\n{refused.stderr}")
    check(owner.poll() is None, f"{case}: the first ended too early for the test to say anything")
    owner.send_signal(signal.SIGKILL)
    begin = time.monotonic()
    result = run(on_second(training(output, steps)))  # its parent has not asked for it yet
    owner.communicate()
    check(result.returncode == 0 and "takes over" in result.stderr,
          f"{case}: the next run ends with {result.returncode}\n{result.stderr}")
    check_complete(case, output, steps)
    return time.monotonic() - begin


def stopped(work, steps):
    output = work / "stopped"
    owner = start(training(output, steps))
    wait_for_steps(output, owner)
    owner.send_signal(signal.SIGTERM)
    owner.communicate(timeout=100)
    check(owner.returncode == 75, f"SIGTERM: exit code {owner.returncode}")
    check(not os.path.exists(output + ".xlrm-lock"), "SIGTERM: the lock is left")
    result = run(training(output, steps))
    check(result.returncode == 0, f"SIGTERM: the next run ends with {result.returncode}\n{result.stderr}")
    check_complete("SIGTERM", output, steps)


def lock_of(pid):
    """What the process `pid` would write into a lock."""
    with open(f"/proc/{pid}/stat") as file:
        fields = file.read().rsplit(")", 1)[1].split()
    with open("/proc/sys/kernel/random/boot_id") as file:
        boot = file.read().strip()
    return json.dumps(dict(host=os.uname().nodename, process=pid, program="test", since="then", boot=boot,
                           namespace_of_ids=os.readlink("/proc/self/ns/pid"),
                           start=int(fields[19])))


def plant(path, text):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w") as file:
        file.write(text)


def commands(work, out):
    """(program, command, lock of its output)."""
    config = work / "sweep.cfg"
    with open(config, "w") as file:
        file.write(f"[data]\ntrain = {PAIRS}\neval.dev = {PAIRS}\nlangs = en\n")
        file.write(f"[sweep]\nbases = tiny={MODEL}\n[train]\nsteps = 2\n")
    with open(work / "ids.jsonl", "w") as file:
        file.write('{"ids": [1, 2, 3]}\n')
    join = os.path.join
    yield "xlrm_train", training(join(out, "m"), 2), join(out, "m.xlrm-lock")
    yield "xlrm_evaluate", [program("xlrm_evaluate"), "--model", MODEL, "--data", PAIRS, "--output",
                            join(out, "c.h5")], join(out, "c.h5.xlrm-lock")
    yield "xlrm_prepare", [program("xlrm_prepare"), "--model", MODEL, "--input", PAIRS, "--output",
                           join(out, "p.h5")], join(out, "p.h5.xlrm-lock")
    yield ("xlrm_prepare",
           [program("xlrm_prepare"), "--input", PAIRS, "--train-sentencepiece", join(out, "sp"), "--vocab-size", "300"],
           join(out, "sp", ".xlrm-lock"))
    yield ("xlrm_inspect",
           [program("xlrm_inspect"), "forward", "--model", MODEL, "--input", work / "ids.jsonl", "--output", join(out, "s.h5")],
           join(out, "s.h5.xlrm-lock"))
    yield "xlrm_sweep", [program("xlrm_sweep"), "--config", config, "--output", join(out, "sweep")], join(out, "sweep",
                                                                                                          ".xlrm-lock")


def every_program(work):
    ended = subprocess.Popen(["sleep", "1000"])
    mine, dead = lock_of(os.getpid()), lock_of(ended.pid)
    ended.kill()
    ended.wait()
    for number, (name, command, lock) in enumerate(commands(work, work / "out")):
        out = os.path.dirname(lock)
        for ranks in dict(xlrm_train=(1, 3), xlrm_sweep=(3,)).get(name, (1,)):
            plant(lock, mine)
            before = files_below(out)
            result = run(command if ranks == 1 else mpirun(ranks, command))
            case = f"{name} {number}, {ranks} ranks"
            check(result.returncode == 1 and result.stderr.count(REFUSED) == 1,
                  f"{case}: beside a live run it ends with {result.returncode}\n{result.stderr}")
            check(f"process {os.getpid()}" in result.stderr and lock in result.stderr,
                  f"{case}: the message lacks the owner or the lock\n{result.stderr}")
            check(files_below(out) == before, f"{case}: it wrote {set(files_below(out)) - set(before)}")
            plant(lock, dead)
            result = run(command if ranks == 1 else mpirun(ranks, command))
            check(result.returncode == 0, f"{case}: after a dead run it ends with {result.returncode}\n{result.stderr}")
            check(not [file for file in files_below(out) if "xlrm-lock" in file], f"{case}: a lock is left")


def inside_a_sweep(work):
    out = work / "nested"
    lock = os.path.join(out, ".xlrm-lock")
    plant(lock, lock_of(os.getpid()))
    result = run(training(os.path.join(out, "models", "x"), 2))
    check(result.returncode == 1 and REFUSED in result.stderr and out in result.stderr,
          f"inside a sweep's folder: {result.returncode}\n{result.stderr}")
    check(files_below(out) == [".xlrm-lock"], f"inside a sweep's folder: it wrote {files_below(out)}")


with Work() as work:
    if HOSTS:
        if os.geteuid() != 0 or run(["unshare", "--uts", "true"]).returncode != 0:
            print("not root: the test with two host names is left out")
            sys.exit(77)
        steps = steps_for(work, 8)
        here = lambda command: on_host("host-a", command)
        there = lambda command: on_host("host-b", command)
        seconds = killed(work, steps, here, there, "SIGKILL on another host")
        check(seconds > 25, f"another host's lock was taken over after {seconds:.0f} s, before it could be known to be dead")
        killed(work, steps, here, here, "SIGKILL on one of two hosts")
    else:
        every_program(work)
        inside_a_sweep(work)
        for delay in (0, 0.3, 0.7, 2):
            two_starts(work, delay, steps_for(work, delay + 1))
        steps = steps_for(work, 1.5)
        killed(work, steps)
        stopped(work, steps)
finish()
