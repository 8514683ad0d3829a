"""Accuracy by category, as bars from zero."""

from .drawing import PHONE, Drawing, drawn, empty_drawing, heading, label, look, new_figure


@drawn
def category_bars(rows, categories, title, chance=0.5, notes=()):
    """Figure 10. rows: {subset, model ("en", "own"), target, accuracy, low, high, items}: a panel a target, two bars a category.

    The axis begins at 0 and is never cut; chance is drawn.
    """
    rows = [row for row in rows if row["subset"] in categories and row["accuracy"] is not None]
    if not rows:
        return empty_drawing(title, "the items have no categories, or no cell is finished")
    targets, models = (list(dict.fromkeys(row[name] for row in rows)) for name in ("target", "model"))
    known = {(row["target"], row["subset"], row["model"]): row for row in rows}
    figure = new_figure(PHONE, 1.5 + (0.4 + (0.16 * len(models) + 0.12) * len(categories)) * len(targets))
    panels = figure.subplots(len(targets), 1, squeeze=False, sharex=True)[:, 0]
    for axes, target in zip(panels, targets):
        ticks = []
        for group, category in enumerate(categories):
            for index, model in enumerate(models):
                draw_bar(axes, group * (len(models) + 0.8) + index, known.get((target, category, model)), index, model)
            count = next((r.get("items") for r in rows if (r["target"], r["subset"]) == (target, category)), None)
            ticks.append(
                (group * (len(models) + 0.8) + (len(models) - 1) / 2, f"{category}  (n = {count})" if count else category)
            )
        axes.set_yticks(*zip(*ticks))
        axes.set_ylim(ticks[-1][0] + len(models) / 2 + 0.1, -0.7)
        axes.set_xlim(0, 100)
        axes.axvline(100 * chance, color="black", linestyle=(0, (2, 2)), linewidth=1)
        heading(axes, f"tested in {target}")
        axes.tick_params(axis="y", length=0)
    panels[-1].set_xlabel("accuracy in % (dashed: chance)")
    colours = ", ".join(f"{name}: {model}" for name, model in zip(("blue", "orange, striped", "green, dotted"), models))
    label(figure, title, [f"Model: {colours}. Lines: 95 % interval.", *notes])
    missing = [f"{m} in {t}, {c}" for t in targets for c in categories for m in models if (t, c, m) not in known]
    return Drawing(
        figure,
        title,
        ["subset", "model", "target", "accuracy", "low", "high", "items"],
        [[r["subset"], r["model"], r["target"], r["accuracy"], r.get("low"), r.get("high"), r.get("items")] for r in rows],
        missing,
    )


def draw_bar(axes, place, row, index, name):
    if row is None:
        axes.text(1, place, f"{name}: missing", va="center", fontsize=7.5)
        return
    axes.barh(
        place,
        100 * row["accuracy"],
        0.85,
        color=look(index)["color"],
        edgecolor="black",
        linewidth=0.4,
        hatch=("", "///", "...")[index % 3],
    )
    if row.get("low") is not None:
        for colour, width in (("white", 3.2), ("black", 1.3)):
            axes.plot([100 * row["low"], 100 * row["high"]], [place, place], color=colour, linewidth=width)
