"""Sections 7, 8, 9 and 10: are the rewards usable, do the models agree, does geometry explain transfer, and the limits."""

import numpy as np

from ..figures import distributions, points, similarity
from . import html
from .words import counted, decimal, listed, p_value, percent, points as in_points, why_undefined


def calibration_answer(context, base, benchmark):
    rows = context.analysis.rows("calibration", base=base, benchmark=benchmark)
    if not rows:
        return "no answer, since the analysis has no table calibration."
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
        return context.part_missing("Calibration", ["calibration"])
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
        return context.part_missing("Length and n-gram baselines", ["baselines"])
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
    return "usable", "Are the rewards usable?", answers or ["No answer: no cell of a reward model is finished."], inside


def agreement_panels(rows, first, second, group, column):
    """{panel: both halves of a symmetric matrix}, and the names of its lines."""
    names = list(dict.fromkeys(r[c] for r in rows for c in (first, second)))
    panels = {}
    for r in rows:
        for a, b in ((first, second), (second, first)):
            panels.setdefault(group(r), []).append(
                {
                    "language": r[a],
                    "other_language": r[b],
                    "value": r[column],
                    "reason": None if r[column] is not None else why_undefined(r, column),
                }
            )
    for rows_of in panels.values():
        rows_of += [{"language": n, "other_language": n, "value": 1.0} for n in names]
    return panels, names


def agreement_answer(context, base, benchmark):
    pairs = [r for r in context.analysis.rows("pairs", base=base, benchmark=benchmark) if r["kappa_correctness"] is not None]
    if not pairs:
        return "no answer, since fewer than two models were tested in one language, or the analysis has no table pairs."
    low, high = (function(pairs, key=lambda r: r["kappa_correctness"]) for function in (min, max))
    text = (
        f"Cohen's kappa of right and wrong between two models on the same items is {decimal(low['kappa_correctness'], 2)} "
        f"({low['first_source']} and {low['second_source']} in {low['target']}) to {decimal(high['kappa_correctness'], 2)} "
        f"({high['first_source']} and {high['second_source']} in {high['target']})"
    )
    across = [
        r["kappa_correctness"]
        for r in context.analysis.rows("languages", base=base, benchmark=benchmark)
        if r["kappa_correctness"] is not None
    ]
    return text + (
        f"; of one model in two languages {decimal(min(across), 2)} to {decimal(max(across), 2)}." if across else "."
    )


def do_models_agree(context):
    answers, inside = [], ""
    for base, benchmark in context.groups():
        answers += context.tell(base, benchmark, agreement_answer(context, base, benchmark))
        rows = context.analysis.rows("pairs", base=base, benchmark=benchmark)
        if not rows:
            inside += context.part_missing("Agreement of models", ["pairs"])
            continue
        seed = min(r["seed"] for r in rows)
        for column, what in (
            ("kappa_correctness", "Cohen's kappa of right and wrong"),
            ("spearman", "Spearman correlation of the margins"),
        ):
            for table, first, second, group, between in (
                ("pairs", "first_source", "second_source", lambda r: f"tested in {r['target']}", "models by source"),
                (
                    "languages",
                    "first_target",
                    "second_target",
                    lambda r: f"trained on {r['source']}",
                    "languages of the test",
                ),
            ):
                own = context.analysis.rows(table, base=base, benchmark=benchmark, seed=seed)
                panels, names = agreement_panels(own, first, second, group, column)
                if not own:
                    continue
                inside += context.draw(
                    f"{column}_{table}.{base}.{benchmark}",
                    similarity.language_by_language(
                        panels,
                        names,
                        f"Figure 12. {what} between {between}: base {base}, benchmark {benchmark}, seed {seed}",
                        scale_label=what.split(" of ")[0],
                        limits=(-1.0, 1.0) if column == "spearman" else (0.0, 1.0),
                    ),
                )
    return "agree", "Do the models agree?", answers or ["No answer: no cell of a reward model is finished."], inside


