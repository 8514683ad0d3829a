"""A reward model that xlrm_train saves, opened by transformers: tokenizer, chat template and [PAD] as they should be, no weight missing or
unexpected, and the scores of padded batches equal xlrm_evaluate's.

    saved_folder_test.py BIN      exit code 77: skipped
"""
import json
import random
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "support"))
try:
    from trl_runs import byte_tokenizer, fact_rows, small_shape

    import h5py
    import torch
    from transformers import (AutoModelForCausalLM, AutoModelForSequenceClassification, AutoTokenizer, Gemma2Config, LlamaConfig, MistralConfig, Qwen2Config,
                              Qwen3Config)
except ImportError as error:
    print(f"skipped: transformers cannot be imported ({error}); install it for the interpreter of XLRM_PEER_PYTHON")
    sys.exit(77)

BIN = Path(sys.argv[1])
FAMILIES = {"llama": LlamaConfig, "mistral": MistralConfig, "qwen2": Qwen2Config, "qwen3": Qwen3Config, "gemma2": Gemma2Config}
TEMPLATE = "{% for m in messages %}{{ '<' + m['role'] + '> ' + m['content'] | trim + '\\n' }}{% endfor %}{% if add_generation_prompt %}{{ '<assistant> ' }}{% endif %}"


def conversations(rows):
    turn = lambda role, text: {"role": role, "content": text}
    return [dict(id=r["id"], lang="en", chosen=[turn("user", r["prompt"]), turn("assistant", r["chosen"])],
                 rejected=[turn("user", r["prompt"]), turn("assistant", r["rejected"])]) for r in rows]


def program(name, *words):
    return subprocess.run([BIN / name, *map(str, words)], check=True, capture_output=True, text=True)


def make_base(family, folder):
    """A causal LM with a template and without a pad token."""
    tokenizer = byte_tokenizer()
    tokenizer.chat_template = TEMPLATE
    shape = dict(small_shape(tokenizer), pad_token_id=None, bos_token_id=None, tie_word_embeddings=random.Random(family).random() < 0.5, head_dim=8)
    tokenizer.pad_token = None
    torch.manual_seed(0)
    AutoModelForCausalLM.from_config(FAMILIES[family](**shape)).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return tokenizer


def scores_of(model, tokenizer, rows, side, padding_side):
    tokenizer.padding_side = padding_side
    texts = [tokenizer.apply_chat_template(row[side], tokenize=False) for row in rows]
    batch = tokenizer(texts, padding=True, return_tensors="pt")
    with torch.no_grad():
        return model(input_ids=batch["input_ids"], attention_mask=batch["attention_mask"]).logits[:, 0].double()


def check_family(family, work):
    base, output, cell = work / "base", work / "model", work / "cell.h5"
    before = make_base(family, base)
    rows = conversations(fact_rows(24, seed=2))
    (work / "rows.jsonl").write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))
    program("xlrm_train", "--model", base, "--data", work / "rows.jsonl", "--output", output, "--add-pad-token", "--lr", "1e-3", "--batch-pairs", 8,
            "--epochs", 2)
    program("xlrm_evaluate", "--model", output, "--data", work / "rows.jsonl", "--output", cell, "--layers", "none")
    after = AutoTokenizer.from_pretrained(output)
    assert (after.pad_token, after.pad_token_id) == ("[PAD]", len(before)), f"{family}: {after.pad_token} {after.pad_token_id}, {len(before)} tokens before"
    for row in rows:
        text = before.apply_chat_template(row["chosen"], tokenize=False)
        assert after.apply_chat_template(row["chosen"], tokenize=False) == text and after(text).input_ids == before(text).input_ids, family
    model, info = AutoModelForSequenceClassification.from_pretrained(output, output_loading_info=True, dtype=torch.float32, attn_implementation="eager")
    assert not any(info[key] for key in ("missing_keys", "unexpected_keys", "mismatched_keys")), f"{family}: {info}"
    assert model.config.pad_token_id == after.pad_token_id and model.num_labels == 1, family
    worst = 0.0
    with h5py.File(cell) as file:
        for side in ("chosen", "rejected"):
            mine = torch.tensor(file[f"scores/{side}"][:]).double()
            for padding_side in ("left", "right"):
                theirs = scores_of(model.eval(), after, rows, side, padding_side)
                worst = max(worst, ((mine - theirs).abs() / theirs.abs().clamp(min=1)).max().item())
    print(f"{family}: scores within {worst:.1e}")
    assert worst <= 5e-6, family


for name in FAMILIES:
    with tempfile.TemporaryDirectory() as folder:
        check_family(name, Path(folder))
