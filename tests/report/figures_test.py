"""Figures on made-up rows: what is drawn, what is missing, layout, and equal bytes. usage: figures_test.py [write FOLDER]"""

import csv
import os
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "analysis"))
import layout  # noqa: E402
import made_rows  # noqa: E402
from xlrm_results.figures import bars, distributions, heatmap, layers, lens, points, similarity, transfer  # noqa: E402
from xlrm_results.figures.apart import Apart  # noqa: E402
from xlrm_results.figures.drawing import COLOURS, DASHES, MARKERS, look, save  # noqa: E402

L = made_rows.LANGUAGES


def words(drawing):
    return " ".join(text for text, _ in layout.visible_texts(drawing.figure)).replace("\n", " ")


class Layout(unittest.TestCase):
    def test_no_text_is_clipped_or_covers_another(self):
        sizes = {
            "five languages, 13 layers": {"layers": 13},
            "one language, one layer": {"layers": 1, "languages": L[:1], "models": ("base",)},
        }
        for size, options in sizes.items():
            for name, function, arguments in made_rows.all_drawings(**options):
                with self.subTest(figure=name, size=size):
                    self.assertEqual(layout.problems(function(*arguments).figure), [])

    def test_the_check_sees_planted_faults(self):
        figure = transfer.transfer_matrix(made_rows.pairs(), L, L, "Figure").figure
        figure.text(0.9, 0.5, "much too long to end within the figure")
        self.assertTrue(any(p.startswith("clipped") for p in layout.problems(figure)))
        figure = transfer.transfer_matrix(made_rows.pairs(), L, L, "Figure").figure
        figure.axes[0].text(0, 0, "over the first value")
        self.assertTrue(any("over the first value" in p for p in layout.problems(figure)))


class Bytes(unittest.TestCase):
    def test_two_processes_write_equal_files(self):
        with tempfile.TemporaryDirectory() as folder:
            for seed in ("1", "2"):
                subprocess.run(
                    [sys.executable, __file__, "write", f"{folder}/{seed}"],
                    check=True,
                    env=dict(os.environ, PYTHONHASHSEED=seed, MATPLOTLIBRC="", SOURCE_DATE_EPOCH=""),
                )
            first, second = ({p.name: p.read_bytes() for p in Path(folder, seed).iterdir()} for seed in ("1", "2"))
        self.assertEqual(len(first), 12)
        self.assertEqual(
            {name: len(data) for name, data in first.items()}, {name: len(data) for name, data in second.items()}
        )
        self.assertEqual([name for name in first if first[name] != second[name]], [])

    def test_no_file_holds_a_date(self):
        with tempfile.TemporaryDirectory() as folder:
            write_some(Path(folder))
            for path in Path(folder).iterdir():
                self.assertNotRegex(path.read_bytes(), rb"CreationDate|dc:date|ModDate", path.name)


def write_some(folder, apart=None):
    """Three kinds: a matrix, curves, points."""
    for name, function, arguments in made_rows.all_drawings(layers=5):
        if name in ("transfer", "layers", "components"):
            save(function(*arguments), folder, name, apart)


class InProcessesOfTheirOwn(unittest.TestCase):
    def test_files_have_the_same_bytes(self):
        with tempfile.TemporaryDirectory() as folder:
            apart = Apart(2)
            write_some(Path(folder, "apart"), apart)
            apart.wait()
            write_some(Path(folder, "here"))
            names = sorted(p.name for p in Path(folder, "here").iterdir())
            self.assertEqual(sorted(p.name for p in Path(folder, "apart").iterdir()), names)
            for name in names:
                self.assertEqual(Path(folder, "apart", name).read_bytes(), Path(folder, "here", name).read_bytes(), name)

    def test_what_fails_is_an_error(self):
        apart = Apart(2)
        apart.run(lambda: None, "fine")
        apart.run(lambda: Path("/nowhere/f.pdf").write_text("x"), "/nowhere/f")
        with self.assertRaisesRegex(OSError, "/nowhere/f: not all files could be written"):
            apart.wait()
        with self.assertRaises(OSError):  # the work itself, where there is one core
            Apart(1).run(lambda: Path("/nowhere/f.pdf").write_text("x"), "/nowhere/f")


