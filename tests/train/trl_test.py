"""xlrm_train against TRL's trainers: the same model, 512 rows and order, 50 steps in fp32 at lr 1e-4. Every metric that both log
agrees at every step, and the weights at the end.

    trl_test.py XLRM_TRAIN [ROWS.jsonl]      exit code 77: skipped
"""
import json
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "support"))
try:
    from trl_runs import CHAT, byte_tokenizer, fact_rows, parted_rows, small_shape, trained

    import peft
    import torch
    from datasets import Dataset
    from safetensors.torch import load_file
    from transformers import (LlamaConfig, LlamaForCausalLM, LlamaForSequenceClassification, Qwen2Config, Qwen2ForCausalLM,
                              Qwen2ForSequenceClassification)
    from trl import DPOConfig, DPOTrainer, RewardConfig, RewardTrainer, SFTConfig, SFTTrainer
except ImportError as error:
    print(f"skipped: TRL cannot be imported ({error}); install it for the interpreter of XLRM_PEER_PYTHON")
    sys.exit(77)

PROGRAM = sys.argv[1]
COMMON = dict(learning_rate=1e-4, lr_scheduler_type="cosine", warmup_steps=5, max_steps=50, weight_decay=0.01, max_grad_norm=1.0, seed=42)
OURS = ["--lr", "1e-4", "--schedule", "cosine", "--warmup-steps", "5", "--steps", "50", "--weight-decay", "0.01", "--clip", "1", "--seed", "42",
        "--template", "none"]
# Means over the micro-batches of a step, where ours are over the step.
BY_MICRO_BATCH = {"min_reward", "max_reward", "entropy", "mean_token_accuracy", "logits/chosen", "logits/rejected", "logps/chosen", "logps/rejected"}
REWARD = {"llama": LlamaForSequenceClassification, "qwen2": Qwen2ForSequenceClassification}
CAUSAL = {"llama": LlamaForCausalLM, "qwen2": Qwen2ForCausalLM}
CONFIG = {"llama": LlamaConfig, "qwen2": Qwen2Config}


def make_model(kind, family, tokenizer, folder):
    torch.manual_seed(0)
    shape = small_shape(tokenizer, hidden_size=64, intermediate_size=160, num_hidden_layers=3, max_position_embeddings=1024, initializer_range=0.1)
    model = (REWARD if kind == "reward" else CAUSAL)[family](CONFIG[family](num_labels=1, **shape))
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)


def peer_rows(kind, rows, margins):
    if isinstance(rows[0]["chosen"], list):
        return [dict(chosen=r["chosen"], rejected=r["rejected"]) for r in rows]
    if kind == "reward":
        return [dict(chosen=r["prompt"] + "\n" + r["chosen"], rejected=r["prompt"] + "\n" + r["rejected"], **({"margin": r["margin"]} if margins else {}))
                for r in rows]
    if kind == "sft":
        return [dict(prompt=r["prompt"] + "\n", completion=r["chosen"]) for r in rows]
    return [dict(prompt=r["prompt"] + "\n", chosen=r["chosen"], rejected=r["rejected"]) for r in rows]


def our_rows(kind, rows):
    if kind == "sft":
        return [dict(id=r["id"], prompt=r["prompt"], response=r["chosen"]) for r in rows]
    return rows


def bound_of(key, value):
    # One text's score is held to the bound of scores; rewards of DPO are differences of log-probabilities in the hundreds.
    bound = {"grad_norm": 2e-5, "min_reward": 5e-6, "max_reward": 5e-6}.get(key, 1e-5 if key.startswith(("rewards/", "logits/")) else 2e-6)
    return bound * max(1.0, abs(value))


def compare_metrics(name, mine, theirs, accumulate):
    assert len(mine) == len(theirs), f"{name}: {len(mine)} steps, TRL has {len(theirs)}"
    worst = {}
    for ours, peer in zip(mine, theirs):
        for key, value in peer.items():
            if accumulate > 1 and key in BY_MICRO_BATCH:
                continue
            assert key in ours, f"{name}: {key} is not logged"
            difference = abs(ours[key] - value)
            worst[key] = max(worst.get(key, 0.0), difference)
            assert difference <= bound_of(key, value), f"{name}: {key} at step {peer['step']}: {ours[key]}, TRL has {value}"
    return worst


def compare_weights(name, before, mine, theirs):
    worst = 0.0
    assert mine.keys() == theirs.keys(), name
    for key, value in theirs.items():
        moved = (value - before[key]).norm()
        share = ((mine[key] - value).norm() / moved).item() if moved > 0 else float((mine[key] != value).any())
        worst = max(worst, share)
        assert share <= 1e-3, f"{name}: {key} differs by {share:.1e} of its way"
    return worst


def xlrm_train(kind, model_dir, data, output, *flags):
    subprocess.run([PROGRAM, "--objective", "bt" if kind == "reward" else kind, "--model", model_dir, "--data", data, "--output", output, "--max-length", "1024",
                    *OURS, *flags], check=True, capture_output=True)


