#!/usr/bin/env python3
"""judge_test.py BIN FIXTURE JUDGES: xlrm_judge as a whole: a planted judge is measured right in every order mode, with its bias for the first answer; replies that are
missing, twice, unknown or without a verdict; a model that says nonsense; what is refused. JUDGES: the folder of prompts."""
import json
import os
import random
import sys

import h5py

from causal_model import causal_model
from harness import Work, check, digest, files_below, finish, mpirun, run

BIN, FIXTURE, JUDGES = sys.argv[1:4]
PAIRS = 120
MODES = ("AB", "BA", "both-consistent", "both-average")


def judge(*words):
    return [os.path.join(BIN, "xlrm_judge"), *map(str, words)]


def pairs(work):
    path = work / "pairs.jsonl"
    with open(path, "w") as file:
        for i in range(PAIRS):
            row = dict(id=f"q{i // 2}", lang="ko" if i % 3 else "en", prompt=f"is {i} even?", chosen=f"answer {i} right", rejected=f"answer {i} wrong")
            file.write(json.dumps(row) + "\n")
    return path


def made(what, words, ranks=1):
    result = run(words if ranks == 1 else mpirun(ranks, words))
    check(result.returncode == 0, f"{what}: exit code {result.returncode}\n{result.stderr}")
    return result


def planted(request, accuracy=0.8, bias=0.3):
    """A judge that is right with `accuracy`, but with probability `bias` names the first answer whatever it is. Its verdict by the request alone."""
    draw = random.Random(request["custom_id"])
    user = request["body"]["messages"][-1]["content"]
    right = "A" if user.index("right") < user.index("wrong") else "B"
    if draw.random() < bias:
        return "A"
    return right if draw.random() < accuracy else "BA"["AB".index(right)]


def read_cell(path):
    with h5py.File(path) as file:
        keys = zip(*(file["scores"][name].asstr()[:] for name in ("lang", "id")), file["scores/occurrence"][:].tolist())
        return dict(zip(keys, file["scores/chosen"][:].tolist())), json.loads(file.attrs["xlrm_provenance"])["judge"]


def parts_of(custom_id):
    lang, order, occurrence, name = custom_id.split("|", 3)
    return (lang, name, int(occurrence)), order


def exported(work, rows):
    for mode in MODES:
        requests = work / f"{mode}.requests.jsonl"
        made(f"export {mode}", judge("export", "--data", rows, "--prompt", os.path.join(JUDGES, "pair.txt"), "--orders", mode, "--judge", "someone",
                                     "--request-options", '{"temperature": 0}', "--output", requests))
        lines = [json.loads(line) for line in open(requests)]
        check(len(lines) == PAIRS * (2 if "both" in mode else 1), f"{mode}: {len(lines)} requests")
        check(lines[0]["body"]["temperature"] == 0 and lines[0]["body"]["model"] == "someone", f"{mode}: {lines[0]}")
        verdicts = {line["custom_id"]: planted(line) for line in lines}
        batch = work / f"{mode}.batch.jsonl"
        with open(batch, "w") as file:
            for name, verdict in verdicts.items():
                content = f"I thought about it. [[{verdict}]]"
                body = {"choices": [{"finish_reason": "stop", "message": {"role": "assistant", "content": content}}]}
                file.write(json.dumps({"custom_id": name, "response": {"status_code": 200, "body": body}, "error": None}) + "\n")
        cell = work / f"{mode}.h5"
        text = made(f"import {mode}", judge("import", "--data", rows, "--prompt", os.path.join(JUDGES, "pair.txt"), "--orders", mode, "--judge", "someone",
                                            "--verdicts", batch, "--output", cell)).stdout
        scores, protocol = read_cell(cell)
        preferred = {}
        for name, verdict in verdicts.items():
            key, order = parts_of(name)
            preferred.setdefault(key, []).append(1.0 if (verdict == "A") == (order == "AB") else 0.0)
        expected = {key: (sum(values) / len(values)) if mode != "both-consistent" else values[0] if values[0] == values[1] else 0.5 for key, values in preferred.items()}
        check(scores == expected, f"{mode}: other preferences than were planted")
        first = sum(verdict == "A" for verdict in verdicts.values())
        counts = list(protocol["counts"].values())
        check(sum(one["first_slot"]["count"] for one in counts) == first, f"{mode}: first slot {counts}")
        check(protocol["prompt"] == "pair" and protocol["parser"] == "strict" and protocol["orders"] == mode and len(protocol["prompt_sha256"]) == 64, f"{protocol}")
        check("ko" in text and "en" in text and "first slot" in text, f"{mode}: {text}")
        if mode == "both-consistent":  # a judge that names the right answer in 0.7 · 0.8, and the first besides in 0.3: 0.3 + 0.7 · 0.5 of all
            low = sum(one["first_slot"]["low"] * one["first_slot"]["total"] for one in counts) / (2 * PAIRS)
            high = sum(one["first_slot"]["high"] * one["first_slot"]["total"] for one in counts) / (2 * PAIRS)
            check(low < 0.65 < high, f"the planted bias of 0.65 is not within [{low}, {high}]")
    return work / "AB.requests.jsonl"


