"""Does English transfer, and where? Accuracy and gap matrices, the forest of gaps, bars by category."""

import numpy as np

from .drawing import PHONE, Drawing, drawn, empty_drawing, label, look, new_figure
from .heatmap import diverging_scale, draw_matrix, sequential_scale


def by_pair(rows, value):
    return {(row["source"], row["target"]): row.get(value) for row in rows}


def mean_or_none(values):
    """None where any is missing: a mean over fewer cells would be of another set."""
    return None if not values or any(v is None for v in values) else float(np.mean(values))


def percent(value, sign=False):
    return "–" if value is None else format(100 * value, "+.1f" if sign else ".1f").replace("-", "−")


def row_height(count):
    return 1.5 + 0.34 * max(4, count)


@drawn
def transfer_matrix(rows, sources, targets, title, family=None, notes=()):
    """Figure 1. rows: {source, target, accuracy} as shares, one a pair. family: accuracies of all panels that share the scale."""
    known = by_pair(rows, "accuracy")
    matrix = [[known.get((s, t)) for t in targets] for s in sources]
    if not any(v is not None for row in matrix for v in row):
        return empty_drawing(title, "no accuracy: no cell of a reward model is finished")
    missing = [f"{s} → {t}" for s, row in zip(sources, matrix) for t, v in zip(targets, row) if v is None]
    full = [row + [mean_or_none(row)] for row in matrix]
    full.append(
        [mean_or_none([row[c] for row in full]) for c in range(len(targets))]
        + [mean_or_none([v for row in matrix for v in row])]
    )
    scale = sequential_scale(list(family or []) + [v for row in full for v in row], 0.5, 1.0, 0.1)
    bold = {
        (max(range(len(sources)), key=lambda r: full[r][c] if full[r][c] is not None else -1), c)
        for c in range(len(targets))
        if any(row[c] is not None for row in matrix)
    }
    figure = new_figure(max(PHONE, 1.5 + 0.42 * (len(targets) + 1)), row_height(len(sources) + 1))
    axes = figure.add_subplot()
    image = draw_matrix(
        axes,
        full,
        list(sources) + ["mean"],
        list(targets) + ["mean"],
        scale,
        [[percent(v) for v in row] for row in full],
        bold,
        [(len(sources) - 1, len(targets) - 1)],
    )
    axes.set_xlabel("language of the test")
    axes.set_ylabel("language of training")
    bar = figure.colorbar(image, ax=axes, format=lambda v, _: f"{100 * v:.0f}", pad=0.02)
    bar.set_label("accuracy in %")
    label(
        figure,
        title,
        [
            "Bold: best of the column. A tie counts as wrong.",
            "Hatched: not finished, or not planned: " + ", ".join(missing) if missing else "",
            *notes,
        ],
    )
    return Drawing(
        figure,
        title,
        ["source", "target", "accuracy"],
        [[s, t, full[r][c]] for r, s in enumerate(list(sources) + ["mean"]) for c, t in enumerate(list(targets) + ["mean"])],
        missing,
    )


@drawn
def gap_matrix(rows, sources, targets, title, family=None, notes=()):
    """Figure 2. rows: {source, target, gap, p_holm (None: not tested)}; gap = accuracy − that of the target's own model."""
    gaps, p = by_pair(rows, "gap"), by_pair(rows, "p_holm")
    matrix = [[gaps.get((s, t)) for t in targets] for s in sources]
    if not any(v is not None for row in matrix for v in row):
        return empty_drawing(title, "no gap: no target has both its own model and another")
    scale = diverging_scale(list(family or []) + [v for row in matrix for v in row], 0.05)
    texts = [
        [
            percent(v, True) + ("*" if (p.get((s, t)) if p.get((s, t)) is not None else 1) < 0.05 else "")
            for t, v in zip(targets, row)
        ]
        for s, row in zip(sources, matrix)
    ]
    missing = [f"{s} → {t}" for s, row in zip(sources, matrix) for t, v in zip(targets, row) if v is None]
    figure = new_figure(max(PHONE, 1.5 + 0.5 * len(targets)), row_height(len(sources)))
    axes = figure.add_subplot()
    image = draw_matrix(axes, matrix, sources, targets, scale, texts)
    axes.set_xlabel("language of the test")
    axes.set_ylabel("language of training")
    bar = figure.colorbar(image, ax=axes, format=lambda v, _: f"{100 * v:+.0f}", pad=0.02)
    bar.set_label("gap in points")
    tested = sum(value is not None for value in p.values())
    star = (
        "* p < 0.05 after Holm's correction over the declared family."
        if tested
        else "No test was made, so no place has a star."
    )
    label(figure, title, [star, "Hatched: missing: " + ", ".join(missing) if missing else "", *notes])
    return Drawing(
        figure,
        title,
        ["source", "target", "gap", "p_holm"],
        [[s, t, gaps.get((s, t)), p.get((s, t))] for s in sources for t in targets],
        missing,
    )


