#!/usr/bin/env python3
"""generate_peer_test.py BIN TOKENIZER_FOLDER: xlrm_generate against transformers.generate on random small models of every family, 50 prompts in five
languages: greedy ids and beams. Where a text differs, the fp64 gap of the two tokens at that step (of beams: of the scores) must be below 1e-4; those
are counted. Exit code 77: skipped."""
import json
import os
import shutil
import subprocess
import sys
import tempfile

try:
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer, Gemma2Config, LlamaConfig, MistralConfig, Qwen2Config, Qwen3Config
except ImportError as error:
    print(f"skipped: transformers cannot be imported ({error}); install it for the interpreter of XLRM_PEER_PYTHON")
    sys.exit(77)

BIN, TOKENIZER = sys.argv[1], sys.argv[2]
FAMILIES = {"llama": LlamaConfig, "mistral": MistralConfig, "qwen2": Qwen2Config, "qwen3": Qwen3Config, "gemma2": Gemma2Config}
SENTENCES = {
    "en": "Where does the river begin?|The train leaves at noon.|Name three animals.|How far is the moon?|Write a short poem.",
    "es": "¿Dónde nace el río?|El tren sale al mediodía.|Nombra tres animales.|¿A qué distancia está la luna?|Escribe un poema corto.",
    "it": "Dove nasce il fiume?|Il treno parte a mezzogiorno.|Cita tre animali.|Quanto è lontana la luna?|Scrivi una breve poesia.",
    "ko": "강은 어디에서 시작하나요?|기차는 정오에 떠납니다.|동물 세 가지를 말해 보세요.|달은 얼마나 먼가요?|짧은 시를 쓰세요.",
    "zh": "这条河从哪里开始？|火车中午出发。|说出三种动物。|月亮有多远？|写一首短诗。"}
NEW, BEAM_NEW, BEAMS = 32, 16, 3
failures = []


def rows():
    for lang, texts in SENTENCES.items():
        for number, text in enumerate(texts.split("|")):
            yield f"{lang}{number}", lang, text
            yield f"{lang}{number}+", lang, text + " " + text[: 7 * number]


def model_folder(family, folder, stop):
    torch.manual_seed(sum(map(ord, family)))
    more = {"gemma2": dict(sliding_window=16, query_pre_attn_scalar=12), "mistral": dict(sliding_window=24)}.get(family, {})
    config = FAMILIES[family](vocab_size=258, hidden_size=48, intermediate_size=80, num_hidden_layers=3, num_attention_heads=4, num_key_value_heads=2,
                              head_dim=12, max_position_embeddings=512, initializer_range=0.3, tie_word_embeddings=False, pad_token_id=257,
                              bos_token_id=None, eos_token_id=stop, **more)
    model = AutoModelForCausalLM.from_config(config, attn_implementation="eager").eval()
    model.generation_config.eos_token_id = stop
    model.save_pretrained(folder)
    for name in ("tokenizer.json", "tokenizer_config.json"):
        shutil.copy(os.path.join(TOKENIZER, name), folder)
    return model


def ours(folder, prompts, *options):
    output = os.path.join(folder, "samples.jsonl")
    done = subprocess.run([os.path.join(BIN, "xlrm_generate"), "--model", folder, "--prompts", prompts, "--template", "none", "--output", output, "--token-budget", "96",
                           *map(str, options)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    texts = {}
    for line in open(output):
        sample = json.loads(line)
        texts.setdefault(sample["id"], []).append(sample)
    return texts


def generate(model, ids, stop, **options):
    prompt = torch.tensor([ids])
    with torch.inference_mode():
        return model.generate(prompt, attention_mask=torch.ones_like(prompt), do_sample=False, pad_token_id=257, eos_token_id=stop, **options)


def gap(wide, ids, mine, theirs):
    """fp64 logits of the two tokens at which the texts part."""
    same = next((i for i, (a, b) in enumerate(zip(mine, theirs)) if a != b), None)
    if same is None:
        return float("inf")
    with torch.inference_mode():
        logits = wide(torch.tensor([ids + theirs[:same]])).logits[0, -1]
    return float(abs(logits[mine[same]] - logits[theirs[same]]))


def compare(family, folder, prompts):
    stop = [10, 256]
    model = model_folder(family, folder, stop)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    greedy = ours(folder, prompts, "--greedy", "--max-new-tokens", NEW)
    beams = ours(folder, prompts, "--beams", BEAMS, "--samples", BEAMS, "--max-new-tokens", BEAM_NEW)
    wide, differing, differing_beams, ended = None, 0, 0, 0
    for name, _, text in rows():
        ids = tokenizer(text + "\n", add_special_tokens=False)["input_ids"]
        theirs = generate(model, ids, stop, max_new_tokens=NEW)[0, len(ids):].tolist()
        mine = greedy[name][0]["tokens"]
        ended += theirs[-1] in stop
        if mine != theirs:
            wide = wide or AutoModelForCausalLM.from_pretrained(folder, attn_implementation="eager", dtype=torch.float64).eval()
            differing += 1
            if gap(wide, ids, mine, theirs) >= 1e-4:
                failures.append(f"{family} {name}: greedy {mine} instead of {theirs}")
        made = generate(model, ids, stop, max_new_tokens=BEAM_NEW, num_beams=BEAMS, num_return_sequences=BEAMS, return_dict_in_generate=True, output_scores=True)
        for rank in range(BEAMS):
            size = int((made.beam_indices[rank] >= 0).sum())
            theirs, score = made.sequences[rank, len(ids):len(ids) + size].tolist(), made.sequences_scores[rank].item()
            mine = beams[name][rank]
            if abs(mine["logprob"] / len(mine["tokens"]) - score) > 1e-4:
                failures.append(f"{family} {name}: beam {rank} has {mine['logprob'] / len(mine['tokens'])} instead of {score}")
            differing_beams += mine["tokens"] != theirs
    count = sum(1 for _ in rows())
    print(f"{family}: {differing} of {count} greedy texts differ where fp64 is undecided, {differing_beams} of {BEAMS * count} beams by rank; {ended} ended early", flush=True)
    if differing_beams > 4 or differing > 4 or not 0 < ended < count:
        failures.append(f"{family}: {differing} greedy texts and {differing_beams} beams differ, {ended} of {count} ended by a stop id")


def main():
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as work:
        prompts = os.path.join(work, "prompts.jsonl")
        with open(prompts, "w") as file:
            file.writelines(json.dumps({"id": name, "lang": lang, "prompt": text}) + "\n" for name, lang, text in rows())
        for family in FAMILIES:
            compare(family, os.path.join(work, family), prompts)
    for problem in failures:
        print("FAILED: " + problem)
    sys.exit(1 if failures else 0)


main()
