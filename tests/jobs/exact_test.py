#!/usr/bin/env python3
"""exact_test.py BIN TRL_RUN TEXTS MODEL…: cells of xlrm_evaluate are the same file, byte for byte, for every token budget (1: each text alone) and
rank count; with the rows reversed, or the sides of each pair exchanged, each text has the same scores and states, bit for bit."""
import json
import os
import shutil
import sys
import time

import h5py
import numpy

from harness import ENVIRONMENT, Work, check, finish, mpirun, run, write_tensors

BIN, FIXTURE, TEXTS, MODELS = sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4:]
HERE = os.path.dirname(os.path.abspath(__file__))
LANGUAGES = ["en", "de", "es", "fr", "ru", "ko", "zh", "ja", "ar", "hi", "sw"]
BUDGETS = (1, 300, 1500, 4096, 16384)
RANKS = (2, 3, 7)


def shape(kind):
    """config.json of a small random model."""
    hidden, layers, heads, kv, wide = {"llama": (96, 2, 6, 2, 200), "qwen2": (112, 2, 7, 1, 300), "gemma2": (72, 3, 4, 2, 104),
                                       "wide": (2048, 2, 32, 8, 4096)}[kind]
    config = {"model_type": "llama" if kind == "wide" else kind, "vocab_size": 258, "hidden_size": hidden, "num_hidden_layers": layers,
              "num_attention_heads": heads, "num_key_value_heads": kv, "intermediate_size": wide, "max_position_embeddings": 2048,
              "rms_norm_eps": 1e-6, "eos_token_id": 256, "pad_token_id": 257, "tie_word_embeddings": False, "hidden_act": "silu",
              "architectures": [{"qwen2": "Qwen2", "gemma2": "Gemma2"}.get(kind, "Llama") + "ForSequenceClassification"],
              "num_labels": 1, "head_dim": hidden // heads}
    if kind == "gemma2":
        del config["hidden_act"]
        config.update(head_dim=20, query_pre_attn_scalar=18, sliding_window=37, attn_logit_softcapping=1.5, final_logit_softcapping=2.0,
                      hidden_activation="gelu_pytorch_tanh", tie_word_embeddings=True, attention_bias=False,
                      layer_types=["sliding_attention", "full_attention", "sliding_attention"])
    return config


def tensors(kind, config):
    """Names and shapes of all tensors."""
    hidden, wide = config["hidden_size"], config["intermediate_size"]
    q, kv = config["num_attention_heads"] * config["head_dim"], config["num_key_value_heads"] * config["head_dim"]
    out = {"model.embed_tokens.weight": (258, hidden), "model.norm.weight": (hidden,), "score.weight": (1, hidden)}
    for layer in range(config["num_hidden_layers"]):
        at = f"model.layers.{layer}."
        for name, rows, columns in (("self_attn.q_proj", q, hidden), ("self_attn.k_proj", kv, hidden), ("self_attn.v_proj", kv, hidden),
                                    ("self_attn.o_proj", hidden, q), ("mlp.gate_proj", wide, hidden), ("mlp.up_proj", wide, hidden),
                                    ("mlp.down_proj", hidden, wide)):
            out[f"{at}{name}.weight"] = (rows, columns)
            if kind == "qwen2" and name[10:] in ("q_proj", "k_proj", "v_proj"):
                out[f"{at}{name}.bias"] = (rows,)
        norms = ["input_layernorm", "post_attention_layernorm"]
        if kind == "gemma2":
            norms += ["pre_feedforward_layernorm", "post_feedforward_layernorm"]
        out.update({f"{at}{name}.weight": (hidden,) for name in norms})
    return out


def make_model(folder, kind):
    os.makedirs(folder)
    for name in ("tokenizer.json", "tokenizer_config.json"):
        shutil.copy(os.path.join(FIXTURE, "model", name), folder)
    config = shape(kind)
    with open(os.path.join(folder, "config.json"), "w") as file:
        json.dump(config, file)
    random, header, parts, at = numpy.random.default_rng(1), {}, [], 0
    for name, dims in tensors(kind, config).items():
        values = random.standard_normal(dims, numpy.float32)
        if len(dims) == 2:
            values *= {"score.weight": 0.3, "model.embed_tokens.weight": 1.0}.get(name, dims[1] ** -0.5)
        elif name.endswith("norm.weight"):
            values = values * 0.2 + (0.0 if kind == "gemma2" else 1.0)
        parts.append(values.astype(numpy.float32).tobytes())
        header[name] = {"dtype": "F32", "shape": list(dims), "data_offsets": [at, at + len(parts[-1])]}
        at += len(parts[-1])
    write_tensors(os.path.join(folder, "model.safetensors"), header, b"".join(parts))


def make_rows():
    """Pairs over the first article of the Declaration of Human Rights in eleven languages, of 1 to 1,000 tokens: two pairs a prompt, some
    prompts with one token, some equal answers, some texts that come twice."""
    with open(os.path.join(HERE, "../fixtures/model/article_1.txt"), encoding="utf-8") as file:
        article = dict(zip(LANGUAGES, (line.strip() for line in file)))
    random, rows = numpy.random.default_rng(2), []

    def cut(text, most, at=0):
        characters = int(most ** random.random() * len(text) / len(text.encode()))
        return (text[at:] + " " + text * 6)[:max(1, characters)]

    for i in range(TEXTS // 2):
        lang = LANGUAGES[i // 2 % len(LANGUAGES)]
        text = article[lang]
        prompt = rows[-1]["prompt"] if i % 2 else cut(text, 400)
        chosen, rejected = cut(text, 600, i % 17), cut(text, 600, i % 23)
        if i % 25 == 24:
            rejected = chosen
        elif i % 10 == 9:
            chosen = rows[-1]["chosen"]
        rows.append({"id": f"r-{i}", "lang": lang, "prompt": prompt, "chosen": chosen, "rejected": rejected})
    return rows


def write_rows(path, rows):
    with open(path, "w", encoding="utf-8") as file:
        file.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


def evaluate(work, name, model, dtype, rows, budget, ranks, exact="auto"):
    cell = os.path.join(work, f"{name}.h5")
    command = [os.path.join(BIN, "xlrm_evaluate"), "--model", model, "--data", rows, "--template", "none", "--output", cell, "--dtype", dtype,
               "--token-budget", str(budget), "--exact", exact]
    result = run(mpirun(ranks, command) if ranks > 1 else command, timeout=1800)
    check(result.returncode == 0, f"{name}: xlrm_evaluate ends with {result.returncode}\n{result.stdout}{result.stderr}")
    return cell


def contents(cell):
    """Everything that a text has in a cell, as bits, by side."""
    with h5py.File(cell) as file:
        ids = [value.decode() if isinstance(value, bytes) else str(value) for value in file["scores/id"][:]]
        out = {side: {"score": file[f"scores/{side}"][:]} for side in ("chosen", "rejected")}
        for capture in file["activations"]:
            for layer in file[f"activations/{capture}"]:
                for side in out:
                    out[side][f"{capture} {layer}"] = file[f"activations/{capture}/{layer}/{side}"][:]
    bits = {side: {name: values.view(numpy.uint8).reshape(len(ids), -1) for name, values in arrays.items()} for side, arrays in out.items()}
    return ids, bits, out["chosen"]["score"]


def same_texts(whole, other, exchanged, what):
    (ids, bits, _), (other_ids, other_bits, _) = contents(whole), contents(other)
    place = {name: i for i, name in enumerate(other_ids)}
    order = [place[name] for name in ids]
    for side in bits:
        theirs = other_bits[{"chosen": "rejected", "rejected": "chosen"}[side] if exchanged else side]
        check(bits[side].keys() == theirs.keys(), f"{what}: the cells hold other arrays")
        for name, values in bits[side].items():
            differ = int((values != theirs[name][order]).any(axis=1).sum())
            check(differ == 0, f"{what}, {side}, {name}: {differ} of {len(ids)} have other bits")


def facts(cell):
    with open(os.path.splitext(cell)[0] + ".run.json") as file:
        return json.load(file)


def check_model(work, kind, dtype, rows):
    model = os.path.join(work, kind)
    if not os.path.exists(model):
        make_model(model, kind)
    base = os.path.join(work, f"{kind}-{dtype}")
    os.makedirs(base)
    alone = evaluate(base, "alone", model, dtype, rows["straight"], 1, 1)
    check(facts(alone).get("exact") is True, f"{kind} {dtype}: the run file says {facts(alone)}")
    scores = contents(alone)[2]
    check(len(set(scores.tolist())) > len(scores) // 2, f"{kind} {dtype}: the scores hardly differ, so the comparison says nothing")
    cells = {f"budget {budget}": evaluate(base, f"budget-{budget}", model, dtype, rows["straight"], budget, 1) for budget in BUDGETS[1:]}
    cells["exact yes"] = evaluate(base, "yes", model, dtype, rows["straight"], 2000, 2, "yes")
    for ranks in RANKS:
        for budget in (1, 4096):
            cells[f"{ranks} ranks, budget {budget}"] = evaluate(base, f"ranks-{ranks}-{budget}", model, dtype, rows["straight"], budget, ranks)
    with open(alone, "rb") as file:
        expected = file.read()
    for what, cell in cells.items():
        with open(cell, "rb") as file:
            check(file.read() == expected, f"{kind} {dtype}, {what}: another file than with each text alone")
    for ranks in (1, 3):
        back = evaluate(base, f"reversed-{ranks}", model, dtype, rows["reversed"], 4096, ranks)
        same_texts(alone, back, False, f"{kind} {dtype}, reversed, {ranks} ranks")
    sides = evaluate(base, "sides", model, dtype, rows["exchanged"], 4096, 1, "no")
    check(facts(sides).get("exact", "absent") is None, f"{kind} {dtype}, --exact no: the run file says {facts(sides)}")
    same_texts(alone, sides, True, f"{kind} {dtype}, sides exchanged")
    return len(cells) + 4


ENVIRONMENT["OMPI_MCA_rmaps_base_oversubscribe"] = "1"
with Work() as folder:
    work = folder.path
    pairs = make_rows()
    exchanged = [dict(row, chosen=row["rejected"], rejected=row["chosen"]) for row in pairs]
    rows = {"straight": pairs, "reversed": pairs[::-1], "exchanged": exchanged}
    for name, content in rows.items():
        path = os.path.join(work, f"{name}.jsonl")
        write_rows(path, content)
        rows[name] = path
    for model in MODELS:
        kind, dtype = model.split("-")
        start = time.time()
        runs = check_model(work, kind, dtype, rows)
        print(f"{model}: {2 * len(pairs)} texts, {runs} runs, {time.time() - start:.0f} s", flush=True)
finish()
