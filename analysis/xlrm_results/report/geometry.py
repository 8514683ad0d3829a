"""Section 9: does geometry explain transfer?"""

from ..figures import points
from . import html
from .movement import of_capture
from .words import counted, decimal, p_value, why_undefined

#: Columns of the table alignment that the table transfer_geometry names as measures.
MEASURES = {"cka": "cka.linear.debiased", "margin": "alignment margin", "p_at_1": "retrieval.p_at_1"}


def rows_of(context, base, benchmark):
    return of_capture(context.analysis.rows("transfer_geometry", base=base, benchmark=benchmark))


def declared(rows):
    """The row that is looked at first, chosen before any result: CKA at the last layer. None where there is no row."""
    return max((r for r in rows if r["measure"] == "cka"), key=lambda r: r["layer"], default=None)


def correlation(row):
    return f"Spearman's r {decimal(row['r'], 2)}, p = {p_value(row['p'])}"


def verdict(row):
    if row["p"] >= 0.05:
        return "these languages do not show that similarity in the base goes with a smaller gap"
    return "languages that are more alike in the base have " + ("smaller" if row["r"] > 0 else "larger") + " gaps"


def geometry_answer(context, base, benchmark):
    rows = rows_of(context, base, benchmark)
    first = declared(rows)
    if first is None:
        return [f"no answer, since {context.why_absent('transfer_geometry', base)}."]
    if first["r"] is None or first["p"] is None:
        return [f"no answer, since {why_undefined(first, 'r' if first['r'] is None else 'p')}."]
    said = [
        f"{verdict(first)}: {correlation(first)} by permuting the labels of {counted(first['languages'], 'language')} "
        "(cka.linear.debiased in the base, last layer, against the gap)."
    ]
    known = [r for r in rows if r["p"] is not None]
    best = min(known, key=lambda r: r["p"])
    said.append(
        f"Of all {counted(len(known), 'measure and layer', 'measures and layers')}, the smallest p is {p_value(best['p'])} "
        f"({MEASURES.get(best['measure'], best['measure'])}, layer {best['layer']}); it is not corrected for their number, "
        "and with so few languages only large effects can be seen."
    )
    return said


def scatter(context, base, benchmark, row):
    """Figure 13, of one row of the table."""
    alike = {}
    for r in context.analysis.rows("alignment", base=base, benchmark=benchmark, model=base, layer=row["layer"]):
        if r["capture"] == row["capture"]:
            alike[r["first_target"], r["second_target"]] = alike[r["second_target"], r["first_target"]] = r[row["measure"]]
    made = [
        {"source": r["source"], "target": r["target"], "measure": alike.get((r["source"], r["target"])), "gap": r["gap"]}
        for r in context.analysis.rows("gaps", base=base, benchmark=benchmark, kind="own", category="all")
    ]
    name = MEASURES.get(row["measure"], row["measure"])
    caption = f"{correlation(row)} (QAP, {counted(row['languages'], 'language')}, {row['permutations']} permutations)."
    title = f"Figure 13. {name} of two languages in the base, layer {row['layer']}, against the gap: benchmark {benchmark}"
    return points.measure_against_gap(made, title, f"{name} between source and target", caption)


def geometry_figures(context, base, benchmark):
    rows = rows_of(context, base, benchmark)
    first = declared(rows)
    if first is None:
        return context.part_missing("Geometry against transfer", "transfer_geometry", base)
    inside = context.draw(f"geometry.{base}.{benchmark}", scatter(context, base, benchmark, first))
    header = ["measure", "layer", "languages", "Spearman's r", "p (QAP)"]
    lines = [
        [MEASURES.get(r["measure"], r["measure"]), r["layer"], r["languages"], decimal(r["r"], 2), p_value(r["p"])]
        for r in rows
    ]
    title = "Similarity of two languages in the base against the gap A[s,t] − A[t,t], over ordered pairs of languages"
    return inside + html.details("All measures and layers", html.table(title, header, lines, range(1, 5)))


def does_geometry_explain(context):
    answers, inside = [], ""
    for base, benchmark in context.groups():
        answers += context.tell(base, benchmark, *geometry_answer(context, base, benchmark))
        inside += geometry_figures(context, base, benchmark)
    return "geometry", "Does geometry explain transfer?", answers or [context.NO_CELL], inside
