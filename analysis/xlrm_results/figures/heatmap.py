"""A matrix as colours with its values printed: accuracy, gap, agreement, CKA."""

import numpy as np
from matplotlib import colormaps
from matplotlib.patches import Rectangle

from .drawing import DIVERGING, SEQUENTIAL


def sequential_scale(values, low, high, step):
    """Fixed (low, high) of a family, widened downwards by whole steps where a value lies below."""
    known = [v for v in values if v is not None]
    smallest = min(known, default=low)
    return {"cmap": SEQUENTIAL, "vmin": low if smallest >= low else float(np.floor(smallest / step) * step), "vmax": high}


def diverging_scale(values, step):
    """Symmetric about 0, up to the next whole step above all values of a family."""
    reach = max((abs(v) for v in values if v is not None), default=step)
    edge = float(np.ceil(max(reach, 1e-12) / step) * step)
    return {"cmap": DIVERGING, "vmin": -edge, "vmax": edge}


def text_colour(value, scale):
    """Black or white, whichever stands out from the colour of the value."""
    span = scale["vmax"] - scale["vmin"]
    red, green, blue, _ = colormaps[scale["cmap"]](float(np.clip((value - scale["vmin"]) / span, 0, 1)))
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in (red, green, blue)]
    return "black" if 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2] > 0.179 else "white"


def draw_matrix(
    axes, values, row_names, column_names, scale, texts=None, bold=(), separators=(), origin="upper", fontsize=8.5
):
    """values: rows of numbers or None. A place without a value is hatched, and shows its text ("–" unless given).

    texts: what to print, by default nothing. bold: set of (row, column). separators: (rows, columns) after which a line goes,
    to set averages apart. Gives the mappable for a colour bar.
    """
    array = np.array([[np.nan if v is None else v for v in row] for row in values], float)
    image = axes.imshow(array, aspect="auto", origin=origin, interpolation="nearest", **scale)
    for (row, column), value in np.ndenumerate(array):
        text = texts[row][column] if texts else None
        if np.isnan(value):
            axes.add_patch(
                Rectangle(
                    (column - 0.5, row - 0.5), 1, 1, facecolor="#f2f2f2", edgecolor="#999999", hatch="////", linewidth=0
                )
            )
            axes.text(
                column,
                row,
                text or "–",
                ha="center",
                va="center",
                fontsize=fontsize,
                color="black",
                bbox={"facecolor": "#f2f2f2", "edgecolor": "none", "pad": 1},
            )
        elif text:
            axes.text(
                column,
                row,
                text,
                ha="center",
                va="center",
                fontsize=fontsize,
                color=text_colour(value, scale),
                fontweight="bold" if (row, column) in bold else "normal",
            )
    axes.set_xticks(range(len(column_names)), column_names)
    axes.set_yticks(range(len(row_names)), row_names)
    axes.tick_params(length=0)
    for name, spine in axes.spines.items():
        spine.set_visible(False)
    for rows, columns in separators:
        if rows is not None:
            axes.axhline(rows + 0.5, color="white", linewidth=3)
        if columns is not None:
            axes.axvline(columns + 0.5, color="white", linewidth=3)
    return image


def thin_ticks(axes, names, most=12):
    """At most `most` labels on each axis of a matrix over layers."""
    step = max(1, -(-len(names) // most))
    places = list(range(0, len(names), step))
    axes.set_xticks(places, [names[p] for p in places])
    axes.set_yticks(places, [names[p] for p in places])
