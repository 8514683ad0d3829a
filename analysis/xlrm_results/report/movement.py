"""Section 4: how do the representations move?"""

import numpy as np

from ..figures import distributions, layers, similarity
from . import html
from .words import decimal, interval, reason, why_undefined

WHERE = "last token, chosen answers"


def layer_rows(rows, panel, series, column="value"):
    """Rows as layers.layer_curves takes them."""
    return [
        {
            "panel": r[panel],
            "series": r[series],
            "layer": r["layer"],
            "value": r[column],
            "low": r.get(column + "_low"),
            "high": r.get(column + "_high"),
            "null": r.get("null"),
            "noise_floor": r.get("noise_floor"),
            "reason": None if r[column] is not None else reason(r["undefined"].get(column)),
        }
        for r in rows
    ]


def largest_shift(context, base, benchmark):
    """A sentence on the last layer's similarity to the base, from the table shift."""
    rows = context.analysis.rows("shift", base=base, benchmark=benchmark, estimator="cka.linear.debiased")
    if not rows:
        return "no answer, since the analysis has no table shift."
    last = max(r["layer"] for r in rows)
    known = [r for r in rows if r["layer"] == last and r["value"] is not None]
    if not known:
        return f"no answer, since {why_undefined(rows[-1], 'value')}."
    low, high = min(known, key=lambda r: r["value"]), max(known, key=lambda r: r["value"])
    return (
        f"at the last layer the similarity to the base (cka.linear.debiased; 1: unchanged) is between {decimal(low['value'])} "
        f"({low['model']} in {low['target']}{interval(low, 'value', decimal)}) and {decimal(high['value'])} ({high['model']} in "
        f"{high['target']}{interval(high, 'value', decimal)})."
    )


def ratio_table(context, base, benchmark):
    rows = context.analysis.rows("ratio", base=base, benchmark=benchmark)
    if not rows:
        return context.part_missing("Singular-value ratio f", ["ratio"])
    last = max(r["layer"] for r in rows)
    return html.table(
        "Mean singular-value ratio f of the parallel items (1: languages collapse to one direction), and its difference Δf "
        f"to the base; layer {last}",
        ["model", "variant", "items", "f", "95 % interval", "Δf", "95 % interval"],
        [
            [r["model"], r["variant"], r["items"], decimal(r["f"]), span(r, "f"), decimal(r.get("delta")), span(r, "delta")]
            for r in rows
            if r["layer"] == last
        ],
        (2, 3, 4, 5, 6),
    )


def span(row, column):
    low, high = row.get(column + "_low"), row.get(column + "_high")
    return "–" if low is None or high is None else f"{decimal(low)} to {decimal(high)}"


def shift_figures(context, base, benchmark):
    inside = ""
    for model in context.shown_models(base, benchmark):
        rows = context.analysis.rows("shift", base=base, benchmark=benchmark, model=model)
        estimators = list(dict.fromkeys(r["estimator"] for r in rows))
        inside += context.draw(
            f"shift.{model}.{benchmark}",
            layers.layer_curves(
                layer_rows(rows, "estimator", "target"),
                {name: name for name in estimators},
                f"Figure 4. {model} against its base, by layer and language: benchmark {benchmark}, {WHERE}",
            ),
        )
    pairs = context.analysis.rows("layer_pairs", base=base, benchmark=benchmark)
    if pairs:
        shown = [base] + context.shown_models(base, benchmark)
        estimator, target = pairs[0]["estimator"], pairs[0]["target"]
        panels = {
            m: [r for r in pairs if r["model"] == m and r["target"] == target and r["estimator"] == estimator] for m in shown
        }
        inside += context.draw(
            f"layer_pairs.{base}.{benchmark}",
            similarity.layer_by_layer(
                panels,
                f"Figure 5. {estimator} between layers of a model and of its base, in {target}: benchmark {benchmark}, {WHERE}",
            ),
        )
    return inside


def norms_by_language(context, base, benchmark):
    """Figure 9, from the cells."""
    values = {}
    for model in [base] + context.shown_models(base, benchmark):
        for cell in context.results.cells:
            if (cell.model, cell.benchmark) == (model, benchmark) and cell.layers.get("last"):
                values[model, cell.language] = np.linalg.norm(
                    cell.activations(cell.layers["last"][-1]).astype(np.float64), axis=1
                )
    return context.draw(
        f"norms.{base}.{benchmark}",
        distributions.norm_distributions(
            values, f"Figure 9. Norms of the last layer before the final norm: base {base}, benchmark {benchmark}, {WHERE}"
        ),
    )


def how_do_they_move(context):
    answers, inside = [], ""
    for base, benchmark in context.groups():
        answers += context.tell(base, benchmark, largest_shift(context, base, benchmark))
        inside += f"<h3>{html.escape(context.title_of(base, benchmark))}</h3>\n"
        if context.analysis.rows("shift", base=base, benchmark=benchmark):
            inside += shift_figures(context, base, benchmark)
        else:
            inside += context.part_missing("Shift from the base by layer", ["shift"])
        inside += norms_by_language(context, base, benchmark) + ratio_table(context, base, benchmark)
    return (
        "move",
        "How do the representations move?",
        answers or ["No answer: no cell of a reward model is finished."],
        inside,
    )