class Contents(unittest.TestCase):
    def test_the_csv_has_what_is_drawn(self):
        rows = made_rows.pairs(L[:2])
        with tempfile.TemporaryDirectory() as folder:
            save(transfer.transfer_matrix(rows, L[:2], L[:2], "Figure"), Path(folder), "f")
            with open(Path(folder, "f.csv"), encoding="utf-8") as file:
                table = list(csv.DictReader(file))
        values = {(r["source"], r["target"]): float(r["accuracy"]) for r in table}
        for row in rows:
            self.assertAlmostEqual(values[row["source"], row["target"]], row["accuracy"], 5)
        self.assertAlmostEqual(values["en", "mean"], np.mean([r["accuracy"] for r in rows if r["source"] == "en"]), 5)
        self.assertEqual(len(table), 9)

    def test_values_are_printed_and_the_best_is_bold(self):
        drawing = transfer.transfer_matrix(made_rows.pairs(), L, L, "Figure")
        bold = [t.get_text() for t in drawing.figure.axes[0].texts if t.get_fontweight() == "bold"]
        self.assertEqual(bold, ["90.0"] * 5)
        self.assertIn(
            "78.7",
            words(transfer.transfer_matrix([{"source": "en", "target": "en", "accuracy": 0.787}], ["en"], ["en"], "F")),
        )

    def test_signs_and_stars_of_gaps(self):
        rows = [
            {"source": "en", "target": "ko", "gap": -0.123, "p_holm": 0.04},
            {"source": "ko", "target": "ko", "gap": 0.0, "p_holm": None},
        ]
        text = words(transfer.gap_matrix(rows, ["en", "ko"], ["ko"], "F"))
        self.assertIn("−12.3*", text)
        self.assertIn("+0.0", text)
        self.assertIn("Holm", text)
        self.assertIn(
            "No test was made", words(transfer.gap_matrix([{**r, "p_holm": None} for r in rows], ["en", "ko"], ["ko"], "F"))
        )

    def test_a_forest_begins_with_all_items_and_sorts_by_gap(self):
        drawing = transfer.gap_forest(made_rows.forest(), "F")
        blocks = [row[0] for row in drawing.rows]
        self.assertEqual(blocks[:5], [""] * 5)
        gaps = [row[2] for row in drawing.rows[1:5]]
        self.assertEqual(gaps, sorted(gaps))
        self.assertEqual(drawing.rows[0][1], "")

    def test_what_is_missing_is_named(self):
        rows = [r for r in made_rows.pairs() if (r["source"], r["target"]) != ("ko", "zh")]
        drawing = transfer.transfer_matrix(rows, L, L, "F")
        self.assertEqual(drawing.missing, ["ko → zh"])
        self.assertIn("ko → zh", words(drawing))
        curves = made_rows.curves(["a"], 3) + [
            {"panel": "b", "series": "en", "layer": 0, "value": None, "reason": "one language"}
        ]
        drawing = layers.layer_curves(curves, {"a": "A", "b": "B"}, "F")
        self.assertEqual(drawing.missing, ["b: one language"])
        self.assertIn("b: one language", words(drawing))

    def test_the_histogram_of_crystallisation_has_shares_of_the_items(self):
        rows = [{"language": "en", "layer": k, "median": 0.1, "q25": 0.0, "q75": 0.2, "accuracy": 0.5} for k in range(3)]
        depths = [{"language": "en", "depth": 0.5, "excluded": 0}]
        reached = [{"language": "en", "layer": k, "reached": n, "items": 8} for k, n in enumerate((0, 6, 2))]
        drawing = lens.reward_lens(rows, depths, "F", reached=reached)
        line = next(a for a in drawing.figure.axes if "crystallisation, %" in a.get_title(loc="left")).lines[0]
        np.testing.assert_allclose(line.get_ydata(), [0, 75, 25])
        self.assertEqual([r[7] for r in drawing.rows if r[0] == "histogram"], [0, 6, 2])
        self.assertEqual(drawing.missing, [])
        self.assertIn("crystallisation histogram", lens.reward_lens(rows, depths, "F").missing)

    def test_layers_against_layers_name_their_axes(self):
        rows = [{"layer": a, "other_layer": b, "value": 0.1 * a + 0.01 * b} for a in range(3) for b in range(4)]
        drawing = similarity.layer_by_layer({"m": rows}, "F", axis_names=("layer in en", "layer in ko"))
        axes = drawing.figure.axes[0]
        self.assertEqual((axes.get_ylabel(), axes.get_xlabel()), ("layer in en", "layer in ko"))
        self.assertAlmostEqual(axes.images[0].get_array()[2][3], 0.23)  # row: layer, column: other_layer

    def test_nothing_to_draw_is_said_on_the_figure(self):
        empty = [
            transfer.transfer_matrix([], L, L, "F"),
            transfer.gap_matrix([], L, L, "F"),
            transfer.gap_forest([], "F"),
            bars.category_bars([], ["a"], "F"),
            layers.layer_curves([], {"a": "A"}, "F"),
            lens.reward_lens([], [], "F"),
            similarity.layer_by_layer({}, "F"),
            similarity.language_by_language({}, L, "F"),
            points.principal_components({}, "F"),
            points.measure_against_gap([], "F", "x", ""),
            distributions.norm_distributions({}, "F"),
            distributions.rewards_and_margins({}, "F"),
        ]
        for drawing in empty:
            self.assertEqual(len(drawing.missing), 1)
            self.assertIn(drawing.missing[0], words(drawing))

    def test_models_of_other_widths_share_no_basis(self):
        drawing = points.principal_components(
            {("a", "en", "chosen"): np.ones((3, 4)), ("b", "en", "chosen"): np.ones((3, 5))}, "F"
        )
        self.assertIn("[4, 5] features", drawing.missing[0])


