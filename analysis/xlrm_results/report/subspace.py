"""Section 5: the language subspace (LSAR) and what is left without it."""

from ..figures import layers
from . import html
from .movement import WHERE, curve, of_capture
from .words import percent

PAIRS = {
    "p_at_1": "retrieval.p_at_1, cosine",
    "margin": "alignment margin, cosine",
    "cka": "cka.linear.debiased",
    "offset_share": "share of the difference of language means that the subspace holds",
}


def language_subspace(context, base, benchmark):
    return alignment_figures(context, base, benchmark) + accuracy_table(context, base, benchmark)


def alignment_figures(context, base, benchmark):
    """Figure 17: alignment of languages as it is and without the subspace, by layer: means over the pairs."""
    rows = of_capture(context.analysis.rows("subspace_alignment", base=base, benchmark=benchmark))
    if not rows:
        return context.part_missing("Alignment without the language subspace", "subspace_alignment", base)
    inside = ""
    for model in [base] + context.shown_models(base, benchmark):
        own = [r for r in rows if r["model"] == model]
        pairs = [r for r in own if context.english in (r["first_target"], r["second_target"])] or own
        points = []
        for r in pairs:
            name = f"{r['first_target']}–{r['second_target']}"
            for column in PAIRS:
                points.append(curve(r, column, name, column))
                if column + "_without" in r:
                    points.append(curve(r, column + "_without", name, column + "_without"))
        panels = {}
        for column, text in PAIRS.items():
            panels[column] = text if column == "offset_share" else f"{text}, as it is"
            if column != "offset_share":
                panels[column + "_without"] = f"{text}, without the subspace"
        margins = [p["value"] for p in points if p["panel"].startswith("margin") and p["value"] is not None]
        limits = {name: (-0.05, 1.05) for name in panels}
        if margins:  # one scale, so that both can be compared
            span = max(max(margins) - min(margins), 1e-9)
            limits |= dict.fromkeys(("margin", "margin_without"), (min(margins) - span / 20, max(margins) + span / 20))
        drawing = layers.layer_curves(
            points,
            panels,
            f"Figure 17. Languages with and without the language subspace (LSAR), by layer: {model}, benchmark {benchmark}, {WHERE}",
            ["The subspace is fitted on the same items, so a gain is in part a fit."],
            limits,
        )
        inside += context.draw(f"subspace.{model}.{benchmark}", drawing)
    return inside


def accuracy_table(context, base, benchmark):
    rows = context.analysis.rows("subspace", base=base, benchmark=benchmark)
    if not rows:
        return context.part_missing("Accuracy without the language subspace", "subspace", base)
    header = ["model", "target", "rank", "as it is", "without the subspace", "without as many random directions"]
    lines = [
        [r["model"], r["target"], r["rank"], *(percent(r[c]) for c in ("accuracy", "accuracy_without", "accuracy_control"))]
        for r in rows
    ]
    table = html.table("Accuracy in % with the subspace removed from what the head reads", header, lines, range(2, 6))
    return html.details("Accuracy without the language subspace (LSAR)", table)
