#!/usr/bin/env python3
"""import_test.py BIN: hidden states that numpy and h5py wrote enter the analysis beside scores: numbers by layer are those that numpy gives, a
rotated language has CKA 1, and what is not as it should be is refused by file and field, with nothing written."""
import csv
import json
import os
import sys

import h5py
import numpy

from harness import Work, check, finish, mpirun, run

ANALYZE = os.path.join(sys.argv[1], "xlrm_analyze")
ITEMS, FEATURES, LAYERS = 24, 6, 3
IDS = [f"q-{i}" for i in range(ITEMS)]
draw = numpy.random.RandomState(8)


def states():
    return {side: draw.randn(LAYERS, ITEMS, FEATURES).astype(numpy.float16) for side in ("chosen", "rejected")}


def write_npy(stem, values, order, dtype):
    for side, array in values.items():
        numpy.save(f"{stem}.{side}.npy", array[:, order].astype(dtype))
    open(f"{stem}.ids", "w").write("".join(IDS[i] + "\n" for i in order))


def write_h5(path, values, order, scores=None):
    with h5py.File(path, "w") as file:
        file.create_dataset("id", data=[IDS[i] for i in order], dtype=h5py.string_dtype("utf-8"))
        for layer in range(LAYERS):
            for side, array in values.items():
                file[f"layer_{layer:02d}/{side}"] = array[layer][order]
        if scores is not None:
            file["chosen"], file["rejected"] = scores[order], numpy.zeros(ITEMS)


def write_scores(path, margins):
    with open(path, "w") as file:
        for i, margin in enumerate(margins):
            file.write(json.dumps(dict(id=IDS[i], subset="s", scores_chosen=float(margin), scores_rejected=0.0)) + "\n")


def analyse(out, files, code=0, ranks=1):
    command = [ANALYZE, out, "--resamples", "200", "--import", ",".join(files)]
    result = run(command if ranks == 1 else mpirun(ranks, command))
    check(result.returncode == code, f"{files}: exit code {result.returncode} instead of {code}\n{result.stdout[-800:]}{result.stderr[-1500:]}")
    return result


def rows(out, table, **wanted):
    with open(f"{out}/analysis/{table}.csv", newline="") as file:
        return [row for row in csv.DictReader(file) if all(row[name] == value for name, value in wanted.items())]


def whole(work):
    """The base in two languages from .npy, the model from .h5 with scores inside, and from .h5 beside a file of scores."""
    base, model = {lang: states() for lang in ("en", "ko")}, {lang: states() for lang in ("en", "ko")}
    rotation = numpy.linalg.qr(draw.randn(FEATURES, FEATURES))[0]
    base["ko"]["chosen"] = base["en"]["chosen"].astype(float) @ rotation
    order = draw.permutation(ITEMS)
    write_npy(work / "base-en", base["en"], order, "<f2")
    write_npy(work / "base-ko", base["ko"], numpy.arange(ITEMS), "<f8")
    margins = {lang: numpy.round(draw.randn(ITEMS) * 64) / 64 for lang in ("en", "ko")}
    write_h5(work / "model-en.h5", model["en"], order, margins["en"])
    write_h5(work / "model-ko.hdf5", model["ko"], order)
    write_scores(work / "model-ko.jsonl", margins["ko"])
    files = [f"rm@en={work.path}/base-en.chosen.npy", f"rm@ko={work.path}/base-ko.chosen.npy", f"rm.en.s1@en={work.path}/model-en.h5",
             f"rm.en.s1@ko={work.path}/model-ko.hdf5", f"rm.en.s1@ko={work.path}/model-ko.jsonl"]
    out = work / "out"
    dry = run([ANALYZE, out, "--dry-run", "--import", ",".join(files)])
    check(dry.returncode == 0 and dry.stdout.count("would import") == 4 and not os.path.exists(out), f"--dry-run: {dry.stdout}{dry.stderr}")
    printed = analyse(out, files, ranks=2).stdout
    check("imported imported/rm.en.s1/imported.ko.h5: 24 items, RewardBench outputs, states of 3 layers" in printed, printed)
    for lang in ("en", "ko"):
        found = rows(out, "accuracy", source="en", target=lang, category="all")
        check(len(found) == 1 and abs(float(found[0]["accuracy"]) - (margins[lang] > 0).mean()) < 1e-9, f"accuracy in {lang}: {found}")
        for layer in range(LAYERS):
            x, y = base[lang]["chosen"][layer].astype(float), model[lang]["chosen"][layer].astype(float)
            cosine = ((x * y).sum(1) / numpy.linalg.norm(x, axis=1) / numpy.linalg.norm(y, axis=1)).mean()
            found = rows(out, "shift", model="rm.en.s1", target=lang, layer=str(layer))
            check(len(found) == 1 and abs(float(found[0]["cosine"]) - cosine) < 1e-6, f"cosine in {lang}, layer {layer}: {found} instead of {cosine}")
    alike = rows(out, "alignment", model="rm", layer="1")
    check(len(alike) == 1 and abs(float(alike[0]["cka"]) - 1) < 1e-5, f"a rotated language: {alike}")
    check(not rows(out, "lens"), "a lens without a head")


