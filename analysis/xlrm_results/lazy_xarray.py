"""Activations as a lazy xarray.DataArray, by the interface that xarray offers to its own readers of files."""

import numpy as np
from xarray.backends import BackendArray
from xarray.core import indexing


class _Backend(BackendArray):
    def __init__(self, activations):
        self.activations, self.shape, self.dtype = activations, activations.shape, activations.dtype

    def __getitem__(self, key):
        return indexing.explicit_indexing_adapter(
            key, self.shape, indexing.IndexingSupport.OUTER, self.activations.__getitem__
        )


def wrap(xarray, activations):
    lazy = indexing.LazilyIndexedArray(_Backend(activations))
    coords = {
        "model": activations.models,
        "language": activations.languages,
        "layer": activations.layers,
        "relative_depth": ("layer", activations.relative_depth),
        "item": np.arange(len(activations.id)),
        "id": ("item", activations.id),
        "occurrence": ("item", activations.occurrence),
        "category": ("item", activations.category),
    }
    attrs = {
        "benchmark": activations.benchmark,
        "capture": activations.capture,
        "side": activations.side,
        "items_left_out": activations.items_left_out,
        "stage": "residual stream before the final norm; layer 0 is the embedding output",
    }
    # Through a Dataset: xarray.DataArray(variable) would read all of it at once.
    return xarray.Dataset({"activations": xarray.Variable(activations.dims, lazy, attrs)}, coords=coords)["activations"]
