"""xlrm_results.open on folders made by h5py. usage: loader_test.py [SWEEP]   SWEEP: the folder of a real sweep, read too"""

import shutil
import sys
import tempfile
import unittest
from pathlib import Path
from unittest import mock

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "analysis"))
import made_cells  # noqa: E402
import xlrm_results  # noqa: E402
from xlrm_results import DamagedCell, MissingCell, MissingPackage, ResultsError, SchemaError  # noqa: E402


class Made(unittest.TestCase):
    """A sweep of three languages and twelve items."""

    @classmethod
    def setUpClass(cls):
        cls.made = Path(tempfile.mkdtemp(prefix="xlrm-loader-"))
        cls.addClassCleanup(shutil.rmtree, cls.made)
        made_cells.write_sweep(cls.made / "fresh")

    def setUp(self):
        self.root = self.made / self.id()
        shutil.copytree(self.made / "fresh", self.root)

    def open(self, **options):
        return xlrm_results.open(self.root, **options)

    def ko(self, model="base.en.s1"):
        return self.root / f"cells/{model}/dev.ko.h5"


class Folder(Made):
    def test_what_is_there(self):
        results = self.open(verify=True)
        self.assertEqual(results.models, ["base", "base.en.s1", "base.ko.s1", "base.zh.s1"])
        self.assertEqual(results.languages, ["en", "ko", "zh"])
        self.assertEqual((results.missing, results.damaged, results.verify()), ([], {}, {}))
        cell = results.cell("base.en.s1", "ko")
        self.assertEqual((cell.base, cell.source, cell.seed, cell.is_base), ("base", "en", 1, False))
        self.assertEqual((cell.last_layer, cell.items), (2, 12))
        self.assertEqual(cell.provenance["code"], "0.1.0")

    def test_a_running_sweep_shows_its_finished_cells(self):
        self.ko().unlink()
        self.ko().with_name(".dev.ko.h5.tmp.h5").write_bytes(b"half a cell")
        results = self.open(verify=True)
        self.assertEqual(results.missing, [("base.en.s1", "dev", "ko")])
        self.assertEqual(results.damaged, {})
        with self.assertRaisesRegex(MissingCell, r"dev\.ko\.h5: no such cell\. It is planned and not finished: see"):
            results.cell("base.en.s1", "ko")
        with self.assertRaisesRegex(
            MissingCell, "Finished cells have models .*base.zh.s1; languages en, ko, zh; benchmarks dev"
        ):
            results.cell("base.fr.s1", "ko")
        self.assertEqual(len(results.scores()), 8 * 12)
        self.assertTrue(np.isnan(results.dataset()["margin"].sel(model="base.en.s1", language="ko")).all())

    def test_a_changed_cell_does_not_verify(self):
        data = bytearray(self.ko().read_bytes())
        data[-1] ^= 1
        self.ko().write_bytes(data)
        self.assertEqual(list(self.open(verify=True).damaged), ["cells/base.en.s1/dev.ko.h5"])
        results = self.open()
        self.assertEqual(results.damaged, {})
        self.assertIn("the file changed after it was written", str(results.verify()["cells/base.en.s1/dev.ko.h5"]))
        with self.assertRaisesRegex(DamagedCell, "the file changed after it was written"):
            self.open(verify=True).cell("base.en.s1", "ko")

    def test_a_cell_without_its_hash_does_not_verify(self):
        self.ko().with_suffix(".sha256").unlink()
        self.assertEqual(self.open().damaged, {})
        self.assertIn("is missing, so it cannot be verified", str(self.open().verify()["cells/base.en.s1/dev.ko.h5"]))

    def test_a_truncated_cell_is_named_and_the_others_are_read(self):
        self.ko().write_bytes(self.ko().read_bytes()[:600])
        results = self.open()
        self.assertEqual(list(results.damaged), ["cells/base.en.s1/dev.ko.h5"])
        with self.assertRaisesRegex(DamagedCell, "not readable as a cell"):
            results.cell("base.en.s1", "ko")
        self.assertEqual(len(results.cells), 11)

    def test_other_schemas_are_named(self):
        for version, advice in ((0, "Evaluate again"), (2, "Use the xlrm_results package of the xlrm that wrote it")):
            made_cells.write_cell(self.ko(), "base.en.s1", "en", 1, "ko", ["a"], [1.0], version=version)
            with self.assertRaisesRegex(
                SchemaError, f"version {version}, and this package reads XLRM-1, version 1. {advice}"
            ):
                self.open().cell("base.en.s1", "ko")

    def test_a_renamed_cell_is_refused(self):
        shutil.copy(self.ko(), self.ko().with_name("dev.en.h5"))
        self.assertIn("Was it renamed or copied?", str(self.open().damaged["cells/base.en.s1/dev.en.h5"]))

    def test_folders_that_are_no_sweep(self):
        with self.assertRaisesRegex(ResultsError, "no such folder"):
            xlrm_results.open(self.root / "absent")
        with self.assertRaisesRegex(ResultsError, "neither cells nor a plan.json"):
            xlrm_results.open(self.root / "cells" / "base")
        (self.root / "plan.json").write_text("{}")
        with self.assertRaisesRegex(ResultsError, "not a plan of xlrm_sweep"):
            self.open()

    def test_a_planned_sweep_without_cells(self):
        shutil.rmtree(self.root / "cells")
        results = self.open()
        self.assertEqual((len(results.missing), results.languages), (12, []))
        with self.assertRaisesRegex(MissingCell, "no finished cell of a reward model"):
            results.scores()


