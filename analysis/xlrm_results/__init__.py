"""Reads what xlrm wrote: the scores and activations of a sweep, and the tables of xlrm_analyze.

    import xlrm_results
    results = xlrm_results.open("xlrm-out/my")
    results.scores()                             # pandas.DataFrame, a row an item
    results.dataset()                            # xarray.Dataset (model, language, item)
    results.activations().xarray()               # lazy xarray.DataArray (model, language, layer, item, feature)

A sweep that runs may be opened: only finished cells are seen.
"""

from .errors import DamagedCell, MissingCell, MissingPackage, ResultsError, SchemaError
from .folder import Results

__all__ = ["open", "Results", "ResultsError", "MissingCell", "DamagedCell", "SchemaError", "MissingPackage"]


def open(folder, verify=False):  # noqa: A001  (the name that users of gzip, h5py and netCDF4 expect)
    """Results of a sweep folder. verify=True reads every cell once and leaves out those that differ from their SHA-256."""
    return Results(folder, verify)
