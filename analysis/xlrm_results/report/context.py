"""What every section of the report works with: the cells, the tables, and where figures go."""

import re
from dataclasses import dataclass, field
from pathlib import Path

from ..figures.apart import Apart
from ..figures.drawing import Drawing, save
from . import html
from .words import listed

FIGURES = "analysis/figures"
#: Tables that are made from activations.
STATES = (
    "shift ratios alignment geometry lens crystallisation layer_pairs language_layer_pairs similarity noise_floor subspace "
    "subspace_alignment preference_directions preference_pairs probe_transfer probes"
).split()


@dataclass
class Context:
    NO_CELL = "No answer: no cell of a reward model is finished."

    results: object  #: Results
    analysis: object  #: Analysis
    english: str = "en"
    models: tuple = ()  #: reward models that get figures of their own; () = the English one of the first seed
    points: int = 120  #: items a language in the scatter of principal components
    figures: dict = field(default_factory=dict)  #: name → Drawing
    gaps: list = field(default_factory=list)  #: parts that are missing, in sentences
    apart: Apart = field(default_factory=Apart)  #: writes files of figures

    def groups(self):
        """(base, benchmark) of the reward models' cells, in the order of the plan; models that were given ready are of no base,
        and are a group only where there is nothing else."""
        rewards = [c for c in self.results.cells if not c.is_base]
        trained = [c for c in rewards if c.source]
        return list(dict.fromkeys((c.base, c.benchmark) for c in trained or rewards))

    def title_of(self, base, benchmark):
        return f"base {base}, benchmark {benchmark}"

    def tell(self, base, benchmark, *sentences):
        """Sentences on one group, the first with the group's name where there are several."""
        first = f"{self.title_of(base, benchmark)}: {sentences[0]}" if len(self.groups()) > 1 else sentences[0]
        return [first[:1].upper() + first[1:], *sentences[1:]]

    @property
    def language(self):
        """The reference language in words."""
        return "English" if self.english == "en" else self.english

    def shown_models(self, base, benchmark):
        """Reward models of a group with figures of their own."""
        cells = [c for c in self.results.cells if not c.is_base and (c.base, c.benchmark) == (base, benchmark)]
        names = list(dict.fromkeys(c.model for c in cells))
        if self.models:
            return [name for name in names if name in self.models or "all" in self.models]
        english = [c.model for c in sorted(cells, key=lambda c: c.seed) if c.source == self.english]
        return (english or names)[:1]

    def draw(self, name, drawing):
        """Saves the figure's files and gives it as part of the page."""
        assert isinstance(drawing, Drawing)
        name = re.sub(r"[^A-Za-z0-9._-]", "_", name)
        self.figures[name] = drawing
        self.gaps += [f"{name}: {what}" for what in drawing.missing]
        folder = Path(self.results.root) / FIGURES
        save(drawing, folder, name, self.apart)
        lacks = f". Missing: {listed(drawing.missing, 6)}." if drawing.missing else ""
        return html.figure((folder / f"{name}.svg").read_text(encoding="utf-8"), name, drawing.title, FIGURES, lacks)

    def why_absent(self, table, base):
        """Why there are no rows of a table, in words; without a full stop."""
        if not self.analysis.exists:
            return "xlrm_analyze has not run on this folder (run: xlrm_analyze OUT)"
        if table not in self.analysis.tables:
            return f"the analysis has no table {table} (its part was not asked for, or this version does not compute it)"
        if table in STATES:
            if not any(c.layers for c in self.results.cells):
                return "the evaluation kept no activations (option --layers)"
            if not any(c.model == base for c in self.results.cells):
                return f"the base model {base} has no finished cell"
        return f"the analysis has no row of it in the table {table}"

    def part_missing(self, part, table, base):
        """Names a part that has no rows."""
        text = f"{part}: {self.why_absent(table, base)}."
        self.gaps.append(text)
        return html.missing(text)
