"""Section 5: is the space shared between languages?"""

import math

from ..errors import ResultsError
from ..figures import layers, points, similarity
from . import html, probes, subspace
from .movement import WHERE, curve, of_capture
from .words import decimal, reason, spaced, why_undefined


def component_figures(context, base, benchmark):
    """Figure 8, from the cells: raw, then without each language's mean."""
    blocks = {}
    for model in [base] + context.shown_models(base, benchmark):
        for cell in context.results.cells:
            if (cell.model, cell.benchmark) != (model, benchmark) or not cell.layers.get("last"):
                continue
            for side in ("chosen", "rejected"):
                blocks[model, cell.language, side] = cell.activations(
                    cell.layers["last"][-1], side, rows=spaced(cell.items, context.points)
                )
    title = f"Figure 8. Principal components of the last layer, {{}}: base {base}, benchmark {benchmark}, last token"
    most = [f"At most {context.points} items of each language and side, evenly spaced."]
    inside = ""
    for name, part, rows in (
        ("raw", "raw", blocks),
        ("centred", "mean of each language removed", points.without_language_mean(blocks) if blocks else {}),
    ):
        inside += context.draw(
            f"components_{name}.{base}.{benchmark}", points.principal_components(rows, title.format(part), most)
        )
    return inside


def shared_answer(context, base, benchmark):
    rows = of_capture(context.analysis.rows("alignment", base=base, benchmark=benchmark, model=base))
    if len(context.results.languages) < 2:
        return "no answer, since it compares languages, and there is one."
    if not rows:
        return "no answer, since " + context.why_absent("alignment", base) + "."
    by_layer = {}
    for r in rows:
        if r["cka"] is not None:
            by_layer.setdefault(r["layer"], []).append(r["cka"])
    if not by_layer:
        return f"no answer, since {why_undefined(rows[0], 'cka')}."
    layer = max(by_layer, key=lambda number: min(by_layer[number]))
    return (
        f"in the base, languages are most alike at layer {layer} of {max(by_layer)}: cka.linear.debiased between two languages "
        f"is {decimal(min(by_layer[layer]))} to {decimal(max(by_layer[layer]))} there (the layer where the least alike two are "
        "most alike). Parallel texts are translations, which makes languages look more alike."
    )


def square(rows):
    """Both halves of a symmetric matrix, with its diagonal of 1."""
    names = list(dict.fromkeys(r[c] for r in rows for c in ("first_target", "second_target")))
    both = [
        {"language": r[a], "other_language": r[b], "value": r["cka"], "reason": reason(r["undefined"].get("cka"))}
        for r in rows
        for a, b in (("first_target", "second_target"), ("second_target", "first_target"))
    ]
    return names, both + [{"language": n, "other_language": n, "value": 1.0} for n in names]


def cka_figure(context, model, benchmark, rows):
    """Figure 5: languages against languages at four layers."""
    found = sorted({r["layer"] for r in rows})
    panels, names = {}, []
    for place in spaced(len(found), 4):
        names, panels[f"layer {found[place]}"] = square([r for r in rows if r["layer"] == found[place]])
    title = f"Figure 5. cka.linear.debiased between languages: {model}, benchmark {benchmark}, {WHERE}"
    drawing = similarity.language_by_language(panels, names, title, scale_label="CKA")
    return context.draw(f"languages.{model}.{benchmark}", drawing)


#: Columns of the table alignment that figure 7 draws. Chance of the first three: 1 / items.
ALIGNMENT = {
    "p_at_1": "retrieval.p_at_1, cosine, raw",
    "centred": "retrieval.p_at_1, mean of each language removed",
    "mexa": "mexa (nearest in both directions)",
    "margin": "alignment margin, cosine",
}