def adapted(model, kind, model_dir, data, work, lora):
    """`model` with the adapters that ours begins with: those of one step at rate zero."""
    output = work / f"{kind}-adapters"
    xlrm_train(kind, model_dir, data, output, *lora, "--lr", "0", "--steps", "1", "--warmup-steps", "0")
    return peft.PeftModel.from_pretrained(model, output / "adapter", is_trainable=True)


def final_state(model, lora):
    if lora:
        model = model.merge_and_unload()
    return {key: value.detach() for key, value in model.state_dict().items()}


def compare(name, kind, rows, tokenizer, work, family="llama", batch=8, accumulate=1, margins=False, flags=(), lora=(), **special):
    model_dir, output, data = work / f"{kind}-{family}{'-chat' if tokenizer.chat_template else ''}", work / f"{name}-out", work / f"{name}.jsonl"
    if not model_dir.exists():
        make_model(kind, family, tokenizer, model_dir)
    data.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in our_rows(kind, rows)))
    trainer, config = {"reward": (RewardTrainer, RewardConfig), "sft": (SFTTrainer, SFTConfig), "dpo": (DPOTrainer, DPOConfig)}[kind]
    model = (REWARD if kind == "reward" else CAUSAL)[family].from_pretrained(model_dir)
    if lora:
        model = adapted(model, kind, model_dir, data, work, lora)
    theirs = trained(trainer, config, model, tokenizer, Dataset.from_list(peer_rows(kind, rows, margins)), max_length=1024,
                     per_device_train_batch_size=batch, gradient_accumulation_steps=accumulate, **COMMON, **special)
    xlrm_train(kind, model_dir, data, output, "--batch-pairs", str(batch * accumulate), *([] if margins or kind != "reward" else ["--margin", "none"]),
               *flags, *lora)
    lines = [json.loads(line) for line in (output / "metrics.jsonl").read_text().splitlines()]
    mine = [line for line in lines if "loss" in line]
    worst = compare_metrics(name, mine, theirs, accumulate)
    share = compare_weights(name, load_file(model_dir / "model.safetensors"), load_file(output / "model.safetensors"), final_state(model, lora))
    print(f"{name}: loss {worst['loss']:.1e}, grad norm {worst['grad_norm']:.1e}, worst other metric "
          f"{max(value for key, value in worst.items() if key != 'grad_norm'):.1e}, weights {share:.1e} of their way", flush=True)


def main():
    torch.set_num_threads(1)
    tokenizer = byte_tokenizer()
    rows = fact_rows(512, seed=11, margins=True)  # no pair comes within rounding of a tie, where accuracies may differ
    if len(sys.argv) > 2:
        given = [json.loads(line) for line in open(sys.argv[2])][:512]
        rows = [dict(row, margin=extra["margin"], id=f"{i}") for i, (row, extra) in enumerate(zip(given, rows))]
    with tempfile.TemporaryDirectory() as folder:
        common = dict(rows=rows, tokenizer=tokenizer, work=Path(folder))
        compare("bt", "reward", **common)
        compare("bt-margin", "reward", margins=True, **common)
        compare("bt-centre", "reward", flags=["--center-rewards-coefficient", "0.01"], center_rewards_coefficient=0.01, **common)
        compare("bt-accumulation", "reward", batch=4, accumulate=4, flags=["--token-budget", "300"], **common)
        compare("bt-all", "reward", batch=4, accumulate=2, margins=True, flags=["--center-rewards-coefficient", "0.01"],
                center_rewards_coefficient=0.01, **common)
        compare("bt-lora", "reward", lora=["--lora-rank", "4", "--lora-alpha", "8", "--lora-targets", "q_proj,v_proj,up_proj"], **common)
        compare("bt-qwen2", "reward", family="qwen2", **common)
        compare("sft", "sft", **common)
        compare("sft-accumulation", "sft", batch=4, accumulate=2, **common)
        compare("sft-qwen2", "sft", family="qwen2", **common)
        compare("dpo", "dpo", beta=0.1, **common)
        compare("dpo-robust", "dpo", beta=0.3, loss_type=["robust"], label_smoothing=0.1,
                flags=["--beta", "0.3", "--loss-type", "robust", "--label-smoothing", "0.1"], **common)
        compare("dpo-ipo", "dpo", beta=0.3, loss_type=["ipo"], flags=["--beta", "0.3", "--loss-type", "ipo"], **common)
        compare("dpo-hinge", "dpo", beta=0.3, loss_type=["hinge"], flags=["--beta", "0.3", "--loss-type", "hinge"], **common)
        chat = byte_tokenizer()
        chat.chat_template = CHAT
        parted = dict(rows=parted_rows(512, seed=5), tokenizer=chat, work=Path(folder))
        compare("bt-parted", "reward", flags=["--template", "auto"], **parted)
        compare("dpo-parted", "dpo", beta=0.1, flags=["--template", "auto"], **parted)
        compare("dpo-qwen2", "dpo", family="qwen2", beta=0.1, flags=["--precompute-ref-log-probs"], precompute_ref_log_probs=True, **common)


main()
