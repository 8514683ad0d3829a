"""xlrm_report on folders made by h5py: answers, page, broken inputs, equal bytes. usage: report_test.py [SWEEP]"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest
from html.parser import HTMLParser
from pathlib import Path
from unittest import mock

ANALYSIS = Path(__file__).resolve().parents[2] / "analysis"
sys.path.insert(0, str(ANALYSIS))
import made_analysis  # noqa: E402
import made_cells  # noqa: E402
from made_analysis import Undefined  # noqa: E402
from xlrm_results import ResultsError, SchemaError, cli, folder  # noqa: E402
from xlrm_results.figures import drawing as drawing_module  # noqa: E402
from xlrm_results.report import build, context, run_card, words  # noqa: E402

L = made_cells.LANGUAGES
ORDER = ["run", "transfer", "where", "move", "shared", "forms", "usable", "agree", "geometry", "limits"]
VOID = {"meta", "br", "img", "link", "input", "hr"}


class Page(HTMLParser):
    """Tags that do not close, identifiers, links, and the text of every section."""

    def __init__(self, text):
        super().__init__()
        self.open, self.wrong, self.ids, self.links, self.tags = [], [], [], [], set()
        self.sections, self.answers = [], {}
        self.feed(text)
        self.wrong += self.open

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        self.tags.add(tag)
        if "id" in attributes:
            self.ids.append(attributes["id"])
        self.links += [attributes[name] for name in ("href", "src", "xlink:href") if name in attributes]
        if tag == "section":
            self.sections.append(attributes["id"])
        if attributes.get("class") == "answer":
            self.answers[self.sections[-1]] = ""
        if tag not in VOID:
            self.open.append((tag, attributes.get("class")))

    def handle_startendtag(self, tag, attributes):
        self.handle_starttag(tag, attributes)
        self.handle_endtag(tag)

    def handle_endtag(self, tag):
        if tag in VOID:
            return
        if not self.open or self.open[-1][0] != tag:
            self.wrong.append(tag)
        else:
            self.open.pop()

    def handle_data(self, text):
        if ("div", "answer") in self.open:
            self.answers[self.sections[-1]] += text


def stub_save(drawing, target, name, apart=None):
    """An empty drawing: what figures look like is tested elsewhere, and rendering takes most of the time."""
    target.mkdir(parents=True, exist_ok=True)
    (target / f"{name}.svg").write_text('<?xml version="1.0"?>\n<svg width="288pt" height="10pt"></svg>\n')


class Made(unittest.TestCase):
    """A sweep of three languages, with its analysis."""

    def setUp(self):
        self.root = Path(tempfile.mkdtemp(prefix="xlrm-report-"))
        self.addCleanup(shutil.rmtree, self.root)
        patch = mock.patch.object(context, "save", stub_save)
        patch.start()
        self.addCleanup(patch.stop)

    def make(self, languages=L, seeds=(1,), categories=("chat", "safety"), changes=None, **cells):
        made_cells.write_sweep(self.root, languages, seeds, **cells)
        made_analysis.write_analysis(self.root, languages, categories, seeds=len(seeds), changes=changes)

    def page(self, only="", verify=False, **options):
        """The page, of all sections or of those named."""
        names = ORDER if not only else only.split()
        sections = [section for name, section in zip(ORDER, build.SECTIONS) if name in names]
        with mock.patch.object(build, "SECTIONS", sections):
            path, self.context = build.build_report(folder.Results(self.root, verify), **options)
        text = path.read_text(encoding="utf-8")
        page = Page(text)
        self.assertEqual(page.wrong, [], "tags that do not close")
        page.text = text
        return page


class Whole(Made):
    def test_sections_answer_the_questions_in_order(self):
        self.make()
        page = self.page()
        self.assertEqual(page.sections, ORDER)
        self.assertEqual(list(page.answers), ORDER)
        for name, said in page.answers.items():
            self.assertGreater(len(said.strip()), 20, name)
            self.assertRegex(
                page.text, rf'<section id="{name}">\n<h2>[^<]*</h2>\n<div class="answer">', "the answer comes first"
            )

    def test_the_page_stands_alone(self):
        self.make(languages=L[:2])
        with mock.patch.object(context, "save", drawing_module.save):
            page = self.page()
        self.assertEqual(len(page.ids), len(set(page.ids)), "an identifier appears twice")
        for link in page.links:
            self.assertRegex(link, r"^(#|analysis/figures/|data:image/png;base64,)", "a link leads out of the folder")
            if link.startswith("#"):
                self.assertIn(link[1:], page.ids)
            if link.startswith("analysis/"):
                self.assertTrue((self.root / link).exists(), link)
        self.assertFalse(page.tags & {"script", "link", "iframe", "object", "img"})
        self.assertNotRegex(page.text, r"@import|url\((?!#)")
        self.assertGreater(page.text.count("<svg"), 8)
        self.assertIn("layers.base.dev", self.context.figures)
        self.assertEqual(page.text.count("<svg"), page.text.count('role="img" aria-label="Figure'))

    def test_answers_have_the_values_of_the_tables(self):
        self.make()
        mean = next(r for r in self.rows("headline") if r["category"] == "all" and r["target"] == "mean")
        said = self.page("transfer").answers["transfer"]
        self.assertIn(f"{abs(100 * mean['gap']):.1f} points below", said)
        self.assertIn(f"interval −{abs(100 * mean['gap_low']):.1f} to −{abs(100 * mean['gap_high']):.1f}", said)
        self.assertIn("over 2 targets", said)

    def rows(self, table):
        from xlrm_results.tables import Analysis

        return Analysis(self.root).tables[table].rows

    def headline(self, gaps, p=(0.2, 0.01), low=-0.05, high=0.05):
        place = {
            "base": "base",
            "benchmark": "dev",
            "category": "all",
            "items": 12,
            "english": 0.8,
            "own": 0.8,
            "published": "",
        }
        interval = {"gap_se": 0.02, "gap_low": low, "gap_high": high}
        targets = zip(("ko", "zh", "mean"), gaps, (*p, Undefined("no_rule")))
        return [{**place, "target": t, "gap": g, **interval, "p_holm": h, "family": 2} for t, g, h in targets]

    def test_an_interval_over_zero_is_said(self):
        self.make(changes={"headline": self.headline((0.01, -0.03, 0.01))})
        said = self.page("transfer").answers["transfer"]
        self.assertIn("on average 1.0 points above", said)
        self.assertIn("The interval contains 0: these items do not show a difference.", said)
        self.assertIn("Holm's correction over 2 targets, 1 differs at 5 %: zh (−3.0)", said)

    def test_an_undefined_gap_gives_its_reason(self):
        rows = self.headline([Undefined("missing_cell")] * 3)
        for row in rows:
            row.update(gap_low=Undefined("missing_cell"), gap_high=Undefined("missing_cell"))
        self.make(changes={"headline": rows})
        page = self.page("transfer")
        self.assertIn("No answer, since a cell that it compares is missing.", page.answers["transfer"])
        self.assertNotIn("nan", page.text.lower().replace("governance", ""))

    def test_several_groups_are_named_in_their_answers(self):
        self.make()
        for language in L:
            made_cells.write_cell(
                self.root / f"cells/base.en.s1/other.{language}.h5", "base.en.s1", "en", 1, language, ["a"], [1.0]
            )
        said = self.page("transfer").answers["transfer"]
        self.assertIn("Base base, benchmark dev: the model trained on English", said)
        self.assertIn("Base base, benchmark other: no answer, since the analysis has no accuracies.", said)

    def test_models_that_were_given_are_a_table_of_their_own(self):
        self.make()
        row = {**self.rows("accuracy")[0], "base": "mine", "category": "all", "source": "(given)", "target": "ko", "accuracy": 0.625}
        rows = [{k: v for k, v in r.items() if k != "undefined"} for r in (*self.rows("accuracy"), row)]
        made_analysis.write_analysis(self.root, L, changes={"accuracy": rows})
        made_cells.write_cell(self.root / "imported/mine/dev.ko.h5", "mine", "", 0, "ko", made_cells.item_ids(12), [1.0] * 12)
        page = self.page("run transfer")
        self.assertIn("Models that were given ready", page.text)
        self.assertRegex(page.text, r"<td>mine</td><td>dev</td><td class=\"n\">62.5 \(95 % interval")
        self.assertNotIn("mine", page.answers["transfer"])
        self.assertIn("4 reward models", page.answers["run"])  # three of the sweep

    def test_every_model_may_have_figures(self):
        self.make()
        self.page("usable")
        few = set(self.context.figures)
        self.page("usable", models=("all",))
        more = set(self.context.figures) - few
        self.assertIn("rewards.base.ko.s1.dev", more)
        self.assertLess(few, set(self.context.figures))


class Broken(Made):
    """Each ends in a clear statement in the report."""

    def test_missing_cell(self):
        self.make()
        (self.root / "cells/base.ko.s1/dev.zh.h5").unlink()
        page = self.page("run")
        self.assertIn("11 of 12 planned cells are finished", page.answers["run"])
        self.assertIn("Missing cell: base.ko.s1 on dev in zh is planned and not finished.", page.text)

    def test_wrong_hash(self):
        self.make()
        path = self.root / "cells/base.en.s1/dev.zh.h5"
        path.write_bytes(path.read_bytes() + b"\0")
        page = self.page("run", verify=True)
        self.assertIn("Damaged cell, left out: cells/base.en.s1/dev.zh.h5: its SHA-256 is", page.text)
        self.assertNotIn("Missing cell", page.text)
        self.assertNotIn(str(self.root), page.text)

    def test_one_language(self):
        self.make(languages=("en",))
        page = self.page("run transfer shared")
        self.assertIn("There is one language, so nothing can be said about transfer between languages.", page.answers["run"])
        self.assertIn("No answer, since the test has no language but English.", page.answers["transfer"])
        self.assertIn("it compares languages, and there is one", page.answers["shared"])

    def test_no_english_model(self):
        self.make(languages=("ko", "zh"))
        said = self.page("transfer").answers["transfer"]
        self.assertIn(
            "No answer, since no finished model was trained on English (option --english names another language).", said
        )

    def test_one_seed(self):
        self.make()
        page = self.page("run transfer limits")
        self.assertIn(
            "There is one seed for each source: no interval here covers what another training run would give.",
            page.answers["run"],
        )
        self.assertIn("Each source has one seed, so the spread between training runs is not known.", page.text)
        self.assertIn("(1 seed a source)", page.answers["limits"])

    def test_several_seeds(self):
        self.make(seeds=(1, 2))
        page = self.page("run transfer")
        self.assertNotIn("There is one seed", page.text)
        self.assertIn("Seeds apart from items", page.text)

    def test_a_category_of_one_item(self):
        self.make(categories=("chat", "safety"))
        rows = self.rows_of_accuracy()
        for row in rows:
            row["items"] = 1 if row["category"] == "safety" else 11
        made_analysis.write_analysis(self.root, L, changes={"accuracy": rows})
        said = self.page("where").answers["where"]
        self.assertIn(
            "too few items to say anything: safety in en has 1 item, safety in ko has 1 item and safety in zh has 1 item",
            said,
        )

    def rows_of_accuracy(self):
        from xlrm_results.tables import Analysis

        return [{k: v for k, v in row.items() if k != "undefined"} for row in Analysis(self.root).tables["accuracy"].rows]

    def test_one_category(self):
        self.make(categories=("chat",))
        self.assertIn(
            "The items have one category, chat, so there is nothing to compare.", self.page("where").answers["where"]
        )

    def test_repeated_ids(self):
        made_cells.write_sweep(self.root)
        for language in L:
            path = self.root / f"cells/base.en.s1/dev.{language}.h5"
            made_cells.write_cell(path, "base.en.s1", "en", 1, language, ["a"] * 12, [1.0] * 12, occurrence=range(12))
        made_analysis.write_analysis(self.root, L)
        statement = {"code": "repeated_ids", "place": "base dev", "text": "12 items have one id"}
        (self.root / "analysis/summary.json").write_text(f'{{"statements": [{str(statement).replace(chr(39), chr(34))}]}}')
        self.assertIn("base dev: 12 items have one id", self.page("run").text)

    def test_no_analysis(self):
        made_cells.write_sweep(self.root)
        page = self.page()
        self.assertIn("xlrm_analyze has not run on this folder (run: xlrm_analyze OUT)", page.text)
        self.assertIn("No answer", page.answers["transfer"])
        self.assertIn("norms.base.dev", self.context.figures)

    def test_a_part_that_was_not_computed(self):
        self.make(changes={"pairs": None, "calibration": None})
        page = self.page("usable agree limits")
        self.assertIn("Agreement of models: the analysis has no table pairs (its part was not", page.text)
        self.assertIn("No answer, since the analysis has no table calibration (", page.answers["usable"])
        self.assertIn("Calibration: the analysis has no table calibration", page.text.split('<section id="limits">')[1])

    def test_no_activations(self):
        self.make(layers=0)
        page = self.page("run move")
        self.assertIn("no activations: the evaluation kept none (--layers)", page.text)
        self.assertIn("none were kept", page.text)

    def test_models_of_different_widths(self):
        self.make()
        for language in L:
            path = self.root / f"cells/base.en.s1/dev.{language}.h5"
            made_cells.write_cell(path, "base.en.s1", "en", 1, language, made_cells.item_ids(12), [1.0] * 12, features=6)
        self.assertIn("the models have [4, 6] features, so they share no basis", self.page("shared").text)

    def test_a_sweep_that_has_just_begun(self):
        self.make()
        shutil.rmtree(self.root / "cells")
        page = self.page("run transfer")
        self.assertIn("0 of 12 planned cells are finished", page.answers["run"])
        self.assertIn("No answer: no cell of a reward model is finished.", page.answers["transfer"])

    def test_other_schemas_and_damage(self):
        self.make()
        import h5py

        with h5py.File(self.root / "analysis/analysis.h5", "a") as file:
            file.attrs["schema_version"] = 7
        with self.assertRaisesRegex(SchemaError, "version 7, and this package reads XLRM-analysis-1, version 1"):
            self.page("run")
        with h5py.File(self.root / "analysis/analysis.h5", "a") as file:
            file.attrs["schema_version"] = 1
            del file["gaps/p_holm"]
        with self.assertRaisesRegex(SchemaError, "the table gaps has no column p_holm, which the report reads"):
            self.page("run")
        (self.root / "analysis/analysis.h5").write_bytes(b"no")
        with self.assertRaisesRegex(ResultsError, "Remove it and run xlrm_analyze again"):
            self.page("run")


class Words(unittest.TestCase):
    def test_every_reason_of_the_analysis_has_words(self):
        header = (
            (ANALYSIS.parent / "include/xlrm/stats/estimate.hpp").read_text(encoding="utf-8")
            if (ANALYSIS.parent / "include/xlrm/stats/estimate.hpp").exists()
            else ""
        )
        body = re.search(r"enum class Undefined \{(.*?)\};", header, re.DOTALL)
        codes = re.findall(r"^\s+(\w+),", body.group(1), re.MULTILINE) if body else list(words.REASONS)
        self.assertEqual([code for code in codes if code not in words.REASONS], [])

    def test_layers_that_are_kept(self):
        self.assertEqual([run_card.run_of(layers) for layers in ([0, 1, 2], [0, 2, 4], [3])], ["0 to 2", "0, 2 and 4", "3"])

    def test_numbers(self):
        self.assertEqual([words.points(v) for v in (-0.123, 0.0004, -0.0004, None)], ["−12.3", "0.0", "0.0", "–"])
        self.assertEqual([words.p_value(v) for v in (0.0002, 0.0412, None)], ["< 0.001", "0.041", "–"])
        self.assertEqual(words.listed("abc"), "a, b and c")
        self.assertEqual(words.listed("abcd", 2), "a, b and 2 more")
        self.assertEqual(words.reason("a_new_code"), "a new code")


class Program(unittest.TestCase):
    """The program as a user starts it."""

    def setUp(self):
        self.root = Path(tempfile.mkdtemp(prefix="xlrm-report-"))
        self.addCleanup(shutil.rmtree, self.root)

    def run_report(self, *arguments, **environment):
        environment = {"XLRM_PYTHON": sys.executable, **environment}
        return subprocess.run(
            [str(ANALYSIS / "xlrm_report"), *map(str, arguments)],
            capture_output=True,
            text=True,
            env={**os.environ, **environment},
        )

    def test_two_runs_write_equal_files(self):
        files = []
        for place, seed in (("a", "1"), ("b", "2")):
            out = self.root / place / "sweep"
            made_cells.write_sweep(out, L[:2])
            made_analysis.write_analysis(out, L[:2])
            done = self.run_report(out, PYTHONHASHSEED=seed)
            self.assertEqual((done.returncode, done.stdout), (0, f"Report: {out}/report.html\n"), done.stderr)
            figures = {p.name: p.read_bytes() for p in (out / "analysis/figures").iterdir()}
            files.append({"report.html": (out / "report.html").read_bytes(), **figures})
        self.assertEqual(set(files[0]), set(files[1]))
        self.assertEqual([name for name in files[0] if files[0][name] != files[1][name]], [])
        for kind in ("svg", "pdf", "png", "csv"):
            self.assertEqual(sum(name.endswith(kind) for name in files[0]), (len(files[0]) - 1) // 4)

    def test_exit_codes(self):
        self.assertEqual(self.run_report("--help").returncode, 0)
        self.assertEqual(self.run_report().returncode, 2)
        missing = self.run_report(self.root / "absent")
        self.assertEqual(missing.returncode, 1)
        self.assertIn("no such folder. Give the --output of xlrm_sweep", missing.stderr)
        made_cells.write_sweep(self.root / "out", L[:1])
        unknown = self.run_report(self.root / "out", "--models", "base.fr.s1")
        self.assertEqual(unknown.returncode, 1)
        self.assertIn("--models base.fr.s1: no finished cell of it. There are base, base.en.s1", unknown.stderr)
        (self.root / "out/analysis").write_text("a file where a folder should be")
        blocked = self.run_report(self.root / "out")
        self.assertEqual(blocked.returncode, 74, blocked.stderr)
        self.assertNotIn("Traceback", blocked.stderr)

    def test_a_python_without_matplotlib_is_named(self):
        done = self.run_report("x", XLRM_PYTHON="/bin/false")
        self.assertEqual(done.returncode, 69)
        self.assertIn("none of /bin/false has h5py and matplotlib", done.stderr)

    def test_no_part_of_a_page_is_left(self):
        out = self.root / "out"
        out.mkdir()
        with mock.patch.object(os, "replace", side_effect=OSError(28, "No space left on device")):
            with self.assertRaises(OSError):
                build.write_whole(out / "report.html", "text")
        self.assertEqual(list(out.iterdir()), [])


class Real(unittest.TestCase):
    """A folder that xlrm_sweep and xlrm_analyze wrote."""

    root = None

    def test_report(self):
        self.assertEqual(cli.main([self.root]), 0)
        text = (Path(self.root) / "report.html").read_text(encoding="utf-8")
        self.assertEqual(Page(text).wrong, [])


if __name__ == "__main__":
    Real.root = (
        sys.argv.pop(1) if len(sys.argv) > 1 and not sys.argv[1].startswith(("-", "Broken", "Whole", "Program")) else None
    )
    if Real.root is None:
        del Real
    unittest.main()
