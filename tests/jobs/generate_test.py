#!/usr/bin/env python3
"""generate_test.py BIN FIXTURE: xlrm_generate as a whole: texts do not depend on batch, samples or ranks; stops and kills; what it refuses."""
import json
import os
import signal
import subprocess
import sys
import time

from causal_model import causal_model
from harness import ENVIRONMENT, Work, check, digest, files_below, finish, mpirun, run

BIN, FIXTURE = sys.argv[1], sys.argv[2]
GENERATE = os.path.join(BIN, "xlrm_generate")
WORDS = {"en": "the cat sits on a mat", "es": "¿dónde está el niño pequeño?", "ko": "고양이가 매트 위에 앉아 있다", "it": "perché il gatto è lì", "zh": "猫坐在垫子上"}


def prompts(work, name="prompts.jsonl", count=12):
    path = work / name
    with open(path, "w") as file:
        for i in range(count):
            lang = sorted(WORDS)[i % len(WORDS)]
            text = " ".join([WORDS[lang]] * (1 + i % 4)) + f" {i}"
            row = [{"id": f"q{i // 5}", "lang": lang, "prompt": text},
                   {"id": f"q{i // 5}", "lang": lang, "prompt": text, "chosen": "yes", "rejected": "no"},
                   {"id": f"q{i // 5}", "lang": lang, "messages": [{"role": "user", "content": text}, {"role": "assistant", "content": "yes"}]},
                   {"id": f"q{i // 5}", "lang": lang, "messages": [{"role": "user", "content": text}]}][i % 4]
            file.write(json.dumps(row) + "\n")
    return path


def command(model, rows, output, *options):
    return [GENERATE, "--model", model, "--prompts", rows, "--output", output, "--template", "none", *map(str, options)]


def lines(path):
    return [json.loads(line) for line in open(path)]


def made(what, words, ranks=1):
    result = run(words if ranks == 1 else mpirun(ranks, words))
    check(result.returncode == 0, f"{what}: exit code {result.returncode}\n{result.stderr}")
    return result


def companies(work, model, rows):
    """The same bytes at batches of 1, 7 and 32 texts, on 1, 2 and 3 ranks; the first of eight samples is the one sample."""
    options = ["--max-new-tokens", 40, "--temperature", 0.9, "--top-p", 0.95, "--top-k", 100, "--min-p", 0.001, "--repetition-penalty", 1.1]
    reference = {}
    for samples in (1, 8):
        for batch, ranks in ((1, 1), (7, 2), (32, 1), (32, 3), (256, 1)):
            output = work / f"s{samples}.{batch}.{ranks}.jsonl"
            made(f"{samples} samples, {batch} texts, {ranks} ranks",
                 command(model, rows, output, *options, "--samples", samples, "--token-budget", 2 * batch), ranks)
            reference.setdefault(samples, output)
            check(digest(output) == digest(reference[samples]), f"{output} differs from {reference[samples]}")
    narrow = [work / f"bf16.{batch}.jsonl" for batch in (1, 256)]
    for output, batch, ranks in zip(narrow, (1, 256), (2, 1)):
        made(f"bf16, {batch} texts", command(model, rows, output, *options, "--dtype", "bf16", "--token-budget", 2 * batch), ranks)
    if json.load(open(narrow[1] + ".run.json"))["exact"]:
        check(digest(narrow[0]) == digest(narrow[1]), "bf16: other texts in a batch of 256")
    one, eight = lines(reference[1]), lines(reference[8])
    check(len(one) == 12 and len(eight) == 96, f"{len(one)} and {len(eight)} samples")
    check(one == [sample for sample in eight if sample["sample"] == 0], "sample 0 of eight is not the sample alone")
    check(len({tuple(sample["tokens"]) for sample in eight}) > 90, "samples are alike")
    fields = ["id", "occurrence", "lang", "prompt", "sample", "seed", "text", "tokens", "logprob", "finish_reason"]
    check(list(one[0])[:10] == fields, f"fields {list(one[0])}")
    check({sample["finish_reason"] for sample in eight} == {"stop", "length"}, "finish reasons")
    check([sample["occurrence"] for sample in one if sample["lang"] == "en"] == [0] * 3, "occurrences")
    record = json.load(open(reference[8] + ".run.json"))
    check(record["exact"] is True and record["samples_of"]["temperature"] == 0.9 and len(record["samples_of"]["model_sha256"]) == 64, f"record {record}")
    check(record["texts"] == 96 and record["tokens"] == sum(len(sample["tokens"]) for sample in eight), f"record {record}")
    return reference[8], options


