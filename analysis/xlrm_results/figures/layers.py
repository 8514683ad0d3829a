"""Curves over layers: shift from the base, similarity, retrieval, the reward lens."""

import numpy as np

from .drawing import PHONE, Drawing, drawn, empty_drawing, heading, key_below, label, look, new_figure, say_missing

COLUMNS = ["panel", "series", "layer", "value", "low", "high", "null", "noise_floor"]


def depth_axis(axes, layers):
    """x: layer index; above: relative depth. Layer 0 is the embedding output."""
    last = max(layers)
    axes.set_xlim(-0.02 * last - 0.1, last * 1.02 + 0.1)
    step = max(1, -(-last // 8))
    axes.set_xticks(range(0, last + 1, step))
    if last > 0:
        above = axes.secondary_xaxis("top", functions=(lambda x: x / last, lambda d: d * last))
        above.set_xticks([0, 0.25, 0.5, 0.75, 1.0], ["0", "¼", "½", "¾", "1"])
        above.tick_params(length=2, pad=1)


def draw_curves(axes, rows, names):
    """One line a series of `names`, with its band; gaps where a value is not defined. Then null and noise floor, if any."""
    for place, name in enumerate(names):
        line = sorted((r for r in rows if r["series"] == name), key=lambda r: r["layer"])
        if not any(r["value"] is not None for r in line):
            continue
        numbers = {
            key: np.array([np.nan if r.get(key) is None else r[key] for r in line], float) for key in ("value", "low", "high")
        }
        layers = [r["layer"] for r in line]
        style = look(place)
        axes.fill_between(layers, numbers["low"], numbers["high"], color=style["color"], alpha=0.18, linewidth=0)
        axes.plot(layers, numbers["value"], **style, markersize=3.6, linewidth=1.3, label=name)
    for key, dash, name in (("null", (0, (1, 1.6)), "null"), ("noise_floor", (0, (6, 2, 1, 2)), "noise floor")):
        known = {}
        for row in rows:
            if row.get(key) is not None:
                known.setdefault(row["layer"], []).append(row[key])
        if known:
            layers = sorted(known)
            axes.plot(
                layers, [max(known[layer]) for layer in layers], color="#555555", linestyle=dash, linewidth=1.4, label=name
            )
    axes.grid(True)


@drawn
def layer_curves(rows, panels, title, notes=(), limits=None):
    """Figures 4 and 7. rows: {panel, series, layer, value, low, high, null, noise_floor}, the last four if known.

    panels: {panel: what its y axis shows}, in order; one that has no value is shown as missing, with the reason that its rows
    give. limits: {panel: (low, high)}, for a family that shares its scale.
    """
    if not rows:
        return empty_drawing(title, "the analysis has no such values by layer")
    names = list(dict.fromkeys(row["series"] for row in rows))
    figure = new_figure(PHONE, 1.35 + 1.75 * len(panels) + 0.2 * -(-len(names) // 4))
    all_axes = figure.subplots(len(panels), 1, squeeze=False)[:, 0]
    missing = []
    for axes, (panel, meaning) in zip(all_axes, panels.items()):
        own = [row for row in rows if row["panel"] == panel]
        heading(axes, meaning)
        if not any(row["value"] is not None for row in own):
            why = next((row["reason"] for row in own if row.get("reason")), "not computed")
            say_missing(axes, f"{panel}: {why}")
            missing.append(f"{panel}: {why}")
            continue
        draw_curves(axes, own, names)
        if limits and panel in limits:
            axes.set_ylim(*limits[panel])
        depth_axis(axes, [row["layer"] for row in own])
    drawn_axes = [axes for axes, panel in zip(all_axes, panels) if not any(m.startswith(panel + ":") for m in missing)]
    all_axes[-1].set_xlabel("layer (0: embeddings; above: relative depth)")
    key_below(all_axes[-1], drawn_axes, 3)
    bands = "Bands: 95 % interval." if any(row.get("low") is not None for row in rows) else ""
    label(figure, title, [bands, *notes])
    return Drawing(
        figure,
        title,
        COLUMNS,
        [
            [
                row["panel"],
                row["series"],
                row["layer"],
                row["value"],
                row.get("low"),
                row.get("high"),
                row.get("null"),
                row.get("noise_floor"),
            ]
            for row in rows
        ],
        missing,
    )
