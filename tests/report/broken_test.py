"""Broken results end in a clear statement in the tables of xlrm_analyze and in the report, not in a crash. usage: broken_test.py BIN

Cells made by h5py are broken in one way at a time, analysed by the real program, and drawn. What is looked for is said in both places.
"""

import csv
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path
from unittest import mock

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "analysis"))
import made_cells  # noqa: E402
from report_test import Page, stub_save  # noqa: E402
from xlrm_results.folder import Results  # noqa: E402
from xlrm_results.report import build, context  # noqa: E402

BIN = Path(sys.argv.pop(1))
ENVIRONMENT = dict(os.environ, OMP_NUM_THREADS="1", OMPI_ALLOW_RUN_AS_ROOT="1", OMPI_ALLOW_RUN_AS_ROOT_CONFIRM="1")
L = made_cells.LANGUAGES


class Broken(unittest.TestCase):
    def setUp(self):
        self.root = Path(tempfile.mkdtemp(prefix="xlrm-broken-"))
        self.addCleanup(shutil.rmtree, self.root)
        patch = mock.patch.object(context, "save", stub_save)
        patch.start()
        self.addCleanup(patch.stop)

    def make(self, languages=L, seeds=(1, 2), count=12, **changes):
        made_cells.write_sweep(self.root, languages, seeds, count, **changes)
        plan = json.loads((self.root / "plan.json").read_text())
        plan["sources"] = [{"name": language, "langs": [language]} for language in languages]
        (self.root / "plan.json").write_text(json.dumps(plan))

    def rewrite(self, model, language, ids, **changes):
        source, seed = model.split(".")[1], int(model[-1])
        path = self.root / f"cells/{model}/dev.{language}.h5"
        margins = made_cells.margins_of(source, language, seed, len(ids))
        made_cells.write_cell(path, model, source, seed, language, ids, margins, **changes)

    def analyse(self, *options, code=0):
        command = [BIN / "xlrm_analyze", self.root, "--resamples", "200", *options]
        done = subprocess.run([str(c) for c in command], capture_output=True, text=True, env=ENVIRONMENT)
        self.assertEqual(done.returncode, code, done.stderr)
        return done

    def said(self, code):
        """Texts of the statements with this code, which the report has too; the page."""
        path, _ = build.build_report(Results(self.root))
        text = path.read_text(encoding="utf-8")
        self.assertEqual(Page(text).wrong, [])
        self.assertNotRegex(text, r"\bnan\b")
        summary = json.loads((self.root / "analysis/summary.json").read_text())
        found = [s["text"] for s in summary["statements"] if s["code"] == code]
        self.assertTrue(found, f"no statement {code}: {[s['code'] for s in summary['statements']]}")
        plain = re.sub(r"&(amp|lt|gt|quot|#x27);", "·", text)
        for statement in found:
            if code != "one_seed":  # the answer says it in other words
                self.assertIn(re.sub("[&<>\"']", "·", statement), plain)
        return found, text

    def rows(self, table, **wanted):
        with open(self.root / f"analysis/{table}.csv", newline="", encoding="utf-8") as file:
            return [row for row in csv.DictReader(file) if all(row[k] == v for k, v in wanted.items())]

    def test_missing_cell(self):
        self.make()
        (self.root / "cells/base.ko.s1/dev.zh.h5").unlink()
        self.analyse()
        self.assertEqual(len(self.said("missing_cell")[0]), 1)
        self.assertIn("base.ko.s1 on dev in zh is planned and not finished", self.said("missing_cell")[1])

    def test_wrong_hash(self):
        self.make()
        path = self.root / "cells/base.en.s1/dev.zh.h5"
        path.write_bytes(path.read_bytes() + b"\0")
        self.analyse()
        found, _ = self.said("damaged_cell")
        self.assertIn("differs from its .sha256", found[0])

    def test_different_items(self):
        self.make()
        self.rewrite("base.en.s1", "zh", made_cells.item_ids(14)[4:])
        self.analyse()
        found, text = self.said("items_left_out")
        self.assertIn("6 of 14 items that not every cell of this target has", found[0])
        self.assertEqual({row["items"] for row in self.rows("accuracy", target="zh", category="all")}, {"8"})
        refused = self.analyse("--items", "refuse", code=1)
        self.assertIn("dev.zh: 6 of 14 items", refused.stderr)

    def test_one_language(self):
        self.make(languages=("en",))
        self.analyse()
        _, text = self.said("one_language")
        self.assertIn("There is one language, so nothing can be said about transfer between languages.", text)

    def test_one_seed(self):
        self.make(seeds=(1,))
        self.analyse()
        _, text = self.said("one_seed")
        self.assertIn("There is one seed for each source", text)

    def test_fewer_than_four_items(self):
        self.make(count=3)
        self.analyse()
        found, text = self.said("too_few_items")
        self.assertIn("only 3 items: intervals and tests say next to nothing", found[0])
        self.assertIn("3 items are in every target of every model, so representations are not compared", text)

    def test_repeated_ids(self):
        self.make()
        for model in [f"base.{s}.s{n}" for s in L for n in (1, 2)]:
            for language in L:
                ids = made_cells.item_ids(12)
                ids[1] = ids[0]
                self.rewrite(model, language, ids, occurrence=[0, 1] + [0] * 10)
        self.analyse()
        found, _ = self.said("repeated_ids")
        self.assertIn("1 items have an id that an earlier one has", found[0])
        self.assertEqual({row["clusters"] for row in self.rows("accuracy", category="all")}, {"11"})

    def test_a_category_of_one_item(self):
        self.make(subset=["chat"] * 11 + ["safety"])
        self.analyse()
        found, text = self.said("category_of_one_item")
        self.assertIn("subset safety has one item, so its score has no interval", found[0])
        self.assertIn("safety in en has 1 item", text)


if __name__ == "__main__":
    unittest.main()
