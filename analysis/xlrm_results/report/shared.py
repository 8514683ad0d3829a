"""Section 5: is the space shared between languages?"""

import numpy as np

from ..errors import ResultsError
from ..figures import layers, points, similarity
from . import html
from .movement import WHERE, layer_rows
from .words import decimal, percent, why_undefined


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