def other_forms(work, rows):
    """Each answer by itself for a rating, four at once for a ranking, the right one at the place that the request's order says."""
    requests = work / "rating.requests.jsonl"
    made("export ratings", judge("export", "--data", rows, "--prompt", os.path.join(JUDGES, "rating.txt"), "--judge", "j", "--output", requests))
    lines = [json.loads(line) for line in open(requests)]
    texts = [line["body"]["messages"][-1]["content"] for line in lines]
    check(len(lines) == 2 * PAIRS and [parts_of(line["custom_id"])[1] for line in lines[:4]] == ["1", "2", "1", "2"], f"{len(lines)} ratings")
    check(all(("right" in text, "wrong" in text) == (i % 2 == 0, i % 2 == 1) for i, text in enumerate(texts)), "a rating's prompt holds another answer than its own")
    with open(work / "four.jsonl", "w") as file:
        for i in range(40):
            file.write(json.dumps(dict(id=f"f{i}", lang="en", prompt="q", chosen=["right"], rejected=["wrong1", "wrong2", "wrong3"])) + "\n")
    made("export rankings", judge("export", "--data", work / "four.jsonl", "--prompt", os.path.join(JUDGES, "ranking.txt"), "--judge", "j", "--output", requests))
    places = set()
    for line in map(json.loads, open(requests)):
        text, (_, order) = line["body"]["messages"][-1]["content"], parts_of(line["custom_id"])
        shown = sorted(("right", "wrong1", "wrong2", "wrong3"), key=text.index)
        check("".join("ABCD"[("right", "wrong1", "wrong2", "wrong3").index(one)] for one in shown) == order, f"order {order} is not that of\n{text}")
        places.add(order)
    check(len(places) == 4, f"places {places}")


def imperfect(work, rows, requests):
    names = [json.loads(line)["custom_id"] for line in open(requests)]
    replies = work / "replies.jsonl"
    with open(replies, "w") as file:
        for index, name in enumerate(names[1:]):
            (lang, item, occurrence), order = parts_of(name)
            row = dict(id=item, lang=lang, occurrence=occurrence, order=order)
            row.update([dict(text="[[A]]"), dict(verdict="B"), dict(text="no idea"), dict(text="so I th", finish_reason="length"), dict(text="")][index % 5])
            file.write(json.dumps(row) + "\n")
            if index == 0:
                file.write(json.dumps(row) + "\n")
        file.write(json.dumps(dict(id="foreign", lang="en", order="AB", text="[[A]]")) + "\n")
    result = made("imperfect replies", judge("import", "--data", rows, "--prompt", os.path.join(JUDGES, "pair.txt"), "--orders", "AB", "--judge", "j", "--verdicts", replies,
                                             "--output", work / "imperfect.h5"))
    for part in ("missing", "foreign"):
        check(part in result.stderr, f"imperfect replies: no '{part}' in\n{result.stderr}")
    scores, protocol = read_cell(work / "imperfect.h5")
    counts = list(protocol["counts"].values())
    check(len(scores) == PAIRS - 1 and sum(one["missing"] for one in counts) == 1, f"{len(scores)} items, {counts}")
    unparsed, cut = sum(one["unparsed"]["count"] for one in counts), sum(one["truncated"]["count"] for one in counts)
    replies_without = [index % 5 for index in range(PAIRS - 1)]
    check(unparsed == sum(kind >= 2 for kind in replies_without) and cut == replies_without.count(3), f"{unparsed} unparsed, {cut} cut off")


