"""Section 6: when does the reward form?"""

from ..figures import layers
from .words import decimal, why_undefined


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
                inside += context.part_missing(f"Reward lens of {model}", "lens", base)
                continue
            lens = [
                {"language": r["target"], **{k: r[k] for k in ("layer", "median", "q25", "q75", "accuracy")}} for r in rows
            ]
            inside += context.draw(
                f"lens.{model}.{benchmark}",
                layers.reward_lens(lens, [], f"Figure 6. Reward lens of {model}: benchmark {benchmark}, last token"),
            )
    return "forms", "When does the reward form?", answers or [context.NO_CELL], inside
