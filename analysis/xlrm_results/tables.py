"""The tables of xlrm_analyze: OUT/analysis/analysis.h5, schema XLRM-analysis-1 (a group a table, a dataset a column)."""

import json
from dataclasses import dataclass
from pathlib import Path

import h5py

from .cell import text
from .errors import DamagedCell, SchemaError
from .schema import missing_columns

CONVENTIONS = "XLRM-analysis-1"
SCHEMA_VERSION = 1


@dataclass(frozen=True)
class Table:
    """Rows are dictionaries. A value that is not defined is None, with its reason code in row["undefined"][column]."""

    name: str
    title: str
    note: str
    columns: list
    rows: list

    def where(self, **wanted):
        """Rows with these values."""
        return [row for row in self.rows if all(row.get(column) == value for column, value in wanted.items())]

    def frame(self):
        """pandas.DataFrame of the rows, NaN where a value is not defined."""
        from .errors import need

        return need("pandas", "Table.frame()", "python3-pandas").DataFrame(self.rows, columns=self.columns)


def read_table(group):
    """The table of one group of analysis.h5."""
    columns = [name for name in group if name != "row" and not (name.endswith("_undefined") and name[:-10] in group)]
    rows = [{"undefined": {}} for _ in range(group["row"].shape[0])]
    for name in columns:
        values = group[name][:]
        values = text(values) if values.dtype.kind in "OSU" else values.tolist()
        reasons = text(group[name + "_undefined"][:]) if name + "_undefined" in group else [""] * len(rows)
        for row, value, reason in zip(rows, values, reasons):
            row[name] = None if reason else value
            if reason:
                row["undefined"][name] = reason
    title, note = (group.attrs.get(name, "") for name in ("title", "note"))
    return Table(group.name.strip("/"), title, note, columns, rows)


class Analysis:
    """All tables that xlrm_analyze wrote for a sweep. Tables of parts that were not computed are absent.

    statements: what the analysis says of missing cells, items left out and the like, [{"code", "place", "text"}].
    """

    def __init__(self, root):
        self.path = Path(root) / "analysis" / "analysis.h5"
        self.tables, self.attributes, self.statements = {}, {}, []
        if not self.path.exists():
            return
        try:
            with h5py.File(self.path, "r") as file:
                self.attributes = dict(file.attrs.items())
                found = self.attributes.get("Conventions"), self.attributes.get("schema_version")
                if found != (CONVENTIONS, SCHEMA_VERSION):
                    raise SchemaError(
                        f"{self.path}: schema {found[0]}, version {found[1]}, and this package reads {CONVENTIONS}, version "
                        f"{SCHEMA_VERSION}. Run xlrm_analyze again, with the xlrm that this package belongs to"
                    )
                self.tables = {name: read_table(group) for name, group in file.items()}
            for table in self.tables.values():
                lacks = missing_columns(table.name, table.columns) if table.rows else []
                if lacks:
                    raise SchemaError(
                        f"{self.path}: the table {table.name} has no column {', '.join(lacks)}, which the report reads. Run "
                        "xlrm_analyze again, with the xlrm that this package belongs to"
                    )
        except (OSError, KeyError) as error:
            raise DamagedCell(f"{self.path}: not readable ({error}). Remove it and run xlrm_analyze again") from error
        self.statements = self._read_statements()

    def _read_statements(self):
        path = self.path.with_name("summary.json")
        if not path.exists():
            return []
        try:
            return json.loads(path.read_text(encoding="utf-8")).get("statements", [])
        except ValueError as error:
            raise DamagedCell(f"{path}: not JSON ({error}). Remove it and run xlrm_analyze again") from error

    @property
    def exists(self):
        return bool(self.tables)

    def rows(self, name, **wanted):
        """Rows of a table with these values; [] where the table was not computed."""
        return self.tables[name].where(**wanted) if name in self.tables else []
