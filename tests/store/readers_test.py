"""Opens files written by xlrm with the libraries that researchers use: h5py, xarray (h5netcdf), and safetensors where installed.

usage: readers_test.py PROGRAM    PROGRAM is readers_test.cpp, which writes the files into $XLRM_READERS_OUT
"""
import hashlib
import json
import os
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

import h5py
import numpy as np
import xarray as xr

IDS = ["a-1", "b – 한국어", "c", "d", ""]


def sample(count, start):
    """sample_value() of sample_cell.hpp."""
    return (((np.arange(count) + start) * 37) % 128 / 8.0 - 8.0).astype(np.float32)


class Cell(unittest.TestCase):
    path = None

    def test_h5py_reads_scores_and_attributes(self):
        with h5py.File(self.path) as f:
            self.assertEqual(f.attrs["Conventions"], "XLRM-1")
            self.assertEqual(f.attrs["state"], "complete")
            self.assertEqual(f.attrs["seed"], 7)
            self.assertEqual(json.loads(f.attrs["xlrm_provenance"])["code"], "0.1.0")
            self.assertEqual(list(f["scores/id"].asstr()), IDS)
            np.testing.assert_array_equal(f["scores/chosen"][:], np.float32([1.5, -0.25, 3.0, 0.0, 1e-30]))
            np.testing.assert_array_equal(f["scores/margin"][:], f["scores/chosen"][:] - f["scores/rejected"][:])
            self.assertEqual(f["scores/response"].shape, (5, 4))
            self.assertTrue(np.isnan(f["scores/response"][0, 2:]).all())
            self.assertEqual(f["scores/chosen"].dims[0].label, "")
            self.assertEqual(f["scores/chosen"].dims[0][0].name, "/scores/item")
            self.assertAlmostEqual(f["head"].attrs["norm_eps"], 1e-5)

    def test_h5py_reads_every_activation_type(self):
        with h5py.File(self.path) as f:
            for layer in range(3):
                for capture in ("last", "mean"):
                    group = f[f"activations/{capture}/layer_{layer:02d}"]
                    np.testing.assert_array_equal(group["chosen"][:].astype(np.float32).ravel(), sample(30, layer))
                    np.testing.assert_array_equal(group["rejected"][:].astype(np.float32).ravel(), sample(30, layer + 100))
            tokens = f["activations/tokens/layer_01/chosen"]
            np.testing.assert_array_equal(tokens["row_size"][:], [2, 3])
            self.assertEqual(tokens["row_size"].attrs["sample_dimension"], "token")
            np.testing.assert_array_equal(tokens["values"][:].astype(np.float32).ravel(), sample(30, 50))

    def test_xarray_opens_the_scores(self):
        with xr.open_dataset(self.path, group="scores", engine="h5netcdf") as scores:
            self.assertEqual(scores.sizes["item"], 5)
            self.assertEqual(list(scores["id"].values), IDS)
            self.assertEqual(scores["chosen"].dims, ("item",))
            self.assertEqual(scores["response"].dims, ("item", "answer"))
            self.assertEqual(float((scores["chosen"] > scores["rejected"]).mean()), 0.6)
            frame = scores[["id", "subset", "margin"]].to_dataframe()
            self.assertEqual(frame.shape, (5, 3))

    def test_xarray_opens_without_naming_an_engine(self):
        with xr.open_dataset(self.path, group="scores") as scores:
            self.assertEqual(float(scores["margin"][0]), 1.0)

    def test_xarray_opens_activations_and_head(self):
        with xr.open_dataset(self.path, group="activations/mean/layer_00", engine="h5netcdf") as layer:
            self.assertEqual(layer["chosen"].dims, ("item", "feature"))
            np.testing.assert_array_equal(layer["chosen"].values.astype(np.float32).ravel(), sample(30, 0))
        with xr.open_dataset(self.path, group="head", engine="h5netcdf") as head:
            np.testing.assert_allclose(head["weight"].values, [0.1, 0.2, 0.3, 0.4, 0.5, 0.6], rtol=1e-6)

    def test_hash_file_is_that_of_sha256sum(self):
        expected, name = self.path.with_suffix(".sha256").read_text().split()
        self.assertEqual(name, self.path.name)
        self.assertEqual(hashlib.sha256(self.path.read_bytes()).hexdigest(), expected)


