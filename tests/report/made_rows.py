"""Rows as the figures take them, made up with known values."""

import numpy as np

LANGUAGES = ["en", "es", "it", "ko", "zh"]


def random():
    return np.random.RandomState(7)


def pairs(languages=LANGUAGES, subsets=("",)):
    draw = random()
    rows = []
    for subset in subsets:
        for s in languages:
            for t in languages:
                accuracy = 0.9 if s == t else float(0.5 + 0.35 * draw.rand())
                rows.append(
                    {
                        "subset": subset,
                        "source": s,
                        "target": t,
                        "accuracy": accuracy,
                        "low": accuracy - 0.03,
                        "high": accuracy + 0.03,
                        "items": 120,
                        "gap": accuracy - 0.9,
                        "p_holm": None if s == t else float(draw.rand()),
                    }
                )
    return rows


def forest(languages=LANGUAGES[1:], subsets=("", "Chat", "Chat Hard", "Safety", "Reasoning")):
    draw = random()
    rows = []
    for subset in subsets:
        for target in [""] + list(languages):
            gap = float(-0.3 * draw.rand())
            rows.append(
                {
                    "subset": subset,
                    "target": target,
                    "gap": gap,
                    "low": gap - 0.05,
                    "high": gap + 0.05,
                    "seeds": [gap - 0.01, gap + 0.02] if target else [],
                    "p_holm": float(draw.rand()) if target else None,
                }
            )
    return rows


def curves(panels, layers, series=LANGUAGES):
    draw = random()
    rows = []
    for panel in panels:
        for name in series:
            for layer in range(layers):
                value = float(draw.rand())
                rows.append(
                    {
                        "panel": panel,
                        "series": name,
                        "layer": layer,
                        "value": value,
                        "low": value - 0.1,
                        "high": value + 0.1,
                        "null": 0.02,
                        "noise_floor": 0.99,
                    }
                )
    return rows


def squares(names, first="language", second="other_language"):
    draw = random()
    return [{first: a, second: b, "value": 1.0 if a == b else float(draw.rand())} for a in names for b in names]


def scores(languages=LANGUAGES, count=60):
    draw = random()
    made = {}
    for language in languages:
        chosen, rejected = draw.randn(count) + 1, draw.randn(count)
        made[language] = {"chosen": chosen, "rejected": rejected, "margin": chosen - rejected}
    return made


def all_drawings(layers=29, languages=LANGUAGES, models=("base", "base.en.s1", "base.ko.s1")):
    """(name, function, arguments) of every figure, at the size of a real run."""
    from xlrm_results.figures import (
        bars,
        distributions,
        lens as lens_figure,
        layers as over_layers,
        points,
        similarity,
        transfer,
    )

    draw = random()
    blocks = {
        (m, t, side): draw.randn(20, 6) + LANGUAGES.index(t)
        for m in models
        for t in languages
        for side in ("chosen", "rejected")
    }
    depths = [{"language": t, "depth": 0.3 + 0.05 * k, "excluded": 2} for k, t in enumerate(languages)]
    lens = [
        {"language": t, "layer": k, "median": 0.1 * k, "q25": 0.05 * k, "q75": 0.2 * k, "accuracy": 0.5 + 0.01 * k}
        for t in languages
        for k in range(layers)
    ]
    reached = [
        {"language": t, "layer": k, "reached": (3 * k + n) % 7, "items": 20} for n, t in enumerate(languages) for k in range(layers)
    ]
    title = "Figure 0. A title that names estimator and origin, long enough to need a second line on the page of a phone"
    return [
        ("transfer", transfer.transfer_matrix, (pairs(languages), languages, languages, title)),
        ("gaps", transfer.gap_matrix, (pairs(languages), languages, languages, title)),
        ("forest", transfer.gap_forest, (forest(), title)),
        (
            "bars",
            bars.category_bars,
            (
                [
                    {**r, "model": "en" if r["source"] == "en" else "own"}
                    for r in pairs(languages, ("Chat", "Chat Hard", "Safety", "Reasoning"))
                    if r["source"] in ("en", r["target"]) and r["target"] != "en"
                ],
                ["Chat", "Chat Hard", "Safety", "Reasoning"],
                title,
            ),
        ),
        (
            "layers",
            over_layers.layer_curves,
            (curves(["a", "b", "c"], layers), {"a": "first measure", "b": "second measure", "c": "third measure"}, title),
        ),
        ("lens", lens_figure.reward_lens, (lens, depths, title, (), reached)),
        ("lens_without_histogram", lens_figure.reward_lens, (lens, depths, title)),
        (
            "layer_matrix",
            similarity.layer_by_layer,
            ({m: squares(range(layers), "layer", "other_layer") for m in models}, title),
        ),
        (
            "language_matrix",
            similarity.language_by_language,
            ({f"layer {k}": squares(languages) for k in (0, 14, 28)}, languages, title),
        ),
        ("components", points.principal_components, (blocks, title)),
        (
            "scatter",
            points.measure_against_gap,
            (
                [{**r, "measure": r["accuracy"]} for r in pairs(languages) if r["source"] != r["target"]],
                title,
                "measure",
                "Spearman 0.2, QAP p = 0.3 over 5 languages",
            ),
        ),
        ("norms", distributions.norm_distributions, ({(m, t): draw.rand(30) + 3 for m in models for t in languages}, title)),
        ("rewards", distributions.rewards_and_margins, (scores(languages), title)),
    ]