def geometry_answer(context, base, benchmark):
    rows = [r for r in context.analysis.rows("geometry", base=base, benchmark=benchmark)]
    known = [r for r in rows if r["p"] is not None and r["r"] is not None]
    if not known:
        why = why_undefined(rows[0], "p") if rows else "the analysis has no table geometry"
        return f"no answer, since {why}."
    best = min(known, key=lambda r: r["p"])
    return (
        f"of {counted(len(known), 'measure')}, the strongest is {best['estimator']} at layer {best['layer']}: correlation "
        f"{decimal(best['r'], 2)} with the gap, p = {p_value(best['p'])} by permuting the labels of "
        f"{counted(best['languages'], 'language')}, "
        "not corrected for the number of measures. So few languages cannot show more than a large effect."
    )


def geometry_figures(context, base, benchmark):
    rows = [r for r in context.analysis.rows("geometry", base=base, benchmark=benchmark) if r["p"] is not None]
    if not rows:
        return context.part_missing("Geometry against transfer", ["geometry"])
    best = min(rows, key=lambda r: r["p"])
    measures = {}
    for r in context.analysis.rows(
        "language_pairs", base=base, benchmark=benchmark, model=base, estimator=best["estimator"], layer=best["layer"]
    ):
        measures[r["first_target"], r["second_target"]] = measures[r["second_target"], r["first_target"]] = r["value"]
    made = [
        {"source": r["source"], "target": r["target"], "measure": measures.get((r["source"], r["target"])), "gap": r["gap"]}
        for r in context.analysis.rows("gaps", base=base, benchmark=benchmark, kind="own", category="all")
    ]
    caption = f"Correlation {decimal(best['r'], 2)}, QAP p = {p_value(best['p'])}, {counted(best['languages'], 'language')}."
    inside = context.draw(
        f"geometry.{base}.{benchmark}",
        points.measure_against_gap(
            made,
            f"Figure 13. {best['estimator']} of the base at layer {best['layer']} against the gap: benchmark {benchmark}",
            f"{best['estimator']} between source and target",
            caption,
        ),
    )
    return inside + html.table(
        "All measures",
        ["measure", "layer", "correlation", "p (QAP)", "languages"],
        [[r["estimator"], r["layer"], decimal(r["r"], 2), p_value(r["p"]), r["languages"]] for r in rows],
        (1, 2, 3, 4),
    )


def does_geometry_explain(context):
    answers, inside = [], ""
    for base, benchmark in context.groups():
        answers += context.tell(base, benchmark, geometry_answer(context, base, benchmark))
        inside += geometry_figures(context, base, benchmark)
    return (
        "geometry",
        "Does geometry explain transfer?",
        answers or ["No answer: no cell of a reward model is finished."],
        inside,
    )


LIMITS = (
    "Translated data: parallel items are usually translations. Translated texts are more alike than texts that people wrote in "
    "each language, so alignment, agreement and transfer are likely to be lower on natural texts.",
    "Intervals are over items. They say how the numbers would vary with other items of the same kind, not with other seeds, "
    "orders of the data, or base models.",
    "Correlation is not cause. The reward lens, probes and similarities observe; they do not show what a model uses.",
    "Each number is of one estimator, named in its title; centring, the token that is read and the layer are part of it. "
    "Biased CKA grows with the number of features and is not the default.",
    "Many comparisons are shown. Holm's correction covers the family that a table names, and not the whole report.",
)


def limits(context):
    seeds = {}
    for cell in context.results.cells:
        if not cell.is_base:
            seeds.setdefault((cell.base, cell.source), set()).add(cell.seed)
    counts = sorted({len(found) for found in seeds.values()})
    few = f"{counts[0]} to {counts[-1]} seeds" if len(counts) > 1 else counted(counts[0], "seed") if counts else "no seed"
    answers = [
        f"What the report cannot show: other training runs ({few} a source), texts that are not translations, causes, and "
        "languages "
        f"beyond these {len(context.results.languages)}."
    ]
    gaps = "".join(f"<li>{html.escape(text)}</li>\n" for text in context.gaps)
    return (
        "limits",
        "What are the limits?",
        answers,
        "<ul>\n"
        + "".join(f"<li>{html.escape(text)}</li>\n" for text in LIMITS)
        + "</ul>\n"
        + (f"<h3>Parts that are missing from this report</h3>\n<ul>\n{gaps}</ul>\n" if gaps else ""),
    )
