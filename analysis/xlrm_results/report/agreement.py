"""Section 8: do the models agree?"""

from ..figures import similarity
from .words import decimal, why_undefined

AGREEMENT = (("kappa_correctness", "Cohen's kappa of right and wrong"), ("spearman", "Spearman correlation of the margins"))


def agreement_panels(rows, first, second, panel, column):
    """{panel: both halves of a symmetric matrix}, and the names of its lines. panel: (column, words before its value)."""
    names = list(dict.fromkeys(r[c] for r in rows for c in (first, second)))
    panels = {}
    for r in rows:
        for a, b in ((first, second), (second, first)):
            panels.setdefault(f"{panel[1]} {r[panel[0]]}", []).append(
                {
                    "language": r[a],
                    "other_language": r[b],
                    "value": r[column],
                    "reason": None if r[column] is not None else why_undefined(r, column),
                }
            )
    for rows_of in panels.values():
        rows_of += [{"language": n, "other_language": n, "value": 1.0} for n in names]
    return panels, names


def agreement_figures(context, base, benchmark, seed):
    """Figure 12: models in each language, and the models that have figures of their own between languages."""
    shown = context.shown_models(base, benchmark)
    sources = {c.source for c in context.results.cells if c.model in shown}
    models = context.analysis.rows("pairs", base=base, benchmark=benchmark, seed=seed)
    languages = [
        r for r in context.analysis.rows("languages", base=base, benchmark=benchmark, seed=seed) if r["source"] in sources
    ]
    inside = ""
    for column, what in AGREEMENT:
        limits = (-1.0, 1.0) if column == "spearman" else (0.0, 1.0)
        for name, rows, first, second, panel, between in (
            ("models", models, "first_source", "second_source", ("target", "tested in"), "models by source"),
            ("languages", languages, "first_target", "second_target", ("source", "trained on"), "languages of the test"),
        ):
            panels, names = agreement_panels(rows, first, second, panel, column)
            title = f"Figure 12. {what} between {between}: base {base}, benchmark {benchmark}, seed {seed}"
            drawing = similarity.language_by_language(panels, names, title, scale_label=what.split(" of ")[0], limits=limits)
            inside += context.draw(f"{column}_{name}.{base}.{benchmark}", drawing)
    return inside


def agreement_answer(context, base, benchmark):
    pairs = [r for r in context.analysis.rows("pairs", base=base, benchmark=benchmark) if r["kappa_correctness"] is not None]
    if not pairs:
        return "no answer, since fewer than two models were tested in one language, or the analysis has no table pairs."
    low, high = (function(pairs, key=lambda r: r["kappa_correctness"]) for function in (min, max))
    text = (
        f"Cohen's kappa of right and wrong between two models on the same items is {decimal(low['kappa_correctness'], 2)} "
        f"({low['first_source']} and {low['second_source']} in {low['target']}) to {decimal(high['kappa_correctness'], 2)} "
        f"({high['first_source']} and {high['second_source']} in {high['target']})"
    )
    across = [
        r["kappa_correctness"]
        for r in context.analysis.rows("languages", base=base, benchmark=benchmark)
        if r["kappa_correctness"] is not None
    ]
    return text + (
        f"; of one model in two languages {decimal(min(across), 2)} to {decimal(max(across), 2)}." if across else "."
    )


def do_models_agree(context):
    answers, inside = [], ""
    for base, benchmark in context.groups():
        answers += context.tell(base, benchmark, agreement_answer(context, base, benchmark))
        rows = context.analysis.rows("pairs", base=base, benchmark=benchmark)
        if not rows:
            inside += context.part_missing("Agreement of models", "pairs", base)
            continue
        inside += agreement_figures(context, base, benchmark, min(r["seed"] for r in rows))
    return "agree", "Do the models agree?", answers or [context.NO_CELL], inside
