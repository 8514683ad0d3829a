"""analysis.h5 as xlrm_analyze lays it out (schema XLRM-analysis-1), with made-up values in every table that the report reads."""

import json
from pathlib import Path

import h5py
import numpy as np

FILL = 9.969209968386869e36  # netCDF's NC_FILL_DOUBLE: a value that is not defined


class Undefined(str):
    """A reason code in the place of a value."""


def write_table(file, name, rows, title="", note="what it shows"):
    """rows: dictionaries with the same columns; a value is text, an integer, a float or Undefined."""
    group = file.create_group(name, track_order=True)
    group.attrs["title"], group.attrs["note"] = title or f"Table {name}", note
    group.create_dataset("row", data=np.arange(len(rows)))
    for column in rows[0] if rows else []:
        values = [row[column] for row in rows]
        numbers = [v for v in values if not isinstance(v, str)]
        if all(isinstance(v, str) and not isinstance(v, Undefined) for v in values):
            group.create_dataset(column, data=values, dtype=h5py.string_dtype("utf-8"))
        elif len(numbers) == len(values) and all(isinstance(v, int) for v in values):
            group.create_dataset(column, data=np.array(values, np.int64))
        else:
            group.create_dataset(column, data=np.array([FILL if isinstance(v, str) else v for v in values], np.float64))
            group[column].attrs["_FillValue"] = FILL
            reasons = [str(v) if isinstance(v, str) else "" for v in values]
            if any(reasons):
                group.create_dataset(column + "_undefined", data=reasons, dtype=h5py.string_dtype("utf-8"))


def spread(name, value, half=0.04):
    """A value with its standard error and interval, or its reason in all four."""
    if isinstance(value, str):
        return {name + end: value for end in ("", "_se", "_low", "_high")}
    return {name: value, name + "_se": half / 2, name + "_low": value - half, name + "_high": value + half}


def transfer_tables(languages, categories, items, draw, base, benchmark, seeds):
    place = {"base": base, "benchmark": benchmark}
    own = {t: 0.9 + 0.01 * n for n, t in enumerate(languages)}
    right = {
        (c, s, t): own[t] if s == t else own[t] - 0.05 - 0.2 * float(draw.rand())
        for c in ("all", *categories)
        for s in languages
        for t in languages
    }
    tables = {"accuracy": [], "gaps": [], "headline": [], "seeds": [], "english_only": []}
    for category in ("all", *categories):
        kind = "all" if category == "all" else "subset"
        for s in languages:
            for t in languages:
                gap = right[category, s, t] - own[t]
                tables["accuracy"].append(
                    {
                        **place,
                        "category": category,
                        "kind": kind,
                        "source": s,
                        "target": t,
                        "items": items,
                        "seeds": seeds,
                        **spread("accuracy", right[category, s, t]),
                    }
                )
                if s != t:
                    tables["gaps"].append(
                        {
                            **place,
                            "category": category,
                            "kind": "own",
                            "source": s,
                            "compared_with": t,
                            "target": t,
                            "items": items,
                            **spread("gap", gap),
                            "p_holm": float(draw.rand()),
                            "family": len(languages) * (len(languages) - 1),
                            "detectable": 0.05,
                        }
                    )
        targets = [t for t in languages if t != "en"]
        gaps = {t: right[category, "en", t] - own[t] for t in targets} if "en" in languages else {}
        for t, gap in gaps.items():
            tables["headline"].append(
                {
                    **place,
                    "category": category,
                    "target": t,
                    "items": items,
                    "english": own[t] + gap,
                    "own": own[t],
                    **spread("gap", gap),
                    "published": "",
                    "p_holm": float(draw.rand() / 10),
                    "family": len(targets),
                }
            )
        if gaps:
            mean = float(np.mean(list(gaps.values())))
            tables["headline"].append(
                {
                    **place,
                    "category": category,
                    "target": "mean",
                    "items": items * len(targets),
                    "english": 0.8,
                    "own": 0.9,
                    **spread("gap", mean),
                    "published": "",
                    "p_holm": Undefined("no_rule"),
                    "family": len(targets),
                }
            )
    for s in languages:
        for t in languages:
            deviation = 0.01 if seeds > 1 else Undefined("one_seed")
            tables["seeds"].append(
                {
                    **place,
                    "source": s,
                    "target": t,
                    "seeds": seeds,
                    "accuracy": right["all", s, t],
                    "lowest": 0.5,
                    "highest": 0.99,
                    "seed_sd": deviation,
                    "item_se": 0.02,
                }
            )
    terms = [("mean", ""), *(("source", s) for s in languages), *(("target", t) for t in languages), ("home", "")]
    tables["additive"] = [{**place, "term": term, "language": name, **spread("effect", 0.05)} for term, name in terms]
    tables["english_only"] = [
        {**place, "target": t, "id": f"q{n:03d}", "occurrence": 0, "subset": categories[0] if categories else ""}
        for t in languages
        if t != "en"
        for n in range(9)
    ]
    return tables


