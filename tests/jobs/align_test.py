#!/usr/bin/env python3
"""align_test.py BIN FIXTURE: xlrm_align best-of-n as a whole: equal to enumeration over all choices of n, on planted samples with equal scores and on the
published ones where they are there ($XLRM_SHARED, else ../shared); samples that xlrm_generate made and xlrm_evaluate scored; several files; what it refuses."""
import csv
import gzip
import itertools
import json
import os
import random
import sys

import h5py

from causal_model import causal_model
from harness import Work, check, digest, files_below, finish, mpirun, run

BIN, FIXTURE = sys.argv[1], sys.argv[2]
SHARED = os.environ.get("XLRM_SHARED", os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "..", "shared"))
PUBLISHED = os.path.join(SHARED, "data", "prefs", "bon_samples_en.jsonl.gz")


def align(*words):
    return [os.path.join(BIN, "xlrm_align"), *map(str, words)]


def done(what, words):
    result = run(words)
    check(result.returncode == 0, f"{what}: exit code {result.returncode}\n{result.stderr}")
    return result.stdout


def enumerated(proxy, gold, n):
    """Mean over all subsets of n of the gold score of the best by proxy; equal ones share."""
    total, count = 0.0, 0
    for subset in itertools.combinations(range(len(proxy)), n):
        most = max(proxy[i] for i in subset)
        best = [gold[i] for i in subset if proxy[i] == most]
        total, count = total + sum(best) / len(best), count + 1
    return total / count


def table(folder, name="best_of_n"):
    with open(os.path.join(folder, name + ".csv")) as file:
        return list(csv.DictReader(file))


def compare(what, rows, lang, name, prompts, most):
    """`prompts`: (proxy, gold) of each."""
    mine = {int(row["n"]): row for row in rows if row["lang"] == lang and row["proxy"] == name}
    check(sorted(mine) == list(range(1, most + 1)), f"{what}: n {sorted(mine)}")
    for n, row in mine.items():
        expected = sum(enumerated(proxy, gold, n) for proxy, gold in prompts) / len(prompts)
        check(abs(float(row["gold"]) - expected) < 1e-9, f"{what}: {name}, n = {n}: {row['gold']} instead of {expected}")
        ceiling = sum(enumerated(gold, gold, n) for _, gold in prompts) / len(prompts)
        check(abs(float(row["ceiling"]) - ceiling) < 1e-9, f"{what}: ceiling, n = {n}")
        check(float(row["gold_low"]) <= float(row["gold"]) <= float(row["gold_high"]) and int(row["prompts"]) == len(prompts), f"{what}: interval {row}")


def planted(work):
    """samples.jsonl with few different scores, proxies and gold in two files."""
    draw = random.Random(5)
    prompts = {(f"q{i}", lang): [(draw.randrange(3), draw.random(), round(draw.random(), 3)) for _ in range(6)] for i in range(8) for lang in ("en", "ko")}
    with open(work / "rm.jsonl", "w") as proxies, open(work / "gold.jsonl", "w") as gold:
        for (name, lang), samples in prompts.items():
            for index, (tied, plain, judged) in enumerate(samples):
                line = {"id": name, "occurrence": 0, "lang": lang, "prompt": "p", "sample": index, "text": f"{name} {index}", "logprob": -plain}
                proxies.write(json.dumps(dict(line, scores={"rm": tied, "other": plain})) + "\n")
                gold.write(json.dumps(dict(line, gold=judged)) + "\n")
    files = f"{work / 'rm.jsonl'},{work / 'gold.jsonl'}"
    text = done("planted", align("best-of-n", "--samples", files, "--proxy", "rm,other,logprob", "--output", work / "one"))
    check("en: 8 prompts, 48 samples" in text and "best_of_n.csv" in text, f"planted: {text}")
    rows = table(work / "one")
    for place, name, sign in ((0, "rm", 1), (1, "other", 1), (1, "logprob", -1)):
        for lang in ("en", "ko", "all"):
            chosen = [([sign * s[place] for s in samples], [s[2] for s in samples]) for (_, of), samples in prompts.items() if lang in (of, "all")]
            compare("planted", rows, lang, name, chosen, 6)
    differences = {(row["lang"], row["second"], row["n"]): float(row["difference"]) for row in table(work / "one", "best_of_n_differences")}
    gold = {(row["lang"], row["proxy"], row["n"]): float(row["gold"]) for row in rows}
    for (lang, second, n), difference in differences.items():
        check(abs(difference - gold[lang, "rm", n] + gold[lang, second, n]) < 1e-9, f"difference {lang} {second} {n}")
    check(len(differences) == 36, f"{len(differences)} differences")
    done("two ranks", mpirun(2, align("best-of-n", "--samples", files, "--proxy", "rm,other,logprob", "--output", work / "two")))
    for name in ("best_of_n.csv", "best_of_n.md", "best_of_n.tex", "best_of_n_differences.csv", "best_of_n.json"):
        check(digest(os.path.join(work / "one", name)) == digest(os.path.join(work / "two", name)), f"{name} differs on two ranks")
    before = files_below(work.path)
    check("n: 1 to 6" in done("dry run", align("best-of-n", "--samples", files, "--proxy", "rm", "--output", work / "none", "--dry-run")), "dry run")
    check(files_below(work.path) == before, "--dry-run wrote something")
    with open(work / "gold.jsonl", "a") as file:
        file.write(json.dumps({"id": "single", "lang": "en", "sample": 0, "gold": 1, "scores": {"rm": 1}}) + "\n")
    text = done("one sample", align("best-of-n", "--samples", files, "--proxy", "rm", "--output", work / "few"))
    check("1 to 6 samples: n ends at 1" in text and len(table(work / "few")) == 3, f"one sample: {text}")
    text = done("least", align("best-of-n", "--samples", files, "--proxy", "rm", "--least-samples", 2, "--output", work / "few"))
    check("left out: 1 prompts" in text and len(table(work / "few")) == 18, f"least: {text}")


