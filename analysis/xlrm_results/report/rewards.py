"""Section 7: are the rewards usable?"""

import numpy as np

from ..figures import distributions
from . import html
from .words import counted, decimal, percent
from .words import points as in_points


def calibration_answer(context, base, benchmark):
    rows = context.analysis.rows("calibration", base=base, benchmark=benchmark)
    if not rows:
        return "no answer, since " + context.why_absent("calibration", base) + "."
    known = [r for r in rows if r["temperature"] is not None]
    errors = [r["ece"] for r in rows if r["ece"] is not None]
    sure = sum(r["temperature"] > 1 for r in known)
    text = f"margins are too confident in {sure} of {counted(len(rows), 'cell')} (best temperature above 1)"
    if len(known) < len(rows):
        text += f"; {len(rows) - len(known)} have no best temperature"
    return text + (
        f"; the expected calibration error is {decimal(min(errors))} to {decimal(max(errors))}." if errors else "."
    )


def calibration_table(context, base, benchmark):
    rows = context.analysis.rows("calibration", base=base, benchmark=benchmark)
    if not rows:
        return context.part_missing("Calibration", "calibration", base)
    return html.details(
        "Calibration of every cell",
        html.table(
            "sigmoid(margin) as the probability that the chosen answer is better",
            ["source", "seed", "target", "items", "NLL", "Brier", "ECE", "temperature"],
            [
                [
                    r["source"],
                    r["seed"],
                    r["target"],
                    r["items"],
                    *(decimal(r[c]) for c in ("nll", "brier", "ece")),
                    decimal(r["temperature"], 2),
                ]
                for r in rows
            ],
            (1, 3, 4, 5, 6, 7),
        ),
    )


def baseline_table(context, base, benchmark):
    rows = context.analysis.rows("baselines", base=base, benchmark=benchmark)
    if not rows:
        return context.part_missing("Length and n-gram baselines", "baselines", base)
    return html.details(
        "Against length and character n-grams",
        html.table(
            "Accuracy in %, and points above what character n-grams reach",
            ["source", "target", "model", "n-grams", "above", "longer wins", "Spearman with length"],
            [
                [
                    r["source"],
                    r["target"],
                    percent(r["accuracy"]),
                    percent(r["floor"]),
                    in_points(r["gain"]),
                    percent(r["longer_wins"]),
                    decimal(r["length_spearman"], 2),
                ]
                for r in rows
            ],
            range(2, 7),
        ),
    )


def scales_of(scores):
    """(reward low, high, largest |margin|) over all models, so that their figures compare: outer 0.5 % are cut."""
    rewards = np.concatenate([np.concatenate([s["chosen"], s["rejected"]]) for one in scores.values() for s in one.values()])
    margins = np.concatenate([np.abs(s["margin"]) for one in scores.values() for s in one.values()])
    return tuple(float(np.quantile(values, q)) for values, q in ((rewards, 0.005), (rewards, 0.995), (margins, 0.995)))


def are_rewards_usable(context):
    answers, inside = [], ""
    for base, benchmark in context.groups():
        answers += context.tell(base, benchmark, calibration_answer(context, base, benchmark))
        scores = {}
        for model in context.shown_models(base, benchmark):
            for cell in context.results.cells:
                if (cell.model, cell.benchmark) == (model, benchmark) and cell.items:
                    s = cell.scores()
                    scores.setdefault(model, {})[cell.language] = {
                        "chosen": s.chosen,
                        "rejected": s.rejected,
                        "margin": s.margin,
                    }
        scales = scales_of(scores) if scores else None
        for model, by_language in scores.items():
            inside += context.draw(
                f"rewards.{model}.{benchmark}",
                distributions.rewards_and_margins(
                    by_language,
                    f"Figure 11. Rewards and margins of {model}: benchmark {benchmark}",
                    scales,
                    ["Reliability: 10 bins of equal width; the table's expected calibration error has bins of its own."],
                ),
            )
        inside += calibration_table(context, base, benchmark) + baseline_table(context, base, benchmark)
    return "usable", "Are the rewards usable?", answers or [context.NO_CELL], inside
