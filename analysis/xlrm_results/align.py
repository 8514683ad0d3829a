"""The items that cells have in common: an item is its id and occurrence, in every language and model."""

import numpy as np

from .errors import ResultsError


def aligned_items(scores, items, what):
    """Keys (id, occurrence) in the order of the first cell, and for each cell the row of each key (−1: it lacks it).

    scores: one Scores a cell. items: "common", those that every cell has, or "all", those of any.
    """
    if items not in ("common", "all"):
        raise ResultsError(f"items={items!r}: choose 'common' (those that every cell has) or 'all' (those of any cell)")
    rows = [{key: row for row, key in enumerate(cell.keys())} for cell in scores]
    for cell, row in zip(scores, rows):
        if len(row) != len(cell.id):
            raise ResultsError(f"{what}: two items have the same id and occurrence, so they cannot be told apart")
    union = list(dict.fromkeys(key for row in rows for key in row))
    keys = union if items == "all" else [key for key in union if all(key in row for row in rows)]
    if union and not keys:
        raise ResultsError(
            f"{what}: no item is in every cell, so the cells are not parallel. Take items='all', or fewer models "
            "and languages"
        )
    return keys, len(union) - len(keys), [np.array([row.get(key, -1) for key in keys], np.int64) for row in rows]


def take(values, rows, missing):
    """values[rows], `missing` where the row is −1."""
    values = np.asarray(values)
    if len(values) == 0:
        return np.full(len(rows), missing)
    return np.where(rows < 0, missing, values[np.maximum(rows, 0)])


def categories_of(keys, scores):
    """Category of each key, from the first cell that has it."""
    known = {}
    for cell in scores:
        for key, category in zip(cell.keys(), cell.category):
            known.setdefault(key, category)
    return [known[key] for key in keys]
