"""Sections 4, 5 and 6: how do the representations move, is the space shared, when does the reward form?"""

import numpy as np

from ..errors import ResultsError
from ..figures import distributions, layers, points, similarity
from . import html
from .words import counted, decimal, interval, listed, percent, reason, why_undefined

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


def spaced(count, most):
    """At most `most` places of `count`, evenly spaced."""
    return np.unique(np.linspace(0, count - 1, min(most, count)).astype(int)) if count else np.array([], int)


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
    rows = context.analysis.rows(
        "language_pairs", base=base, benchmark=benchmark, model=base, estimator="cka.linear.debiased"
    )
    if len(context.results.languages) < 2:
        return "no answer, since it compares languages, and there is one."
    if not rows:
        return "no answer, since the analysis has no table language_pairs."
    best = {}
    for r in rows:
        if r["value"] is not None:
            best.setdefault(r["layer"], []).append(r["value"])
    if not best:
        return f"no answer, since {why_undefined(rows[0], 'value')}."
    layer = max(best, key=lambda l: sum(best[l]) / len(best[l]))
    return (
        f"languages are most alike at layer {layer} of {max(best)} of the base, where cka.linear.debiased between two "
        "languages is "
        f"between {decimal(min(best[layer]))} and {decimal(max(best[layer]))}. Parallel texts are translations, which makes "
        "languages look more alike."
    )


def square(rows):
    """Both halves of a symmetric matrix, with its diagonal of 1."""
    names = list(dict.fromkeys(r[c] for r in rows for c in ("first_target", "second_target")))
    both = [
        {
            "language": r[a],
            "other_language": r[b],
            "value": r["value"],
            "reason": None if r["value"] is not None else why_undefined(r, "value"),
        }
        for r in rows
        for a, b in (("first_target", "second_target"), ("second_target", "first_target"))
    ]
    return names, both + [{"language": n, "other_language": n, "value": 1.0} for n in names]


def language_figures(context, base, benchmark):
    rows = context.analysis.rows("language_pairs", base=base, benchmark=benchmark)
    inside = ""
    if not rows:
        return context.part_missing("Similarity of languages, retrieval", ["language_pairs"])
    cka = [r for r in rows if r["estimator"] == "cka.linear.debiased"]
    for model in [base] + context.shown_models(base, benchmark):
        own = [r for r in cka if r["model"] == model]
        found = sorted({r["layer"] for r in own})
        panels, names = {}, []
        for place in spaced(len(found), 4):
            names, panels[f"layer {found[place]}"] = square([r for r in own if r["layer"] == found[place]])
        inside += context.draw(
            f"languages.{model}.{benchmark}",
            similarity.language_by_language(
                panels,
                names,
                f"Figure 5. cka.linear.debiased between languages: {model}, benchmark {benchmark}, {WHERE}",
                scale_label="CKA",
            ),
        )
    others = [
        r for r in rows if not r["estimator"].startswith("cka") and context.english in (r["first_target"], r["second_target"])
    ]
    estimators = list(dict.fromkeys(r["estimator"] for r in others))
    for model in [base] + context.shown_models(base, benchmark):
        series = [{**r, "pair": f"{r['first_target']}–{r['second_target']}"} for r in others if r["model"] == model]
        inside += context.draw(
            f"retrieval.{model}.{benchmark}",
            layers.layer_curves(
                layer_rows(series, "estimator", "pair"),
                {name: name for name in estimators},
                f"Figure 7. Alignment of parallel items with {context.english}: {model}, benchmark {benchmark}, {WHERE}",
                limits={name: (-0.02, 1.02) for name in estimators},
            ),
        )
    return inside


def subspace_table(context, base, benchmark):
    rows = context.analysis.rows("subspace", base=base, benchmark=benchmark)
    if not rows:
        return context.part_missing("Accuracy without the language subspace", ["subspace"])
    return html.details(
        "Accuracy with the language subspace (LSAR) removed from what the head reads",
        html.table(
            "Accuracy in %",
            ["model", "target", "rank", "as it is", "without the subspace"],
            [[r["model"], r["target"], r["rank"], percent(r["accuracy"]), percent(r["accuracy_without"])] for r in rows],
            (2, 3, 4),
        ),
    )


def probe_figure(context, base, benchmark):
    rows = context.analysis.rows("probe_transfer", base=base, benchmark=benchmark)
    if not rows:
        return context.part_missing("Preference probes on the base", ["probe_transfer"])
    names = list(dict.fromkeys(r["source"] for r in rows))
    panels = {}
    for r in rows:
        panels.setdefault(f"layer {r['layer']}", []).append(
            {"language": r["source"], "other_language": r["target"], "value": r["accuracy"]}
        )
    shown = {name: panels[name] for name in [list(panels)[p] for p in spaced(len(panels), 4)]}
    return context.draw(
        f"probes.{base}.{benchmark}",
        similarity.language_by_language(
            shown,
            names,
            f"Figure 5. Accuracy of a preference probe on the base, fitted on rows, tested on columns: benchmark {benchmark}",
            scale_label="accuracy",
            limits=(0.4, 1.0),
            notes=["A probe shows what is there, not what a model uses."],
        ),
    )


def is_the_space_shared(context):
    answers, inside = [], ""
    for base, benchmark in context.groups():
        answers += context.tell(base, benchmark, shared_answer(context, base, benchmark))
        inside += f"<h3>{html.escape(context.title_of(base, benchmark))}</h3>\n"
        try:
            inside += component_figures(context, base, benchmark)
        except ResultsError as error:
            inside += html.missing(f"Principal components: {error}")
        inside += language_figures(context, base, benchmark) + probe_figure(context, base, benchmark)
        inside += subspace_table(context, base, benchmark)
    return (
        "shared",
        "Is the space shared between languages?",
        answers or ["No answer: no cell of a reward model is finished."],
        inside,
    )


def lens_answer(context, base, benchmark):
    rows = context.analysis.rows("crystallisation", base=base, benchmark=benchmark)
    known = [r for r in rows if r["depth"] is not None]
    if not known:
        return f"no answer, since {why_undefined(rows[0], 'depth') if rows else 'the analysis has no table crystallisation'}."
    low, high = min(known, key=lambda r: r["depth"]), max(known, key=lambda r: r["depth"])
    return (
        f"half of the final margin is reached at a mean relative depth of {decimal(low['depth'], 2)} ({low['model']} in "
        f"{low['target']}) "
        f"to {decimal(high['depth'], 2)} ({high['model']} in {high['target']})."
    )


def when_does_it_form(context):
    answers, inside = [], ""
    for base, benchmark in context.groups():
        answers += context.tell(base, benchmark, lens_answer(context, base, benchmark))
        for model in context.shown_models(base, benchmark):
            rows = context.analysis.rows("lens", base=base, benchmark=benchmark, model=model)
            if not rows:
                inside += context.part_missing(f"Reward lens of {model}", ["lens"])
                continue
            lens = [
                {"language": r["target"], **{k: r[k] for k in ("layer", "median", "q25", "q75", "accuracy")}} for r in rows
            ]
            inside += context.draw(
                f"lens.{model}.{benchmark}",
                layers.reward_lens(lens, [], f"Figure 6. Reward lens of {model}: benchmark {benchmark}, last token"),
            )
    return "forms", "When does the reward form?", answers or ["No answer: no cell of a reward model is finished."], inside
