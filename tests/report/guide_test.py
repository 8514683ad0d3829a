"""Runs every Python example of analysis/figures.md, and on a real folder those of analysis/README.md. usage: guide_test.py [SWEEP]   SWEEP: a real folder instead of a made one"""

import contextlib
import io
import re
import shutil
import sys
import tempfile
import unittest
from pathlib import Path

ANALYSIS = Path(__file__).resolve().parents[2] / "analysis"
sys.path.insert(0, str(ANALYSIS))
import made_analysis  # noqa: E402
import made_cells  # noqa: E402

GUIDE = (ANALYSIS / "figures.md").read_text(encoding="utf-8")


README = (ANALYSIS / "README.md").read_text(encoding="utf-8")


def examples(text, begin=r"    import .*xlrm_results"):
    """Indented blocks that begin with an import of xlrm_results."""
    blocks = re.findall(r"(?:^    .*\n)+", text, re.MULTILINE)
    return [re.sub(r"^    ", "", block, flags=re.MULTILINE) for block in blocks if re.match(begin, block)]


class Guide(unittest.TestCase):
    root = None

    @classmethod
    def setUpClass(cls):
        if cls.root is None:
            cls.root = tempfile.mkdtemp(prefix="xlrm-guide-")
            cls.addClassCleanup(shutil.rmtree, cls.root)
            made_cells.write_sweep(cls.root, tokens=True)
            made_analysis.write_analysis(cls.root, made_cells.LANGUAGES)

    def test_every_example_runs_and_prints(self):
        self.assertGreaterEqual(len(examples(GUIDE)), 7)
        for example in examples(GUIDE):
            if "tokens(" in example and not str(self.root).startswith(tempfile.gettempdir() + "/xlrm-guide-"):
                continue  # a real folder has tokens only where --capture-tokens asked for them
            self.check(example)

    def check(self, example):
        with self.subTest(example=example):
            printed = io.StringIO()
            with contextlib.redirect_stdout(printed):
                exec(compile(example.replace("xlrm-out/my", str(self.root)), "guide", "exec"), {})
            self.assertTrue(printed.getvalue().strip())

    def test_examples_of_the_tables_run_where_there_are_tables(self):
        found = examples(README, "    import ")
        self.assertGreaterEqual(len(found), 2)
        if not (Path(self.root) / "analysis/gaps.csv").exists():
            self.skipTest("a made folder has no CSV; sweep_test.py runs these on a real one")
        for example in found:
            self.check(example)

    def test_examples_take_five_lines(self):
        for example in examples(GUIDE):
            self.assertLessEqual(len(example.strip().splitlines()), 5, example)

    def test_every_package_is_installed(self):
        folders = [path.parent.relative_to(ANALYSIS) for path in sorted(ANALYSIS.glob("xlrm_results/**/__init__.py"))]
        names = [".".join(folder.parts) for folder in folders]
        self.assertIn(f"packages = {names}".replace("'", '"'), (ANALYSIS / "pyproject.toml").read_text(encoding="utf-8"))

    def test_every_figure_is_described(self):
        described = {int(number) for number in re.findall(r"^\| (\d+) ", GUIDE, re.MULTILINE)}
        source = "".join(path.read_text(encoding="utf-8") for path in (ANALYSIS / "xlrm_results/report").glob("*.py"))
        drawn = {int(number) for number in re.findall(r'"Figure (\d+)\.', source)}
        self.assertEqual(described, drawn)


if __name__ == "__main__":
    Guide.root = sys.argv.pop(1) if len(sys.argv) > 1 and not sys.argv[1].startswith(("-", "Guide")) else None
    unittest.main()
