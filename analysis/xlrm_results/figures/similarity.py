"""Matrices of similarity: layer by layer, language by language, model by model."""

from .drawing import PHONE, Drawing, drawn, empty_drawing, heading, label, new_figure, say_missing
from .heatmap import SEQUENTIAL, draw_matrix, thin_ticks


def matrix_of(rows, first, second, row_names, column_names):
    known = {(row[first], row[second]): row["value"] for row in rows}
    return [[known.get((r, c)) for c in column_names] for r in row_names]


def bottom_note(value):
    return "" if value is None else f"{value:.2f}"


@drawn
def layer_by_layer(panels, title, notes=(), axis_names=("layer of the base", "layer of the model")):
    """Figure 5, first part. panels: {name: rows of {layer, other_layer, value}}, value in 0 … 1 (a debiased one may lie below 0).

    Scale 0 … 1 in every panel. Layer 0 is at the bottom left. axis_names: what `layer`, upwards, and `other_layer`, to the
    right, are.
    """
    panels = {name: rows for name, rows in panels.items() if rows}
    if not panels:
        return empty_drawing(title, "no similarity between layers was computed")
    columns = min(2, len(panels))
    lines = -(-len(panels) // columns)
    figure = new_figure(PHONE, 1.3 + lines * (1.75 if columns > 1 else 3.0))
    grid = figure.subplots(lines, columns, squeeze=False)
    scale = {"cmap": SEQUENTIAL, "vmin": 0.0, "vmax": 1.0}
    table, image, missing = [], None, []
    for axes, (name, rows) in zip(grid.flat, panels.items()):
        layers = sorted({row["layer"] for row in rows})
        others = sorted({row["other_layer"] for row in rows})
        values = matrix_of(rows, "layer", "other_layer", layers, others)
        image = draw_matrix(axes, values, layers, others, scale, [[""] * len(others)] * len(layers), origin="lower")
        thin_ticks(axes, layers, 8)
        heading(axes, name)
        axes.set_aspect("equal")
        lacks = [f"{a}/{b}" for a, row in zip(layers, values) for b, v in zip(others, row) if v is None]
        if lacks:
            missing.append(f"{name}, layers {', '.join(lacks[:4])}" + (f" and {len(lacks) - 4} more" if len(lacks) > 4 else ""))
        table += [[name, a, b, v] for a, row in zip(layers, values) for b, v in zip(others, row)]
    for axes in grid.flat[len(panels) :]:
        axes.set_axis_off()
    for column in range(columns):
        grid[lines - 1 if (lines - 1) * columns + column < len(panels) else lines - 2][column].set_xlabel(axis_names[1])
    for axes in grid[:, 0]:
        axes.set_ylabel(axis_names[0])
    figure.colorbar(image, ax=grid, shrink=0.7, pad=0.02)
    label(
        figure,
        title,
        [
            "Layer 0 (embedding output) is at the bottom left. Scale 0 … 1 in all panels.",
            "Hatched: not defined." if missing else "",
            *notes,
        ],
    )
    return Drawing(figure, title, ["panel", "layer", "other_layer", "value"], table, missing)


@drawn
def language_by_language(panels, languages, title, notes=(), scale_label="", digits=2, limits=(0.0, 1.0)):
    """Figure 5, second part, and 12. panels: {name: rows of {language, other_language, value, reason}}; one scale in all."""
    if not any(row["value"] is not None for rows in panels.values() for row in rows):
        reasons = sorted({row["reason"] for rows in panels.values() for row in rows if row.get("reason")})
        return empty_drawing(title, "; ".join(reasons) or "not computed")
    columns = 2 if len(panels) > 1 and len(languages) <= 3 else 1
    lines = -(-len(panels) // columns)
    width = max(PHONE, 1.5 + 0.42 * len(languages))
    cell = (width - 1.3) / columns / (len(languages) + 0.8)
    figure = new_figure(width, 1.2 + lines * (0.5 + cell * (len(languages) + 0.6)))
    grid = figure.subplots(lines, columns, squeeze=False)
    scale = {"cmap": SEQUENTIAL, "vmin": limits[0], "vmax": limits[1]}
    table, missing, image = [], [], None
    for axes, (name, rows) in zip(grid.flat, panels.items()):
        values = matrix_of(rows, "language", "other_language", languages, languages)
        heading(axes, name)
        apart = [v for a, row in zip(languages, values) for b, v in zip(languages, row) if a != b]
        if not any(v is not None for v in apart or values[0]):
            why = next((row["reason"] for row in rows if row.get("reason")), "not computed")
            say_missing(axes, why)
            missing.append(f"{name}: {why}")
            continue
        texts = [["–" if v is None else f"{v:.{digits}f}".replace("-", "−") for v in row] for row in values]
        image = draw_matrix(axes, values, languages, languages, scale, texts, fontsize=7 if columns == 2 else 8)
        pairs = [(a, b, v) for a, row in zip(languages, values) for b, v in zip(languages, row)]
        missing += [f"{name}, {a}/{b}" for a, b, v in pairs if v is None and languages.index(a) <= languages.index(b)]
        table += [[name, *pair] for pair in pairs]
    for axes in grid.flat[len(panels) :]:
        axes.set_axis_off()
    bar = figure.colorbar(image, ax=grid, shrink=0.8, pad=0.02, aspect=40 if lines > 1 else 20)
    bar.set_label(scale_label)
    label(figure, title, ["Hatched: not defined." if missing else "", *notes])
    return Drawing(figure, title, ["panel", "row", "column", "value"], table, missing)