class Scores(Made):
    def test_frame(self):
        frame = self.open().scores()
        self.assertEqual(len(frame), 9 * 12)
        one = frame[(frame.source == "ko") & (frame.language == "zh")]
        expected = made_cells.margins_of("ko", "zh", 1, 12).astype(np.float32)
        np.testing.assert_array_equal(one.margin, expected)
        np.testing.assert_array_equal(one.correct, expected > 0)
        self.assertEqual(list(one.id), made_cells.item_ids(12))
        self.assertEqual(sorted(set(one.category)), ["chat", "safety"])

    def test_dataset(self):
        data = self.open().dataset()
        self.assertEqual(data["margin"].dims, ("model", "language", "item"))
        np.testing.assert_array_equal(
            data["margin"].sel(model="base.ko.s1", language="zh"), made_cells.margins_of("ko", "zh", 1, 12).astype(np.float32)
        )
        self.assertEqual(list(data["source"].values), ["en", "ko", "zh"])

    def test_items_are_aligned_by_id_and_occurrence(self):
        ids, margins = ["b", "a", "a", "new"], [1.0, 2.0, 3.0, 4.0]
        made_cells.write_cell(self.ko(), "base.en.s1", "en", 1, "ko", ids, margins, occurrence=[0, 0, 1, 0])
        for path in self.root.glob("cells/base.*/dev.*.h5"):
            if path != self.ko():
                model, language = path.parent.name, path.name.split(".")[1]
                made_cells.write_cell(
                    path, model, model.split(".")[1], 1, language, ["a", "a", "b"], [20.0, 30.0, 10.0], occurrence=[0, 1, 0]
                )
        results = self.open()
        common = results.dataset()
        self.assertEqual(common.attrs["items_left_out"], 1)
        self.assertEqual(list(zip(common["id"].values, common["occurrence"].values)), [("a", 0), ("a", 1), ("b", 0)])
        np.testing.assert_array_equal(common["margin"].sel(model="base.en.s1", language="ko"), [2, 3, 1])
        everything = results.dataset(items="all")
        self.assertEqual(everything.sizes["item"], 4)
        new = everything["margin"].isel(item=3)
        self.assertEqual(float(new.sel(model="base.en.s1", language="ko")), 4.0)
        self.assertEqual(int(np.isnan(new).sum()), 8)

    def test_repeated_ids_of_an_older_file_count_up(self):
        made_cells.write_cell(self.ko(), "base.en.s1", "en", 1, "ko", ["a", "a", "b", "a"], [1, 2, 3, 4], occurrence=False)
        self.assertEqual(self.open().cell("base.en.s1", "ko").scores().occurrence.tolist(), [0, 1, 0, 2])

    def test_items_that_cannot_be_told_apart_are_refused(self):
        made_cells.write_cell(self.ko(), "base.en.s1", "en", 1, "ko", ["a", "a"], [1, 2], occurrence=[0, 0])
        with self.assertRaisesRegex(ResultsError, "two items have the same id and occurrence"):
            self.open().dataset()

    def test_languages_without_common_items_are_refused(self):
        made_cells.write_cell(self.ko(), "base.en.s1", "en", 1, "ko", ["other"], [1])
        with self.assertRaisesRegex(ResultsError, "no item is in every cell, .* not parallel. Take items='all'"):
            self.open().dataset()

    def test_a_missing_package_is_named(self):
        for call, package in (("scores", "pandas"), ("dataset", "xarray")):
            with mock.patch.dict(sys.modules, {package: None}), self.subTest(package):
                with self.assertRaisesRegex(
                    MissingPackage, f"needs the Python package {package}, .*apt-get install python3-{package}"
                ):
                    getattr(self.open(), call)()


