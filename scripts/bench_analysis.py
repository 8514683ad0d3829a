"""xlrm_analyze --parts layer_pairs beside numpy and h5py, one thread a process. See scripts/bench_analysis for the environment.

The store: cells of `models` (a base and others) in `languages`, `layers` layers of (items, features) in bf16, one side, without
compression; layers drift, models are the base with noise. What is compared: every model's layers with the base's in each language, and with
one another in any two languages of one model.

GEMM: the fastest of numpy's and torch's fp32 product of square matrices; of several processes of one thread at once, the sum of what each
reaches: no speed-up on as many ranks is above that ratio, which hyperthreads of one core hold far below the number. Share: operations that the triangles of the Gram matrices and
their products need (nothing counted twice) over seconds of the part, reading included, over that rate. Pair by pair: centred features, three
products a pair, of a sample of pairs, times their number. Kept: each Gram matrix once, kept, and all products at once; of the base and one
model, the other models' time taken as that model's. Both read with h5py.

--steps names what to measure; with --json FILE the figures of earlier calls on the same --folder are kept, so that hours can be divided:
store; gemm; xlrm (each of --ranks; one of them that was ended goes on, but is not timed); pairs; kept."""
import argparse
import csv
import hashlib
import json
import math
import os
import random
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import h5py
import numpy as np

ROOT = Path(__file__).resolve().parent.parent
SQUARE = 3072
STEPS = ("store", "gemm", "xlrm", "pairs", "kept")


def options():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, value in (("models", 6), ("languages", 5), ("layers", 37), ("items", 2869), ("features", 2048)):
        parser.add_argument("--" + name, type=int, default=value)
    parser.add_argument("--ranks", default="1,2", help="numbers of ranks, the first being what the others are compared with")
    parser.add_argument("--sampled", type=int, default=4, help="pairs that are timed pair by pair")
    parser.add_argument("--folder", default="", help="where the store lies or is made, and stays; default: a temporary one")
    parser.add_argument("--steps", default=",".join(STEPS), help="what to do: " + ", ".join(STEPS))
    parser.add_argument("--rate", action="store_true", help=argparse.SUPPRESS)  # of fp32 products, of this process
    parser.add_argument("--check", action="store_true", help="end with an error unless values, bytes and memory are as they should be")
    parser.add_argument("--json", default="", help="file for the figures")
    parser.add_argument("--build", default=os.environ.get("XLRM_BUILD_DIR", str(ROOT / "build")))
    return parser.parse_args()


def bfloat16():
    """HDF5 type of a bfloat16, as xlrm stores it."""
    kind = h5py.h5t.IEEE_F32LE.copy()
    kind.set_fields(15, 7, 8, 0, 7)
    kind.set_size(2)
    kind.set_precision(16)
    kind.set_ebias(127)
    return kind


