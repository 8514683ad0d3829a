#!/usr/bin/env python3
"""Pairs every SIB-200 sentence with each of its six wrong topics instead of one.

usage: sib200_wrong_topics.py ROWS.jsonl[.gz]... >all_wrong.jsonl

A row {id, lang, prompt, chosen, ...} becomes six rows id-n1 ... id-n6, one for each other topic that the language's rows
name. The numbered rows stay siblings of the original: a split by id puts them on the same side, so that training on the
output and evaluating on the input never share a sentence.
"""
import gzip
import json
import sys


def read_rows(path):
    with (gzip.open if path.endswith(".gz") else open)(path, "rt", encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def main(paths):
    if not paths or any(path.startswith("-") for path in paths):
        sys.exit(__doc__)
    rows = [row for path in paths for row in read_rows(path)]
    topics = {}
    for row in rows:
        topics.setdefault(row["lang"], set()).add(row["chosen"])
    for row in rows:
        wrong = sorted(topics[row["lang"]] - {row["chosen"]})
        for number, topic in enumerate(wrong, start=1):
            print(json.dumps({**row, "id": f"{row['id']}-n{number}", "rejected": topic}, ensure_ascii=False))


if __name__ == "__main__":
    main(sys.argv[1:])
