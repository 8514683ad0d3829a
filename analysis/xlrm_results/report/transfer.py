"""Section 2: does English transfer?"""

from ..figures import transfer
from . import given, html
from .words import counted, interval, listed, p_value, percent, points, why_undefined


def main_category(rows):
    """ "average", which the benchmark's own rule gives, where it is defined; else all items alike."""
    has_average = any(row["category"] == "average" and row["gap"] is not None for row in rows)
    return "average" if has_average else "all"


def english_answer(context, base, benchmark):
    """Sentences on the English model against the targets' own, from the table headline."""
    rows = context.analysis.rows("headline", base=base, benchmark=benchmark)
    if not rows:
        sources = {c.source for c in context.results.cells if (c.base, c.benchmark) == (base, benchmark)}
        targets = {c.language for c in context.results.cells if c.benchmark == benchmark}
        if context.english not in sources:
            return [
                f"no answer, since no finished model was trained on {context.language} (option --english names another language)."
            ]
        if targets <= {context.english}:
            return [f"no answer, since the test has no language but {context.language}."]
        return ["no answer, since the analysis has no headline table."]
    category = main_category(rows)
    mean = next((r for r in rows if r["category"] == category and r["target"] == "mean"), None)
    targets = [r for r in rows if r["category"] == category and r["target"] != "mean"]
    known = [r for r in targets if r["gap"] is not None]
    if mean is None or mean["gap"] is None:
        return [f"no answer, since {why_undefined(mean, 'gap') if mean else 'no target has both models'}."]
    low, high = mean.get("gap_low"), mean.get("gap_high")
    direction = "below" if mean["gap"] < 0 else "above"
    how = f"{points(abs(mean['gap']), False)} points {direction}"
    sentence = (
        f"the model trained on {context.language} is on average {how} the model trained on the language of the test"
        f"{interval(mean, 'gap', points)}, over {counted(len(known), 'target')}."
    )
    answers = [sentence]
    if low is not None and low <= 0 <= high:
        answers.append("The interval contains 0: these items do not show a difference.")
    tested = [r for r in known if r.get("p_holm") is not None]
    found = [r for r in tested if r["p_holm"] < 0.05]
    if tested:
        which = ": " + listed(f"{r['target']} ({points(r['gap'])})" for r in found) if found else ""
        answers.append(
            f"After Holm's correction over {counted(len(tested), 'target')}, {len(found) or 'none'} "
            f"differ{'' if len(found) > 1 else 's'} at 5 %{which}."
        )
    return answers


def gap_rows(context, base, benchmark, category):
    """{source, target, gap, p_holm} for figure 2; a target's own model has gap 0 to itself and no test."""
    rows = [
        {"source": r["source"], "target": r["target"], "gap": r["gap"], "p_holm": r.get("p_holm")}
        for r in context.analysis.rows("gaps", base=base, benchmark=benchmark, category=category, kind="own")
    ]
    own = context.analysis.rows("accuracy", base=base, benchmark=benchmark, category=category)
    return rows + [
        {"source": r["source"], "target": r["target"], "gap": 0.0, "p_holm": None}
        for r in own
        if r["source"] == r["target"] and r["accuracy"] is not None
    ]


def forest_rows(context, base, benchmark):
    """Figure 3: the headline table, with each seed's gap where there are several."""
    seeds = seed_gaps(context, base, benchmark)
    return [
        {
            "subset": "" if r["category"] == "all" else r["category"],
            "target": "" if r["target"] == "mean" else r["target"],
            "gap": r["gap"],
            "low": r.get("gap_low"),
            "high": r.get("gap_high"),
            "p_holm": r.get("p_holm"),
            "seeds": seeds.get(r["target"], []) if r["category"] == "all" else [],
        }
        for r in context.analysis.rows("headline", base=base, benchmark=benchmark)
    ]


def seed_gaps(context, base, benchmark):
    """Target → gaps of the seeds (all items), where there are two or more; accuracies as the index of the sweep has them."""
    right = {}
    for cell in context.results.cells:
        if (
            not cell.is_base
            and (cell.base, cell.benchmark) == (base, benchmark)
            and cell.source in (context.english, cell.language)
        ):
            margin = cell.scores().margin
            right[cell.source, cell.language, cell.seed] = float((margin > 0).mean()) if len(margin) else None
    gaps = {}
    for (source, target, seed), accuracy in sorted(right.items()):
        own = right.get((target, target, seed))
        if source == context.english and target != source and own is not None and accuracy is not None:
            gaps.setdefault(target, []).append(accuracy - own)
    return {target: values for target, values in gaps.items() if len(values) > 1}


