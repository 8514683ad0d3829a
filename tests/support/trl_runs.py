"""What the runs of TRL's trainers share that are references for ours: a byte-level tokenizer, rows, the log of every step.
torch 2.11.0, transformers 5.23.0, trl 1.16.0."""
import os
import random
import tempfile

os.environ.update(HF_HUB_OFFLINE="1", TOKENIZERS_PARALLELISM="false")
from safetensors.torch import save_file
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import PreTrainedTokenizerFast, TrainerCallback

EOS, PAD = "<|end|>", "<|pad|>"
FACTS = [("the sky", "blue"), ("grass", "green"), ("el sol", "amarillo"), ("la neve", "bianca"), ("눈", "하얗다"), ("煤", "黑"),
         ("snow in winter", "white"), ("a ripe tomato", "red and round"), ("the night", "dark")]
SETTINGS = dict(use_cpu=True, bf16=False, gradient_checkpointing=False, logging_steps=1, report_to=[], save_strategy="no", disable_tqdm=True,
                dataloader_pin_memory=False)


def byte_tokenizer():
    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    tokenizer = Tokenizer(models.BPE(vocab={c: i for i, c in enumerate(letters)}, merges=[]))
    # The expression is GPT-2's, written out by use_regex.
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)
    tokenizer.decoder = decoders.ByteLevel()
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, eos_token=EOS, pad_token=PAD)


def fact_rows(count, seed, margins=False):
    """Preference rows about FACTS, in this project's form."""
    choose = random.Random(seed)
    rows = []
    for i in range(count):
        (thing, right), (_, wrong) = choose.sample(FACTS, 2)
        row = dict(id=f"r-{i}", lang="en", prompt=f"{thing}?", chosen=right + "." * choose.randint(0, 2), rejected=wrong)
        if margins:
            row["margin"] = choose.choice([0.0, 0.5, 1.0, 2.0])
        rows.append(row)
    return rows


CHAT = ("{% for message in messages %}<{{ message.role }}>{{ message.content }}{{ eos_token }}{% endfor %}"
        "{% if add_generation_prompt %}<assistant>{% endif %}")


def parted_rows(count, seed):
    """Pairs of conversations that part before their last turns: a system message of their own, turns of their own, fewer turns."""
    choose = random.Random(seed)
    rows = []
    for i in range(count):
        (thing, right), (other, wrong) = choose.sample(FACTS, 2)
        said = lambda role, content: dict(role=role, content=content)
        first, second = said("user", f"{thing}?"), said("user", f"and {other}?")
        sides = [([first, said("assistant", right), second, said("assistant", wrong)], [first, said("assistant", wrong), second, said("assistant", wrong)]),
                 ([first, said("assistant", right)], [first, said("assistant", wrong), said("user", "no."), said("assistant", right)]),
                 ([first, said("assistant", wrong), said("user", "hm?"), said("assistant", right)], [first, said("assistant", wrong), second, said("assistant", wrong)]),
                 ([first, said("assistant", right)], [first, said("assistant", wrong)])][i % 4]
        rows.append(dict(id=f"p-{i}", lang="en", chosen=sides[0], rejected=sides[1]))
    return rows


def small_shape(tokenizer, **changes):
    """Arguments of a model's configuration."""
    return dict(dict(vocab_size=len(tokenizer), hidden_size=16, intermediate_size=40, num_hidden_layers=2, num_attention_heads=4,
                     num_key_value_heads=2, max_position_embeddings=256, pad_token_id=tokenizer.pad_token_id,
                     eos_token_id=tokenizer.eos_token_id, bos_token_id=None, tie_word_embeddings=False, initializer_range=0.2), **changes)


class StepLog(TrainerCallback):
    """What the trainer logs of each optimiser step."""

    def __init__(self):
        self.steps = []

    def on_log(self, args, state, control, logs=None, **kwargs):
        if logs and "loss" in logs:
            self.steps.append(dict(step=state.global_step, **logs))


def trained(trainer, config, model, tokenizer, data, **arguments):
    """The steps that `trainer` logs while it trains `model` on `data`, a datasets.Dataset."""
    log = StepLog()
    trainer(model=model, processing_class=tokenizer, callbacks=[log], train_dataset=data,
            args=config(output_dir=tempfile.mkdtemp(), **SETTINGS, **arguments)).train()
    return log.steps


def save_weights(model, path):
    save_file({name: tensor.detach().contiguous() for name, tensor in model.state_dict().items()}, path)