class Others(unittest.TestCase):
    folder = None
    program = None

    def refusal(self, name, change):
        """What xlrm says of a copy of `name` that `change` altered with h5py."""
        with tempfile.TemporaryDirectory() as folder:
            copy = Path(folder) / "altered.h5"
            copy.write_bytes((self.folder / name).read_bytes())
            with h5py.File(copy, "r+") as f:
                change(f)
            done = subprocess.run([self.program], capture_output=True, text=True, env={**os.environ, "XLRM_READERS_IN": str(copy)})
            return done.stdout + done.stderr

    def test_files_of_another_version_are_refused_by_name(self):
        cell = "cells/base.ko.s1/bench.es.h5"
        for name in (cell, "items.h5", "index.h5"):
            text = self.refusal(name, lambda f: f.attrs.modify("schema_version", np.int64(2)))
            self.assertRegex(text, r"refused: .*altered\.h5: schema version 2, this xlrm reads 1")
        text = self.refusal(cell, lambda f: f.attrs.modify("state", "partial"))
        self.assertRegex(text, r"refused: .*altered\.h5: the cell is not complete")

    def test_data_kept_in_other_files_are_not_followed(self):
        cell = "cells/base.ko.s1/bench.es.h5"

        def link(f):
            del f["scores/chosen"]
            f["scores/chosen"] = h5py.ExternalLink("/etc/passwd", "/x")

        def virtual(f):
            del f["scores/chosen"]
            layout = h5py.VirtualLayout((5,), np.float32)
            layout[:] = h5py.VirtualSource("other.h5", "x", (5,))
            f["scores"].create_virtual_dataset("chosen", layout)

        def external(f):
            del f["scores/chosen"]
            f["scores"].create_dataset("chosen", (5,), np.float32, external=[("/etc/passwd", 0, 20)])

        self.assertRegex(self.refusal(cell, link), r"refused: .*altered\.h5:/scores/chosen is a link to elsewhere")
        for change in (virtual, external):
            self.assertRegex(self.refusal(cell, change), r"refused: .*altered\.h5:/scores/chosen keeps its data in other files")

    def test_misshapen_data_are_refused_by_name(self):
        cell = "cells/base.ko.s1/bench.es.h5"

        def shorter(f):
            del f["scores/chosen"]
            f["scores/chosen"] = np.zeros(4, np.float32)

        def integers(f):
            del f["scores/chosen"]
            f["scores/chosen"] = np.zeros(5, np.int32)

        def huge(f):
            del f["scores/chosen"]
            f["scores"].create_dataset("chosen", (1 << 60,), np.float32, chunks=(1024,))

        def gone(f):
            del f["scores/subset"]

        def beyond(f):
            f["answers/begin"][0] = 3

        self.assertRegex(self.refusal(cell, shorter), r"refused: .*altered\.h5:/scores/chosen: has 4 values, /scores/id has 5")
        self.assertRegex(self.refusal(cell, integers), r"refused: .*altered\.h5:/scores/chosen: holds other values")
        self.assertRegex(self.refusal(cell, huge), r"refused: .*altered\.h5:/scores/chosen: absurdly large")
        self.assertRegex(self.refusal(cell, gone), r"refused: .*altered\.h5:/scores/subset: no such dataset")
        self.assertRegex(self.refusal("items.h5", beyond), r"refused: .*altered\.h5:/answers: row 0 lies outside /tokens")

    def test_scores_that_no_rule_can_use_are_refused_by_name(self):
        cell = "cells/base.ko.s1/bench.es.h5"

        def put(dataset, index, value):
            def change(f):
                f[dataset][index] = value
            return change

        place = r"refused: .*altered\.h5: "
        self.assertRegex(self.refusal(cell, put("scores/chosen", 2, np.nan)), place + r"the score 'chosen' of item 'c' is nan")
        self.assertRegex(self.refusal(cell, put("scores/rejected", 0, np.inf)), place + r"the score 'rejected' of item 'a-1' is inf")
        self.assertRegex(self.refusal(cell, put("scores/response", (2, 1), np.nan)), place + r"item 'c': its scores in /scores/response")
        self.assertRegex(self.refusal(cell, put("scores/response", (2, 3), -np.inf)), place + r"item 'c': its scores in /scores/response")
        self.assertRegex(self.refusal(cell, put("scores/response", (0, 1), np.nan)), place + r"item 'a-1': 1 of its 1 scored answers")
        self.assertRegex(self.refusal(cell, put("scores/num_correct", 2, 0)), place + r"item 'c': 0 of its 4 scored answers")
        self.assertRegex(self.refusal(cell, put("scores/num_correct", 2, 5)), place + r"item 'c': 5 of its 4 scored answers")
        self.assertRegex(self.refusal("items.h5", put("items/margin", 0, np.inf)), r"refused: .*altered\.h5:/items/margin: row 0 .* is infinite")

    def test_index_leads_to_the_cells(self):
        with h5py.File(self.folder / "index.h5") as f:
            self.assertEqual(list(f["cells/model"].asstr()), ["base.ko.s1"])
            self.assertEqual(f["cells/accuracy"][0], 0.6)
            self.assertEqual(f["links/base.ko.s1/bench.es/scores/chosen"].shape, (5,))
        with xr.open_dataset(self.folder / "index.h5", group="cells", engine="h5netcdf") as cells:
            self.assertEqual(cells["accuracy"].dims, ("cell",))

    def test_a_missing_cell_is_an_error_and_not_zeros(self):
        with h5py.File(self.folder / "dangling.h5") as f:
            with self.assertRaises(KeyError):
                f["links/base.ko.s1/gone.es/scores/chosen"]

    def test_prepared_items(self):
        with h5py.File(self.folder / "items.h5") as f:
            np.testing.assert_array_equal(f["tokens"][:], [5, 6, 7, 8])
            self.assertEqual(list(f["items/id"].asstr()), ["한-1"])
            np.testing.assert_array_equal(f["answers/prompt"][:], [1, 1])

    def test_safetensors(self):
        try:
            from safetensors import safe_open
        except ImportError:
            self.skipTest("the Python package safetensors is not installed")
        with safe_open(self.folder / "model.safetensors", "np") as f:
            self.assertEqual(f.metadata(), {"format": "pt"})
            np.testing.assert_array_equal(f.get_tensor("a.f32"), sample(6, 0).reshape(2, 3))
            self.assertEqual(f.get_slice("b.bf16").get_shape(), [3])


if __name__ == "__main__":
    program = Others.program = sys.argv.pop(1)
    with tempfile.TemporaryDirectory() as folder:
        Others.folder = Path(folder)
        Cell.path = Others.folder / "cells/base.ko.s1/bench.es.h5"
        subprocess.run([program], check=True, stdout=subprocess.DEVNULL, env={**os.environ, "XLRM_READERS_OUT": folder})
        unittest.main()
