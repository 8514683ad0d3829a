"""Section 10: what the report cannot show, and what is missing from it."""

from . import html
from .words import counted

LIMITS = (
    "Translated data: parallel items are usually translations. Translated texts are more alike than texts that people wrote in "
    "each language, so alignment, agreement and transfer are likely to be lower on natural texts.",
    "Intervals are over items. They say how the numbers would vary with other items of the same kind, not with other seeds, "
    "orders of the data, or base models.",
    "Correlation is not cause. The reward lens, probes and similarities observe; they do not show what a model uses.",
    "Each number is of one estimator, named in its title; centring, the token that is read and the layer are part of it. "
    "Biased CKA grows with the number of features and is not the default.",
    "Many comparisons are shown. Holm's correction covers the family that a table names, and not the whole report.",
)


def limits(context):
    seeds = {}
    for cell in context.results.cells:
        if not cell.is_base:
            seeds.setdefault((cell.base, cell.source), set()).add(cell.seed)
    counts = sorted({len(found) for found in seeds.values()})
    few = f"{counts[0]} to {counts[-1]} seeds" if len(counts) > 1 else counted(counts[0], "seed") if counts else "no seed"
    answers = [
        f"What the report cannot show: other training runs ({few} a source), texts that are not translations, causes, and "
        "languages "
        f"beyond these {len(context.results.languages)}."
    ]
    gaps = "".join(f"<li>{html.escape(text)}</li>\n" for text in context.gaps)
    return (
        "limits",
        "What are the limits?",
        answers,
        "<ul>\n"
        + "".join(f"<li>{html.escape(text)}</li>\n" for text in LIMITS)
        + "</ul>\n"
        + (f"<h3>Parts that are missing from this report</h3>\n<ul>\n{gaps}</ul>\n" if gaps else ""),
    )
