#!/usr/bin/env python3
"""templates_test.py BIN TRL_RUN: what programs say and do about chat templates, their dates and tied pairs; accuracies of a training's evaluation and of
xlrm_evaluate on the same rows."""
import json
import os
import re
import shutil
import sys

from harness import Work, check, finish, run

BIN, FIXTURE = sys.argv[1], sys.argv[2]
SHOW = "{% for m in messages %}[{{ m.content }}{{ eot_token }}|{{ image_token }}|{{ boi_token }}|{{ additional_special_tokens }}|{{ eos_token }}]{% endfor %}"


def program(name, *arguments):
    return run([os.path.join(BIN, name), *arguments])


def write(path, content):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as file:
        file.write(content if isinstance(content, str) else json.dumps(content))
    return path


def write_rows(path, rows):
    return write(path, "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))


def model_with(work, name, files):
    folder = work / name
    shutil.copytree(os.path.join(FIXTURE, "model"), folder)
    for file, content in files.items():
        write(os.path.join(folder, file), content)
    return folder


def rendered(work, folder, *options):
    chats = write_rows(work / "chats.jsonl", [{"messages": [{"role": "user", "content": "hi"}]}])
    done = program("xlrm_inspect", "render", "--model", folder, "--input", chats, *options)
    check(done.returncode == 0, f"render of {folder}: {done.stderr}")
    return json.loads(done.stdout)["text"] if done.returncode == 0 else "", done.stderr


def named_tokens_reach_the_template(work):
    base = {"eos_token": "</s>", "tokenizer_class": "PreTrainedTokenizerFast", "chat_template": SHOW}
    for number, (more, expected) in enumerate([({"extra_special_tokens": {"eot_token": "<e>", "image_token": "<i>"}}, "[hi<e>|<i>|||</s>]"),
                                               ({"eot_token": "<e>", "boi_token": "<b>"}, "[hi<e>||<b>||</s>]"),
                                               ({"model_specific_special_tokens": {"eot_token": "<e>"}}, "[hi<e>||||</s>]")]):
        text, said = rendered(work, os.path.dirname(write(work / f"named{number}/tokenizer_config.json", {**base, **more})))
        check(text == expected, f"{more}: {text}")
        for token in ("image_token", "boi_token"):
            missing = f"writes {token}, which the folder does not name" in said
            check(missing == (token not in str(more)), f"{more}: {token}: {said}")


def the_order_is_that_of_auto_tokenizer(work):
    letter = lambda x: "{% for m in messages %}" + x + "{{ m.content }}{% endfor %}"
    both = {"tokenizer_config.json": {"chat_template": letter("C")}, "chat_template.json": {"chat_template": letter("S")}}
    extra = {"tokenizer_config.json": {}, "additional_chat_templates/default.jinja": letter("E")}
    processor = {"tokenizer_config.json": {}, "chat_template.json": {"chat_template": letter("S")}}
    for name, files, options, expected, said in (("both", both, [], "Chi", "tokenizer_config.json of the folder"), ("extra", extra, [], "Ehi", "additional_chat_templates/default.jinja"),
                                                 ("processor", processor, [], "hi", "the folder has no chat template"),
                                                 ("named", processor, ["--template", "jinja:chat_template.json"], "Shi", "chat_template.json")):
        for file, content in files.items():
            write(work / os.path.join(name, file), content)
        text, stderr = rendered(work, work / name, *options)
        check(text == expected and said in stderr, f"{name}: {text} {stderr}")


def a_trained_folder_keeps_its_templates(work):
    files = {"chat_template.jinja": "{% for m in messages %}J{{ m.content }}{% endfor %}", "additional_chat_templates/rag.jinja": "{% for m in messages %}R{{ m.content }}{% endfor %}"}
    model = model_with(work, "several", files)
    rows = write_rows(work / "few.jsonl", [{"id": f"r{i}", "prompt": f"q{i}", "chosen": "yes", "rejected": "no"} for i in range(4)])
    out = work / "several.out"
    done = program("xlrm_train", "--model", model, "--data", rows, "--steps", "1", "--batch-pairs", "2", "--template", "jinja:rag", "--output", out)
    check(done.returncode == 0 and "template: jinja:rag" in done.stderr, done.stderr)
    check(rendered(work, out, "--template", "jinja:rag")[0] == "Rhi", "the named template was not saved with the model")
    done = program("xlrm_evaluate", "--model", out, "--data", rows, "--layers", "none", "--output", work / "several.h5")
    check(done.returncode == 0 and "template: jinja:rag" in done.stdout, done.stdout + done.stderr)


def accuracy_of(evaluated):
    counts = [(int(items), float(share)) for items, share in re.findall(r"(\d+) items  accuracy +([\d.]+) %", evaluated.stdout)]
    return sum(items for items, _ in counts), counts


# One step's model is evaluated in the training and by xlrm_evaluate: tied pairs are wrong in both, what is too long is out of both.
def a_training_counts_as_an_evaluation(work):
    long = "the same long beginning of an answer that goes on and on " * 3
    rows = [{"id": f"r{i}", "prompt": f"q{i}", "chosen": f"yes {i}", "rejected": f"no {i * i}"} for i in range(9)]
    rows += [{"id": f"t{i}", "prompt": "q", "chosen": f"same {i}", "rejected": f"same {i}"} for i in range(3)]
    rows += [{"id": f"c{i}", "prompt": "q", "chosen": long + "good", "rejected": long + f"bad {i}"} for i in range(2)]
    data = write_rows(work / "rows.jsonl", rows)
    for policy, items, tied in (("right", 14, 5), ("drop", 12, 3)):
        cut = ["--max-length", "40", "--over-length", policy]
        prepared = work / f"{policy}.h5"
        done = program("xlrm_prepare", "--input", data, "--model", os.path.join(FIXTURE, "model"), "--ties", "keep", "--output", prepared, *cut)
        check(done.returncode == 0 and "\ntemplate: " in "\n" + done.stdout, done.stdout + done.stderr)
        seen = []
        for name, file in (("rows", data), ("file", prepared)):
            out = work / f"{policy}.{name}"
            done = program("xlrm_train", "--model", os.path.join(FIXTURE, "model"), "--data", file, "--eval-data", file, "--steps", "1", "--batch-pairs", "20", *cut, "--output", out)
            check(done.returncode == 0, done.stderr)
            records = [json.loads(line) for line in open(os.path.join(out, "metrics.jsonl"))]
            check(records[0]["items"] == items - tied, f"{policy} {name}: {records[0]['items']} items were trained on")
            record = next(one for one in records if "eval_items" in one)
            done = program("xlrm_evaluate", "--model", out, "--data", file, "--layers", "none", *cut, "--output", work / f"{policy}.{name}.cell.h5")
            counted, accuracies = accuracy_of(done)
            check(done.returncode == 0 and counted == items == record["eval_items"], f"{policy} {name}: {record} {done.stdout} {done.stderr}")
            check(accuracies and abs(accuracies[0][1] - 100 * record["eval_accuracy"]) < 0.051, f"{policy} {name}: {record} {done.stdout}")
            check(f"ties {tied}" in done.stdout, f"{policy} {name}: {done.stdout}")
            seen.append((record["eval_accuracy"], record["eval_loss"], records[0]["loss"]))
        check(seen[0] == seen[1], f"{policy}: rows and the file prepared from them differ: {seen}")


def a_date_is_an_option_of_every_program(work):
    dated = {"chat_template.jinja": "{% for m in messages %}{{ strftime_now('%d %b %Y') }} {{ m.content }}{% endfor %}"}
    model = model_with(work, "dated", dated)
    rows = write_rows(work / "dates.jsonl", [{"id": f"r{i}", "prompt": f"q{i}", "chosen": "yes", "rejected": "no"} for i in range(4)])
    check(rendered(work, model, "--template-date", "2025-01-05")[0] == "05 Jan 2025 hi", "render has another date")
    prepared = work / "dates.h5"
    done = program("xlrm_prepare", "--input", rows, "--model", model, "--output", prepared, "--template-date", "2025-01-05")
    check(done.returncode == 0 and "writes the date 05 Jan 2025" in done.stdout, done.stdout + done.stderr)
    for name, more in (("xlrm_train", ["--steps", "1", "--batch-pairs", "2"]), ("xlrm_evaluate", ["--layers", "none"])):
        arguments = [name, "--model", model, "--data", prepared, *more, "--output", work / (name + ".out")]
        done = program(*arguments)
        check(done.returncode == 1 and "prepared with the date 05 Jan 2025, now 26 Jul 2024" in done.stderr, f"{name}: {done.returncode} {done.stderr}")
        done = program(*arguments, "--template-date", "2025-01-05")
        check(done.returncode == 0, f"{name}: {done.stderr}")
    # A trained model goes on with its own date.
    done = program("xlrm_evaluate", "--model", work / "xlrm_train.out", "--data", prepared, "--layers", "none", "--output", work / "own.h5")
    check(done.returncode == 0 and "writes the date 05 Jan 2025" in done.stdout, done.stdout + done.stderr)
    for name in ("xlrm_prepare", "xlrm_train", "xlrm_evaluate", "xlrm_sweep", "xlrm_inspect", "xlrm_bench"):
        if os.path.exists(os.path.join(BIN, name)):
            help_text = program(name, "--help").stdout
            check("template-date" in help_text and "concat" in help_text, f"{name} --help")


if __name__ == "__main__":
    with Work() as work:
        named_tokens_reach_the_template(work)
        the_order_is_that_of_auto_tokenizer(work)
        a_trained_folder_keeps_its_templates(work)
        a_training_counts_as_an_evaluation(work)
        a_date_is_an_option_of_every_program(work)
    finish()
