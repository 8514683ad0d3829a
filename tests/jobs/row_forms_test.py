#!/usr/bin/env python3
"""row_forms_test.py BIN MODEL: rows as they were published through training, evaluation and a sweep: forms, other columns, regions and scripts."""
import json
import os
import sys

from harness import Work, check, files_below, finish, mpirun, run

BIN, MODEL = sys.argv[1], sys.argv[2]
PKU = dict(prompt="{}?", response_0="{} no", response_1="{} yes", better_response_id=1, safer_response_id=0)


def command(name, *arguments):
    return [os.path.join(BIN, name), *map(str, arguments)]


def write(path, rows):
    with open(path, "w") as file:
        file.writelines(json.dumps(row) + "\n" for row in rows)
    return path


def expect(result, code, *parts):
    text = result.stdout + result.stderr
    check(result.returncode == code, f"exit code {result.returncode} instead of {code}\n{text}")
    for part in parts:
        check(part in text, f"no '{part}' in\n{text}")
    return text


def fill(row, text):
    return {name: value.format(text) if isinstance(value, str) else value for name, value in row.items()}


def training(work):
    """What is trained on is the pair that the options name, and the result says so."""
    data = write(work / "pku.jsonl", [fill(PKU, f"q{i}") for i in range(8)])
    dry = expect(run(command("xlrm_train", "--model", MODEL, "--data", data, "--steps", 1, "--output", work / "none", "--prefer", "safer", "--dry-run")), 0,
                 "form: pku-safe-rlhf (8 rows); read as preference rows", "columns not used: better_response_id (8 rows)")
    check("columns not used: safer" not in dry, dry)
    losses = set()
    for prefer in ("better", "safer"):
        out = work / prefer
        expect(run(command("xlrm_train", "--model", MODEL, "--data", data, "--steps", 1, "--batch-pairs", 8, "--output", out, "--prefer", prefer)), 0)
        provenance = open(os.path.join(out, "xlrm.json")).read()
        check(("safer" in provenance) == (prefer == "safer"), f"provenance of {prefer}: {provenance}")
        losses.add(json.loads(open(os.path.join(out, "metrics.jsonl")).readline())["loss"])
    check(len(losses) == 2, f"the better and the safer answers gave the same loss {losses}")
    expect(run(command("xlrm_train", "--objective", "ranking", "--model", MODEL, "--data", write(work / "texts.jsonl", [dict(text="t")]), "--steps", 1,
                       "--output", work / "none")), 1, "texts.jsonl:1: field 'responses' is missing", "it has the columns text")


def sweep(work):
    rows = [dict(id=f"r{i}", language=lang, question=f"q{i} {lang}?", best=f"yes {i}", worst=f"no {i}", topic="t")
            for i in range(4) for lang in ("pt-BR", "pt-PT", "hin_Latn", "hin_Deva", "kor_Hang", "ko")]
    data = work / "rows.json"
    with open(data, "w") as file:
        json.dump(rows, file, indent=1)
    config = work / "sweep.cfg"
    with open(config, "w") as file:
        file.write(f"[data]\ntrain = {data}\neval.dev = {data}\ncolumns = prompt=question,chosen=best,rejected=worst\n"
                   f"[sweep]\nbases = tiny={MODEL}\nsources = pt-BR\ntargets = pt-BR,pt-PT,hin_Latn\n[train]\nsteps = 1\n")
    expect(run(command("xlrm_sweep", "--config", config, "--output", work / "none", "--dry-run")), 0, "hi 4 hi-latn 4 ko 8 pt-br 4 pt-pt 4",
           "form: preference (24 rows)", "columns not used: topic (24 rows)", "ko (4 rows) and kor_Hang (4 rows) are both read as 'ko'")
    out = work / "sweep"
    expect(run(mpirun(2, command("xlrm_sweep", "--config", config, "--output", out))), 0, "pt-br", "hi-latn")
    cells = [file for file in files_below(os.path.join(out, "cells")) if file.endswith(".h5")]
    expected = sorted(f"{model}/dev.{lang}.h5" for model in ("tiny", "tiny.pt-br.s1") for lang in ("pt-br", "pt-pt", "hi-latn"))
    check(sorted(cells) == expected, f"cells {cells}")
    floor = json.load(open(os.path.join(out, "floors", files_below(os.path.join(out, "floors"))[0])))
    for lang in ("pt-br", "pt-pt", "hi-latn"):
        check(len(floor["targets"][lang]["id"]) == 4, f"floor of {lang}: {floor['targets'][lang]}")


with Work() as work:
    training(work)
    sweep(work)
finish()
