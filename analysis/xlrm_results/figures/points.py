"""Scatter plots: items in one basis of two directions, and representation against transfer."""

import numpy as np

from .drawing import PHONE, Drawing, drawn, empty_drawing, heading, key_below, label, look, new_figure


def shared_basis(blocks):
    """Two principal directions of all rows of `blocks` together, each block a (rows, features) array.

    Gives (mean, directions (2, features), shares of the variance of the first two). The sign is fixed: the largest loading of
    each direction is positive. Without variation the shares are 0.
    """
    rows = np.concatenate([np.asarray(b, np.float64) for b in blocks])
    mean = rows.mean(axis=0)
    centred = rows - mean
    total = float((centred**2).sum())
    _, values, directions = np.linalg.svd(centred, full_matrices=False)
    directions = np.concatenate([directions[:2], np.zeros((max(0, 2 - len(directions)), rows.shape[1]))])
    largest = np.take_along_axis(directions, np.abs(directions).argmax(axis=1)[:, None], axis=1)
    shares = [float(v * v / total) if total > 0 else 0.0 for v in values[:2]]
    return mean, directions * np.where(largest < 0, -1.0, 1.0), (shares + [0.0, 0.0])[:2]


def without_language_mean(blocks):
    """blocks: {(panel, language, side): rows}. Each language's mean over both sides, in each panel, is subtracted."""
    means = {}
    for (panel, language, _), rows in blocks.items():
        means.setdefault((panel, language), []).append(rows)
    means = {key: np.concatenate(rows).mean(axis=0) for key, rows in means.items()}
    return {key: rows - means[key[:2]] for key, rows in blocks.items()}


def padded_range(values):
    low, high = float(values.min()), float(values.max())
    margin = 0.05 * (high - low) or 1.0
    return low - margin, high + margin


