"""Section 6: when does the reward form?"""

from ..figures import lens as figure
from . import html
from .words import decimal, percent, reason, why_undefined


def lens_answer(context, base, benchmark):
    rows = context.analysis.rows("crystallisation", base=base, benchmark=benchmark)
    known = [r for r in rows if r["depth"] is not None]
    if not known:
        why = why_undefined(rows[0], "depth") if rows else context.why_absent("crystallisation", base)
        return f"no answer, since {why}."
    low, high = min(known, key=lambda r: r["depth"]), max(known, key=lambda r: r["depth"])
    return (
        f"half of the final margin is reached at a mean relative depth of {decimal(low['depth'], 2)} ({low['model']} in "
        f"{low['target']}) to {decimal(high['depth'], 2)} ({high['model']} in {high['target']}); 0 is the embedding, 1 the last "
        "layer."
    )


def lens_figure(context, model, benchmark, rows):
    depths = [
        {
            "language": r["target"],
            "depth": r["depth"],
            "excluded": r["excluded"],
            "reason": reason(r["undefined"].get("depth")),
        }
        for r in context.analysis.rows("crystallisation", benchmark=benchmark, model=model)
    ]
    reached = [
        {"language": r["target"], "layer": r["layer"], "reached": r["reached"], "items": r["items"]}
        for r in context.analysis.rows("crystallisation_layers", benchmark=benchmark, model=model)
    ]
    lines = [
        {
            "language": r["target"],
            "layer": r["layer"],
            "median": r["margin"],
            "q25": r["margin_25"],
            "q75": r["margin_75"],
            "accuracy": r["accuracy"],
        }
        for r in rows
    ]
    title = f"Figure 6. Reward lens of {model}, by layer and language of the test: benchmark {benchmark}, last token"
    return context.draw(f"lens.{model}.{benchmark}", figure.reward_lens(lines, depths, title, reached=reached))


def depth_table(context, base, benchmark):
    rows = context.analysis.rows("crystallisation", base=base, benchmark=benchmark)
    if not rows:
        return ""
    lens = context.analysis.rows("lens", base=base, benchmark=benchmark)
    first = {(r["model"], r["target"]): r["accuracy"] for r in sorted(lens, key=lambda r: -r["layer"])}
    header = ["model", "target", "items", "excluded", "depth", "accuracy of the first layer, %"]
    lines = [
        [
            r["model"],
            r["target"],
            r["items"],
            r["excluded"],
            decimal(r["depth"], 2),
            percent(first.get((r["model"], r["target"]))),
        ]
        for r in rows
    ]
    title = "Relative depth at which half of the final margin is reached, mean over items (excluded: final margin near 0)"
    return html.details("Crystallisation depth of every model", html.table(title, header, lines, range(2, 6)))


def when_does_it_form(context):
    answers, inside = [], ""
    for base, benchmark in context.groups():
        answers += context.tell(base, benchmark, lens_answer(context, base, benchmark))
        for model in context.shown_models(base, benchmark):
            rows = context.analysis.rows("lens", base=base, benchmark=benchmark, model=model)
            if rows:
                inside += lens_figure(context, model, benchmark, rows)
            else:
                inside += context.part_missing(f"Reward lens of {model}", "lens", base)
        inside += depth_table(context, base, benchmark)
    return "forms", "When does the reward form?", answers or [context.NO_CELL], inside