@drawn
def gap_forest(rows, title, source="en", notes=()):
    """Figure 3. rows: {subset ("" = all), target ("" = mean over targets), gap, low, high, seeds: [gap, …], p_holm}.

    One block a subset, "all items" first; within it the mean, then the targets by their gap.
    """
    rows = [row for row in rows if row["gap"] is not None]
    if not rows:
        return empty_drawing(title, f"no gap of the {source} model to a target's own model can be told")
    subsets = list(dict.fromkeys(row["subset"] for row in sorted(rows, key=lambda r: r["subset"] != "")))
    blocks = [sorted((r for r in rows if r["subset"] == s), key=lambda r: (r["target"] != "", r["gap"])) for s in subsets]
    lines = sum(len(block) + 1 for block in blocks)
    figure = new_figure(PHONE, 1.6 + 0.2 * lines)
    axes = figure.add_subplot()
    axes.axvline(0, color="#444444", linewidth=1)
    place, ticks, names = 0, [], []
    for subset, block in zip(subsets, blocks):
        axes.text(
            0.005,
            place,
            subset or "all items",
            transform=axes.get_yaxis_transform(),
            va="center",
            fontweight="bold",
            fontsize=8.5,
            bbox={"facecolor": "white", "edgecolor": "none", "pad": 1},
            zorder=4,
        )
        for row in block:
            place += 1
            mean = row["target"] == ""
            if row.get("low") is not None and row.get("high") is not None:
                axes.plot(
                    [100 * row["low"], 100 * row["high"]], [place, place], color="black", linewidth=2.2 if mean else 1.4
                )
            axes.plot([100 * row["gap"]], [place], "D" if mean else "o", color="black", markersize=6 if mean else 5, zorder=3)
            for seed in row.get("seeds") or []:
                axes.plot([100 * seed], [place + 0.27], "|", color=look(1)["color"], markersize=6, markeredgewidth=1.4)
            ticks.append(place)
            star = "*" if row.get("p_holm") is not None and row["p_holm"] < 0.05 else ""
            names.append(("mean" if mean else row["target"]) + star)
        place += 1
    axes.set_yticks(ticks, names)
    axes.set_ylim(place - 0.4, -0.7)
    axes.tick_params(axis="y", length=0)
    axes.grid(axis="x")
    axes.set_xlabel(f"accuracy: {source} model − target's own, points")
    label(
        figure,
        title,
        [
            "Bars: 95 % interval over items; they do not cover what another training run would give.",
            "Orange ticks: each seed." if any(r.get("seeds") for r in rows) else "",
            "* p < 0.05 after Holm." if any(r.get("p_holm") is not None for r in rows) else "",
            *notes,
        ],
    )
    return Drawing(
        figure,
        title,
        ["subset", "target", "gap", "low", "high", "p_holm", "seeds"],
        [
            [
                r["subset"],
                r["target"],
                r["gap"],
                r.get("low"),
                r.get("high"),
                r.get("p_holm"),
                " ".join(f"{s:.6g}" for s in r.get("seeds") or []),
            ]
            for b in blocks
            for r in b
        ],
    )
