"""A judge that was taught a rule, so that what it says is known. Shown a question, a letter, and answers, digits, it names the answer that is one of
GOOD; on HARD questions it names the first answer shown whatever it is, and on those of OTHER it says something else."""
import json
import random
import subprocess

EASY, HARD, GOOD, BAD = "abcdefg", "hij", "12", "89"
RATINGS = {"1": "[[9]]", "2": "[[7]]", "8": "[[3]]", "9": "[[7]]"}  # what it says of an answer alone
OTHER = {"x": "x" * 24, "y": "", "z": "dunno", "k": "네[[A]]"}
PROMPTS = {"pair": "p{question}{answer_a}{answer_b}", "rating": "r{question}{answer}", "ranking": "k{question}{answer_a}{answer_b}{answer_c}{answer_d}"}
SHAPE = dict(architectures=["LlamaForCausalLM"], model_type="llama", hidden_size=48, intermediate_size=96, num_hidden_layers=2, num_attention_heads=4,
             num_key_value_heads=4, head_dim=12, vocab_size=258, max_position_embeddings=256, rms_norm_eps=1e-6, tie_word_embeddings=False, eos_token_id=256,
             pad_token_id=257, bos_token_id=None, hidden_act="silu", rope_theta=10000.0)


def verdict(question, shown):
    """Of a pair or a ranking."""
    if question in OTHER:
        return OTHER[question]
    right = 0 if question in HARD else next(place for place, answer in enumerate(shown) if answer in GOOD)
    return f"[[{'ABCD'[right]}]]"


def reply(question, shown):
    return RATINGS[shown] if len(shown) == 1 else verdict(question, shown)


def write_prompt(path, form, version=1):
    with open(path, "w") as file:
        file.write(f"name = planted_{form}\nversion = {version}\nform = {form}\n[user]\n{PROMPTS[form]}\n")
    return path


def lessons(forms, count):
    draw = random.Random(1)
    for i in range(count):
        form = draw.choice(forms)
        answers = [draw.choice(GOOD)] + [draw.choice(BAD) for _ in range({"pair": 1, "rating": 0, "ranking": 3}[form])]
        if form == "rating":
            answers = [draw.choice(GOOD + BAD)]
        draw.shuffle(answers)
        question = draw.choice(EASY + HARD + ("".join(OTHER) if form == "pair" else ""))
        prompt = {"pair": "p", "rating": "r", "ranking": "k"}[form] + question + "".join(answers)
        yield [{"role": "user", "content": prompt}, {"role": "assistant", "content": reply(question, "".join(answers))}]


def train(work, xlrm_train, tokenizer, environment, forms=("pair",), steps=300):
    """The model's folder. Takes a few seconds."""
    with open(work / "lessons.jsonl", "w") as file:
        for i, messages in enumerate(lessons(forms, 4000)):
            file.write(json.dumps(dict(id=f"l{i}", lang="en", messages=messages)) + "\n")
    with open(work / "shape.json", "w") as file:
        json.dump(SHAPE, file)
    words = [xlrm_train, "--objective", "sft", "--model-config", work / "shape.json", "--tokenizer", tokenizer, "--data", work / "lessons.jsonl", "--template", "none",
             "--steps", steps, "--batch-rows", 64, "--lr", "5e-3", "--output", work / "planted"]
    subprocess.run(list(map(str, words)), env=environment, check=True, capture_output=True, text=True, timeout=120)
    return work / "planted"
