"""Section 4: how do the representations move?"""

import numpy as np

from ..figures import distributions, layers, similarity
from . import html
from .words import decimal, interval, p_value, percent, reason, why_undefined

WHERE = "last token, chosen answers"

#: Columns of the table shift that figure 4 draws, and what each is. cka: independent representations have 0 on average.
SHIFT = {
    "cka": "cka.linear.debiased (1: unchanged up to rotation and scale)",
    "cosine": "mean cosine of base and model, raw",
    "relative": "median |h − h₀| / |h₀|",
    "norm": "mean log(|h| / |h₀|)",
    "neighbours": "Jaccard overlap of the 10 nearest, cosine",
}
SHARES = {"cka": (-0.05, 1.05), "neighbours": (-0.05, 1.05)}  #: panels with one scale for all models
BF16_ROUNDING = 0.0024  #: relative shift of two roundings to bfloat16, below which a shift says nothing


def of_capture(rows):
    """The rows of one capture, "last" where there is it."""
    captures = {r["capture"] for r in rows}
    wanted = "last" if "last" in captures or not captures else sorted(captures)[0]
    return [r for r in rows if r["capture"] == wanted]


def curve(row, panel, series, column, null=None, noise_floor=None):
    """One point as layers.layer_curves takes it."""
    return {
        "panel": panel,
        "series": series,
        "layer": row["layer"],
        "value": row[column],
        "low": row.get(column + "_low"),
        "high": row.get(column + "_high"),
        "null": null,
        "noise_floor": noise_floor,
        "reason": None if row[column] is not None else reason(row["undefined"].get(column)),
    }


#: Measures of which a smaller value is a larger shift, so that the least similar language is the floor of all.
SIMILARITIES = ("cka", "cosine", "neighbours")


def noise_floors(context, base, benchmark):
    """{(column of SHIFT, layer): noise floor}: the base once more in bfloat16 against itself, of the language that differs most."""
    floors = {}
    for r in of_capture(context.analysis.rows("noise_floor", base=base, benchmark=benchmark)):
        for column in SHIFT:
            value = r.get(column)
            if value is None:
                continue
            worst = min if column in SIMILARITIES else lambda a, b: max(a, b, key=abs)
            key = column, r["layer"]
            floors[key] = worst(floors[key], value) if key in floors else value
    return floors


def largest_shift(context, base, benchmark):
    """A sentence on the last layer's similarity to the base, from the table shift."""
    rows = of_capture(context.analysis.rows("shift", base=base, benchmark=benchmark))
    if not rows:
        return "no answer, since " + context.why_absent("shift", base) + "."
    last = max(r["layer"] for r in rows)
    known = [r for r in rows if r["layer"] == last and r["cka"] is not None]
    if not known:
        return f"no answer, since {why_undefined(rows[-1], 'cka')}."
    low, high = min(known, key=lambda r: r["cka"]), max(known, key=lambda r: r["cka"])
    return (
        "at the last layer the similarity to the base (cka.linear.debiased; 1: unchanged up to rotation and scale) is between "
        f"{decimal(low['cka'])} ({low['model']} in {low['target']}{interval(low, 'cka', decimal, '; ', '')}) and "
        f"{decimal(high['cka'])} ({high['model']} in {high['target']}{interval(high, 'cka', decimal, '; ', '')})."
    )


def ratio_answer(context, base, benchmark):
    """A sentence on f of the English models against the base, centred, last layer."""
    rows = of_capture(context.analysis.rows("ratios", base=base, benchmark=benchmark, variant="centred"))
    changes = [r for r in rows if r["layer"] == max(s["layer"] for s in rows) and r["change"] is not None]
    if not changes:
        return []
    low, high = min(changes, key=lambda r: r["change"]), max(changes, key=lambda r: r["change"])
    return [
        f"The singular-value ratio f of parallel texts (centred, last layer; larger: languages are more alike) changes by "
        f"{decimal(low['change'])} ({low['model']}{interval(low, 'change', decimal, '; ', '')}) to {decimal(high['change'])} "
        f"({high['model']}{interval(high, 'change', decimal, '; ', '')})."
    ]


