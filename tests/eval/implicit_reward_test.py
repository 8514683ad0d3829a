"""The implicit reward of a policy against transformers in fp64: β·(log π - log π₀) of the answer's tokens, its end included.

    implicit_reward_test.py XLRM_EVALUATE      exit code 77: skipped
"""
import json
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "support"))
try:
    from trl_runs import EOS, byte_tokenizer, fact_rows, small_shape

    import h5py
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM
except ImportError as error:
    print(f"skipped: transformers cannot be imported ({error}); install it for the interpreter of XLRM_PEER_PYTHON")
    sys.exit(77)

BETA = 0.3


def log_prob(model, tokenizer, prompt, answer):
    before = tokenizer(prompt).input_ids
    ids = before + tokenizer(answer + EOS).input_ids
    with torch.no_grad():
        log_probs = model(input_ids=torch.tensor([ids])).logits[0].log_softmax(-1)
    return sum(log_probs[t - 1, ids[t]].item() for t in range(len(before), len(ids)))


def evaluate(work, reference, *options):
    subprocess.run([sys.argv[1], "--model", work / "policy", "--reward", "implicit", "--ref-model", reference, "--data", work / "rows.jsonl", "--template", "none",
                    "--output", work / "cell.h5", *options], check=True, capture_output=True)
    with h5py.File(work / "cell.h5") as cell:
        assert cell.attrs["head"] in ("implicit", b"implicit"), cell.attrs["head"]
        return {side: cell[f"scores/{side}"][:] for side in ("chosen", "rejected")}


def main():
    tokenizer = byte_tokenizer()
    rows = fact_rows(40, seed=13)
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        (work / "rows.jsonl").write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))
        models = {}
        for seed, name in enumerate(("policy", "reference")):
            torch.manual_seed(seed)
            models[name] = LlamaForCausalLM(LlamaConfig(**small_shape(tokenizer)))
            models[name].save_pretrained(work / name)
            tokenizer.save_pretrained(work / name)
            models[name].double()
        found, alone = evaluate(work, work / "reference", "--beta", str(BETA)), evaluate(work, "none", "--beta", "1", "--layers", "none")
        worst = 0.0
        for side in ("chosen", "rejected"):
            for i, row in enumerate(rows):
                policy, reference = (log_prob(models[name], tokenizer, row["prompt"] + "\n", row[side]) for name in ("policy", "reference"))
                for mine, theirs, scale in ((found[side][i], BETA * (policy - reference), BETA * abs(policy)), (alone[side][i], policy, abs(policy))):
                    worst = max(worst, abs(mine - theirs) / max(1.0, scale))
        print(f"{2 * len(rows)} texts: largest difference {worst:.1e} of the log-probability")
        assert worst <= 2e-6


main()
