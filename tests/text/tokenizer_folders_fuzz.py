"""Model folders with random added and special tokens give the ids that transformers' AutoTokenizer gives.

    tokenizer_folders_fuzz.py TOKENIZER_CLI [--folders N] [--texts N] [--seed S] [--fixed]      exit code 77: skipped

The folders are those of tests/fixtures/text/make_tokenizer_folders.py. Where transformers cannot load one, it must load or be refused by name."""
import argparse
import json
import random
import shutil
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "fixtures" / "text"))
try:
    import transformers  # noqa: F401
    import make_tokenizer_folders as folders
except ImportError as error:
    print(f"skipped: transformers cannot be imported ({error}); install it for the interpreter of XLRM_PEER_PYTHON")
    sys.exit(77)


# What the header of load_tokenizer says of tokenizer.model.
REFUSALS = ("a sentencepiece model for the tokenizer class", "to a unigram model, which a")


def differs(case, expected, found):
    """The first difference, or None."""
    if "bare" in found:
        return f"an exception without a name: {found['bare']}"
    if expected is None:
        return None
    if "error" in found and any(reason in found["error"] for reason in REFUSALS):
        return None
    if "error" in found:
        return f"refused: {found['error']}"
    for (text, plain, special), (our_plain, our_special) in zip(expected["texts"], found["texts"]):
        if plain != our_plain or special != our_special:
            return f"{text!r}: {plain} {special}, found {our_plain} {our_special}"
    return None


def published(draw, count):
    """Published sentencepiece models, where the shared data is here, with tokens added after their own."""
    data = Path(__file__).resolve().parents[3] / "shared" / "data" / "tokenizers"
    for name, config, model_type in (("llama2", {"tokenizer_class": "LlamaTokenizer", "legacy": False}, None), ("llama2", {"tokenizer_class": "LlamaTokenizer", "legacy": True}, None),
                                     ("llama2", {"tokenizer_class": "LlamaTokenizer"}, "mistral"), ("mistral_v3", {"tokenizer_class": "LlamaTokenizer", "legacy": False}, "mistral"),
                                     ("mistral_v3", {"tokenizer_class": "LlamaTokenizerFast", "add_prefix_space": False}, None), ("chinese_llama_sp", {"tokenizer_class": "PreTrainedTokenizerFast"}, None)):
        if not (data / name).is_dir():
            continue
        size = {"llama2": 32000, "mistral_v3": 32768, "chinese_llama_sp": 20000}[name]
        tokens = [folders.token("<|im_end|>"), folders.token("<|im_start|>"), folders.token("<|x|>", rstrip=True, lstrip=True), folders.token("[UP]", special=False, normalized=True)]
        config = config | {"bos_token": "<s>", "eos_token": "<|im_end|>", "add_bos_token": True}
        # A unigram model with a decoder is what transformers cannot load.
        config |= ({"extra_special_tokens": [row | {"__type": "AddedToken"} for row in tokens]} if name == "chinese_llama_sp" else
                   {"added_tokens_decoder": {str(size + i): row for i, row in enumerate(tokens)}})
        texts = [json.loads(line)["text"] for line in open(data / name / "golden.jsonl", encoding="utf-8")]
        texts = [text for text in texts if text.isprintable() or "\n" in text]
        mixed = ["".join(draw.choice([draw.choice(texts)[:80], folders.random_text(draw)]) for _ in range(draw.randrange(1, 4))) for _ in range(count)]
        yield ({"name": f"published {name} {model_type}", "tokenizer": {"tokenizer.model": str(data / name / "tokenizer.model")},
                "files": {"tokenizer_config.json": config} | ({"config.json": {"model_type": model_type}} if model_type else {})}, mixed)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("cli")
    parser.add_argument("--folders", type=int, default=300)
    parser.add_argument("--texts", type=int, default=12)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--published-texts", type=int, default=400)
    parser.add_argument("--fixed", action="store_true")
    options = parser.parse_args()
    draw = random.Random(options.seed)
    cases = [(case, case.pop("seed", folders.SEED_TEXTS)) for case in folders.fixed_cases()] if options.fixed else []
    cases += [(folders.random_case(draw), [folders.random_text(draw) for _ in range(options.texts)]) for _ in range(options.folders)]
    cases += list(published(draw, options.published_texts))
    paths = [folders.folder_of(case) for case, _ in cases]
    lines = "".join(json.dumps([str(path), texts]) + "\n" for path, (_, texts) in zip(paths, cases))
    out = subprocess.run([options.cli, "folders"], input=lines.encode(), stdout=subprocess.PIPE, check=True).stdout.decode().split("\n")[:-1]
    wrong, loaded = 0, 0
    for path, (case, texts), line in zip(paths, cases, out, strict=True):
        expected = folders.answer(path, texts)
        loaded += expected is not None
        assert expected or case["name"] == "random", f"transformers cannot load {case}"
        found = differs(case, expected, json.loads(line))
        shutil.rmtree(path)
        if found:
            wrong += 1
            print(f"{case['name']} {case['tokenizer']} {json.dumps(case['files'], ensure_ascii=False)}\n    {found}")
    print(f"{len(cases)} folders, {loaded} of them loaded by transformers, {wrong} differ")
    sys.exit(1 if wrong or loaded < len(cases) // 3 else 0)


main()
