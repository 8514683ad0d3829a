#!/usr/bin/env python3
"""judge_planted_test.py BIN FIXTURE: a model that is taught what to say (planted_judge.py) is measured right by xlrm_judge: pairs in every order mode with
its bias for the first answer, ratings, rankings of four; and what it says besides: nonsense, nothing, a text that is cut off, inside a character too, stop
strings, prompts that are too long, files of foreign verdicts."""
import json
import os
import random
import sys

import h5py

import planted_judge
from harness import ENVIRONMENT, Work, check, digest, finish, mpirun, run
from planted_judge import BAD, EASY, GOOD, HARD, RATINGS

BIN, FIXTURE = sys.argv[1:3]
ITEMS = 200


def judge(*words):
    return [os.path.join(BIN, "xlrm_judge"), *map(str, words)]


def made(what, words, ranks=1):
    result = run(words if ranks == 1 else mpirun(ranks, words))
    check(result.returncode == 0, f"{what}: exit code {result.returncode}\n{result.stderr}")
    return result


def read_cell(path):
    with h5py.File(path) as file:
        check(file.attrs["head"] == "judge", f"{path}: head {file.attrs['head']}")
        keys = list(zip(*(file["scores"][name].asstr()[:] for name in ("lang", "id")), file["scores/occurrence"][:].tolist()))
        scores = file["scores/response"][:].tolist() if "response" in file["scores"] else list(zip(file["scores/chosen"][:].tolist(), file["scores/rejected"][:].tolist()))
        return dict(zip(keys, map(tuple, scores))), json.loads(file.attrs["xlrm_provenance"])["judge"]


def total(protocol, name):
    counts = [one[name] for one in protocol["counts"].values()]
    return sum(counts) if not isinstance(counts[0], dict) else {key: sum(one.get(key) or 0 for one in counts) for one in counts for key in one}


def write_items(path, items):
    with open(path, "w") as file:
        for i, (question, right, wrong) in enumerate(items):
            file.write(json.dumps(dict(id=f"i{i}", lang="ko" if i % 2 else "en", prompt=question, chosen=right, rejected=wrong)) + "\n")
    return path


