"""Random small models of every family: states, logits, scores and gradients equal those of eager transformers; folders saved by
one side open in the other.

    peer_test.py MODEL_PEER [FIRST_SEED [SHAPES]]      exit code 77: skipped
"""
import copy
import json
import logging
import random
import subprocess
import sys
import tempfile
from pathlib import Path

try:
    import torch
    from safetensors.torch import load_file
    from transformers import (AutoModelForCausalLM, AutoModelForSequenceClassification, Gemma2Config, LlamaConfig, MistralConfig, Qwen2Config,
                              Qwen3Config)
except ImportError as error:
    print(f"skipped: transformers cannot be imported ({error}); install it for the interpreter of XLRM_PEER_PYTHON")
    sys.exit(77)

TOOL = sys.argv[1]
FIRST_SEED = int(sys.argv[2]) if len(sys.argv) > 2 else 0
SHAPES = int(sys.argv[3]) if len(sys.argv) > 3 else 5
FAMILIES = {"llama": LlamaConfig, "mistral": MistralConfig, "qwen2": Qwen2Config, "qwen3": Qwen3Config, "gemma2": Gemma2Config}
VOCAB, PAD = 200, 0


def tool(*words):
    return subprocess.run([TOOL, *map(str, words)], check=True, capture_output=True, text=True).stdout


def random_config(family, draw):
    kv, head_dim, layers = draw.choice([1, 2, 3]), 2 * draw.randrange(2, 13), draw.randrange(2, 5)
    heads = kv * draw.choice([1, 2, 3])
    hidden = heads * draw.randrange(4, 13)
    rope = draw.choice([dict(rope_type="default"), dict(rope_type="linear", factor=draw.choice([2.0, 4.0])),
                        dict(rope_type="llama3", factor=8.0, low_freq_factor=1.0, high_freq_factor=4.0, original_max_position_embeddings=32)])
    shape = dict(vocab_size=VOCAB, hidden_size=hidden, intermediate_size=draw.randrange(17, 90), num_hidden_layers=layers, num_attention_heads=heads,
                 num_key_value_heads=kv, max_position_embeddings=128, pad_token_id=PAD, bos_token_id=1, eos_token_id=2, num_labels=1,
                 initializer_range=0.15, rms_norm_eps=draw.choice([1e-5, 1e-6]), head_dim=head_dim, tie_word_embeddings=draw.random() < 0.5,
                 rope_parameters=dict(rope, rope_theta=draw.choice([100.0, 1e4, 5e5])))
    window = draw.randrange(2, 9)
    if family == "llama":
        shape.update(attention_bias=draw.random() < 0.5, mlp_bias=draw.random() < 0.5)
    elif family == "mistral":
        shape.update(sliding_window=draw.choice([window, window, None]))
    elif family == "gemma2":
        shape.update(sliding_window=window, query_pre_attn_scalar=draw.randrange(3, 40), attn_logit_softcapping=draw.choice([None, 1.0, 3.0]),
                     final_logit_softcapping=draw.choice([None, 2.0]))
    else:
        shape.update(use_sliding_window=draw.random() < 0.6, sliding_window=window, max_window_layers=draw.randrange(0, layers))
        if family == "qwen3":
            shape.update(attention_bias=draw.random() < 0.3)
    return FAMILIES[family](**shape)


def random_models(config, seed):
    """A reward model and a causal LM with one body; norms and biases away from their initial values, so that no term is lost."""
    torch.manual_seed(seed)
    causal = AutoModelForCausalLM.from_config(config, attn_implementation="eager").eval()
    with torch.no_grad():
        for name, parameter in causal.named_parameters():
            if name.endswith("norm.weight"):
                parameter.add_(0.3 * torch.randn_like(parameter))
            elif name.endswith("bias"):
                parameter.normal_(0, 0.3)
    reward = AutoModelForSequenceClassification.from_config(config, attn_implementation="eager").eval()
    reward.model.load_state_dict(causal.model.state_dict())
    return reward, causal


