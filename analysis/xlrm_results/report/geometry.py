"""Section 9: does geometry explain transfer?"""

from ..figures import points
from . import html
from .words import counted, decimal, p_value, why_undefined


def geometry_answer(context, base, benchmark):
    rows = [r for r in context.analysis.rows("transfer_geometry", base=base, benchmark=benchmark)]
    known = [r for r in rows if r["p"] is not None and r["r"] is not None]
    if not known:
        why = why_undefined(rows[0], "p") if rows else "the analysis has no table transfer_geometry"
        return f"no answer, since {why}."
    best = min(known, key=lambda r: r["p"])
    return (
        f"of {counted(len(known), 'measure')}, the strongest is {best['estimator']} at layer {best['layer']}: correlation "
        f"{decimal(best['r'], 2)} with the gap, p = {p_value(best['p'])} by permuting the labels of "
        f"{counted(best['languages'], 'language')}, "
        "not corrected for the number of measures. So few languages cannot show more than a large effect."
    )


def geometry_figures(context, base, benchmark):
    rows = [r for r in context.analysis.rows("transfer_geometry", base=base, benchmark=benchmark) if r["p"] is not None]
    if not rows:
        return context.part_missing("Geometry against transfer", "transfer_geometry", base)
    best = min(rows, key=lambda r: r["p"])
    measures = {}
    for r in context.analysis.rows(
        "language_pairs", base=base, benchmark=benchmark, model=base, estimator=best["estimator"], layer=best["layer"]
    ):
        measures[r["first_target"], r["second_target"]] = measures[r["second_target"], r["first_target"]] = r["value"]
    made = [
        {"source": r["source"], "target": r["target"], "measure": measures.get((r["source"], r["target"])), "gap": r["gap"]}
        for r in context.analysis.rows("gaps", base=base, benchmark=benchmark, kind="own", category="all")
    ]
    caption = f"Correlation {decimal(best['r'], 2)}, QAP p = {p_value(best['p'])}, {counted(best['languages'], 'language')}."
    inside = context.draw(
        f"geometry.{base}.{benchmark}",
        points.measure_against_gap(
            made,
            f"Figure 13. {best['estimator']} of the base at layer {best['layer']} against the gap: benchmark {benchmark}",
            f"{best['estimator']} between source and target",
            caption,
        ),
    )
    return inside + html.table(
        "All measures",
        ["measure", "layer", "correlation", "p (QAP)", "languages"],
        [[r["estimator"], r["layer"], decimal(r["r"], 2), p_value(r["p"]), r["languages"]] for r in rows],
        (1, 2, 3, 4),
    )


def does_geometry_explain(context):
    answers, inside = [], ""
    for base, benchmark in context.groups():
        answers += context.tell(base, benchmark, geometry_answer(context, base, benchmark))
        inside += geometry_figures(context, base, benchmark)
    return ("geometry", "Does geometry explain transfer?", answers or [context.NO_CELL], inside)