def reward_tables(languages, items, draw, base, benchmark):
    place = {"base": base, "benchmark": benchmark}
    tables = {"calibration": [], "baselines": [], "pairs": [], "languages": []}
    for s in languages:
        for t in languages:
            tables["calibration"].append(
                {
                    **place,
                    "source": s,
                    "seed": 1,
                    "target": t,
                    "items": items,
                    "nll": 0.5,
                    "brier": 0.2,
                    "ece": 0.1,
                    "largest_error": 0.3,
                    "temperature": 1.5 if s != t else Undefined("separable"),
                }
            )
            tables["baselines"].append(
                {
                    **place,
                    "source": s,
                    "target": t,
                    "accuracy": 0.8,
                    "floor": 0.55,
                    **spread("gain", 0.25),
                    "longer_wins": 0.5,
                    "length_spearman": 0.1,
                }
            )
    for table, first, second, one in (
        ("pairs", "first_source", "second_source", "target"),
        ("languages", "first_target", "second_target", "source"),
    ):
        for n, a in enumerate(languages):
            for b in languages[n + 1 :]:
                for where in languages:
                    tables[table].append(
                        {
                            **place,
                            one: where,
                            "seed": 1,
                            first: a,
                            second: b,
                            "p_holm": 0.5,
                            "kappa_correctness": float(draw.rand()),
                            "spearman": float(draw.rand()),
                        }
                    )
    return tables


def state_tables(languages, items, draw, base, benchmark, layers=3, seed=1):
    """Tables of activations, by layer."""
    place = {"base": base, "benchmark": benchmark}
    tables = {"shift": [], "ratios": [], "alignment": [], "geometry": [], "lens": [], "crystallisation": []}
    tables |= {"transfer_geometry": [], "layer_pairs": [], "crystallisation_layers": []}
    models = [(base, "", 0)] + [(f"{base}.{s}.s{seed}", s, seed) for s in languages]
    for model, source, number in models:
        for layer in range(layers):
            at = {**place, "model": model, "source": source, "seed": number, "capture": "last", "layer": layer}
            for t in languages:
                norms = {name: float(draw.rand()) for name in ("norm_mean", "norm_w1", "norm_ks", "anisotropy", "top3")}
                tables["geometry"].append({**at, "target": t, "items": items, **norms, "effective_rank": 9.5})
                for other in range(layers):
                    cka = 1.0 - 0.2 * abs(layer - other)
                    tables["layer_pairs"].append({**at, "target": t, "other_layer": other, "cka": cka})
                if source:
                    seen = {
                        "accuracy": 0.6,
                        "accuracy_raw": 0.6,
                        "margin": 0.1 * layer,
                        "margin_25": 0.0,
                        "margin_75": 0.4 * layer,
                    }
                    tables["lens"].append({**at, "target": t, "items": items, **seen})
                    if layer == 0:
                        line = {**place, "model": model, "source": source, "seed": number, "target": t}
                        tables["crystallisation"].append(
                            {**line, "items": items - 1, "excluded": 1, "depth": float(draw.rand())}
                        )
                    reached = {"target": t, "layer": layer, "reached": (layer + 1) % 4, "items": items - 1}
                    tables["crystallisation_layers"].append(
                        {**place, "model": model, "source": source, "seed": number, **reached}
                    )
                    moved = {n: float(draw.rand()) for n in ("cosine", "relative", "norm", "coherence", "neighbours")}
                    tables["shift"].append({**at, "target": t, "items": items, **moved, **spread("cka", float(draw.rand()))})
            if len(languages) < 2:
                continue
            for variant in ("raw", "centred"):
                change = Undefined("not_comparable") if not source else float(draw.rand() / 10)
                line = {**at, "variant": variant, "items": items, **spread("f", 0.5), **spread("change", change)}
                tables["ratios"].append(line)
            for n, a in enumerate(languages):
                for b in languages[n + 1 :]:
                    found = {name: float(draw.rand()) for name in ("p_at_1", "centred", "mexa", "margin")}
                    line = {**at, "first_target": a, "second_target": b, "items": items, **found}
                    tables["alignment"].append({**line, **spread("cka", float(draw.rand()))})
    if len(languages) > 1:
        for layer in range(layers):
            for measure in ("cka", "margin", "p_at_1"):
                found = {"r": 0.4, "p": 0.03 + 0.1 * layer, "permutations": 6}
                line = {**place, "capture": "last", "layer": layer, "measure": measure, "languages": len(languages), **found}
                tables["transfer_geometry"].append(line)
    return tables