def random_texts(draw, pairs=6):
    """Pairs of texts with a common prompt; some end with the pad id, some answers are empty."""
    rows = []
    for _ in range(pairs):
        prompt = [1] + [draw.randrange(3, VOCAB) for _ in range(draw.randrange(0, 20))]
        for _ in range(2):
            answer = [draw.randrange(3, VOCAB) for _ in range(draw.randrange(0, 20))] + [PAD] * (draw.random() < 0.2)
            rows.append({"ids": prompt + answer, "prompt": len(prompt)})
    return rows


def padded(rows, side):
    width = max(len(r["ids"]) for r in rows)
    fill = lambda r, text, pad: [pad] * (width - len(r["ids"])) + text if side == "left" else text + [pad] * (width - len(r["ids"]))
    return dict(input_ids=torch.tensor([fill(r, r["ids"], PAD) for r in rows]),
                attention_mask=torch.tensor([fill(r, [1] * len(r["ids"]), 0) for r in rows]))


def expect(name, value, bound):
    WORST[name] = max(WORST.get(name, 0.0), value / bound)
    assert value <= bound, f"{name}: {value:.2e}, bound {bound:.1e}"


WORST = {}


def peer_states(model, rows):
    """Of each text alone: residual streams (the last one before the final norm), normed, logits; as fp64."""
    out = {}
    last = []
    hook = model.model.layers[-1].register_forward_hook(lambda module, args, result: last.append(result[0] if isinstance(result, tuple) else result))
    for i, row in enumerate(rows):
        with torch.no_grad():
            result = model(input_ids=torch.tensor([row["ids"]]), output_hidden_states=True)
        hidden = [*result.hidden_states[:-1], last.pop()]
        out.update({f"{i}.hidden.{l}": h[0].double() for l, h in enumerate(hidden)})
        out[f"{i}.normed"], out[f"{i}.logits"] = result.hidden_states[-1][0].double(), result.logits[0].double()
    hook.remove()
    return out


def compare_states(family, causal, folder, rows):
    tool("states", folder / "causal", folder / "texts.json", folder / "states.safetensors", "fp32")
    mine, theirs = load_file(folder / "states.safetensors"), peer_states(causal, rows)
    assert mine.keys() == theirs.keys()
    for name, value in theirs.items():
        expect(f"{family} {name.split('.')[1]}", (mine[name].double() - value).abs().max().item(), 5e-6 * max(1.0, value.abs().max().item()))


def compare_bf16(family, causal, folder, rows):
    """Errors against fp64 of the same rounded weights, over all texts of all shapes."""
    copy.deepcopy(causal).to(torch.bfloat16).save_pretrained(folder / "bf16")
    half = AutoModelForCausalLM.from_pretrained(folder / "bf16", attn_implementation="eager", dtype=torch.bfloat16).eval()
    tool("states", folder / "bf16", folder / "texts.json", folder / "states.safetensors", "bf16")
    mine, theirs = load_file(folder / "states.safetensors"), peer_states(half, rows)
    exact = peer_states(AutoModelForCausalLM.from_pretrained(folder / "bf16", attn_implementation="eager", dtype=torch.float64).eval(), rows)
    for name, value in exact.items():
        if name.split(".")[1] not in ("normed", "logits"):
            continue
        sums = BF16.setdefault((family, name.split(".")[1]), [0.0, 0.0])
        scale = value.pow(2).mean()
        sums[0] += ((mine[name].double() - value).pow(2).mean() / scale).item()
        sums[1] += ((theirs[name] - value).pow(2).mean() / scale).item()


BF16 = {}


def compare_scores(family, reward, folder, rows, mine):
    for side in ("right", "left"):
        with torch.no_grad():
            theirs = reward(**padded(rows, side)).logits[:, 0]
        assert theirs.max() - theirs.min() > 0.02, "the scores hardly differ, so nothing is tested"
        expect(f"{family} score, {side} padded", ((mine - theirs).abs() / theirs.abs().clamp(min=1)).max().item(), 5e-6)


def compare_gradients(family, reward, folder, rows):
    tool("gradient", folder / "reward", folder / "texts.json", folder / "gradient.safetensors")
    mine = load_file(folder / "gradient.safetensors")
    scores = torch.stack([reward.score(reward.model(input_ids=torch.tensor([r["ids"]])).last_hidden_state[0, -1])[0] for r in rows])
    (-torch.nn.functional.logsigmoid(scores[0::2] - scores[1::2]).mean()).backward()
    for name, parameter in reward.named_parameters():
        expect(f"{family} gradient", ((mine[name].double() - parameter.grad.double()).norm() / parameter.grad.double().norm()).item(), 1e-5)
    assert mine.keys() == dict(reward.named_parameters()).keys()