def retrieval_figure(context, model, benchmark, rows, top):
    """Figure 7: parallel items found in the other language, by layer; pairs with the reference language. top: of the scale."""
    pairs = [r for r in rows if context.english in (r["first_target"], r["second_target"])] or rows
    points_of = [
        curve(
            r,
            column,
            f"{r['first_target']}–{r['second_target']}",
            column,
            null=None if column == "margin" else 1 / r["items"],
        )
        for r in pairs
        for column in ALIGNMENT
    ]
    items = sorted({r["items"] for r in pairs})
    count = f"n = {items[0]}" if len(items) == 1 else f"n = {items[0]} to {items[-1]}" if items else ""
    limits = {column: (-0.03 * top, 1.05 * top) for column in ("p_at_1", "centred", "mexa")}
    title = f"Figure 7. Alignment of parallel items, by layer: {model}, benchmark {benchmark}, {WHERE}, {count}"
    notes = ["Null: chance, 1/n. Retrieval depends on n; the margin does least."]
    drawing = layers.layer_curves(points_of, ALIGNMENT, title, notes, limits)
    return context.draw(f"retrieval.{model}.{benchmark}", drawing)


def language_figures(context, base, benchmark):
    rows = of_capture(context.analysis.rows("alignment", base=base, benchmark=benchmark))
    if not rows:
        return context.part_missing("Similarity of languages, retrieval", "alignment", base)
    inside = ""
    shares = [r[column] for r in rows for column in ("p_at_1", "centred", "mexa") if r[column] is not None]
    top = math.ceil(10 * max(shares, default=1.0)) / 10  # one scale for all models
    for model in [base] + context.shown_models(base, benchmark):
        own = [r for r in rows if r["model"] == model]
        inside += cka_figure(context, model, benchmark, own) + retrieval_figure(context, model, benchmark, own, max(top, 0.1))
    return inside


def language_layer_figure(context, base, benchmark):
    """Figure 5, layers of one language against layers of another, in the base: of the pair with the reference language that is
    least alike on the diagonal."""
    rows = of_capture(context.analysis.rows("language_layer_pairs", base=base, benchmark=benchmark))
    if not rows:
        return context.part_missing("Layers of one language against another's", "language_layer_pairs", base)
    shown = [base] + context.shown_models(base, benchmark)
    rows = [r for r in rows if r["model"] in shown]
    pairs = list(dict.fromkeys((r["first_target"], r["second_target"]) for r in rows))
    pairs = [pair for pair in pairs if context.english in pair] or pairs

    def alike(pair):
        own = [r["cka"] for r in rows if r["model"] == base and (r["first_target"], r["second_target"]) == pair]
        return min((value for value in own if value is not None), default=0.0)

    first, second = min(pairs, key=alike)
    panels = {
        model: [{**r, "value": r["cka"]} for r in rows if (r["model"], r["first_target"], r["second_target"]) == (model, first, second)]
        for model in shown
    }
    title = f"Figure 5. cka.linear.debiased between the layers of {first} and of {second}: base {base}, benchmark {benchmark}, {WHERE}"
    drawing = similarity.layer_by_layer(panels, title, axis_names=(f"layer in {first}", f"layer in {second}"))
    return context.draw(f"language_layers.{base}.{benchmark}", drawing)


def is_the_space_shared(context):
    answers, inside = [], ""
    for base, benchmark in context.groups():
        answers += context.tell(base, benchmark, shared_answer(context, base, benchmark))
        inside += f"<h3>{html.escape(context.title_of(base, benchmark))}</h3>\n"
        try:
            inside += component_figures(context, base, benchmark)
        except ResultsError as error:
            inside += html.missing(f"Principal components: {error}")
        inside += language_figures(context, base, benchmark) + language_layer_figure(context, base, benchmark)
        inside += subspace.language_subspace(context, base, benchmark)
        inside += probes.transfer_of_probes(context, base, benchmark) + probes.directions(context, base, benchmark)
        inside += probes.what_is_there(context, base, benchmark)
    return ("shared", "Is the space shared between languages?", answers or [context.NO_CELL], inside)