def span(row, column):
    low, high = row.get(column + "_low"), row.get(column + "_high")
    return "–" if low is None or high is None else f"{decimal(low)} to {decimal(high)}"


def ratio_table(context, base, benchmark):
    rows = of_capture(context.analysis.rows("ratios", base=base, benchmark=benchmark))
    if not rows:
        return context.part_missing("Singular-value ratio f", "ratios", base)
    last = max(r["layer"] for r in rows)
    title = (
        f"Mean singular-value ratio f of parallel texts (1: all languages along one direction) and its change from the base, "
        f"layer {last}, {WHERE}"
    )
    header = ["model", "variant", "items", "f", "95 % interval", "change", "95 % interval"]
    lines = [
        [r["model"], r["variant"], r["items"], decimal(r["f"]), span(r, "f"), decimal(r["change"]), span(r, "change")]
        for r in rows
        if r["layer"] == last
    ]
    return html.details("Singular-value ratio f of every model", html.table(title, header, lines, range(2, 7)))


def shape_table(context, base, benchmark):
    """Norms and shape of the states at the last layer, from the table geometry."""
    rows = of_capture(context.analysis.rows("geometry", base=base, benchmark=benchmark))
    if not rows:
        return context.part_missing("Norms, anisotropy and dimension", "geometry", base)
    last = max(r["layer"] for r in rows)
    header = ["model", "language", "mean norm", "W1", "KS", "anisotropy", "top 3 features, %", "effective rank"]
    lines = [
        [r["model"], r["target"], decimal(r["norm_mean"]), *(decimal(r[c]) for c in ("norm_w1", "norm_ks", "anisotropy"))]
        + [percent(r["top3"]), decimal(r["effective_rank"], 1)]
        for r in rows
        if r["layer"] == last
    ]
    title = f"Layer {last}, {WHERE}. W1, KS: distance of the norms' distribution to that of the first language"
    return html.details("Norms, anisotropy and dimension of every model", html.table(title, header, lines, range(2, 8)))


def shift_figure(context, base, benchmark, model):
    """Figure 4: one model against its base; the last panel is the change of f over all languages."""
    rows = []
    floors = noise_floors(context, base, benchmark)
    for r in of_capture(context.analysis.rows("shift", base=base, benchmark=benchmark, model=model)):
        nulls = {"cka": 0.0, "neighbours": 5.0 / r["items"]}
        for column in SHIFT:
            rounding = BF16_ROUNDING if column == "relative" and not floors else None
            floor = floors.get((column, r["layer"]), rounding)
            rows.append(curve(r, column, r["target"], column, nulls.get(column), floor))
    for r in of_capture(context.analysis.rows("ratios", base=base, benchmark=benchmark, model=model)):
        if r["variant"] in ("centred", "raw"):
            rows.append(curve(r, "change", f"f, {r['variant']}", "change", null=0.0))
    panels = {**SHIFT, "change": "change of f over parallel texts"}
    notes = [
        "Null: independent representations (overlap of neighbours: 10/2n), or no change of f.",
        "Noise floor: the base once more in bfloat16 against itself, the language that differs most."
        if floors
        else f"Noise floor: {BF16_ROUNDING}, the rounding of two states to bfloat16 (the base was not evaluated once more in it).",
    ]
    title = f"Figure 4. {model} against its base, by layer and language: benchmark {benchmark}, {WHERE}"
    return context.draw(f"shift.{model}.{benchmark}", layers.layer_curves(rows, panels, title, notes, SHARES))


