#!/usr/bin/env python3
"""causal_model.py FROM TO: the fixture of a tiny reward model as a language model whose head is its embedding."""
import json
import os
import shutil
import sys

from harness import drop_tensor


def causal_model(source, folder):
    shutil.copytree(source, folder)
    path = os.path.join(folder, "config.json")
    config = json.load(open(path))
    config.update(architectures=["LlamaForCausalLM"], tie_word_embeddings=True)
    config.pop("id2label"), config.pop("label2id")
    json.dump(config, open(path, "w"))
    drop_tensor(os.path.join(folder, "model.safetensors"), "score.weight")
    return folder


if __name__ == "__main__":
    causal_model(sys.argv[1], sys.argv[2])