def nonsense(work, rows):
    """A random model: every reply is there, none has a verdict, on any number of ranks."""
    model = causal_model(os.path.join(FIXTURE, "model"), work / "model")
    prompt = work / "short.txt"
    with open(prompt, "w") as file:
        file.write("name = short\nversion = 3\nform = pair\n[user]\n{question} A: {answer_a} B: {answer_b}\n")
    digests = set()
    for ranks, votes in ((1, 1), (2, 1), (1, 3)):
        cell = work / f"nonsense{ranks}.{votes}.h5"
        text = made("nonsense", judge("--data", rows, "--prompt", prompt, "--model", model, "--template", "none", "--max-new-tokens", 8, "--votes", votes, "--output", cell), ranks).stdout
        scores, protocol = read_cell(cell)
        check(set(scores.values()) == {0.5} and len(scores) == PAIRS, "a verdict in nonsense")
        check(all(one["unparsed"]["share"] == 1.0 for one in protocol["counts"].values()), f"{protocol['counts']}")
        check(len(open(work / f"nonsense{ranks}.{votes}.replies.jsonl").readlines()) == 2 * PAIRS * votes, "replies are not kept")
        check("replies: " in text, text)
        if votes == 1:
            digests.add(digest(cell))
    check(len(digests) == 1, "cells of one and two ranks differ")
    plan = made("dry run", judge("--data", rows, "--prompt", prompt, "--model", model, "--template", "none", "--output", work / "none.h5", "--dry-run")).stdout
    check(f"{PAIRS} pairs, {2 * PAIRS} prompts: short, version 3" in plan and "keys and values" in plan, plan)


def refusals(work, rows):
    def refuse(code, words, *parts):
        result = run(judge(*words, "--output", work / "refused.h5"))
        check(result.returncode == code, f"{words}: exit code {result.returncode} instead of {code}\n{result.stderr}")
        for part in parts:
            check(part in result.stderr, f"{words}: no '{part}' in\n{result.stderr}")

    def text(content):
        with open(work / "prompt.txt", "w") as file:
            file.write(content)
        return work / "prompt.txt"

    pair = os.path.join(JUDGES, "pair.txt")
    refuse(2, ["--data", rows], "--prompt")
    refuse(2, ["--prompt", pair], "--data")
    refuse(2, ["--data", rows, "--prompt", os.path.join(JUDGES, "rating.txt"), "--parser", "rm-r1", "--model", "x"], "rm-r1", "rating")
    refuse(1, ["--data", rows, "--prompt", os.path.join(JUDGES, "ranking.txt"), "--model", "x"], "no rows of four answers")
    refuse(2, ["--data", rows, "--prompt", os.path.join(JUDGES, "ranking.txt"), "--orders", "AB", "--model", "x"], "--orders", "ranking")
    refuse(2, ["export", "--data", rows, "--prompt", pair, "--judge", "j", "--parser", "mr3"], "--parser")
    refuse(1, ["--data", rows, "--prompt", text("name = x\nversion = 1\nform = pair\n[user]\n{question} {answer_a}\n"), "--model", "x"], "answer_b")
    refuse(2, ["--data", rows, "--prompt", pair, "--parser", "loose", "--model", "x"], "loose")
    refuse(2, ["guess", "--data", rows, "--prompt", pair], "guess")
    refuse(2, ["import", "--data", rows, "--prompt", pair, "--judge", "j"], "--verdicts")
    refuse(2, ["export", "--data", rows, "--prompt", pair, "--judge", "j", "--model", "x"], "--model")
    refuse(2, ["--data", rows, "--prompt", pair, "--model", "x", "--temperature", 0.5], "--temperature", "--votes")
    with open(work / "three.jsonl", "w") as file:
        file.write(json.dumps(dict(id="a", prompt="q", chosen=["x"], rejected=["y", "z"])) + "\n")
    refuse(1, ["--data", work / "three.jsonl", "--prompt", pair, "--model", "x"], "'a'", "3 answers")
    check(not [name for name in files_below(work.path) if name.startswith("refused")], "files of refused runs")


def main():
    with Work() as work:
        rows = pairs(work)
        requests = exported(work, rows)
        other_forms(work, rows)
        imperfect(work, rows, requests)
        nonsense(work, rows)
        refusals(work, rows)
    finish()


main()