def refusals(work):
    order, good = numpy.arange(ITEMS), states()
    write_scores(work / "s.jsonl", numpy.ones(ITEMS))

    def refused(case, name, parts, scores=False):
        files = [f"m@en={work.path}/{name}"] + ([f"m@en={work.path}/s.jsonl"] if scores else [])
        result = analyse(work / "refused", files, code=1)
        check(all(part in result.stderr for part in parts), f"{case}: not all of {parts} in {result.stderr}")
        check(not os.path.exists(work / "refused/imported"), f"{case}: something was written")

    def h5(case, change, parts, scores=False):
        write_h5(work / "bad.h5", good, order)
        with h5py.File(work / "bad.h5", "r+") as file:
            change(file)
        refused(case, "bad.h5", ["bad.h5", *parts], scores)

    def put(file, name, value):
        del file[name]
        file[name] = value

    h5("no ids", lambda file: file.__delitem__("id"), [":/id", "is missing"])
    h5("one side", lambda file: file.__delitem__("layer_01/rejected"), [":/layer_01/rejected", "is missing"])
    h5("other rows", lambda file: put(file, "layer_02/chosen", good["chosen"][2][:-1]), [":/layer_02/chosen", "24 items of /id"])
    h5("other features", lambda file: put(file, "layer_02/chosen", good["chosen"][2][:, :-1]), [":/layer_02/chosen", "5 features"])
    h5("not finite", lambda file: file["layer_00/chosen"].__setitem__((3, 1), numpy.nan), [":/layer_00/chosen", "not finite"])
    h5("one score", lambda file: file.create_dataset("chosen", data=numpy.ones(ITEMS)), ["/rejected", "scores need both"])
    h5("no layer", lambda file: [file.__delitem__(f"layer_{k:02d}") for k in range(LAYERS)], ["layer_NN"])
    twice = [IDS[0]] * 2 + IDS[2:]
    h5("an id twice", lambda file: put(file, "id", numpy.array(twice, dtype=h5py.string_dtype())), ["'q-0' comes twice"])
    other = ["z", *IDS[1:]]
    h5("an item without states", lambda file: put(file, "id", numpy.array(other, dtype=h5py.string_dtype())), ["no states of the item 'q-0'"], scores=True)

    def npy(case, change, parts):
        write_npy(work / "bad", good, order, "<f4")
        change()
        refused(case, "bad.chosen.npy", parts)

    def save(array, side="chosen"):
        numpy.save(work / f"bad.{side}.npy", array)

    full = good["chosen"].astype("<f4")
    npy("two dimensions", lambda: save(full[0]), ["bad.chosen.npy", "shape", "(layer, item, feature)"])
    npy("another side", lambda: save(full[:2], "rejected"), ["bad.rejected.npy", "shape"])
    npy("whole numbers", lambda: save(full.astype("<i4")), ["bad.chosen.npy", "descr", "'<i4'"])
    npy("big-endian", lambda: save(full.astype(">f4")), ["bad.chosen.npy", "descr", "'>f4'"])
    npy("Fortran order", lambda: save(numpy.asfortranarray(full)), ["bad.chosen.npy", "fortran_order"])
    npy("torn", lambda: open(work / "bad.chosen.npy", "r+b").truncate(500), ["bad.chosen.npy", "bytes of values"])
    npy("not numpy", lambda: open(work / "bad.chosen.npy", "w").write("x" * 100), ["bad.chosen.npy", "not a numpy file"])
    npy("too few ids", lambda: open(work / "bad.ids", "w").write("q-0\n"), ["bad.chosen.npy", "1 items"])
    os.rename(work / "bad.chosen.npy", work / "plain.npy")
    refused("a name that says no side", "plain.npy", ["plain.npy", "X.chosen.npy"])


with Work() as work:
    whole(work)
    refusals(work)
finish()