def headline_table(context, base, benchmark):
    rows = context.analysis.rows("headline", base=base, benchmark=benchmark)
    published = any(r.get("published") for r in rows)
    header = ["category", "target", "items", f"{context.english} %", "own %", "gap, points", "95 % interval", "p (Holm)"]
    table = []
    for r in rows:
        span = f"{points(r['gap_low'])} to {points(r['gap_high'])}" if r.get("gap_low") is not None else "–"
        line = [
            r["category"],
            r["target"],
            r["items"],
            percent(r["english"]),
            percent(r["own"]),
            points(r["gap"]),
            span,
            p_value(r.get("p_holm")),
        ]
        table.append(line + [r.get("published") or "–"] if published else line)
    if not table:
        return ""
    return html.table(
        f"The {context.language} model minus the target's own: {context.title_of(base, benchmark)}",
        header + ["published"] if published else header,
        table,
        (2, 3, 4, 5, 6, 7),
    )


def detectable_table(context, base, benchmark):
    rows = context.analysis.rows("gaps", base=base, benchmark=benchmark, kind="own", source=context.english)
    rows = [r for r in rows if r.get("detectable") is not None]
    if not rows:
        return ""
    return html.details(
        "Smallest gap that these items can find",
        html.table(
            "True gap found with 80 % power at the 5 % level, points",
            ["category", "target", "items", "detectable"],
            [[r["category"], r["target"], r["items"], points(r["detectable"], False)] for r in rows],
            (2, 3),
        ),
    )


def seed_table(context, base, benchmark):
    rows = context.analysis.rows("seeds", base=base, benchmark=benchmark)
    if not any(r["seeds"] > 1 for r in rows):
        return (
            html.paragraph("Each source has one seed, so the spread between training runs is not known.", "soft")
            if rows
            else ""
        )
    return html.details(
        "Seeds apart from items",
        html.table(
            "Accuracy in %: spread between seeds, and standard error over items",
            ["source", "target", "seeds", "mean", "lowest", "highest", "SD of seeds", "SE of items"],
            [
                [
                    r["source"],
                    r["target"],
                    r["seeds"],
                    *(percent(r[c]) for c in ("accuracy", "lowest", "highest", "seed_sd", "item_se")),
                ]
                for r in rows
            ],
            range(2, 8),
        ),
    )


TERMS = {"mean": "mean", "source": "strength of the source", "target": "ease of the target", "home": "home advantage"}


def additive_table(context, base, benchmark):
    rows = [r for r in context.analysis.rows("additive", base=base, benchmark=benchmark) if r["term"] in TERMS]
    if not rows:
        return ""
    lines = [
        [TERMS[r["term"]], r["language"] or "–", percent(r["effect"]) if r["term"] == "mean" else points(r["effect"])]
        + [f"{points(r['effect_low'])} to {points(r['effect_high'])}" if r["effect_low"] is not None else "–"]
        for r in rows
    ]
    title = "Additive fit of the accuracies on all items, points: mean + source + target + home advantage"
    header = ["term", "language", "effect", "95 % interval"]
    return html.details("Source strength, target difficulty, home advantage", html.table(title, header, lines, (2, 3)))


def does_english_transfer(context):
    answers, inside = [], ""
    accuracies = [r["accuracy"] for r in context.analysis.rows("accuracy")]
    gaps = [r["gap"] for r in context.analysis.rows("gaps", kind="own")]
    for base, benchmark in context.groups():
        place = context.title_of(base, benchmark)
        rows = context.analysis.rows("accuracy", base=base, benchmark=benchmark)
        if not rows:
            answers += context.tell(base, benchmark, "no answer, since the analysis has no accuracies.")
            inside += context.part_missing(f"Transfer ({place})", "accuracy", base)
            continue
        answers += context.tell(base, benchmark, *english_answer(context, base, benchmark))
        category = main_category(context.analysis.rows("headline", base=base, benchmark=benchmark))
        sources, targets = (list(dict.fromkeys(r[name] for r in rows)) for name in ("source", "target"))
        shown = [r for r in rows if r["category"] == category]
        items = sorted({r["items"] for r in shown})
        count = f"n = {items[0]}" if len(items) == 1 else f"n = {items[0]} to {items[-1]}" if items else ""
        what = "all items" if category == "all" else "average of the benchmark"
        inside += f"<h3>{html.escape(place)}</h3>\n"
        inside += context.draw(
            f"transfer.{base}.{benchmark}",
            transfer.transfer_matrix(
                shown, sources, targets, f"Figure 1. Accuracy, {what}: {place}, {count} a cell", accuracies
            ),
        )
        inside += context.draw(
            f"gaps.{base}.{benchmark}",
            transfer.gap_matrix(
                gap_rows(context, base, benchmark, category),
                sources,
                targets,
                f"Figure 2. Accuracy − that of the model trained on the language of the test, {what}: {place}",
                gaps,
            ),
        )
        inside += context.draw(
            f"forest.{base}.{benchmark}",
            transfer.gap_forest(
                forest_rows(context, base, benchmark),
                f"Figure 3. Gap of the {context.language} model to the target's own, with 95 % intervals: {place}",
                context.english,
            ),
        )
        inside += headline_table(context, base, benchmark) + detectable_table(context, base, benchmark)
        inside += additive_table(context, base, benchmark) + seed_table(context, base, benchmark)
    inside += given.models_given_ready(context)
    return "transfer", "Does English transfer?", answers or [context.NO_CELL], inside