def open_strictly(auto, folder, dtype):
    messages = []
    handler = logging.Handler(logging.WARNING)
    handler.emit = lambda record: messages.append(record.getMessage())
    logging.getLogger("transformers").addHandler(handler)
    model, info = auto.from_pretrained(folder, output_loading_info=True, attn_implementation="eager", dtype="auto")
    logging.getLogger("transformers").removeHandler(handler)
    for key in ("missing_keys", "unexpected_keys", "mismatched_keys"):
        assert not info[key], f"{folder.name}: {key} {info[key]}"
    assert not messages and model.dtype == dtype, (messages, model.dtype)
    # Opened again, since a cast would keep what half precision made of rope frequencies and of Gemma-2's embedding scale.
    return auto.from_pretrained(folder, attn_implementation="eager", dtype=torch.float32).eval()


def both_ways(family, folder, rows, dtype, name):
    """What transformers saved in shards of one dtype, read by xlrm, saved again and opened by transformers."""
    tool("save", folder / f"reward_{name}", folder / f"reward_{name}_again", "reward", name)
    again = open_strictly(AutoModelForSequenceClassification, folder / f"reward_{name}_again", dtype)
    assert again.config.num_labels == 1 and again.score.weight.shape[0] == 1
    mine = torch.tensor(json.loads(tool("score", folder / f"reward_{name}", folder / "texts.json", "hf")))
    compare_scores(f"{family} {name} file", again, folder, rows, mine)
    tool("save", folder / "causal", folder / f"causal_{name}", "lm", name)
    causal = open_strictly(AutoModelForCausalLM, folder / f"causal_{name}", dtype)
    tied = causal.lm_head.weight.data_ptr() == causal.model.embed_tokens.weight.data_ptr()
    assert tied == causal.config.tie_word_embeddings, "tied as config.json says"


def one_shape(family, seed, folder):
    draw = random.Random(f"{family} {seed}")
    config = random_config(family, draw)
    reward, causal = random_models(config, seed)
    rows = random_texts(draw)
    folder.mkdir()
    (folder / "texts.json").write_text(json.dumps(rows))
    for name, dtype in (("fp16", torch.float16), ("bf16", torch.bfloat16)):
        # A copy: a cast rounds the model's rope frequencies too, which no file brings back.
        copy.deepcopy(reward).to(dtype).save_pretrained(folder / f"reward_{name}", max_shard_size="8KB")
        assert (folder / f"reward_{name}" / "model.safetensors.index.json").exists(), "several shards"
    reward.save_pretrained(folder / "reward", max_shard_size="8KB")
    causal.save_pretrained(folder / "causal")
    mine = torch.tensor(json.loads(tool("score", folder / "reward", folder / "texts.json", "hf")))
    compare_scores(family, reward, folder, rows, mine)
    compare_states(family, causal, folder, rows)
    compare_gradients(family, reward, folder, rows)
    both_ways(family, folder, rows, torch.float16, "fp16")
    both_ways(family, folder, rows, torch.bfloat16, "bf16")
    compare_bf16(family, causal, folder, rows)


with tempfile.TemporaryDirectory() as temporary:
    for family in FAMILIES:
        for seed in range(FIRST_SEED, FIRST_SEED + SHAPES):
            try:
                one_shape(family, seed, Path(temporary) / f"{family}{seed}")
            except subprocess.CalledProcessError as error:
                sys.exit(f"{family} seed {seed}: {error.stderr}")
            except AssertionError as error:
                sys.exit(f"{family} seed {seed}: {error}")
    for name, share in WORST.items():
        print(f"{name}: at most {share:.2f} of the bound")
    for (family, name), (mine, theirs) in BF16.items():
        ratio = (mine / theirs) ** 0.5
        print(f"{family} {name} in bf16: RMS error {ratio:.2f} times that of transformers")
        assert ratio <= 1.25, f"{family} {name} in bf16"
