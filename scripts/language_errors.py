#!/usr/bin/env python3
"""Errors of the language detector by language and length, on parallel and other texts of known language, as a Markdown table:

    scripts/language_errors.py DATA build/bin/language_cli >table.md

DATA is the folder with parallel/ and prefs/ and mgsm/ (README of the data sets: SOURCES.md there). Of each file and language at most
300 texts count, chosen by a fixed seed. "wrong" = another language was named, "unsure" = none was."""
import collections
import gzip
import json
import pathlib
import random
import subprocess
import sys

# Files whose texts are in the language that they say; of those under TECHNICAL many lines hold code, names and English words.
PROSE = ["parallel/sib200_flores.jsonl.gz", "parallel/tatoeba.jsonl.gz", "parallel/pawsx_dev_sentences.jsonl.gz", "parallel/xquad_contexts.jsonl",
         "parallel/wiki_mlqa_contexts.jsonl.gz", "parallel/wiki_ko_tydi.jsonl.gz", "prefs/xnli_dev.jsonl.gz", "prefs/xcopa_val.jsonl",
         "prefs/kobest_copa_dev.jsonl", "prefs/kobest_hellaswag_dev.jsonl", "prefs/x_alpacaeval_train.jsonl.gz", "prefs/copa_en_train.jsonl"]
TECHNICAL = ["parallel/fcc_segments.jsonl.gz", "parallel/python_docs.jsonl.gz", "parallel/tldr.jsonl.gz"]
LENGTHS = [(1, 10), (11, 20), (21, 40), (41, 80), (81, 160), (161, 10**9)]
MOST = 300


def rows(path):
    opener = gzip.open if path.suffix == ".gz" else open
    with opener(path, "rt", encoding="utf8") as file:
        return [json.loads(line) for line in file]


def texts_of(path):
    """(language, text) of a file; parallel files have a text a language, the others an answer a row."""
    table = rows(path)
    random.Random(path.name).shuffle(table)
    for row in table:
        if "chosen" in row:
            if isinstance(row["chosen"], str):
                yield row["lang"], row["chosen"]
        else:
            yield from ((lang, text) for lang, text in row.items() if lang != "key" and isinstance(text, str))


def collect(root, names):
    found = []
    for name in names:
        count = collections.Counter()
        for lang, text in texts_of(root / name):
            if text.strip() and count[lang] < MOST:
                count[lang] += 1
                found.append((lang, text))
    return found


def mgsm(root):
    return [(path.stem.split("_")[1], line.split("\t")[0]) for path in sorted((root / "mgsm").glob("*.tsv"))
            for line in path.read_text(encoding="utf8").splitlines()]


def table(title, texts, program):
    result = subprocess.run([program], input="".join(json.dumps(text) + "\n" for _, text in texts), capture_output=True, text=True, check=True)
    lines = result.stdout.splitlines()
    cells = collections.defaultdict(collections.Counter)
    taken = collections.Counter()
    for (lang, _), line in zip(texts, lines):
        code, size = json.loads(line)
        length = next(i for i, (low, high) in enumerate(LENGTHS) if low <= size <= high)
        code = code.split("-")[0]  # the files do not say whether Chinese is simplified
        kind = "right" if code == lang else "unsure" if code == "unsure" else "wrong"
        for key in ((lang, length), ("all", length), (lang, None), ("all", None)):
            cells[key][kind] += 1
        if kind == "wrong":
            taken[f"{lang} for {code}"] += 1
    print(f"\n{title}: {len(texts)} texts, {float(lines[-1]):.0f} µs a text.\n")
    names = [f"{low}–{high}" if high < 10**9 else f"{low}–" for low, high in LENGTHS]
    print("| language | " + " | ".join(names) + " | all |\n" + "|---" * (len(names) + 2) + "|")
    for lang in sorted({lang for lang, _ in cells} - {"all"}) + ["all"]:
        line = []
        for length in [*range(len(LENGTHS)), None]:
            cell = cells[(lang, length)]
            n = sum(cell.values())
            line.append(f"{100 * cell['wrong'] / n:.1f} / {100 * cell['unsure'] / n:.1f} ({n})" if n >= 20 else "–")
        print(f"| {lang} | " + " | ".join(line) + " |")
    print("\nMost frequent: " + ", ".join(f"{name} ({n})" for name, n in taken.most_common(8)) + ".")


def main():
    root, program = pathlib.Path(sys.argv[1]), sys.argv[2]
    print("Percent wrong / percent unsure (texts), by length in characters; – = fewer than 20 texts.")
    table("Prose", collect(root, PROSE) + mgsm(root), program)
    table("Technical texts", collect(root, TECHNICAL), program)


main()
