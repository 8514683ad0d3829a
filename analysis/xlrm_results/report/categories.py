"""Section 3: where does English transfer?"""

from ..figures import bars
from . import html
from .words import counted, interval, listed, points


def where_answer(context, base, benchmark):
    means = [
        r
        for r in context.analysis.rows("headline", base=base, benchmark=benchmark, target="mean")
        if r["category"] not in ("all", "average") and r["gap"] is not None
    ]
    if not means:
        return ["no answer, since the items have no categories with both models."]
    if len(means) == 1:
        return [f"the items have one category, {means[0]['category']}, so there is nothing to compare."]
    worst, best = min(means, key=lambda r: r["gap"]), max(means, key=lambda r: r["gap"])
    sentence = (
        f"the gap of the {context.language} model is lowest in {worst['category']}, {points(worst['gap'])} points"
        f"{interval(worst, 'gap', points)}, and highest in {best['category']}, {points(best['gap'])} "
        f"points{interval(best, 'gap', points)}."
    )
    lows = [r for r in (worst, best) if r.get("gap_low") is not None]
    overlap = len(lows) == 2 and worst["gap_high"] >= best["gap_low"]
    return [sentence] + (["Their intervals overlap."] if overlap else [])


def small_categories(rows):
    return sorted(
        {
            f"{r['category']} in {r['target']} has {counted(r['items'], 'item')}"
            for r in rows
            if r["items"] < 4 and r["category"] != "all"
        }
    )


def english_only_table(context, base, benchmark):
    rows = context.analysis.rows("english_only", base=base, benchmark=benchmark)
    if "english_only" not in context.analysis.tables:
        return context.part_missing("Items that only the English model gets right", "english_only", base)
    counts = {}
    for r in rows:
        counts.setdefault((r["target"], r["subset"]), []).append(r["id"])
    return html.details(
        f"Items that only the {context.language} model gets right ({len(rows)})",
        html.table(
            "By target and category, with their first ids",
            ["target", "category", "items", "ids"],
            [[target, subset or "–", len(ids), listed(ids, 6)] for (target, subset), ids in sorted(counts.items())],
            (2,),
        ),
    )


def where(context):
    answers, inside = [], ""
    for base, benchmark in context.groups():
        place = context.title_of(base, benchmark)
        rows = [
            r
            for r in context.analysis.rows("accuracy", base=base, benchmark=benchmark)
            if r["category"] not in ("all", "average")
        ]
        answers += context.tell(base, benchmark, *where_answer(context, base, benchmark))
        few = small_categories(rows)
        if few:
            answers.append(f"{place}: too few items to say anything: {listed(few)}.")
        if not rows:
            inside += (
                html.missing(f"{place}: the items have no categories.")
                if context.analysis.exists
                else context.part_missing(f"Categories ({place})", "accuracy", base)
            )
            continue
        groups = [
            {
                "subset": r["category"],
                "model": context.english if r["source"] == context.english else "own",
                "target": r["target"],
                "accuracy": r["accuracy"],
                "low": r.get("accuracy_low"),
                "high": r.get("accuracy_high"),
                "items": r["items"],
            }
            for r in rows
            if r["target"] != context.english and r["source"] in (context.english, r["target"])
        ]
        inside += f"<h3>{html.escape(place)}</h3>\n"
        inside += context.draw(
            f"categories.{base}.{benchmark}",
            bars.category_bars(
                groups,
                list(dict.fromkeys(r["category"] for r in rows)),
                f"Figure 10. Accuracy by category, {context.language} model and target's own: {place}",
            ),
        )
        inside += english_only_table(context, base, benchmark)
    return "where", "Where does it transfer?", answers or [context.NO_CELL], inside