class Numbers(unittest.TestCase):
    """Against values of other sources."""

    def test_variance_shares_of_principal_components(self):
        # numpy RandomState(1337), X = randn(100, 10): the first two shares as scikit-learn's PCA gives them.
        _, directions, shares = points.shared_basis([np.random.RandomState(1337).randn(100, 10)])
        np.testing.assert_allclose(shares, [0.14807276, 0.13401782], atol=1e-8)
        self.assertTrue((directions[np.arange(2), np.abs(directions).argmax(axis=1)] > 0).all())

    def test_expected_calibration_error_from_the_reliability_bins(self):
        # ECE (10 equal-width bins on [½, 1], right-closed) of these margins is 0.3070760714, the largest bin error 0.9241418200.
        margins = [2, -1, 0.5, 3, -0.2, 1.5, 0.1, -2.5]
        bins = [b for b in distributions.reliability(margins) if b["n"]]
        errors = [abs(b["accuracy"] - b["confidence"]) for b in bins]
        self.assertAlmostEqual(sum(e * b["n"] for e, b in zip(errors, bins)) / len(margins), 0.3070760714, 10)
        self.assertAlmostEqual(max(errors), 0.9241418200, 10)

    def test_accuracy_of_the_surest_pairs(self):
        curve = distributions.margin_accuracy([5, -4, 3, 2, -1, 0.5, 0.4, 0.3, 0.2, -0.1])
        self.assertEqual(curve[0], (0.1, 1.0))
        self.assertEqual(curve[1], (0.2, 0.5))
        self.assertAlmostEqual(curve[-1][1], 0.7)

    def test_language_means_are_removed_over_both_sides(self):
        blocks = {("m", "en", "chosen"): np.array([[1.0, 0], [3, 0]]), ("m", "en", "rejected"): np.array([[5.0, 0], [7, 4]])}
        centred = points.without_language_mean(blocks)
        np.testing.assert_allclose(np.concatenate(list(centred.values())).mean(axis=0), 0, atol=1e-15)
        np.testing.assert_allclose(centred["m", "en", "chosen"], [[-3, -1], [-1, -1]])

    def test_printed_values_stand_out_from_their_colours(self):
        # WCAG 2 asks for a contrast of 4.5 between text and background.
        from matplotlib import colormaps

        for scale in (heatmap.sequential_scale([0.4], 0.5, 1.0, 0.1), heatmap.diverging_scale([0.3], 0.05)):
            for value in np.linspace(scale["vmin"], scale["vmax"], 101):
                share = (value - scale["vmin"]) / (scale["vmax"] - scale["vmin"])
                linear = [
                    c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in colormaps[scale["cmap"]](share)[:3]
                ]
                luminance = float(np.dot([0.2126, 0.7152, 0.0722], linear))
                black = heatmap.text_colour(value, scale) == "black"
                contrast = (luminance + 0.05) / 0.05 if black else 1.05 / (luminance + 0.05)
                self.assertGreater(contrast, 4.5)

    def test_a_family_has_one_scale(self):
        self.assertEqual(heatmap.sequential_scale([0.91, 0.44], 0.5, 1.0, 0.1)["vmin"], 0.4)
        self.assertEqual(heatmap.sequential_scale([0.91], 0.5, 1.0, 0.1)["vmin"], 0.5)
        scale = heatmap.diverging_scale([-0.31, 0.02], 0.05)
        self.assertAlmostEqual(scale["vmax"], 0.35)
        self.assertEqual(scale["vmin"], -scale["vmax"])

    def test_series_differ_without_colour(self):
        styles = [look(place) for place in range(24)]
        self.assertEqual(len({(s["linestyle"], s["marker"]) for s in styles}), 24)
        self.assertEqual(len(COLOURS), len(DASHES))
        self.assertEqual(len(COLOURS), len(MARKERS))


if __name__ == "__main__":
    if sys.argv[1:2] == ["write"]:
        write_some(Path(sys.argv[2]))
    else:
        unittest.main()
