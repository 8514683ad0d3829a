"""The reward lens: what the head would read at each layer."""

from .drawing import PHONE, Drawing, drawn, empty_drawing, heading, key_below, label, look, new_figure, say_missing
from .layers import depth_axis, draw_curves


@drawn
def reward_lens(rows, depths, title, notes=(), reached=()):
    """Figure 6. rows: {language, layer, median, q25, q75, accuracy}; depths: {language, depth, excluded, reason}; reached:
    {language, layer, reached, items}.

    Above the median margin with quartiles, then the lens's accuracy, then the histogram of the layer at which an item reaches
    half of its final margin, then the mean of that layer as relative depth.
    """
    if not rows:
        return empty_drawing(title, "no reward lens: it needs the activations of all layers and the head (--layers all)")
    names = list(dict.fromkeys(row["language"] for row in rows))
    figure = new_figure(PHONE, 7.9 + 0.2 * len(names))
    above, middle, counts, below = figure.subplots(4, 1, height_ratios=[2, 2, 1.8, 0.5 + 0.2 * len(names)])
    draw_lens(above, middle, rows, names)
    missing = draw_reached(counts, reached, names)
    key_below(counts, [middle], 3)
    missing += draw_depths(below, depths, names)
    text = (
        "The lens applies the final norm and the head to each layer; at the last layer it is the reward. It observes, and shows "
        "no cause. Crystallisation: the first layer where half of an item's final margin is reached; depth: mean over the items. "
        "A margin of 0 counts as wrong: before the first block, all last tokens may be the same."
    )
    label(figure, title, [text, *notes])
    table = [["lens", r["language"], r["layer"], r["median"], r["q25"], r["q75"], r["accuracy"], None, None] for r in rows]
    table += [["histogram", r["language"], r["layer"], None, None, None, None, r["reached"], None] for r in reached]
    table += [["depth", d["language"], None, d["depth"], None, None, None, None, d.get("excluded")] for d in depths]
    columns = ["part", "language", "layer", "median_or_depth", "q25", "q75", "accuracy", "reached", "excluded"]
    return Drawing(figure, title, columns, table, missing)


def draw_lens(above, middle, rows, names):
    margins = [
        {"series": r["language"], "layer": r["layer"], "value": r["median"], "low": r["q25"], "high": r["q75"]} for r in rows
    ]
    right = [
        {"series": r["language"], "layer": r["layer"], "value": None if r["accuracy"] is None else 100 * r["accuracy"]}
        for r in rows
    ]
    draw_curves(above, margins, names)
    above.axhline(0, color="#444444", linewidth=0.8)
    heading(above, "median margin of the lens (band: quartiles)")
    draw_curves(middle, right, names)
    middle.axhline(50, color="black", linestyle=(0, (2, 2)), linewidth=1)
    middle.set_ylim(0, 102)
    heading(middle, "accuracy of the lens in % (dashed: chance)")
    for axes in (above, middle):
        depth_axis(axes, [row["layer"] for row in rows])


def draw_reached(axes, reached, names):
    """Shares of the items by the layer at which they reach half of their final margin; gives what is missing."""
    heading(axes, "items by the layer of crystallisation, %")
    known = [r for r in reached if r["items"]]
    if not known:
        say_missing(axes, "crystallisation histogram: not computed, or no item has a margin to measure")
        return ["crystallisation histogram"]
    for place, name in enumerate(names):
        line = sorted((r for r in known if r["language"] == name), key=lambda r: r["layer"])
        if line:
            shares = [100 * r["reached"] / r["items"] for r in line]
            axes.step([r["layer"] for r in line], shares, where="mid", **look(place), markersize=3.2, linewidth=1.2)
    axes.set_ylim(0, None)
    axes.grid(True)
    depth_axis(axes, [r["layer"] for r in known])
    axes.set_xlabel("layer (0: embeddings; above: relative depth)")
    return [f"crystallisation histogram of {name}" for name in names if all(r["language"] != name for r in known)]


def draw_depths(axes, depths, names):
    """One point a language; gives what is missing."""
    known = {d["language"]: d for d in depths}
    heading(axes, "mean crystallisation depth")
    if not any(d["depth"] is not None for d in depths):
        why = next((d["reason"] for d in depths if d.get("reason")), "not computed")
        say_missing(axes, f"crystallisation depth: {why}")
        return [f"crystallisation depth: {why}"]
    missing = []
    for place, name in enumerate(names):
        if name in known and known[name]["depth"] is not None:
            axes.plot([0, known[name]["depth"]], [place, place], color="#bbbbbb", linewidth=1)
            axes.plot([known[name]["depth"]], [place], look(place)["marker"], color=look(place)["color"], markersize=6)
        else:
            missing.append(f"crystallisation depth of {name}")
            axes.text(0.01, place, "not defined", va="center", fontsize=7.5)
    axes.set_yticks(range(len(names)), names)
    axes.set_ylim(len(names) - 0.5, -0.5)
    axes.set_xlim(0, 1.03)
    axes.set_xlabel("relative depth (0: embeddings, 1: last layer)")
    axes.grid(axis="x")
    return missing