def deeper_tables(languages, items, draw, base, benchmark, layers=3, seed=1):
    """Tables of the parts layer_pairs, similarity, noise_floor, subspace, preferences and probes."""
    place = {"base": base, "benchmark": benchmark}
    names = "language_layer_pairs similarity noise_floor subspace subspace_alignment preference_directions preference_pairs"
    tables = {name: [] for name in (names + " probe_transfer probes token_lengths").split()}
    models = [(base, "", 0)] + [(f"{base}.{s}.s{seed}", s, seed) for s in languages]
    pairs = [(a, b) for n, a in enumerate(languages) for b in languages[n + 1 :]]

    def number():
        return float(draw.rand())

    for t in languages:
        for side in ("chosen", "rejected"):
            tables["token_lengths"].append({**place, "target": t, "side": side, "items": items, "q25": 9.0, "q50": 11.0, "q75": 14.0})
        for layer in range(layers):
            near = {"cosine": 0.999, "relative": 0.002, "norm": 0.0001, "neighbours": 0.98}
            line = {**place, "target": t, "capture": "last", "layer": layer, "items": items, **near}
            tables["noise_floor"].append({**line, **spread("cka", 0.999, 0.001)})
    for model, source, s in models:
        head = {**place, "model": model, "source": source, "seed": s}
        for t in languages:
            if source:
                found = {"rank": 1, "accuracy": 0.8, "accuracy_without": 0.7, "accuracy_control": 0.79}
                tables["subspace"].append({**head, "target": t, "items": items, **found})
        for layer in range(layers):
            at = {**head, "capture": "last", "layer": layer}
            for t in languages:
                for measure, kind in (("cka.linear.debiased", "score"), ("procrustes.distance", "metric")):
                    found = {"measure": measure, "kind": kind, "items": items, **spread("value", number()), "null": 0.1, "p": 0.01}
                    compared = {"comparison": "base", "target": t, "other_target": t, "scope": "pooled"}
                    if source:
                        tables["similarity"].append({**at, **compared, **found, "permutations": 99})
                if source:
                    cosines = {"head_cosine": number(), "shift_head_cosine": number()}
                    tables["preference_directions"].append({**at, "target": t, "items": items, **cosines})
                probe = {"task": "category", "classes": 2, "train": 6, "items": items, "features": 4, **spread("accuracy", 0.7)}
                beside = {"log_loss": 0.5, "majority": 0.5, "control": 0.5, "control_train": 0.9, "selectivity": 0.2}
                tables["probes"].append({**at, "target": t, **probe, **beside})
            for a, b in pairs:
                between = {**at, "first_target": a, "second_target": b, "items": items}
                tables["preference_pairs"].append({**between, "cosine": number()})
                shared = {n + end: number() for n in ("p_at_1", "margin", "cka") for end in ("", "_without")}
                tables["subspace_alignment"].append({**between, "rank": 1, "offset_share": 1.0, **shared})
                for other in range(layers):
                    tables["language_layer_pairs"].append({**between, "other_layer": other, "cka": number()})
            if source:
                continue
            for a in languages:
                for b in languages:
                    found = {"train": 6, "items": items, "features": 4, **spread("accuracy", 0.6 + 0.3 * number()), "control": 0.5}
                    line = {**place, "capture": "last", "layer": layer, "source": a, "target": b}
                    tables["probe_transfer"].append({**line, **found, "control_train": 0.9, "selectivity": 0.2})
    return tables


def write_analysis(
    root, languages, categories=("chat", "safety"), items=12, base="base", benchmark="dev", seeds=1, changes=None
):
    """All tables, for a sweep of made_cells.write_sweep. changes: {table: rows or None}, None leaves the table out."""
    draw = np.random.RandomState(3)
    tables = transfer_tables(languages, categories, items, draw, base, benchmark, seeds)
    tables |= reward_tables(languages, items, draw, base, benchmark)
    tables |= state_tables(languages, items, draw, base, benchmark)
    tables |= deeper_tables(languages, items, np.random.RandomState(4), base, benchmark)
    tables |= changes or {}
    folder = Path(root) / "analysis"
    folder.mkdir(exist_ok=True)
    with h5py.File(folder / "analysis.h5", "w", track_order=True) as file:
        file.attrs["Conventions"], file.attrs["schema_version"] = "XLRM-analysis-1", 1
        for name, rows in tables.items():
            if rows is not None:
                write_table(file, name, rows)
    (folder / "summary.json").write_text(json.dumps({"statements": []}))
