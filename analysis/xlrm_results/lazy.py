"""Activations of many cells as one array that reads what is indexed."""

import numpy as np

from .align import aligned_items, categories_of
from .errors import MissingCell, ResultsError, need


def places(key, size):
    """Indices that one part of an index selects, and whether the axis goes."""
    if isinstance(key, (int, np.integer)):
        if not -size <= key < size:
            raise IndexError(f"index {key} is outside an axis of size {size}")
        return np.array([key % size]), True
    if isinstance(key, slice):
        return np.arange(size)[key], False
    return np.arange(size)[np.asarray(key)], False


class Activations:
    """float32 (model, language, layer, item, feature). Nothing is read before it is indexed, and one file at a time is open.

    Indexing is per axis (numpy.ix_, xarray's "outer"): a[0, :, 12] reads one layer of one model in every language. Models
    include the bases. Coordinates: models, languages, layers, relative_depth (layer / last layer), id, occurrence, category.
    With items="all" the rows of items that a cell lacks are NaN, as is a cell that is not there; items="common" (the default)
    keeps the items that every cell has, and counts the others in items_left_out.
    """

    dims = ("model", "language", "layer", "item", "feature")
    dtype = np.dtype(np.float32)

    def __init__(self, results, benchmark, capture="last", side="chosen", items="common", models=None, languages=None):
        if side not in ("chosen", "rejected"):
            raise ResultsError(f"side {side!r}: an item has 'chosen' and 'rejected'")
        cells = [
            c
            for c in results.cells
            if c.benchmark == benchmark
            and c.layers.get(capture)
            and (models is None or c.model in models)
            and (languages is None or c.language in languages)
        ]
        if not cells:
            raise MissingCell(
                f"{results.root}: no finished cell of these models, languages and benchmark {benchmark!r} has "
                f"activations of capture {capture!r} (options --layers and --capture of the evaluation)"
            )
        self.benchmark, self.capture, self.side = benchmark, capture, side
        self.models = [m for m in results.models if any(c.model == m for c in cells)]
        self.languages = [t for t in results.languages if any(c.language == t for c in cells)]
        self.layers = [layer for layer in cells[0].layers[capture] if all(layer in c.layers[capture] for c in cells)]
        widths = {c.features(capture) for c in cells}
        if len(widths) > 1:
            raise ResultsError(
                f"{results.root}: the models have activations of {sorted(widths)} features, which make no common "
                "array. Choose models of one base: models=[…]"
            )
        scores = [c.scores() for c in cells]
        keys, self.items_left_out, rows = aligned_items(scores, items, f"{results.root}, benchmark {benchmark}")
        self.id, self.occurrence = [key[0] for key in keys], [key[1] for key in keys]
        self.category = categories_of(keys, scores)
        last = max(c.last_layer for c in cells)
        self.relative_depth = [layer / last if last else 0.0 for layer in self.layers]
        self._cells = {(c.model, c.language): (c, row) for c, row in zip(cells, rows)}
        self.shape = (len(self.models), len(self.languages), len(self.layers), len(keys), widths.pop())

    ndim = 5

    def __repr__(self):
        sizes = ", ".join(f"{dim}: {size}" for dim, size in zip(self.dims, self.shape))
        return f"<Activations of {self.benchmark}, {self.capture} token, {self.side} ({sizes}), not read>"

    def __getitem__(self, key):
        key = key if isinstance(key, tuple) else (key,)
        if Ellipsis in [k for k in key if not isinstance(k, (np.ndarray, list))]:
            at = [k is Ellipsis for k in key].index(True)
            key = key[:at] + (slice(None),) * (5 - len(key) + 1) + key[at + 1 :]
        if len(key) > 5:
            raise IndexError(f"{len(key)} indices for {self.dims}")
        selected = [places(k, size) for k, size in zip(key + (slice(None),) * (5 - len(key)), self.shape)]
        axes = [chosen for chosen, _ in selected]
        out = np.empty([len(axis) for axis in axes], np.float32)
        for m, model in enumerate(axes[0]):
            for t, language in enumerate(axes[1]):
                for layer, index in enumerate(axes[2]):
                    out[m, t, layer] = self._read(self.models[model], self.languages[language], self.layers[index], *axes[3:])
        return out[tuple(0 if gone else slice(None) for _, gone in selected)]

    def __array__(self, dtype=None):
        return self[...].astype(dtype or self.dtype, copy=False)

    def _read(self, model, language, layer, items, features):
        out = np.full((len(items), len(features)), np.nan, np.float32)
        cell, rows = self._cells.get((model, language), (None, None))
        if cell is None:
            return out
        wanted = rows[items]
        there = np.unique(wanted[wanted >= 0])
        if len(there):
            first, last = there[0], there[-1] + 1
            block = cell.activations(layer, self.side, self.capture, slice(first, last))
            out[wanted >= 0] = block[wanted[wanted >= 0] - first][:, features]
        return out

    def xarray(self):
        """xarray.DataArray with these dims and coordinates, as lazy as this array: .sel() reads nothing, .values does."""
        xarray = need("xarray", "activations().xarray()", "python3-xarray")
        from .lazy_xarray import wrap

        return wrap(xarray, self)