def worked(work):
    """The values of a published worked example: gold .1 .5 .2 .9 .4 by ascending proxy."""
    with open(work / "worked.jsonl", "w") as file:
        file.write(json.dumps({"id": "a", "lang": "en", "completions": list("abcde"), "rm": [3, 5, 1, 4, 2], "gold": [0.2, 0.4, 0.1, 0.9, 0.5]}) + "\n")
    done("worked", align("best-of-n", "--samples", work / "worked.jsonl", "--proxy", "rm", "--output", work / "worked"))
    rows = {int(row["n"]): row for row in table(work / "worked")}
    for n, gold in ((1, 0.42), (2, 0.52), (3, 0.53), (5, 0.40)):
        check(abs(float(rows[n]["gold"]) - gold) < 1e-9, f"worked example, n = {n}: {rows[n]}")
    check(abs(float(rows[4]["kl_bound"]) - 0.6362943611) < 1e-9, f"bound {rows[4]}")
    check(rows[2]["gold_low"] == "" and "one_cluster" in rows[2]["undefined"], f"an interval of one prompt: {rows[2]}")


def published(work):
    if not os.path.exists(PUBLISHED):
        print(f"the published samples are not there ({PUBLISHED}): left out")
        return
    with gzip.open(PUBLISHED, "rt", encoding="utf8") as file:
        rows = [json.loads(line) for line in file]
    chosen = [([len(text) for text in row["completions"]], row["preference"]) for row in rows]
    text = done("published", align("best-of-n", "--samples", PUBLISHED, "--proxy", "characters", "--gold", "preference", "--output", work / "published"))
    check("en: 60 prompts, 660 samples" in text, text)
    compare("published", table(work / "published"), "en", "characters", chosen, 11)