def layer_figure(context, base, benchmark):
    """Figure 5, layers of the base against layers of the base and of the models shown, in the reference language."""
    rows = of_capture(context.analysis.rows("layer_pairs", base=base, benchmark=benchmark))
    if not rows:
        return context.part_missing("Layers against layers", "layer_pairs", base)
    targets = list(dict.fromkeys(r["target"] for r in rows))
    target = context.english if context.english in targets else targets[0]
    panels = {
        model: [{**r, "value": r["cka"]} for r in rows if r["model"] == model and r["target"] == target]
        for model in [base] + context.shown_models(base, benchmark)
    }
    title = f"Figure 5. cka.linear.debiased between layers, in {target}: base {base}, benchmark {benchmark}, {WHERE}"
    return context.draw(f"layers.{base}.{benchmark}", similarity.layer_by_layer(panels, title))


def estimator_table(context, base, benchmark):
    """Every estimator of similarity between model and base, last layer, beside its null and the noise floor."""
    rows = of_capture(context.analysis.rows("similarity", base=base, benchmark=benchmark))
    rows = [r for r in rows if r["comparison"] in ("base", "noise_floor")]
    if not rows:
        return context.part_missing("Other estimators of the shift", "similarity", base)
    last = max(r["layer"] for r in rows)
    header = ["estimator", "kind", "model", "language", "scope", "value", "95 % interval", "null (95 %)", "p"]
    lines = [
        [r["measure"], r["kind"], "noise floor" if r["comparison"] == "noise_floor" else r["model"], r["target"], r["scope"]]
        + [decimal(r["value"]), span(r, "value"), decimal(r["null"]), p_value(r["p"])]
        for r in sorted(rows, key=lambda r: (r["measure"], r["scope"]))
        if r["layer"] == last
    ]
    title = (
        f"Similarity of model and base at layer {last}, {WHERE}. score: 1 is equal; metric: 0 is. null: what 95 % of shuffled items "
        "stay below (metric: above); within: each category centred by itself"
    )
    return html.details("Other estimators of the shift", html.table(title, header, lines, range(5, 9)))


def length_table(context, base, benchmark):
    rows = context.analysis.rows("token_lengths", base=base, benchmark=benchmark)
    if not rows:
        return ""
    header = ["language", "answer", "items", "25 %", "median", "75 %"]
    lines = [[r["target"], r["side"], r["items"], *(decimal(r[q], 0) for q in ("q25", "q50", "q75"))] for r in rows]
    title = "Lengths of the texts in tokens: norms and rewards may follow them rather than the language"
    return html.details("Lengths of the texts", html.table(title, header, lines, range(2, 6)))


def norms_by_language(context, base, benchmark):
    """Figure 9, from the cells."""
    values = {}
    for model in [base] + context.shown_models(base, benchmark):
        for cell in context.results.cells:
            if (cell.model, cell.benchmark) == (model, benchmark) and cell.layers.get("last"):
                states = cell.activations(cell.layers["last"][-1]).astype(np.float64)
                values[model, cell.language] = np.linalg.norm(states, axis=1)
    title = f"Figure 9. Norms of the last layer before the final norm: base {base}, benchmark {benchmark}, {WHERE}"
    return context.draw(f"norms.{base}.{benchmark}", distributions.norm_distributions(values, title))


def how_do_they_move(context):
    answers, inside = [], ""
    for base, benchmark in context.groups():
        said = [largest_shift(context, base, benchmark), *ratio_answer(context, base, benchmark)]
        answers += context.tell(base, benchmark, *said)
        inside += f"<h3>{html.escape(context.title_of(base, benchmark))}</h3>\n"
        if context.analysis.rows("shift", base=base, benchmark=benchmark):
            for model in context.shown_models(base, benchmark):
                inside += shift_figure(context, base, benchmark, model)
        else:
            inside += context.part_missing("Shift from the base by layer", "shift", base)
        inside += layer_figure(context, base, benchmark) + norms_by_language(context, base, benchmark)
        inside += ratio_table(context, base, benchmark) + shape_table(context, base, benchmark)
        inside += estimator_table(context, base, benchmark) + length_table(context, base, benchmark)
    return "move", "How do the representations move?", answers or [context.NO_CELL], inside
