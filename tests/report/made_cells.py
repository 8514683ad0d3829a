"""Sweep folders made by h5py after the schema in include/xlrm/store/README.md, with known scores and activations."""

import hashlib
import json
from pathlib import Path

import h5py
import numpy as np

LANGUAGES = ("en", "ko", "zh")
CATEGORIES = ("chat", "safety")


def bfloat16():
    """HDF5 type of a bfloat16, as xlrm stores it."""
    kind = h5py.h5t.IEEE_F32LE.copy()
    kind.set_fields(15, 7, 8, 0, 7)
    kind.set_size(2)
    kind.set_precision(16)
    kind.set_ebias(127)
    return kind


def item_ids(count):
    return [f"q{i:03d}" for i in range(count)]


def layer_value(layer, rows, features):
    """Values that bfloat16 holds exactly, different in every place."""
    return ((np.arange(rows * features).reshape(rows, features) + 16 * layer) % 128 - 64).astype(np.float32)


def write_cell(
    path,
    model,
    source,
    seed,
    language,
    ids,
    margins=None,
    layers=3,
    features=4,
    subset=None,
    occurrence=None,
    activations=None,
    version=1,
    tokens=False,
):
    """margins=None: a base model's cell. activations: (layer, side) → (item, feature)."""
    path.parent.mkdir(parents=True, exist_ok=True)
    count = len(ids)
    text = h5py.string_dtype("utf-8")
    with h5py.File(path, "w") as file:
        file.attrs.update(
            {
                "Conventions": "XLRM-1",
                "schema_version": version,
                "state": "complete",
                "model": model,
                "source_lang": source,
                "target_lang": language,
                "seed": seed,
                "pooling": "last",
                "head": "none" if margins is None else "fp32",
                "template": "none",
                "template_sha256": "0" * 64,
                "tokenizer_sha256": "1" * 64,
                "model_sha256": "2" * 64,
                "dtype": "fp32",
                "xlrm_provenance": json.dumps({"code": "0.1.0", "options": {"capture": ["last"]}, "inputs": {}}),
            }
        )
        scores = file.create_group("scores")
        scores.create_dataset("id", data=ids, dtype=text)
        scores.create_dataset("subset", data=subset or [CATEGORIES[i % 2] for i in range(count)], dtype=text)
        scores.create_dataset("lang", data=[language] * count, dtype=text)
        if margins is not None:
            chosen = np.asarray(margins, np.float32)
            scores["chosen"], scores["rejected"] = chosen, np.zeros(count, np.float32)
            scores["margin"] = chosen
        scores["chosen_tokens"] = np.full(count, 9, np.int32)
        scores["rejected_tokens"] = np.full(count, 7, np.int32)
        if occurrence is not False:
            scores["occurrence"] = np.zeros(count, np.int32) if occurrence is None else np.asarray(occurrence, np.int32)
        if margins is not None and layers:
            head = file.create_group("head")
            head.attrs["norm_eps"] = 1e-6
            head["final_norm"], head["weight"] = np.ones(features, np.float32), np.full(features, 0.5, np.float32)
        for layer in range(layers):
            for side in ("chosen", "rejected"):
                rows = (activations or {}).get((layer, side))
                rows = layer_value(layer, count, features) + (side == "rejected") if rows is None else rows
                name = f"activations/last/layer_{layer:02d}/{side}".encode()
                if layer == layers - 1:
                    file.create_dataset(name.decode(), data=np.asarray(rows, np.float32))
                else:
                    file.require_group(f"activations/last/layer_{layer:02d}")
                    space = h5py.h5s.create_simple(rows.shape)
                    made = h5py.h5d.create(file.id, name, bfloat16(), space)
                    made.write(h5py.h5s.ALL, h5py.h5s.ALL, np.ascontiguousarray(rows, np.float32))
        if tokens:
            for layer in range(layers):
                group = file.create_group(f"activations/tokens/layer_{layer:02d}/chosen")
                group["row_size"], group["item"] = np.array([2, 3], np.int32), np.array([0, 4], np.int64)
                group["values"] = layer_value(layer, 5, features)
    path.with_suffix(".sha256").write_text(f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n")


def margins_of(source, language, seed, count):
    """Right more often where source and language agree."""
    random = np.random.RandomState(1000 * seed + 10 * LANGUAGES.index(source) + LANGUAGES.index(language))
    return random.randn(count) + (1.2 if source == language else 0.6)


def write_plan(root, languages=LANGUAGES, seeds=(1,), benchmark="dev"):
    tasks = []
    for source in ("",) + tuple(languages):
        for seed in seeds if source else (0,):
            tasks += [
                {
                    "kind": "evaluate",
                    "base": "base",
                    "source": source,
                    "seed": seed,
                    "benchmark": benchmark,
                    "target": t,
                    "needs": -1,
                    "cost": 1.0,
                }
                for t in languages
            ]
    (root / "plan.json").write_text(
        json.dumps(
            {
                "schema": "XLRM-plan-1",
                "targets": list(languages),
                "benchmarks": [benchmark],
                "seeds": list(seeds),
                "tasks": tasks,
            }
        )
    )


def write_sweep(root, languages=LANGUAGES, seeds=(1,), count=12, **changes):
    """A finished sweep of one base model: every source and seed on every language."""
    root = Path(root)
    root.mkdir(parents=True, exist_ok=True)
    write_plan(root, languages, seeds)
    for language in languages:
        write_cell(root / f"cells/base/dev.{language}.h5", "base", "", 0, language, item_ids(count), **changes)
        for source in languages:
            for seed in seeds:
                model = f"base.{source}.s{seed}"
                write_cell(
                    root / f"cells/{model}/dev.{language}.h5",
                    model,
                    source,
                    seed,
                    language,
                    item_ids(count),
                    margins_of(source, language, seed, count),
                    **changes,
                )
    return root
