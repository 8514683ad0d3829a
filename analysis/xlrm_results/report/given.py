"""Section 2: reward models that were given ready or imported, whose training is not part of the sweep."""

from . import html
from .words import interval, percent

GIVEN = "(given)"  #: what the analysis calls their source


def models_given_ready(context):
    """A row a model and benchmark, a column a language: accuracy on all items with its interval."""
    rows = [r for r in context.analysis.rows("accuracy", source=GIVEN) if r["category"] in ("all", "average")]
    if not rows:
        return ""
    languages = list(dict.fromkeys(r["target"] for r in rows))
    inside = "<h3>Models that were given ready</h3>\n"
    for category, what in (("all", "all items"), ("average", "average of the benchmark's sections")):
        own = [r for r in rows if r["category"] == category]
        if not own:
            continue
        found = {(r["base"], r["benchmark"], r["target"]): r for r in own}
        lines = []
        for model, benchmark in dict.fromkeys((r["base"], r["benchmark"]) for r in own):
            cells = [found.get((model, benchmark, language)) for language in languages]
            texts = ["–" if r is None else percent(r["accuracy"]) + interval(r, "accuracy", percent) for r in cells]
            lines.append([model, benchmark, *texts])
        inside += html.table(f"Accuracy in %, {what}", ["model", "benchmark", *languages], lines, range(2, 2 + len(languages)))
    return inside
