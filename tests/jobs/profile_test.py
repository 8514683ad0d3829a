"""--profile of xlrm_train and xlrm_evaluate: the trace is JSON that adds up, and the results have the bits of a run without it."""
import json
import os
import sys
import tempfile

from harness import check, finish, mpirun, run

bin_folder, trl_run = sys.argv[1:3]
model, pairs = os.path.join(trl_run, "model"), os.path.join(trl_run, "pairs.jsonl")


def bytes_of(path):
    with open(path, "rb") as file:
        return file.read()


def done(command):
    result = run(command)
    check(result.returncode == 0, f"{command}: {result.stderr}")
    return result


def check_trace(path, rank, stages, ops):
    with open(path) as file:
        trace = json.load(file)
    about = trace["xlrm"]
    totals = {(total["kind"], total["name"]): total for total in about["totals"] if not total["beside"]}
    for kind, names in (("stage", stages), ("op", ops)):
        for name in names:
            check((kind, name) in totals, f"{path}: no {kind} '{name}' in {sorted(totals)}")
    scopes = [event for event in trace["traceEvents"] if event["ph"] == "X"]
    check(all(event["pid"] == rank for event in scopes), f"{path}: events of another rank")
    check(len(scopes) == sum(total["calls"] for total in about["totals"]), f"{path}: events and calls differ")
    check(0 < about["covered_s"] <= about["total_s"], f"{path}: {about['covered_s']} s in scopes of {about['total_s']} s")
    own = sum(total["self_s"] for total in totals.values())
    check(abs(own - about["covered_s"]) < 1e-6 * max(1, len(scopes)), f"{path}: own times {own}, outermost scopes {about['covered_s']}")
    # Outermost scopes of the main thread follow one another.
    ends = 0.0
    outermost = 0.0
    for event in sorted((event for event in scopes if event["tid"] == 0), key=lambda event: (event["ts"], -event["dur"])):
        if event["ts"] >= ends - 0.01:
            outermost += event["dur"]
            ends = event["ts"] + event["dur"]
    check(abs(outermost * 1e-6 - about["covered_s"]) < 1e-3, f"{path}: outermost events {outermost} µs, covered {about['covered_s']} s")
    check(totals["op", "linear"]["gflop_per_s"] > 0, f"{path}: products have no speed")
    check(about["peak_bytes"] > 1 << 20, f"{path}: no peak memory")


with tempfile.TemporaryDirectory() as folder:
    def train(name, *options, ranks=1):
        command = [os.path.join(bin_folder, "xlrm_train"), "--model", model, "--data", pairs, "--output", os.path.join(folder, name), "--steps", "3",
                   "--batch-pairs", "4", "--template", "none", *options]
        return done(mpirun(ranks, command) if ranks > 1 else command)

    trace = os.path.join(folder, "train.json")
    train("plain")
    told = train("profiled", "--profile", trace).stderr
    check("profile:" in told and "linear backward weight" in told, f"no table: {told}")
    check(bytes_of(os.path.join(folder, "plain", "model.safetensors")) == bytes_of(os.path.join(folder, "profiled", "model.safetensors")),
          "a profiled training has other bits")
    check_trace(trace, 0, ["prepare", "read", "load model", "step", "pack", "forward", "backward", "optimiser", "write"],
                ["linear", "linear backward input", "linear backward weight", "attention", "attention backward", "rms norm", "rms norm backward", "rope",
                 "gated activation", "gated activation backward", "embedding", "embedding backward", "adamw"])
    train("ranks", "--profile", os.path.join(folder, "ranks.json"), ranks=2)
    for rank in range(2):
        check_trace(os.path.join(folder, f"ranks.json.rank{rank}"), rank, ["step", "reduction", "optimiser"], ["linear"])

    def evaluate(name, *options):
        done([os.path.join(bin_folder, "xlrm_evaluate"), "--model", os.path.join(folder, "plain"), "--data", pairs, "--output", os.path.join(folder, name), *options])
        return bytes_of(os.path.join(folder, name))

    trace = os.path.join(folder, "evaluate.json")
    check(evaluate("plain.h5") == evaluate("profiled.h5", "--profile", trace), "a profiled evaluation has other bits")
    check_trace(trace, 0, ["read", "load model", "pack", "forward", "score", "capture", "write"], ["linear", "attention", "reward head"])
finish()