def killed(work, model, rows):
    """A killed run and one that was stopped go on, on another number of ranks, to the same bytes."""
    options = ["--max-new-tokens", 180, "--ignore-eos", "--samples", 200, "--token-budget", 48, "--exact", "no"]
    whole = work / "whole.jsonl"
    made("whole", command(model, rows, whole, *options))
    for how, ranks in (("kill", 1), ("kill", 2), ("stop", 2)):
        output = work / f"{how}{ranks}.jsonl"
        words = command(model, rows, output, *options)
        process = subprocess.Popen(words if ranks == 1 else mpirun(ranks, words), env=ENVIRONMENT, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        part = output + ".part0"
        end = time.monotonic() + 60
        while process.poll() is None and time.monotonic() < end and not (os.path.exists(part) and os.path.getsize(part) > 1000):
            time.sleep(0.02)
        process.send_signal(signal.SIGKILL if how == "kill" and ranks == 1 else signal.SIGTERM if how == "kill" else signal.SIGUSR1)
        _, text = process.communicate(timeout=120)
        check(not os.path.exists(output) and os.path.exists(part), f"{how}, {ranks} ranks: an output, or no part\n{text}")
        if how == "stop":
            check("stopped by a signal after" in text and "the same command goes on" in text, f"stopped: {text}")
        other = run(command(model, rows, output, *options, "--seed", 43))
        check(other.returncode == 1 and "another run" in other.stderr, f"another seed took the part: {other.returncode}\n{other.stderr}")
        result = made(f"{how}, {ranks} ranks, again", command(model, rows, output, *options), 3 - ranks)
        check("going on: " in result.stderr, f"{how}, {ranks} ranks: not resumed\n{result.stderr}")
        check(digest(output) == digest(whole), f"{how}, {ranks} ranks: other bytes than the whole run")
        left = [name for name in os.listdir(os.path.dirname(output)) if name.startswith(os.path.basename(output) + ".part")]
        check(not left, f"{left} are left")


def refusals(work, model, rows):
    def refuse(code, options, *parts, data=rows):
        result = run(command(model, data, work / "refused.jsonl", *options))
        check(result.returncode == code, f"{options}: exit code {result.returncode} instead of {code}\n{result.stderr}")
        for part in parts:
            check(part in result.stderr, f"{options}: no '{part}' in\n{result.stderr}")

    def row(text):
        with open(work / "row.jsonl", "w") as file:
            file.write(text + "\n")
        return work / "row.jsonl"

    refuse(2, ["--sampels", 3], "--sampels", "samples")
    refuse(2, ["--samples", 0], "--samples")
    refuse(2, ["--greedy", "--samples", 2], "--greedy", "--samples")
    refuse(2, ["--greedy", "--top-p", 0.9], "--top-p", "--greedy")
    refuse(2, ["--beams", 2, "--temperature", 0.5], "--temperature", "--beams")
    refuse(2, ["--beams", 2, "--samples", 3], "--samples", "--beams")
    refuse(2, ["--beams", 2, "--stop", "x"], "--stop", "--beams")
    refuse(2, ["--top-p", 0], "--top-p")
    refuse(2, ["--temperature", 0], "--temperature", "--greedy")
    refuse(2, ["--stop-ids", 258], "--stop-ids", "258")
    refuse(2, ["--stop", "a\\q"], "--stop", "backslash")
    refuse(2, ["--prefer", "safer"], "--prefer")
    refuse(1, [], "row.jsonl:1", "'prompt'", "is empty", data=row('{"id": "a", "prompt": ""}'))
    refuse(1, [], "row.jsonl:1", "'prompt'", data=row('{"id": "a", "text": "a document"}'))
    refuse(2, [], ".h5", data=work / "items.h5")
    refuse(1, ["--over-length", "error", "--max-length", 60], "'q0'", "leaves none of 60")
    refuse(1, ["--max-length", 5], "every prompt is too long")
    refuse(1, ["--cache-memory", 1, "--max-length", 250, "--max-new-tokens", 200, "--token-budget", 512, "--beams", 200], "--cache-memory")
    check(not [name for name in files_below(work.path) if name.startswith("refused")], "files of refused runs")


def contents(work, model, rows):
    """Long prompts are counted, repeated ids kept apart, stop strings cut, --dry-run writes nothing."""
    output = work / "cut.jsonl"
    result = made("cut", command(model, rows, output, "--max-length", 100, "--max-new-tokens", 30, "--ignore-eos"))
    texts = lines(output)
    check("leave no token" in result.stdout and "leave fewer than 30" in result.stdout, f"what was cut is not said\n{result.stdout}")
    check(0 < len(texts) < 12 and all(1 <= len(text["tokens"]) <= 30 for text in texts), "texts of cut prompts")
    check(any(len(text["tokens"]) < 30 for text in texts), "no text was shortened")
    same = work / "same.jsonl"
    with open(same, "w") as file:
        file.write(2 * '{"id": "a", "lang": "en", "prompt": "hello"}\n')
    output = work / "repeated.jsonl"
    result = made("repeated", command(model, same, output, "--max-new-tokens", 20, "--ignore-eos"))
    first, second = lines(output)
    check((first["occurrence"], second["occurrence"]) == (0, 1) and first["tokens"] != second["tokens"], "repeated ids")
    check("1 prompts have the id of an earlier one" in result.stdout, f"repeated ids are not counted\n{result.stdout}")
    stop = first["text"][5:7].encode()
    escaped = "".join(f"\\x{byte:02x}" for byte in stop)
    made("stop", command(model, same, output, "--max-new-tokens", 20, "--ignore-eos", "--stop", escaped))
    again = lines(output)[0]
    check(again["finish_reason"] == "stop_string" and again["text"] == first["text"].split(stop.decode())[0], f"stop string {stop}: {again}")
    before = files_below(work.path)
    plan = made("dry run", command(model, rows, work / "none.jsonl", "--samples", 4, "--dry-run"), 2).stdout
    for part in ("tokens", "at most about", "keys and values", "language"):
        check(part in plan, f"--dry-run: no '{part}' in\n{plan}")
    check(files_below(work.path) == before, "--dry-run wrote something")
    made("greedy", command(model, rows, work / "greedy.jsonl", "--greedy", "--max-new-tokens", 12, "--ignore-eos"))
    made("beams", command(model, rows, work / "beams.jsonl", "--beams", 4, "--samples", 4, "--max-new-tokens", 12, "--ignore-eos"))
    for greedy in lines(work / "greedy.jsonl"):
        key = (greedy["id"], greedy["lang"], greedy["occurrence"])
        beams = [text["logprob"] for text in lines(work / "beams.jsonl") if (text["id"], text["lang"], text["occurrence"]) == key]
        check(len(beams) == 4 and beams == sorted(beams, reverse=True) and beams[0] >= greedy["logprob"] - 1e-4, f"beams of {key}: {beams}, greedy {greedy['logprob']}")


def main():
    with Work() as work:
        model, rows = causal_model(os.path.join(FIXTURE, "model"), work / "model"), prompts(work)
        companies(work, model, rows)
        contents(work, model, rows)
        refusals(work, model, rows)
        killed(work, model, rows)
    finish()


main()
