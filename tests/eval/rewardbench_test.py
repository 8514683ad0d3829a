"""Result files that xlrm_evaluate exports, read by RewardBench's own functions: every subset, section and total within 1e-12 of what
xlrm says.

    rewardbench_test.py XLRM_EVALUATE MODEL WHEEL      WHEEL: the unpacked package; exit code 77: skipped
"""
import json
import random
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "support"))
try:
    import numpy
    import pandas
    from datasets import Dataset

    from rewardbench_package import PRIOR, load_package
    package = load_package(sys.argv[3])
except (ImportError, FileNotFoundError, IndexError) as error:
    print(f"skipped: RewardBench's functions cannot be loaded ({error})")
    sys.exit(77)

PROGRAM, MODEL = sys.argv[1:3]
NAME = "somebody/model"
COUNTS, SECTIONS = package.constants.EXAMPLE_COUNTS, package.constants.SUBSET_MAPPING
draw = random.Random(9)


def text():
    return " ".join(draw.choice(["yes", "no", "blue", "sky", "42", "azul", "눈", "red"]) for _ in range(draw.randint(1, 5)))


def close(name, mine, theirs):
    assert abs(mine - theirs) <= 1e-12, f"{name}: {mine}, RewardBench has {theirs}"


def evaluate(work, rows, *options):
    (work / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    subprocess.run([PROGRAM, "--model", MODEL, "--data", work / "rows.jsonl", "--layers", "none", "--output", work / "cell.h5", "--export", "rewardbench",
                    "--export-name", NAME, *options], check=True, capture_output=True)
    [mine] = work.rglob("scores.json")
    [scores] = json.loads(mine.read_text())["languages"].values()
    return mine.parent, scores


def first_version(prior):
    rows = [dict(id=len(COUNTS) + n, subset=subset, prompt=text(), chosen=text(), rejected=text())
            for n, subset in enumerate(s for section in SECTIONS.values() for s in section for _ in range(draw.randint(3, 9)))]
    rows += [dict(id=10000 + n, subset=s, prompt=text(), chosen=text(), rejected=text()) for s in PRIOR * prior for n in range(7)]
    with tempfile.TemporaryDirectory() as folder:
        at, mine = evaluate(Path(folder), rows)
        frame = package.files.load_results(at, "eval-set/")
        table = package.files.load_scores(at, "eval-set-scores/")
        preferences = package.files.load_results(at, "pref-sets/") if prior else pandas.DataFrame([dict.fromkeys(PRIOR, 0.0) | {"model": "other"}])
        assert len(table) == len(rows) - 28 * prior, f"{len(table)} rows in eval-set-scores"
        metrics = {}
        for subset, group in table.groupby("subset"):
            metrics[subset] = float((group["scores_chosen"] > group["scores_rejected"]).mean())
            assert (group["results"] == (group["scores_chosen"] > group["scores_rejected"])).all(), subset
            close(subset, mine["subsets"][subset]["value"], metrics[subset])
            close(subset, float(frame[subset].iloc[0]), metrics[subset])
        theirs = package.utils.calculate_scores_per_section(COUNTS, SECTIONS, metrics)
        ours = mine["sections"]
        for name, value in theirs.items():
            close(name, ours[name], value)
        total = package.results.get_average_over_rewardbench(frame, preferences)["average"].iloc[0]
        close("total", mine["total"], float(total))
        print(f"version 1, {'with' if prior else 'without'} prior sets: {len(metrics)} subsets, {len(theirs)} sections, total {total:.6f}")


def second_version():
    rows = [dict(id=f"{n}", subset=subset, prompt=text(), chosen=[text()], rejected=[text() for _ in range(3)], num_correct=1, num_incorrect=3)
            for subset in ("Factuality", "Precise IF", "Math", "Safety", "Focus") for n in range(draw.randint(10, 30))]
    for n in range(20):
        for kind in ("ref", "tied"):
            right, wrong = 1 if kind == "ref" else draw.randint(2, 5), draw.randint(1, 6)
            rows.append(dict(id=f"{kind}:{n}", subset="Ties", prompt=text(), chosen=[text() for _ in range(right)], rejected=[text() for _ in range(wrong)],
                             num_correct=right, num_incorrect=wrong))
    with tempfile.TemporaryDirectory() as folder:
        at, mine = evaluate(Path(folder), rows)
        [path] = (at / "eval-set-scores").rglob("*.json")
        stored = pandas.read_json(path, orient="records")
        assert len(stored) == len(rows)
        [results] = (at / "eval-set").rglob("*.json")
        results = json.loads(results.read_text())
        flat = Dataset.from_dict({key: [value for row in stored.to_dict("records") for value in expand(row, key)] for key in ("text", "scores", "id", "subset")})
        rolled = package.utils.reroll_and_score_dataset(flat, [len(row) for row in stored["scores"]])
        assert list(rolled["results"]) == list(stored["results"]), "results of the items"
        rolled = rolled.add_column("num_correct", list(stored["num_correct"]))
        values = {}
        for subset in sorted(set(rolled["subset"])):
            group = rolled.filter(lambda row, wanted=subset: row["subset"] == wanted)
            values[subset] = float(package.utils.process_single_model(group)[1]) if subset == "Ties" else float(numpy.mean(group["results"]))
            close(subset, mine["subsets"][subset]["value"], values[subset])
            close(subset, results[subset], values[subset])
        close("total", mine["total"], sum(values.values()) / len(values))
        print(f"version 2: {values}, total {mine['total']:.6f}")


def expand(row, key):
    return [score[0] if isinstance(score, list) else score for score in row["scores"]] if key == "scores" else row["text"] if key == "text" else \
        [str(row[key])] * len(row["scores"])


first_version(prior=0)
first_version(prior=1)
second_version()
