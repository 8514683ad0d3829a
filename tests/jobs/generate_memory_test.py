#!/usr/bin/env python3
"""generate_memory_test.py BIN FIXTURE: the memory that xlrm_generate takes is what it planned, within a tenth, for models whose weights, whose keys and
values, or whose logits take most of it; and keys and values stay within --cache-memory."""
import json
import os
import shutil
import sys

from harness import Work, check, finish, run

BIN, FIXTURE = sys.argv[1], sys.argv[2]
MIB = 1 << 20


def model_folder(folder, vocabulary, hidden, layers, heads, kv_heads, head_dim, width):
    """A model of zeros in a sparse file: any token is as likely as another."""
    os.mkdir(folder)
    for name in ("tokenizer.json", "tokenizer_config.json"):
        shutil.copy(os.path.join(FIXTURE, "model", name), folder)
    config = json.load(open(os.path.join(FIXTURE, "model", "config.json")))
    config.update(architectures=["LlamaForCausalLM"], tie_word_embeddings=False, vocab_size=vocabulary, hidden_size=hidden, num_hidden_layers=layers,
                  num_attention_heads=heads, num_key_value_heads=kv_heads, head_dim=head_dim, intermediate_size=width, max_position_embeddings=1024)
    config.pop("id2label"), config.pop("label2id")
    json.dump(config, open(os.path.join(folder, "config.json"), "w"))
    q, kv = heads * head_dim, kv_heads * head_dim
    shapes = {"model.embed_tokens.weight": [vocabulary, hidden], "model.norm.weight": [hidden], "lm_head.weight": [vocabulary, hidden]}
    for layer in range(layers):
        of_layer = {"self_attn.q_proj": [q, hidden], "self_attn.k_proj": [kv, hidden], "self_attn.v_proj": [kv, hidden], "self_attn.o_proj": [hidden, q],
                    "mlp.gate_proj": [width, hidden], "mlp.up_proj": [width, hidden], "mlp.down_proj": [hidden, width], "input_layernorm": [hidden],
                    "post_attention_layernorm": [hidden]}
        shapes.update({f"model.layers.{layer}.{name}.weight": shape for name, shape in of_layer.items()})
    header, end = {}, 0
    for name, shape in shapes.items():
        size = 4
        for n in shape:
            size *= n
        header[name] = {"dtype": "F32", "shape": shape, "data_offsets": [end, end + size]}
        end += size
    text = json.dumps(header).encode()
    with open(os.path.join(folder, "model.safetensors"), "wb") as file:
        file.write(len(text).to_bytes(8, "little") + text)
        file.truncate(8 + len(text) + end)
    return folder


def generated(work, what, model, prompts, *options):
    rows, output = work / f"{what}.prompts.jsonl", work / f"{what}.jsonl"
    with open(rows, "w") as file:
        file.writelines(json.dumps({"id": str(i), "lang": "en", "prompt": "x" * tokens}) + "\n" for i, tokens in enumerate(prompts))
    result = run([os.path.join(BIN, "xlrm_generate"), "--model", model, "--prompts", rows, "--output", output, "--template", "none", "--ignore-eos", "--detect", "no", *map(str, options)])
    check(result.returncode == 0, f"{what}: exit code {result.returncode}\n{result.stderr}")
    return json.load(open(output + ".run.json"))


def within(what, record):
    planned, peak = record["planned_memory_bytes"], record["peak_memory_bytes"]
    print(f"{what}: planned {({name: round(size / MIB) for name, size in planned.items()})} MiB, taken {peak / MIB:.0f}", flush=True)
    check(0.9 <= peak / planned["total"] <= 1.1, f"{what}: {peak} bytes taken, {planned} planned")


def main():
    with Work() as work:
        # 64 KiB of keys and values a token.
        keys = model_folder(work / "keys", 258, 64, 4, 16, 16, 128, 64)
        record = generated(work, "keys", keys, [60] * 64, "--max-new-tokens", 68, "--exact", "no")
        within("keys", record)
        cache = record["planned_memory_bytes"]["cache"]
        check(cache > 450 * MIB and record["cache_bytes"] == cache, f"keys: a cache of {record['cache_bytes']} bytes, {cache} planned")
        record = generated(work, "limited", keys, [60] * 64, "--max-new-tokens", 68, "--exact", "no", "--cache-memory", 200)
        within("limited", record)
        check(150 * MIB < record["cache_bytes"] <= 200 * MIB, f"limited: {record['cache_bytes']} bytes of keys and values in 200 MiB")
        shared = generated(work, "shared", keys, [129] * 8, "--samples", 8, "--max-new-tokens", 60, "--exact", "no")
        within("shared", shared)
        check(shared["cache_bytes"] == shared["planned_memory_bytes"]["cache"], f"shared: {shared}")
        # 100,000 words: weights of 400 MiB, logits of 50.
        words = model_folder(work / "words", 100000, 512, 1, 4, 4, 128, 64)
        within("words", generated(work, "words", words, [10] * 16, "--samples", 8, "--max-new-tokens", 2))
    finish()


main()
