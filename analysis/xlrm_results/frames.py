"""Scores as pandas and xarray."""

import numpy as np

from .align import aligned_items, categories_of, take
from .errors import MissingCell, need


def scored_cells(results, benchmark):
    cells = [c for c in results.cells if not c.is_base and (benchmark is None or c.benchmark == benchmark)]
    if not cells:
        raise MissingCell(
            f"{results.root}: no finished cell of a reward model"
            + (f" on benchmark {benchmark!r}; it has {', '.join(results.benchmarks) or 'none'}" if benchmark else "")
        )
    return cells


def scores_frame(results, benchmark=None):
    """DataFrame with columns model, base, source, seed, benchmark, language, id, occurrence, category, chosen, rejected, margin,
    correct (margin > 0: a tie is wrong), chosen_tokens, rejected_tokens. Rewards are float32."""
    pandas = need("pandas", "scores()", "python3-pandas")
    frames = []
    for cell in scored_cells(results, benchmark):
        scores = cell.scores()
        frames.append(
            pandas.DataFrame(
                {
                    "model": cell.model,
                    "base": cell.base,
                    "source": cell.source,
                    "seed": cell.seed,
                    "benchmark": cell.benchmark,
                    "language": cell.language,
                    "id": scores.id,
                    "occurrence": scores.occurrence,
                    "category": scores.category,
                    "chosen": scores.chosen,
                    "rejected": scores.rejected,
                    "margin": scores.margin,
                    "correct": scores.margin > 0,
                    "chosen_tokens": scores.chosen_tokens,
                    "rejected_tokens": scores.rejected_tokens,
                }
            )
        )
    return pandas.concat(frames, ignore_index=True)


def scores_dataset(results, benchmark, items="common"):
    """Dataset of chosen, rejected, margin (float32) and chosen_tokens, rejected_tokens over (model, language, item).

    Items are aligned across models and languages by id and occurrence. Coordinates: model, with base, source and seed; language;
    item (0 …), with id, occurrence and category. NaN where a cell is missing or, with items="all", lacks the item; attribute
    items_left_out counts those that items="common" leaves out.
    """
    xarray = need("xarray", "dataset()", "python3-xarray")
    cells = scored_cells(results, benchmark)
    scores = [cell.scores() for cell in cells]
    keys, left_out, rows = aligned_items(scores, items, f"{results.root}, benchmark {benchmark}")
    models = list(dict.fromkeys(c.model for c in cells))
    languages = list(dict.fromkeys(c.language for c in cells))
    names = ("chosen", "rejected", "margin", "chosen_tokens", "rejected_tokens")
    values = {name: np.full((len(models), len(languages), len(keys)), np.nan, np.float32) for name in names}
    for cell, score, row in zip(cells, scores, rows):
        place = models.index(cell.model), languages.index(cell.language)
        for name in names:
            values[name][place] = take(getattr(score, name), row, np.nan)
    first = {cell.model: cell for cell in reversed(cells)}
    return xarray.Dataset(
        {name: (("model", "language", "item"), array) for name, array in values.items()},
        coords={
            "model": models,
            "base": ("model", [first[m].base for m in models]),
            "source": ("model", [first[m].source for m in models]),
            "seed": ("model", [first[m].seed for m in models]),
            "language": languages,
            "item": np.arange(len(keys)),
            "id": ("item", [key[0] for key in keys]),
            "occurrence": ("item", [key[1] for key in keys]),
            "category": ("item", categories_of(keys, scores)),
        },
        attrs={"benchmark": benchmark, "items": items, "items_left_out": left_out},
    )
