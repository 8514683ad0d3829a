"""Distributions: norms of embeddings, rewards, margins, and whether a margin says how sure the model may be."""

import numpy as np

from .drawing import PHONE, Drawing, drawn, empty_drawing, heading, key_below, label, look, new_figure

SHARES = np.arange(101) / 100.0


def quantiles(values):
    """0 %, 1 % … 100 % of the values, in order: what an empirical distribution function is drawn from."""
    ordered = np.sort(np.asarray(values, np.float64))
    return ordered[np.minimum((SHARES * len(ordered)).astype(int), len(ordered) - 1)]


@drawn
def norm_distributions(values, title, notes=()):
    """Figure 9. values: {(model, language): norms}: a panel a model, a step curve a language, all over one range."""
    values = {key: norms for key, norms in values.items() if len(norms)}
    if not values:
        return empty_drawing(title, "no activations: the evaluation kept none (--layers)")
    models, languages = (list(dict.fromkeys(key[i] for key in values)) for i in (0, 1))
    figure = new_figure(PHONE, 1.4 + 1.5 * len(models))
    panels = figure.subplots(len(models), 1, squeeze=False, sharex=True)[:, 0]
    table = []
    for axes, model in zip(panels, models):
        for place, language in enumerate(languages):
            if (model, language) not in values:
                continue
            at, style = quantiles(values[model, language]), look(place)
            axes.plot(
                at,
                100 * SHARES,
                color=style["color"],
                linestyle=style["linestyle"],
                linewidth=1.4,
                label=f"{language} (n = {len(values[model, language])})",
            )
            table += [[model, language, share, x] for share, x in zip(SHARES, at)]
        heading(axes, model)
        axes.set_ylim(0, 100)
        axes.grid(True)
    panels[-1].set_xlabel("Euclidean norm")
    figure.supylabel("% of the items at or below", fontsize=9)
    key_below(panels[-1], panels, 2)
    missing = [f"{m} in {t}" for m in models for t in languages if (m, t) not in values]
    label(
        figure,
        title,
        [
            "Missing: " + ", ".join(missing) if missing else "",
            "Languages differ in length, and the norm may follow the length.",
            *notes,
        ],
    )
    return Drawing(figure, title, ["model", "language", "share", "norm"], table, missing)


def histogram(values, edges):
    """Share of the values in each bin; values at or beyond the ends count in the first and last."""
    clipped = np.clip(np.asarray(values, np.float64), edges[0], edges[-1])
    return np.histogram(clipped, edges)[0] / max(1, len(clipped))


def reliability(margins, bins=10):
    """{low, high, n, confidence, accuracy} of each bin of [½, 1], right-closed, with confidence = sigmoid(|margin|)."""
    margins = np.asarray(margins, np.float64)
    confidence = 1 / (1 + np.exp(-np.abs(margins)))
    place = np.clip(np.ceil((confidence - 0.5) * 2 * bins).astype(int) - 1, 0, bins - 1)
    found = []
    for b in range(bins):
        mine = place == b
        found.append(
            {
                "low": 0.5 + b / (2 * bins),
                "high": 0.5 + (b + 1) / (2 * bins),
                "n": int(mine.sum()),
                "confidence": float(confidence[mine].mean()) if mine.any() else None,
                "accuracy": float((margins[mine] > 0).mean()) if mine.any() else None,
            }
        )
    return found


def margin_accuracy(margins):
    """(share of the pairs kept, their accuracy): pairs by falling |margin|, at 10 % … 100 %."""
    margins = np.asarray(margins, np.float64)
    right = (margins > 0)[np.argsort(-np.abs(margins), kind="stable")]
    kept = [max(1, int(round(share * len(right)))) for share in np.arange(1, 11) / 10.0]
    return [(count / len(right), float(right[:count].mean())) for count in kept]


@drawn
def rewards_and_margins(scores, title, scales=None, notes=()):
    """Figure 11. scores: {language: {"chosen", "rejected", "margin"}} of one model.

    Rewards, margins, reliability, and accuracy of the surest pairs; scales: (reward low, high, largest |margin|) of a family.
    """
    scores = {language: s for language, s in scores.items() if len(s["margin"])}
    if not scores:
        return empty_drawing(title, "no scores: no cell of this model is finished")
    rewards = np.concatenate([np.concatenate([s["chosen"], s["rejected"]]) for s in scores.values()])
    low, high, reach = scales or (
        float(rewards.min()),
        float(rewards.max()),
        max(float(np.abs(s["margin"]).max()) for s in scores.values()),
    )
    edges = {
        "reward": np.linspace(low, high if high > low else low + 1, 31),
        "margin": np.linspace(-reach or -1, reach or 1, 31),
    }
    figure = new_figure(PHONE, 9.2)
    axes = dict(zip(("reward", "margin", "reliability", "surest"), figure.subplots(4, 1)))
    table = []
    for place, (language, s) in enumerate(scores.items()):
        style = {key: value for key, value in look(place).items() if key != "marker"}
        for part, values in (("reward", np.concatenate([s["chosen"], s["rejected"]])), ("margin", s["margin"])):
            heights = histogram(values, edges[part])
            axes[part].stairs(100 * heights, edges[part], **style, linewidth=1.4, label=language)
            table += [[part, language, a, b, h, None] for a, b, h in zip(edges[part], edges[part][1:], heights)]
        bins = [b for b in reliability(s["margin"]) if b["n"]]
        axes["reliability"].plot(
            [b["confidence"] for b in bins], [100 * b["accuracy"] for b in bins], **look(place), markersize=3.6
        )
        table += [["reliability", language, b["low"], b["high"], b["accuracy"], b["n"]] for b in bins]
        curve = margin_accuracy(s["margin"])
        axes["surest"].plot(
            [100 * kept for kept, _ in curve], [100 * right for _, right in curve], **look(place), markersize=3.6
        )
        table += [["surest", language, kept, None, right, None] for kept, right in curve]
    finish_panels(axes)
    label(figure, title, ["Values beyond the ends of the axis count in its end bins." if scales else "", *notes])
    return Drawing(figure, title, ["part", "language", "low", "high", "value", "n"], table)


def finish_panels(axes):
    heading(axes["reward"], "rewards of all answers, % of the answers")
    heading(axes["margin"], "margins chosen − rejected, % of the pairs")
    axes["margin"].axvline(0, color="#444444", linewidth=0.8)
    axes["reliability"].plot([0.5, 1], [50, 100], color="#555555", linewidth=1)
    heading(axes["reliability"], "reliability (grey line: calibrated)")
    axes["reliability"].set_ylim(0, 102)
    axes["reliability"].set_xlabel("confidence, sigmoid of |margin|")
    axes["reliability"].set_ylabel("accuracy in %")
    heading(axes["surest"], "accuracy in % of the surest pairs")
    axes["surest"].set_ylim(0, 102)
    axes["surest"].set_xlabel("% of the pairs kept, by falling |margin|")
    for panel in axes.values():
        panel.grid(True)
    key_below(axes["surest"], [axes["reward"]], 4)
