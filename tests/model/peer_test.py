"""Models saved by xlrm open in transformers and give the same scores, and the other way round.

    peer_test.py MODEL_PEER FIXTURES      exit code 77: skipped
"""
import json
import random
import subprocess
import sys
import tempfile
from pathlib import Path

try:
    import torch
    from transformers import AutoModelForCausalLM, AutoModelForSequenceClassification, LlamaConfig, Qwen2Config
except ImportError as error:
    print(f"skipped: transformers cannot be imported ({error}); install it for the interpreter of XLRM_PEER_PYTHON")
    sys.exit(77)

TOOL, FIXTURES = sys.argv[1], Path(sys.argv[2])


def texts(vocab, count=12):
    draw = random.Random(3)
    return [[1] + [draw.randrange(3, vocab) for _ in range(draw.randrange(1, 25))] for _ in range(count)]


def xlrm_scores(model, ids, folder):
    (folder / "texts.json").write_text(json.dumps(ids))
    out = subprocess.run([TOOL, "score", str(model), str(folder / "texts.json")], check=True, capture_output=True, text=True)
    return torch.tensor(json.loads(out.stdout))


def peer_scores(model, ids):
    """One padded batch: the pad id of config.json must not be taken for text, nor text for it."""
    width = max(map(len, ids))
    pad = model.config.pad_token_id
    rows = torch.tensor([t + [pad] * (width - len(t)) for t in ids])
    mask = torch.tensor([[1] * len(t) + [0] * (width - len(t)) for t in ids])
    with torch.no_grad():
        return model(input_ids=rows, attention_mask=mask).logits[:, 0]


def open_strictly(auto, folder):
    model, info = auto.from_pretrained(folder, output_loading_info=True, attn_implementation="eager")
    for key in ("missing_keys", "unexpected_keys", "mismatched_keys"):
        assert not info[key], f"{folder.name}: {key} {info[key]}"
    return model.eval()


def expect_close(name, mine, theirs):
    worst = ((mine - theirs).abs() / theirs.abs().clamp(min=1)).max().item()
    print(f"{name}: largest difference {worst:.1e} of max(1, |score|), scores from {theirs.min():.2f} to {theirs.max():.2f}")
    assert theirs.max() - theirs.min() > 0.05, f"{name}: the scores hardly differ, so nothing is tested"
    assert worst <= 5e-6, f"{name}: {worst}"


def saved_by_xlrm(folder):
    subprocess.run([TOOL, "save", str(FIXTURES), str(folder)], check=True)
    for family in ("llama", "qwen2"):
        model = open_strictly(AutoModelForSequenceClassification, folder / f"{family}_rm")
        assert model.config.num_labels == 1 and model.score.weight.shape[0] == 1 and model.dtype == torch.float32
        ids = texts(model.config.vocab_size)
        expect_close(f"saved by xlrm, {family}", xlrm_scores(folder / f"{family}_rm", ids, folder), peer_scores(model, ids))
        causal = open_strictly(AutoModelForCausalLM, folder / f"{family}_lm")
        tied = causal.lm_head.weight.data_ptr() == causal.model.embed_tokens.weight.data_ptr()
        assert tied == (family == "qwen2"), "tied as config.json says"


def saved_by_transformers(folder):
    shape = dict(vocab_size=200, hidden_size=48, intermediate_size=80, num_hidden_layers=3, num_attention_heads=6, num_key_value_heads=3,
                 max_position_embeddings=256, pad_token_id=0, bos_token_id=1, eos_token_id=2, num_labels=1, initializer_range=0.1)
    llama3 = dict(rope_type="llama3", rope_theta=5e5, factor=32.0, low_freq_factor=1.0, high_freq_factor=4.0,
                  original_max_position_embeddings=64)
    configs = {
        "llama": LlamaConfig(**shape),
        "llama3 rope, own head size": LlamaConfig(**dict(shape, head_dim=32, rope_parameters=llama3)),
        "linear rope": LlamaConfig(**dict(shape, rope_parameters=dict(rope_type="linear", rope_theta=1e4, factor=4.0))),
        "qwen2": Qwen2Config(**shape),
        "qwen2 tied": Qwen2Config(**dict(shape, tie_word_embeddings=True)),
    }
    for name, config in configs.items():
        torch.manual_seed(5)
        model = AutoModelForSequenceClassification.from_config(config, attn_implementation="eager").eval()
        with torch.no_grad():
            for parameter_name, parameter in model.named_parameters():
                if parameter_name.endswith("bias"):
                    parameter.normal_(0, 0.3)
        target = folder / name.replace(" ", "_").replace(",", "")
        model.save_pretrained(target, max_shard_size="60KB")
        assert (target / "model.safetensors.index.json").exists(), "several shards"
        ids = texts(config.vocab_size)
        expect_close(f"saved by transformers, {name}", xlrm_scores(target, ids, folder), peer_scores(model, ids))


with tempfile.TemporaryDirectory() as temporary:
    saved_by_xlrm(Path(temporary))
    saved_by_transformers(Path(temporary))