class Activations(Made):
    def test_values_in_every_layer(self):
        array = self.open().activations(side="rejected")
        self.assertEqual(array.shape, (4, 3, 3, 12, 4))
        self.assertEqual(array.models[0], "base")
        self.assertEqual(array.relative_depth, [0.0, 0.5, 1.0])
        for layer in range(3):
            np.testing.assert_array_equal(array[1, 2, layer], made_cells.layer_value(layer, 12, 4) + 1)

    def test_indexing_is_that_of_numpy_on_each_axis(self):
        array = self.open().activations()
        whole = np.asarray(array)
        np.testing.assert_array_equal(array[0, 1:, -1, 3:7, ::2], whole[0, 1:, -1, 3:7, ::2])
        np.testing.assert_array_equal(array[[2, 0], :, 1, [5, 2], 3], whole[[2, 0]][:, :, 1][:, :, [5, 2]][..., 3])
        np.testing.assert_array_equal(array[..., 0], whole[..., 0])
        np.testing.assert_array_equal(array[0, 0, 0, np.arange(12) % 2 == 1], whole[0, 0, 0, 1::2])
        with self.assertRaises(IndexError):
            array[4]

    def test_only_what_is_indexed_is_read_and_one_file_at_a_time(self):
        array = self.open().activations()
        opened = []
        real = xlrm_results.cell.h5py.File

        def record(path, mode):
            self.assertFalse([f for f in opened if f], "a file is still open")
            opened.append(real(path, mode))
            return opened[-1]

        with mock.patch.object(xlrm_results.cell.h5py, "File", record):
            lazy = array.xarray().sel(language="ko").isel(layer=1, item=slice(2, 5))
            self.assertEqual(opened, [])
            values = lazy.sel(model=["base", "base.zh.s1"]).values
        self.assertEqual(len(opened), 2)
        np.testing.assert_array_equal(values, [made_cells.layer_value(1, 12, 4)[2:5]] * 2)

    def test_xarray_has_the_coordinates(self):
        array = self.open().activations().xarray()
        self.assertEqual(array.dims, ("model", "language", "layer", "item", "feature"))
        self.assertEqual(list(array["relative_depth"].values), [0.0, 0.5, 1.0])
        self.assertEqual(list(array["category"].values[:2]), ["chat", "safety"])

    def test_missing_rows_and_cells_are_nan(self):
        made_cells.write_cell(self.ko(), "base.en.s1", "en", 1, "ko", ["q001", "new"], [1, 2])
        self.ko("base.zh.s1").unlink()
        array = self.open().activations(items="all")
        self.assertEqual(array.shape[3], 13)
        part = array[array.models.index("base.en.s1"), array.languages.index("ko"), 0]
        self.assertEqual(np.flatnonzero(~np.isnan(part[:, 0])).tolist(), [1, 12])
        np.testing.assert_array_equal(part[1], made_cells.layer_value(0, 2, 4)[0])
        self.assertTrue(np.isnan(array[array.models.index("base.zh.s1"), array.languages.index("ko")]).all())
        self.assertEqual(self.open().activations().items_left_out, 12)

    def test_tokens_of_a_sample(self):
        made_cells.write_cell(self.ko(), "base.en.s1", "en", 1, "ko", made_cells.item_ids(12), np.ones(12), tokens=True)
        cell = self.open().cell("base.en.s1", "ko")
        found = cell.tokens(1)
        self.assertEqual([(item, rows.shape) for item, rows in found.items()], [(0, (2, 4)), (4, (3, 4))])
        np.testing.assert_array_equal(np.concatenate(list(found.values())), made_cells.layer_value(1, 5, 4))
        with self.assertRaisesRegex(ResultsError, "no tokens of layer 1, rejected answers. .*--capture-tokens N"):
            cell.tokens(1, "rejected")

    def test_requests_that_cannot_be_met(self):
        results = self.open()
        with self.assertRaisesRegex(MissingCell, "capture 'mean'"):
            results.activations(capture="mean")
        with self.assertRaisesRegex(ResultsError, "'chosen' and 'rejected'"):
            results.activations(side="better")
        with self.assertRaisesRegex(ResultsError, r"no layer 7 of capture 'last'; it has \[0, 1, 2\]"):
            results.cell("base", "en").activations(7)
        made_cells.write_cell(self.ko(), "base.en.s1", "en", 1, "ko", made_cells.item_ids(12), np.ones(12), features=6)
        with self.assertRaisesRegex(ResultsError, r"activations of \[4, 6\] features, which make no common array"):
            self.open().activations()
        self.assertEqual(self.open().activations(models=["base"]).shape[0], 1)


class Real(unittest.TestCase):
    """A folder that xlrm_sweep wrote."""

    root = None

    def test_cells_verify_and_the_last_layer_gives_the_scores(self):
        results = xlrm_results.open(self.root, verify=True)
        self.assertEqual((results.damaged, results.missing), ({}, []))
        cell = next(c for c in results.cells if not c.is_base)
        head, scores, states = cell.head(), cell.scores(), cell.activations(cell.last_layer).astype(np.float64)
        normed = states / np.sqrt((states**2).mean(axis=1, keepdims=True) + head["norm_eps"]) * head["final_norm"]
        np.testing.assert_allclose(normed @ head["weight"].astype(np.float64), scores.chosen, rtol=1e-4, atol=1e-5)

    def test_accuracy_is_that_of_the_index(self):
        import h5py

        frame = xlrm_results.open(self.root).scores()
        accuracy = frame.groupby(["model", "language"]).correct.mean()
        with h5py.File(Path(self.root) / "index.h5") as file:
            rows = zip(file["cells/model"].asstr(), file["cells/target"].asstr(), file["cells/accuracy"])
            compared = [(accuracy[model, target], value) for model, target, value in rows if not np.isnan(value)]
        self.assertEqual(len(compared), len(accuracy))
        for ours, theirs in compared:
            self.assertAlmostEqual(ours, theirs, 12)


if __name__ == "__main__":
    Real.root = sys.argv.pop(1) if len(sys.argv) > 1 else None
    if Real.root is None:
        del Real
    unittest.main()