def rounded(x):
    """float32 → bits of bfloat16, to nearest."""
    bits = np.ascontiguousarray(x, np.float32).view(np.uint32)
    return ((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16).astype(np.uint16)


def languages_of(given):
    return ["en", "es", "it", "ko", "zh", "de", "fr", "ja"][: given.languages]


def model_names(given):
    return ["base"] + [f"base.{source}.s1" for source in languages_of(given) * 2][: given.models - 1]


def cell_path(folder, model, language):
    return folder / "cells" / model / f"bench.{language}.h5"


def write_cell(given, path, model, language, pool):
    """The base's states of a layer are a mixture of the layer before and new values; a model's are those with a tenth of noise."""
    path.parent.mkdir(parents=True, exist_ok=True)
    text, source = h5py.string_dtype("utf-8"), "" if model == "base" else model.split(".")[1]
    with h5py.File(path, "w", libver=("v108", "v110")) as file:
        file.attrs.update({"Conventions": "XLRM-1", "schema_version": 1, "state": "complete", "model": model, "source_lang": source,
                           "target_lang": language, "seed": 1 if source else 0, "pooling": "last", "head": "fp32" if source else "none",
                           "template": "none", "template_sha256": "0" * 64, "tokenizer_sha256": "1" * 64, "model_sha256": "2" * 64,
                           "dtype": "fp32", "xlrm_provenance": "{}"})
        scores = file.create_group("scores")
        scores.create_dataset("id", data=[f"q-{i:05d}" for i in range(given.items)], dtype=text)
        scores.create_dataset("subset", data=["s"] * given.items, dtype=text)
        scores.create_dataset("lang", data=[language] * given.items, dtype=text)
        for name in ("chosen_tokens", "rejected_tokens", "occurrence"):
            scores[name] = np.full(given.items, 0 if name == "occurrence" else 9, np.int32)
        if source:
            for name in ("chosen", "rejected", "margin"):
                scores[name] = np.zeros(given.items, np.float32)
        own = random.Random(model)
        of_language = languages_of(given).index(language)
        for layer in range(given.layers):
            x = pool[layer % len(pool)] + 0.7 * pool[(layer + 1) % len(pool)] + 0.5 * np.roll(pool[0], 17 * of_language + 1, axis=1)
            if source:
                x = x + 0.1 * np.roll(pool[own.randrange(len(pool))], own.randrange(1, given.features), axis=1)
            file.require_group(f"activations/last/layer_{layer:02d}")
            space = h5py.h5s.create_simple(x.shape)
            made = h5py.h5d.create(file.id, f"activations/last/layer_{layer:02d}/chosen".encode(), bfloat16(), space)
            made.write(h5py.h5s.ALL, h5py.h5s.ALL, rounded(x), mtype=bfloat16())
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while block := file.read(1 << 24):
            digest.update(block)
    path.with_suffix(".sha256").write_text(f"{digest.hexdigest()}  {path.name}\n")


def make_store(given, folder):
    """The cells that are not there yet."""
    draw = np.random.default_rng(1)
    pool = [draw.standard_normal((given.items, given.features), np.float32) for _ in range(9)]
    for model in model_names(given):
        for language in languages_of(given):
            path = cell_path(folder, model, language)
            if not path.with_suffix(".sha256").exists():
                write_cell(given, path, model, language, pool)


def read(given, folder, model, language, layer):
    """(item, feature) fp32 column-centred."""
    with h5py.File(cell_path(folder, model, language), "r") as file:
        made = file[f"activations/last/layer_{layer:02d}/chosen"]
        bits = np.empty(made.shape, np.uint16)
        made.id.read(h5py.h5s.ALL, h5py.h5s.ALL, bits, mtype=bfloat16())
    x = (bits.astype(np.uint32) << 16).view(np.float32)
    return x - x.mean(0, dtype=np.float64).astype(np.float32)


def gemm_rates():
    """FLOP/s of the fastest square fp32 product here, by library."""
    rates = {}
    a = np.random.default_rng(0).standard_normal((SQUARE, SQUARE), np.float32)
    b = a[::-1].copy()
    products = {"numpy": lambda: a @ b}
    try:
        import torch

        torch.set_num_threads(1)
        ta, tb = torch.from_numpy(a), torch.from_numpy(b)
        products["torch"] = lambda: ta @ tb
    except ImportError:
        pass
    for name, product in products.items():
        product()
        times, end = [], time.perf_counter() + 2.5
        while time.perf_counter() < end:
            start = time.perf_counter()
            product()
            times.append(time.perf_counter() - start)
        rates[name] = 2.0 * SQUARE**3 / sorted(times)[len(times) // 2]
    return rates


def gemm_together(count):
    """Sum of what `count` processes of one thread reach at once, each with its fastest library."""
    command = [sys.executable, str(Path(__file__).resolve()), "--rate"]
    running = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(count)]
    return sum(max(json.loads(one.communicate()[0]).values()) for one in running)


def operations(given):
    own = given.languages * given.layers
    gram = given.models * own * given.items**2 * given.features
    products = given.models * own**2 * given.items**2 / 2 + (given.models - 1) * given.languages * given.layers**2 * given.items**2
    return gram + products


def pairs(given):
    """(model, language, layer) twice, of all that is compared."""
    names, languages, layers = model_names(given), languages_of(given), range(given.layers)
    for model in names:
        for t, language in enumerate(languages):
            yield from (((names[0], language, l), (model, language, k)) for l in layers for k in layers)
            for other in languages[t + 1 :]:
                yield from (((model, language, l), (model, other, k)) for l in layers for k in layers)


def analyse(given, folder, ranks):
    """Seconds, and the most memory of a rank in GiB."""
    launcher = ["mpirun", "--oversubscribe", "--bind-to", "none", "-np", str(ranks)]
    start = time.perf_counter()
    subprocess.run([*launcher, str(Path(given.build) / "bin" / "xlrm_analyze"), str(folder), "--parts", "layer_pairs"], check=True,
                   stdout=subprocess.DEVNULL)
    seconds = time.perf_counter() - start
    return seconds, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 2**20


def run_xlrm(given, folder, ranks):
    """Seconds of the part and of the whole program, memory, and the hash of its tables."""
    hashed = folder / "hashes.json"
    if not hashed.exists():  # hashes of the cells are remembered from here on
        launch = [str(Path(given.build) / "bin" / "xlrm_analyze"), str(folder), "--parts", "seeds"]
        subprocess.run(launch, check=True, stdout=subprocess.DEVNULL)
    shutil.rmtree(folder / "analysis", ignore_errors=True)
    whole, memory = analyse(given, folder, ranks)
    start, _ = analyse(given, folder, ranks)  # nothing is left to compute
    tables = b"".join((folder / "analysis" / (name + ".csv")).read_bytes() for name in ("layer_pairs", "language_layer_pairs"))
    return {"seconds": whole, "part": whole - start, "gib_a_rank": memory, "tables": hashlib.sha256(tables).hexdigest()}


def feature_hsic(x, y):
    n, a, b = len(x), np.einsum("ij,ij->i", x, x).astype(np.float64), np.einsum("ij,ij->i", y, y).astype(np.float64)
    q = np.square(y.T @ x, dtype=np.float64).sum()
    return q - n / (n - 2) * (a @ b) + a.sum() * b.sum() / ((n - 1) * (n - 2))


def feature_cka(x, y):
    return feature_hsic(x, y) / math.sqrt(feature_hsic(x, x) * feature_hsic(y, y))


def pair_by_pair(given, folder):
    """Seconds for all pairs, from a sample; and the sample's values."""
    every = list(pairs(given))
    sample = random.Random(1).sample(every, min(given.sampled, len(every)))
    start = time.perf_counter()
    values = [feature_cka(read(given, folder, *one), read(given, folder, *two)) for one, two in sample]
    return (time.perf_counter() - start) / len(sample) * len(every), dict(zip(sample, values)), len(every)


def kept(given, folder):
    """Seconds with every Gram matrix computed once and kept: of the base, and of one model beside it."""

    def grams(model):
        out = np.empty((given.languages * given.layers, given.items**2), np.float32)
        for v, (language, layer) in enumerate((t, l) for t in languages_of(given) for l in range(given.layers)):
            x = read(given, folder, model, language, layer)
            k = x @ x.T
            np.fill_diagonal(k, 0.0)
            n = given.items
            rows = k.sum(1, dtype=np.float64) / (n - 2)
            rows -= rows.sum() / (2 * (n - 1))
            k -= (rows[:, None] + rows[None, :]).astype(np.float32)
            np.fill_diagonal(k, 0.0)
            out[v] = k.reshape(-1)
        return out

    def correlations(own, other):
        return own @ other.T

    start = time.perf_counter()
    base = grams(model_names(given)[0])
    correlations(base, base)
    of_base = time.perf_counter() - start
    start = time.perf_counter()
    model = grams(model_names(given)[-1])
    correlations(model, model)
    for t in range(given.languages):
        mine = slice(t * given.layers, (t + 1) * given.layers)
        correlations(base[mine], model[mine])
    return of_base + (given.models - 1) * (time.perf_counter() - start)


def largest_error(given, folder, sample):
    found = {}
    for name in ("layer_pairs", "language_layer_pairs"):
        with open(folder / "analysis" / (name + ".csv"), encoding="utf-8") as file:
            for row in csv.DictReader(file):
                first = row.get("target") or row["first_target"]
                one = ("base" if name == "layer_pairs" else row["model"], first, int(row["layer"]))
                found[one, (row["model"], row.get("second_target") or first, int(row["other_layer"]))] = float(row["cka"])
    return max(abs(found[pair] - value) for pair, value in sample.items())


def measure(given, folder, figures):
    """Adds what --steps names."""
    steps = given.steps.split(",")
    if unknown := [step for step in steps if step not in STEPS]:
        sys.exit(f"bench_analysis: --steps {', '.join(unknown)}: there are {', '.join(STEPS)}")
    if "store" in steps:
        make_store(given, folder)
    ranks = [int(one) for one in given.ranks.split(",")]
    if "gemm" in steps:
        figures["gemm"] = gemm_rates()
        figures["together"] = {str(count): gemm_together(count) for count in sorted({1, *ranks})}
    if "xlrm" in steps:
        figures.setdefault("xlrm", {}).update({str(count): run_xlrm(given, folder, count) for count in ranks})
    if "pairs" in steps:
        seconds, sample, count = pair_by_pair(given, folder)
        figures["pairs"] = {"seconds": seconds, "count": count, "sampled": len(sample), "error": largest_error(given, folder, sample)}
    if "kept" in steps:
        figures["kept"] = kept(given, folder)


def tell(given, figures):
    together, results = figures.get("together", {}), figures.get("xlrm", {})
    for name, rate in figures.get("gemm", {}).items():
        print(f"fp32 products, one thread: {name} {rate / 1e9:.1f} GFLOP/s")
    for count, rate in together.items():
        print(f"fp32 products, {count} processes at once: {rate / 1e9:.1f} GFLOP/s, {rate / together['1']:.2f} times one")
    for ranks, found in results.items():
        text = f"xlrm, {ranks} ranks: {found['part']:.1f} s of the part ({found['seconds']:.1f} s with start and reading of ids)"
        if ranks in together:
            text += f", {100 * operations(given) / found['part'] / together[ranks]:.0f} % of the rate of as many processes"
        if "1" in results:
            text += f", {results['1']['part'] / found['part']:.2f} times as fast as one"
        print(f"{text}, {found['gib_a_rank']:.2f} GiB a rank")
    if results:
        print("the same bytes on any of these numbers of ranks: " + ("yes" if equal(figures) else "NO"))
    alone = results.get("1", {}).get("part")
    if pairs_ := figures.get("pairs"):
        text = f"numpy, features pair by pair: {pairs_['seconds']:.0f} s for {pairs_['count']} pairs"
        print(text + (f"; xlrm {pairs_['seconds'] / alone:.0f} times as fast" if alone else ""))
        print(f"largest difference from it in {pairs_['sampled']} pairs: {pairs_['error']:.1e}")
    if "kept" in figures:
        text = f"numpy, Gram matrices batched and kept: {figures['kept']:.1f} s"
        print(text + (f"; xlrm {figures['kept'] / alone:.2f} times as fast" if alone else ""))


def equal(figures):
    return len({found["tables"] for found in figures["xlrm"].values()}) == 1


def main():
    given = options()
    if given.rate:
        print(json.dumps(gemm_rates()))
        return
    folder = Path(given.folder or tempfile.mkdtemp(prefix="xlrm-bench-analysis-"))
    figures = json.loads(Path(given.json).read_text()) if given.json and Path(given.json).exists() else {}
    try:
        measure(given, folder, figures)
        if given.json:
            Path(given.json).write_text(json.dumps(figures, indent=1) + "\n")
        print(f"store: {sum(path.stat().st_size for path in folder.glob('cells/*/*.h5')) / 1e9:.1f} GB")
        tell(given, figures)
        memory = max(found["gib_a_rank"] for found in figures["xlrm"].values()) if given.check else 0.0
        if given.check and not (equal(figures) and figures["pairs"]["error"] < 1e-4 and memory <= 2.0):
            sys.exit("bench_analysis: values, bytes or memory are not as they should be")
    finally:
        if not given.folder:
            shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
