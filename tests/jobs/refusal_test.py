#!/usr/bin/env python3
"""refusal_test.py BIN FIXTURE: every program without an option that it needs, with a wrong word or a wrong setting, ends with one sentence
that names it and with the code of a bad command line, alone and under mpirun, without a word of MPI_Abort or of an exception."""
import os
import sys

from harness import ENVIRONMENT, Work, check, finish, mpirun, run

BIN, FIXTURE = sys.argv[1], sys.argv[2]
USAGE = 2
# No bare what() of the C++ library, of JSON or of libtorch, and no banner.
FOREIGN = ("MPI_ABORT", "terminate called", "filesystem error", "json.exception", "basic_string", "vector::", "stoi", "c10::", "frame #", "internal error")


def expect(case, command, ranks, parts, code=USAGE, environment=None):
    where = f"{case}, {ranks} ranks"
    result = run((["env", *[f"{name}={value}" for name, value in (environment or {}).items()]] if environment else []) +
                 (command if ranks == 1 else mpirun(ranks, command)))
    check(result.returncode == code, f"{where}: exit code {result.returncode} instead of {code}\n{result.stderr}")
    name = os.path.basename(command[0])
    lines = [line for line in result.stderr.splitlines() if line.startswith((name + ": ", "xlrm: error: ", "xlrm [rank"))]
    check(len(lines) == 1, f"{where}: {len(lines)} messages\n{result.stderr}")
    for part in parts:
        check(lines and part in lines[0], f"{where}: no '{part}' in\n{result.stderr}")
    for word in FOREIGN:
        check(word not in result.stderr, f"{where}: '{word}' in\n{result.stderr}")


def needed(work, rows, model):
    """Program, the options that it needs, by name."""
    return {
        "xlrm_prepare": {"--input": rows, "--model": model},
        "xlrm_train": {"--model": model, "--data": rows, "--output": work / "trained"},
        "xlrm_evaluate": {"--model": model, "--data": rows},
        "xlrm_inspect tokenize": {"--model": model, "--input": rows},
        "xlrm_inspect render": {"--model": model, "--input": rows},
        "xlrm_inspect forward": {"--model": model, "--input": rows, "--output": work / "states.h5"},
    }


def missing_options(work, rows, model):
    for program, options in needed(work, rows, model).items():
        words = program.split()
        start = [os.path.join(BIN, words[0]), *words[1:]]
        ranks = (1,) if words[0] == "xlrm_inspect" else (1, 2)
        for count in ranks:
            expect(f"{program} alone", start, count, ["is not given"])
            for left_out in options:
                given = [word for name, value in options.items() if name != left_out for word in (name, value)]
                expect(f"{program} without {left_out}", start + given, count, [f"{left_out} is not given"])
                if count == 1:
                    expect(f"{program} with an empty {left_out}", [*start, *given, f"{left_out}="], count, [f"{left_out} is not given"])


def wrong_words(work, rows, model):
    sweep, inspect = (os.path.join(BIN, name) for name in ("xlrm_sweep", "xlrm_inspect"))
    for ranks in (1, 2):
        expect("xlrm_sweep with a wrong word", [sweep, "stauts", work / "out"], ranks, ["stauts", "status OUT"])
        expect("xlrm_bench with a wrong kind", [os.path.join(BIN, "xlrm_bench"), "--what", "sleep"], ranks, ["sleep", "train"])
        expect("xlrm_bench, data without a tokenizer", [os.path.join(BIN, "xlrm_bench"), "--data", rows], ranks, ["--data", "--tokenizer"])
        computing(work, rows, model, ranks)
    for word in ("status", "verify", "table"):
        expect(f"xlrm_sweep {word} without a folder", [sweep, word], 1, [word, "OUT"])
        expect(f"xlrm_sweep {word} with an empty folder", [sweep, word, ""], 1, [word, "OUT"])
    expect("xlrm_inspect alone", [inspect], 1, ["tokenize", "render", "forward", "model DIR"])
    expect("xlrm_inspect model alone", [inspect, "model"], 1, ["xlrm_inspect model DIR"])
    expect("xlrm_inspect model with an empty folder", [inspect, "model", ""], 1, ["xlrm_inspect model DIR"])


def computing(work, rows, model, ranks):
    """Where and with what a program computes is known before it reads anything: its other options name files that are not there."""
    missing = work / "missing"
    commands = {
        "xlrm_train": ["--model", missing, "--data", missing, "--output", work / "trained"],
        "xlrm_evaluate": ["--model", missing, "--data", missing],
        "xlrm_sweep": ["--bases", f"base={missing}", "--output", work / "out"],
        "xlrm_bench": ["--model", missing],
    }
    if ranks == 1:
        commands["xlrm_inspect"] = ["forward", "--model", missing, "--input", missing, "--output", work / "states.h5"]
    for program, options in commands.items():
        command = [os.path.join(BIN, program), *options]
        expect(f"{program} on cuda", [*command, "--device", "cuda:1"], ranks, ["--device", "cuda:1", "CPU alone"])
        if program == "xlrm_train" or ranks == 1:
            expect(f"{program} on a device that there is not", [*command, "--device", "cuba"], ranks, ["--device", "did you mean cuda?"])
            expect(f"{program}, unknown XLRM_CPU", command, ranks, ["XLRM_CPU", "avx51", "avx2, avx512, amx", "did you mean avx512?"],
                   environment={"XLRM_CPU": "avx51"})
            expect(f"{program}, unknown XLRM_OPS", command, ranks, ["XLRM_OPS", "refrence", "own, reference", "did you mean reference?"],
                   environment={"XLRM_OPS": "refrence"})
    for word in ("--help", "--version"):
        result = run(["env", "XLRM_CPU=sse", os.path.join(BIN, "xlrm_train"), word])
        check(result.returncode == 0, f"{word} with an unknown XLRM_CPU: exit code {result.returncode}\n{result.stderr}")


def main():
    with Work() as work:
        rows = work / "rows.jsonl"
        with open(rows, "w") as file:
            for i in range(4):
                file.write(f'{{"id": "r-{i}", "lang": "en", "prompt": "q{i}?", "chosen": "yes {i}", "rejected": "no {i}"}}\n')
        model = os.path.join(FIXTURE, "model")
        os.chdir(work.path)
        missing_options(work, rows, model)
        wrong_words(work, rows, model)
        left = sorted(os.listdir(work.path))
        check(left == ["rows.jsonl"], f"refusals left {left}")
    finish()


main()