def pairs_in_every_order(work, model):
    draw = random.Random(7)
    items = [(draw.choice(EASY + HARD), draw.choice(GOOD), draw.choice(BAD)) for _ in range(ITEMS)]
    hard = [question in HARD for question, _, _ in items]
    rows, prompt = write_items(work / "pairs.jsonl", items), planted_judge.write_prompt(work / "pair.txt", "pair")
    preferred = {"AB": lambda bias: 1.0, "BA": lambda bias: 0.0 if bias else 1.0, "both-consistent": lambda bias: 0.5 if bias else 1.0, "both-average": lambda bias: 0.5 if bias else 1.0}
    chance = len(HARD) / len(EASY + HARD)
    first_slot = {"AB": 1.0, "BA": chance, "both-consistent": 0.5 + 0.5 * chance, "both-average": 0.5 + 0.5 * chance}
    for mode, value in preferred.items():
        cell = work / f"{mode}.h5"
        text = made(mode, judge("--data", rows, "--prompt", prompt, "--orders", mode, "--model", model, "--template", "none", "--max-new-tokens", 12, "--output", cell)).stdout
        scores, protocol = read_cell(cell)
        wrong = [(items[i], found) for i, found in enumerate(scores[("ko" if i % 2 else "en", f"i{i}", 0)] for i in range(ITEMS)) if found != (value(hard[i]), 1 - value(hard[i]))]
        check(not wrong, f"{mode}: {len(wrong)} of {ITEMS} preferences differ from what was planted: {wrong[:3]}")
        check(protocol["orders"] == mode and protocol["form"] == "pair" and total(protocol, "unparsed")["count"] == 0, f"{mode}: {protocol}")
        check(total(protocol, "even") == (sum(hard) if "both" in mode else 0), f"{mode}: even {total(protocol, 'even')}")
        for lang, counts in protocol["counts"].items():
            share = counts["first_slot"]
            check(share["low"] <= first_slot[mode] <= share["high"], f"{mode}, {lang}: the planted first-slot rate {first_slot[mode]} is not within {share}")
            agreement = counts["order_agreement"]
            check(agreement["total"] == (ITEMS // 2 if "both" in mode else 0), f"{mode}: {agreement}")
            check("both" not in mode or agreement["low"] <= 1 - chance <= agreement["high"], f"{mode}, {lang}: agreement {agreement}")
        check("first slot" in text, text)
    two = work / "two.h5"
    made("two ranks", judge("--data", rows, "--prompt", prompt, "--model", model, "--template", "none", "--max-new-tokens", 12, "--output", two), 2)
    check(digest(two) == digest(work / "both-consistent.h5"), "cells of one and two ranks differ")
    return prompt


def ratings(work, model):
    """Each answer by itself: the higher rating wins, equal ones are even; of answers without a rating as the parser's benchmark has it."""
    rows = work / "rated.jsonl"
    answers = [("1", "8"), ("2", "9"), ("1", "2"), ("8", "1")]
    with open(rows, "w") as file:
        for i, (right, wrong) in enumerate(answers):
            file.write(json.dumps(dict(id=f"r{i}", lang="en", prompt="a", chosen=right, rejected=wrong)) + "\n")
        file.write(json.dumps(dict(id="five", lang="en", prompt="b", chosen=["1", "2"], rejected=["8", "9", "8"])) + "\n")
    prompt = planted_judge.write_prompt(work / "rating.txt", "rating")
    cell = work / "ratings.h5"
    command = judge("--data", rows, "--prompt", prompt, "--model", model, "--template", "none", "--max-new-tokens", 12, "--output", cell)
    text = made("ratings", command).stdout
    scores, protocol = read_cell(cell)
    value = lambda answer: float(RATINGS[answer].strip("[]"))
    for i, shown in enumerate(answers):
        check(scores[("en", f"r{i}", 0)][:2] == tuple(map(value, shown)), f"ratings of {shown}: {scores[('en', f'r{i}', 0)]}")
    check(scores[("en", "five", 0)] == (9, 7, 3, 7, 3), f"ratings of five answers: {scores[('en', 'five', 0)]}")
    check(total(protocol, "even") == 1 and total(protocol, "replies") == 13 and total(protocol, "verdicts") == {"9": 4, "7": 5, "3": 4}, f"{protocol['counts']}")
    check(protocol["form"] == "rating" and "orders" not in protocol and total(protocol, "first_slot")["total"] == 0, f"{protocol}")
    check(" 5 " in text and "60.0%" in text, f"ratings: three of five are right\n{text}")
    refused = run([*command, "--orders", "AB"])
    check(refused.returncode == 2 and "--orders" in refused.stderr and "rating" in refused.stderr, f"orders of ratings: {refused.returncode}\n{refused.stderr}")
    replies = work / "rated_replies.jsonl"
    with open(replies, "w") as file:  # r1's wrong answer and r2's right one have no rating
        for name, order, said in (("r0", 1, "9"), ("r0", 2, "3"), ("r1", 1, "2"), ("r1", 2, "?"), ("r2", 1, ""), ("r2", 2, "5")):
            file.write(json.dumps(dict(id=name, lang="en", order=order, text=said)) + "\n")
    imported = judge("import", "--data", rows, "--prompt", prompt, "--judge", "j", "--verdicts", replies, "--output", work / "imported.h5", "--parser")
    for parser, expected in (("rewardbench_v1", ((9, 3), (-1, -1), (-1, -1))), ("rewardbench_v2", ((9, 3), (2, -1), (-1, 5)))):
        result = made(parser, [*imported, parser])
        found, protocol = read_cell(work / "imported.h5")
        check([found[("en", f"r{i}", 0)] for i in range(3)] == list(expected), f"{parser}: {found}")
        check(total(protocol, "missing") == 2 and total(protocol, "unparsed")["count"] == 2, f"{parser}: {protocol['counts']}")
        check("2 more items have no reply to each of their prompts" in result.stdout and "7 replies are missing" in result.stderr, f"{result.stdout}{result.stderr}")


def rankings(work, model):
    draw = random.Random(3)
    items = [(draw.choice(EASY + HARD), draw.choice(GOOD), [draw.choice(BAD) for _ in range(3)]) for _ in range(80)]
    rows = work / "four.jsonl"
    with open(rows, "w") as file:
        for i, (question, right, wrong) in enumerate(items):
            file.write(json.dumps(dict(id=f"f{i}", lang="en", prompt=question, chosen=[right], rejected=wrong)) + "\n")
        file.write(json.dumps(dict(id="tied:0", lang="en", prompt="a", chosen=["1", "2"], rejected=["8", "9"], num_correct=2)) + "\n")
    prompt, cell = planted_judge.write_prompt(work / "ranking.txt", "ranking"), work / "ranking.h5"
    command = judge("--data", rows, "--prompt", prompt, "--model", model, "--template", "none", "--max-new-tokens", 12, "--output", cell)
    text = made("rankings", command).stdout
    scores, protocol = read_cell(cell)
    requests = [json.loads(line)["id"].split("|") for line in open(work / "ranking.replies.jsonl")]
    shown = {name: order for _, order, _, name in requests}
    check(len(scores) == 80 and protocol["left_out"] == 1 and "1 rows do not have four answers" in text, f"{len(scores)} ranked\n{text}")
    check(set(shown.values()) == {"ABCD", "BACD", "CBAD", "DBCA"}, f"places {set(shown.values())}")
    wrong = []
    for i, (question, _, _) in enumerate(items):
        named = shown[f"f{i}"][0] if question in HARD else "A"  # A is the right answer's letter, wherever it is shown
        expected = tuple(float("ABCD"[k] == named) for k in range(4))
        wrong += [(i, question)] if scores[("en", f"f{i}", 0)] != expected else []
    check(not wrong, f"rankings: {len(wrong)} of 80 differ from what was planted: {wrong[:5]}")
    share = total(protocol, "first_slot")["count"] / 80
    bias = len(HARD) / len(EASY + HARD)
    found = protocol["counts"]["en"]["first_slot"]
    check(found["low"] <= bias + (1 - bias) / 4 <= found["high"], f"rankings: the planted first-slot rate is not within {found} ({share})")
    made("another seed", [*command[:-1], work / "seed.h5", "--seed", "7"])
    other = {name: order for _, order, _, name in (json.loads(line)["id"].split("|") for line in open(work / "seed.replies.jsonl"))}
    check(other != shown, "another seed shows the answers at the same places")
    told = made("RewardBench 2", [*command, "--benchmark", "rewardbench2"]).stdout
    check("benchmark rewardbench2, ties shared" in told, told)


def what_else_is_said(work, model, prompt):
    """Nonsense, nothing, and a text that does not end; cut inside a character; stop strings; prompts that are too long. Each is counted."""
    rows = write_items(work / "other.jsonl", [("z", "1", "8"), ("y", "1", "8"), ("x", "1", "8"), ("k", "1", "8"), ("a", "1", "8"), ("b" * 300, "1", "8"), ("c" * 245, "1", "8")])
    command = judge("--data", rows, "--prompt", prompt, "--orders", "AB", "--model", model, "--template", "none")
    cell = work / "other.h5"
    text = made("what else is said", [*command, "--max-new-tokens", "12", "--output", cell]).stdout
    scores, protocol = read_cell(cell)
    replies = {json.loads(line)["id"].rsplit("|", 1)[1]: json.loads(line) for line in open(work / "other.replies.jsonl")}
    check([replies[f"i{i}"]["text"] for i in range(4)] == ["dunno", "", "x" * 12, "네[[A]]"], f"what is said: {[replies[f'i{i}']['text'] for i in range(4)]}")
    check([scores[("ko" if i % 2 else "en", f"i{i}", 0)][0] for i in range(5)] == [0.5, 0.5, 0.5, 1.0, 1.0], f"what else is said: {scores}")
    check(len(scores) == 6 and total(protocol, "missing") == 1 and "1 more items have a prompt that leaves no token for a reply" in text and "too long: 1" in text, f"{protocol}\n{text}")
    check("shortened: 1" in text and len(replies["i6"]["tokens"]) <= 8, f"a prompt that leaves few tokens: {replies['i6']}\n{text}")
    check(total(protocol, "unparsed")["count"] >= 3 and total(protocol, "truncated")["count"] >= 1, f"{protocol['counts']}")
    made("cut inside a character", [*command, "--max-new-tokens", "2", "--output", work / "cut.h5"])
    scores, protocol = read_cell(work / "cut.h5")
    cut = [json.loads(line) for line in open(work / "cut.replies.jsonl", encoding="utf8") if "|i3" in line]
    check(cut[0]["finish_reason"] == "length" and "네" not in cut[0]["text"] and total(protocol, "truncated")["count"] >= 3, f"cut inside a character: {cut} {protocol['counts']}")
    refused = run([*command, "--stop", "\\xeb", "--output", work / "refused.h5"])
    check(refused.returncode == 2 and "--stop" in refused.stderr and "UTF-8" in refused.stderr, f"a part of a character to stop at: {refused.returncode}\n{refused.stderr}")
    made("a character to stop at", [*command, "--max-new-tokens", "12", "--stop", "\\xeb\\x84\\xa4", "--output", work / "stop.h5"])
    stopped = [json.loads(line) for line in open(work / "stop.replies.jsonl") if "|i3" in line]
    scores, protocol = read_cell(work / "stop.h5")
    check(stopped[0]["text"] == "" and stopped[0]["finish_reason"] == "stop_string" and scores[("ko", "i3", 0)] == (0.5, 0.5), f"a character to stop at: {stopped} {scores}")
    check(protocol["generation"]["stop"] == ["네"], f"the stop string is not in the protocol: {protocol['generation']}")
    long = write_items(work / "long.jsonl", [("b" * 300, "1", "8")])
    refused = run(judge("--data", long, "--prompt", prompt, "--model", model, "--template", "none", "--output", work / "refused.h5"))
    check(refused.returncode == 1 and "every prompt is too long" in refused.stderr, f"nothing fits: {refused.returncode}\n{refused.stderr}")
    foreign = work / "foreign.jsonl"
    with open(foreign, "w") as file:
        file.write(json.dumps(dict(id="stranger", lang="en", order="AB", text="[[A]]")) + "\n")
    refused = run(judge("import", "--data", rows, "--prompt", prompt, "--orders", "AB", "--judge", "j", "--verdicts", foreign, "--output", work / "refused.h5"))
    check(refused.returncode == 1 and "en|AB|0|stranger" in refused.stderr and "nothing to write" in refused.stderr, f"foreign verdicts alone: {refused.returncode}\n{refused.stderr}")
    check(not [name for name in os.listdir(work.path) if name.startswith("refused")], "files of refused runs")


def main():
    with Work() as work:
        model = planted_judge.train(work, os.path.join(BIN, "xlrm_train"), FIXTURE, ENVIRONMENT, ("pair", "rating", "ranking"))
        prompt = pairs_in_every_order(work, model)
        ratings(work, model)
        rankings(work, model)
        what_else_is_said(work, model, prompt)
    finish()


main()
