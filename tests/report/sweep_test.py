"""The report of a sweep by the real programs. usage: sweep_test.py BIN

xlrm_sweep --smoke, then: every cell verifies and is read, the examples of analysis/figures.md run, the report draws
every part that the analysis has, and two runs write equal files.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

HERE = Path(__file__).resolve().parent
ENVIRONMENT = dict(os.environ, OMP_NUM_THREADS="1", OMPI_ALLOW_RUN_AS_ROOT="1", OMPI_ALLOW_RUN_AS_ROOT_CONFIRM="1")
BIN = Path(sys.argv.pop(1))


def run(*command, **environment):
    done = subprocess.run([str(c) for c in command], capture_output=True, text=True, env={**ENVIRONMENT, **environment})
    return done


class Sweep(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = Path(tempfile.mkdtemp(prefix="xlrm-report-sweep-"))
        cls.addClassCleanup(shutil.rmtree, folder)
        cls.out = folder / "smoke"
        done = run(BIN / "xlrm_sweep", "--smoke", "--output", cls.out, XLRM_PYTHON=sys.executable, PYTHONHASHSEED="1")
        if done.returncode != 0:
            raise AssertionError(f"xlrm_sweep: exit {done.returncode}\n{done.stdout}\n{done.stderr}")
        cls.printed = done.stdout

    def check(self, script, *arguments):
        done = run(sys.executable, HERE / script, *arguments)
        self.assertEqual(done.returncode, 0, done.stderr)

    def test_the_loader_reads_it(self):
        self.check("loader_test.py", self.out, "Real")

    def test_the_examples_run_on_it(self):
        self.check("guide_test.py", self.out)

    def files(self):
        made = [self.out / "report.html", *(self.out / "analysis/figures").iterdir()]
        return {path.name: path.read_bytes() for path in made}

    def test_the_report_draws_it_twice_alike(self):
        self.assertEqual(self.printed.splitlines()[-1], f"Report: {self.out}/report.html", "the sweep does not end with the report")
        files = [self.files()]
        shutil.rmtree(self.out / "analysis/figures")
        done = run(BIN / "xlrm_report", self.out, XLRM_PYTHON=sys.executable, PYTHONHASHSEED="2")
        self.assertEqual((done.returncode, done.stdout), (0, f"Report: {self.out}/report.html\n"), done.stderr)
        files.append(self.files())
        self.assertEqual(set(files[0]), set(files[1]))
        self.assertEqual([name for name in files[0] if files[0][name] != files[1][name]], [])
        text = files[0]["report.html"].decode()
        for figure in range(1, 14):
            self.assertIn(f'aria-label="Figure {figure}.', text)
        self.assertIn("30 of 30 planned cells are finished", text)


if __name__ == "__main__":
    unittest.main()