def scored(work):
    """Samples get the scores that the same answers have as rows of a cell, on one rank and on two; then the curve of them."""
    reward, rows = os.path.join(FIXTURE, "model"), work / "prompts.jsonl"
    with open(rows, "w") as file:
        for i, lang in enumerate(("en", "es", "ko", "en")):  # the first and the last have one id: two prompts
            file.write(json.dumps({"id": f"q{i % 3}", "lang": lang, "prompt": f"¿qué {'x' * (50 * i)}?"}) + "\n")
    samples = work / "samples.jsonl"
    done("generate", [os.path.join(BIN, "xlrm_generate"), "--model", causal_model(reward, work / "policy"), "--prompts", rows, "--samples", "3", "--max-new-tokens", "12",
                      "--template", "none", "--output", samples])
    made = [json.loads(line) for line in open(samples)]
    with open(work / "pairs.jsonl", "w") as file:
        for a, b in ((a, b) for a in made for b in made if a["sample"] == 0 and b["sample"] > 0 and all(a[k] == b[k] for k in ("id", "lang", "occurrence"))):
            answer = lambda sample: [{"role": "assistant", "content": sample["text"]}]
            file.write(json.dumps({"id": f"{a['id']} {a['occurrence']} {b['sample']}", "lang": a["lang"], "prompt": a["prompt"], "chosen": answer(a), "rejected": answer(b)}) + "\n")
    evaluate = [os.path.join(BIN, "xlrm_evaluate"), "--model", reward, "--template", "none"]
    done("pairs", [*evaluate, "--data", work / "pairs.jsonl", "--layers", "none", "--output", work / "pairs.h5"])
    with h5py.File(work / "pairs.h5") as cell:
        expected = {}
        for key, lang, chosen, rejected in zip(*(cell["scores/" + name][:] for name in ("id", "lang", "chosen", "rejected"))):
            name, occurrence, sample = key.decode().split()
            expected[name, lang.decode(), int(occurrence), 0] = float(chosen)
            expected[name, lang.decode(), int(occurrence), int(sample)] = float(rejected)
    text = done("score", [*evaluate, "--data", samples, "--score-name", "rm", "--output", work / "scored.jsonl"])
    check("12 rows with the score 'rm'" in text, text)
    labelled = [json.loads(line) for line in open(work / "scored.jsonl")]
    check([dict(row, scores=None) for row in labelled] == [dict(row, scores=None) for row in made], "labelling changed more than the scores")
    for row in labelled:
        key = (row["id"], row["lang"], row["occurrence"], row["sample"])
        check(row["scores"] == {"rm": expected[key]}, f"{key}: {row['scores']} instead of {expected[key]}")
    done("two ranks", mpirun(2, [*evaluate, "--data", samples, "--score-name", "rm", "--output", work / "again.jsonl"]))
    check(digest(work / "scored.jsonl") == digest(work / "again.jsonl"), "other scores on two ranks")
    done("second", [*evaluate, "--data", work / "scored.jsonl", "--score-name", "gold", "--dtype", "bf16", "--output", work / "both.jsonl"])
    done("curve", align("best-of-n", "--samples", work / "both.jsonl", "--proxy", "rm", "--output", work / "curve"))
    prompts = {}
    for line in open(work / "both.jsonl"):
        row = json.loads(line)
        proxy, gold = prompts.setdefault((row["id"], row["lang"], row["occurrence"]), ([], []))
        proxy.append(row["scores"]["rm"])
        gold.append(row["scores"]["gold"])
    compare("scored", table(work / "curve"), "all", "rm", list(prompts.values()), 3)
    short = run([*evaluate, "--data", samples, "--max-length", "80", "--output", work / "short.jsonl"])
    missing = sum(json.loads(line)["scores"]["model"] is None for line in open(work / "short.jsonl"))
    check(0 < missing < 12 and f"{missing} rows of more than 80 tokens have null" in short.stdout, f"too long: {missing}\n{short.stdout}")
    for words, part in (([samples, "--output", work / "x.h5"], "--output"), ([f"{samples},{samples}"], "--data"), ([samples, "--langs", "en"], "--langs"),
                        ([samples, "--benchmark", "plain"], "--benchmark")):
        result = run([*evaluate, "--data", *words])
        check(result.returncode == 2 and part in result.stderr, f"{words}: {result.returncode}\n{result.stderr}")
    result = run([*evaluate, "--data", work / "scored.jsonl", "--score-name", "rm", "--output", work / "x.jsonl"])
    check(result.returncode == 1 and "has a score 'rm' already" in result.stderr and not os.path.exists(work / "x.jsonl"), f"twice: {result.stderr}")
    result = run([*evaluate, "--data", work / "pairs.jsonl", "--score-name", "rm", "--output", work / "x.h5"])
    check(result.returncode == 2 and "--score-name" in result.stderr, f"a cell: {result.stderr}")


def refusals(work):
    def refuse(code, words, *parts):
        result = run(align(*words))
        check(result.returncode == code, f"{words}: exit code {result.returncode} instead of {code}\n{result.stderr}")
        for part in parts:
            check(part in result.stderr, f"{words}: no '{part}' in\n{result.stderr}")

    samples = work / "worked.jsonl"
    refuse(2, [], "best-of-n")
    refuse(2, ["best-of-m"], "best-of-n")
    refuse(2, ["best-of-n", "--proxy", "rm"], "--samples")
    refuse(2, ["best-of-n", "--samples", samples], "--proxy")
    refuse(2, ["best-of-n", "--samples", samples, "--proxy", "rm,rm"], "--proxy", "twice")
    refuse(2, ["best-of-n", "--samples", samples, "--proxy", "gold"], "--gold", "both")
    refuse(2, ["best-of-n", "--samples", samples, "--proxy", "rm", "--level", 95], "--level")
    refuse(2, ["best-of-n", "--samples", samples, "--proxy", "rm", "--least-samples", 0], "--least-samples")
    refuse(1, ["best-of-n", "--samples", samples, "--proxy", "rm", "--least-samples", 6], "no prompt has 6 samples")
    refuse(1, ["best-of-n", "--samples", samples, "--proxy", "judge"], "5 of 5 samples have no score 'judge'")
    refuse(74, ["best-of-n", "--samples", work / "none.jsonl", "--proxy", "rm"], "none.jsonl")


def main():
    with Work() as work:
        planted(work)
        worked(work)
        published(work)
        scored(work)
        refusals(work)
    finish()


main()
