"""The folder of a sweep: which cells are finished, which are planned and missing, which are damaged."""

import json
from pathlib import Path

from .cell import Cell
from .errors import DamagedCell, MissingCell, ResultsError, SchemaError


def ordered(values):
    return list(dict.fromkeys(values))


def planned_cells(root):
    """(model, benchmark, language) of every evaluation in plan.json, in its order; [] without a plan."""
    path = root / "plan.json"
    if not path.exists():
        return []
    try:
        tasks = json.loads(path.read_text())["tasks"]
        evaluations = [task for task in tasks if task["kind"] in ("evaluate", "judge")]
        return [
            (f"{t['base']}.{t['source']}.s{t['seed']}" if t["source"] else t["base"], t["benchmark"], t["target"])
            for t in evaluations
        ]
    except (ValueError, KeyError, TypeError) as error:
        raise ResultsError(
            f"{path}: not a plan of xlrm_sweep ({error!r}), so the cells to expect are unknown. Run the sweep " "again"
        ) from error


class Results:
    """What a sweep wrote. Made by xlrm_results.open(); cells that finish later are seen by opening again."""

    def __init__(self, root, verify=False):
        self.root = Path(root)
        if not self.root.is_dir():
            raise ResultsError(f"{root}: no such folder. Give the --output of xlrm_sweep")
        self.damaged = {}  #: path relative to the folder → why it is not read
        self.cells = []
        places = (self.root.glob(f"{folder}/*/*.h5") for folder in ("cells", "imported"))
        found = sorted(path for place in places for path in place if not path.name.startswith("."))
        for path in found:
            try:
                cell = Cell.read(path)
                if verify:
                    cell.verify()
                self.cells.append(cell)
            except (DamagedCell, SchemaError) as error:
                self.damaged[path.relative_to(self.root).as_posix()] = error
        self._planned = planned_cells(self.root)
        if not found and not self._planned:
            raise ResultsError(
                f"{root}: neither cells nor a plan.json, so this is not the folder of a sweep. Give the --output "
                "of xlrm_sweep"
            )
        order = {key: place for place, key in enumerate(self._planned)}
        self.cells.sort(key=lambda c: (order.get(self._key(c), len(order)), not c.is_base, c.model, c.benchmark, c.language))

    @staticmethod
    def _key(cell):
        return cell.model, cell.benchmark, cell.language

    @property
    def models(self):
        """Base models first, then reward models in the order of the plan."""
        return ordered([c.model for c in self.cells if c.is_base] + [c.model for c in self.cells])

    @property
    def languages(self):
        return ordered(c.language for c in self.cells)

    @property
    def benchmarks(self):
        return ordered(c.benchmark for c in self.cells)

    @property
    def missing(self):
        """(model, benchmark, language) of planned cells that are not finished."""
        there = {self._key(c) for c in self.cells}
        return [key for key in self._planned if key not in there]

    def cell(self, model, language, benchmark=None):
        """The cell. Raises MissingCell, or the error of a damaged one."""
        benchmark = benchmark or self.only_benchmark()
        for cell in self.cells:
            if self._key(cell) == (model, benchmark, language):
                return cell
        name = f"cells/{model}/{benchmark}.{language}.h5"
        if name in self.damaged:
            raise self.damaged[name]
        if (model, benchmark, language) in self._planned:
            advice = f"It is planned and not finished: see xlrm_sweep status {self.root}"
        else:
            there = {"models": self.models, "languages": self.languages, "benchmarks": self.benchmarks}
            advice = "Finished cells have " + "; ".join(
                f"{what} {', '.join(names) or 'none'}" for what, names in there.items()
            )
        raise MissingCell(f"{self.root / name}: no such cell. {advice}")

    def only_benchmark(self):
        """The benchmark, where there is one. Raises ResultsError where it has to be chosen."""
        if len(self.benchmarks) == 1:
            return self.benchmarks[0]
        raise ResultsError(f"{self.root}: say which benchmark: it has {', '.join(self.benchmarks) or 'none finished'}")

    def verify(self):
        """Hashes every cell that was read; {path: error} of those that differ, and of the damaged ones."""
        problems = dict(self.damaged)
        for cell in self.cells:
            try:
                cell.verify()
            except DamagedCell as error:
                problems[cell.path.relative_to(self.root).as_posix()] = error
        return problems

    def scores(self, benchmark=None):
        """pandas.DataFrame, one row for each item of each reward model's cell. See frames.scores_frame."""
        from .frames import scores_frame

        return scores_frame(self, benchmark)

    def dataset(self, benchmark=None, items="common"):
        """xarray.Dataset (model, language, item) of the reward models' scores. See frames.scores_dataset."""
        from .frames import scores_dataset

        return scores_dataset(self, benchmark or self.only_benchmark(), items)

    def analysis(self):
        """The tables that xlrm_analyze wrote. See tables.Analysis."""
        from .tables import Analysis

        return Analysis(self.root)

    def activations(self, benchmark=None, capture="last", side="chosen", items="common", models=None, languages=None):
        """Lazy array (model, language, layer, item, feature) that reads what is indexed. See lazy.Activations."""
        from .lazy import Activations

        return Activations(self, benchmark or self.only_benchmark(), capture, side, items, models, languages)
