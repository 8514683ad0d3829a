"""Errors that a folder of results can cause. Each message says the problem, why it matters and what to do."""


class ResultsError(Exception):
    """Something about the folder, a file in it, or a request that it cannot answer."""


class MissingCell(ResultsError):
    """A cell that was asked for is not there (yet)."""


class DamagedCell(ResultsError):
    """A cell cannot be read, or differs from its hash."""


class SchemaError(ResultsError):
    """A file was written by another version of xlrm than this package reads."""


class MissingPackage(ResultsError):
    """A Python package that the request needs is not installed."""


def need(package, purpose, debian):
    """The imported package. Optional packages are imported where they are used, so the rest works without them."""
    import importlib

    try:
        return importlib.import_module(package)
    except ImportError as error:
        raise MissingPackage(
            f"{purpose} needs the Python package {package}, which cannot be imported ({error}). "
            f"Install it: apt-get install {debian}, or pip install {package}"
        ) from error