@drawn
def principal_components(blocks, title, notes=()):
    """Figure 8. blocks: {(panel, language, side): (item, feature) array}; a panel a model, colour a language, marker a side.

    One basis for all panels, from the points drawn, so that panels can be compared; equal aspect.
    """
    blocks = {key: np.asarray(rows, np.float64) for key, rows in blocks.items() if len(rows)}
    if not blocks:
        return empty_drawing(title, "no activations: the evaluation kept none (--layers)")
    widths = {rows.shape[1] for rows in blocks.values()}
    if len(widths) > 1:
        return empty_drawing(title, f"the models have {sorted(widths)} features, so they share no basis")
    panels, languages = (list(dict.fromkeys(key[i] for key in blocks)) for i in (0, 1))
    mean, directions, shares = shared_basis(list(blocks.values()))
    # Rounded, so that the last bits of a linear algebra library do not show in the files.
    places = {key: np.round((rows - mean) @ directions.T, 6) for key, rows in blocks.items()}
    limits = [padded_range(np.concatenate([at[:, axis] for at in places.values()])) for axis in (0, 1)]
    columns = min(2, len(panels))
    lines = -(-len(panels) // columns)
    ratio = (limits[1][1] - limits[1][0]) / (limits[0][1] - limits[0][0])
    height = min(3.0, max(1.25, 3.0 / columns * ratio)) + 0.45
    figure = new_figure(PHONE, 1.5 + height * lines)
    # The key has a line of its own: beside one panel it would push that panel aside.
    spec = figure.add_gridspec(lines + 1, columns, height_ratios=[height] * lines + [0.45])
    first = figure.add_subplot(spec[0, 0])
    rest = [figure.add_subplot(spec[n // columns, n % columns], sharex=first, sharey=first) for n in range(1, len(panels))]
    key = figure.add_subplot(spec[lines, :])
    key.set_axis_off()
    for axes, panel in zip([first, *rest], panels):
        for place, language in enumerate(languages):
            for side, marker in (("chosen", "o"), ("rejected", "x")):
                at = places.get((panel, language, side))
                if at is not None:
                    axes.plot(
                        at[:, 0],
                        at[:, 1],
                        marker,
                        color=look(place)["color"],
                        markersize=2.6,
                        markeredgewidth=0.6,
                        alpha=0.6,
                        label=language if side == "chosen" else None,
                    )
        heading(axes, panel)
        axes.set_xlim(*limits[0])
        axes.set_ylim(*limits[1])
        axes.set_aspect("equal")
        axes.grid(True)
    figure.supylabel(f"second component ({100 * shares[1]:.1f} %)", fontsize=9)
    [first, *rest][columns * (lines - 1)].set_xlabel(f"first component ({100 * shares[0]:.1f} %)")
    entries = dict(zip(*reversed(first.get_legend_handles_labels())))
    key.legend(entries.values(), entries.keys(), loc="center", ncol=8, frameon=False, markerscale=2, handletextpad=0.2)
    label(
        figure,
        title,
        [
            "One basis for all panels, from the points drawn; its sign makes the largest loading positive. "
            "In brackets: share of the variance. ○ chosen, × rejected.",
            *notes,
        ],
    )
    table = [[panel, language, side, x, y] for (panel, language, side), at in places.items() for x, y in at]
    return Drawing(figure, title, ["panel", "language", "side", "first", "second"], table)


def name_points(axes, points):
    """Writes each name beside its point, at the first of eight places where it covers neither a point nor another name; a name
    that fits nowhere is left out (its row is in the CSV)."""
    axes.figure.draw_without_rendering()
    to_points = axes.transData.transform([(x, y) for x, y, _ in points]) * 72 / axes.figure.dpi
    taken = [(x - 4, y - 4, x + 4, y + 4) for x, y in to_points]
    for (x, y), (at_x, at_y, name) in zip(to_points, points):
        width, height = 5.5 * len(name) + 1, 8.0
        for dx, dy in (
            (5, 2),
            (5, -9),
            (-5 - width, 2),
            (-5 - width, -9),
            (-width / 2, 6),
            (-width / 2, -14),
            (9, -4),
            (-9 - width, -4),
        ):
            box = (x + dx, y + dy, x + dx + width, y + dy + height)
            if all(box[2] <= t[0] or t[2] <= box[0] or box[3] <= t[1] or t[3] <= box[1] for t in taken):
                axes.annotate(
                    name, (at_x, at_y), xytext=(dx, dy), textcoords="offset points", fontsize=7.5, annotation_clip=False
                )
                taken.append(box)
                break


@drawn
def measure_against_gap(rows, title, x_label, caption, notes=()):
    """Figure 13. rows: {source, target, measure, gap}: a point a pair of languages. caption: correlation, QAP p, languages."""
    rows = [row for row in rows if row["measure"] is not None and row["gap"] is not None]
    if not rows:
        return empty_drawing(title, caption or "not computed")
    figure = new_figure(PHONE, 4.5)
    axes = figure.add_subplot()
    sources = list(dict.fromkeys(row["source"] for row in rows))
    for place, source in enumerate(sources):
        own = [row for row in rows if row["source"] == source]
        style = look(place)
        axes.plot(
            [r["measure"] for r in own],
            [100 * r["gap"] for r in own],
            style["marker"],
            color=style["color"],
            markersize=6,
            label=f"from {source}",
        )
    axes.axhline(0, color="#444444", linewidth=0.8)
    axes.grid(True)
    axes.margins(0.12)
    axes.set_xlabel(x_label)
    axes.set_ylabel("gap to the target's own model, points")
    key_below(axes, [axes], 3)
    label(figure, title, ["Labels: language of the test. " + caption, *notes])
    name_points(axes, [(row["measure"], 100 * row["gap"], row["target"]) for row in rows])
    return Drawing(
        figure,
        title,
        ["source", "target", "measure", "gap"],
        [[r["source"], r["target"], r["measure"], r["gap"]] for r in rows],
    )
