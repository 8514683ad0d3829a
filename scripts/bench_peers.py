#!/usr/bin/env python3
"""xlrm beside its peers: the same rows and shapes, one run of each in turn, ratios of medians. Standard library only; the peers run
under XLRM_PEER_PYTHON. See scripts/bench_peers for the environment.

Training: steps of 8 pairs in the same order of examples, at most 1024 tokens a text; mean pairs/s over the steps behind the warm-up.
Memory: the most that each whole process held while it trained two steps, pairs of about 8k tokens being one micro-batch on both sides.
Scoring: 64 pairs; the best of three passes of each. Tokenising: one thread each, the same texts. Sentencepiece: all that xlrm_prepare
does (rows read, tokenised and written) against the library called in a loop on the same texts, one thread each. Start: xlrm_train's
seconds from the start of its process to its first step."""
import argparse
import gzip
import json
import os
import random
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SHAPES = {"small": "llama 384 6 6 2 1024", "medium": "llama 768 12 12 4 2048"}
ROWS = {"short": "prefs/fcc_mcq_cs_train.jsonl.gz", "long": "prefs/x_alpacaeval_train.jsonl.gz"}
KINDS = ("train", "memory", "score", "tokenize", "sentencepiece", "start")
STEPS, WARM_UP, BATCH, SCORED = 12, 3, 8, 64
MICRO_TOKENS, MEAN_TOKENS = 8192, {"short": 55, "long": 530}  # of a micro-batch whose memory is measured, and of a text
MAX_LENGTH = 1024
SENTENCEPIECE = ("llama2", "mistral_v3", "chinese_llama_sp")
TEXT_BYTES = 20_000_000

TOKENIZE = """
import json, sys, time
from tokenizers import Tokenizer
tokenizer = Tokenizer.from_file(sys.argv[1])
texts = [line for line in open(sys.argv[2], encoding="utf-8").read().split("\\n") if line]
encode = getattr(tokenizer, "encode_batch_fast", tokenizer.encode_batch)
size = sum(len(text.encode()) for text in texts)
best = 0.0
for _ in range(2):
    start = time.perf_counter()
    for i in range(0, len(texts), 1000):
        encode(texts[i:i + 1000], add_special_tokens=False)
    best = max(best, 1e-6 * size / (time.perf_counter() - start))
print(json.dumps({"mb_s": best}))
"""


def stop(problem):
    sys.exit("bench_peers: " + problem)


def options():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--what", default="train,score,tokenize", help="of: " + ", ".join(KINDS))
    parser.add_argument("--sizes", default="small", help="of: small, medium")
    parser.add_argument("--dtypes", default="fp32,bf16", help="of: fp32, bf16")
    parser.add_argument("--rows", default="short,long", help="of: short, long")
    parser.add_argument("--rounds", type=int, default=5, help="runs of each side")
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)), help="of training and scoring, on both sides")
    parser.add_argument("--steps", type=int, default=STEPS, help="training steps, warm-up included")
    parser.add_argument("--warm-up", type=int, default=WARM_UP, help="training steps that do not count, at least 1")
    parser.add_argument("--scored", type=int, default=SCORED, help="pairs that are scored")
    parser.add_argument("--checkpointing", action="store_true", help="TRL with its default recomputation")
    parser.add_argument("--text-bytes", type=int, default=TEXT_BYTES, help="text that is tokenised")
    parser.add_argument("--json", default="", help="file for all samples")
    parser.add_argument("--peers", default=os.environ.get("XLRM_PEERS", str(ROOT.parent / "shared" / "peers")))
    parser.add_argument("--peer-data", default=os.environ.get("XLRM_PEER_DATA", ""))
    parser.add_argument("--python", default=os.environ.get("XLRM_PEER_PYTHON", ""), help="interpreter of the peers")
    parser.add_argument("--build", default=os.environ.get("XLRM_BUILD_DIR", str(ROOT / "build")))
    parser.add_argument("--dry-run", action="store_true", help="say what would run")
    given = parser.parse_args()
    for name, known in (("what", KINDS), ("sizes", SHAPES), ("dtypes", ("fp32", "bf16")), ("rows", ROWS)):
        values = getattr(given, name).split(",")
        for value in values:
            if value not in known:
                stop(f"--{name} '{value}' is not known ({', '.join(known)})")
        setattr(given, name, values)
    if given.rounds < 1 or given.warm_up < 1 or given.steps <= given.warm_up or given.scored < 1:
        stop(f"--rounds, --warm-up and --scored must be above 0, --steps above --warm-up ({given.warm_up})")
    given.peer_data = Path(given.peer_data) if given.peer_data else Path(given.peers).parent / "data"
    given.peers = Path(given.peers)
    return given


def require_all(o):
    """Everything that is needed, or a sentence for each thing that is missing."""
    missing = []
    if not o.python or not shutil.which(o.python):
        missing.append("an interpreter with torch, transformers, trl, datasets and tokenizers: set XLRM_PEER_PYTHON")
    for script in ("make_model.py", "peer_trl.py", "peer_score.py"):
        if not (o.peers / script).is_file():
            missing.append(f"{o.peers / script}: set XLRM_PEERS to the folder of the peers' scripts")
    for name in [ROWS[rows] for rows in o.rows] + ["tokenizers/gpt-2/tokenizer.json"]:
        if not (o.peer_data / name).is_file():
            missing.append(f"{o.peer_data / name}: set XLRM_PEER_DATA to the folder of the data")
    for name in SENTENCEPIECE if "sentencepiece" in o.what else []:
        if not (o.peer_data / "tokenizers" / name / "tokenizer.model").is_file():
            missing.append(f"{o.peer_data}/tokenizers/{name}/tokenizer.model: set XLRM_PEER_DATA to the folder of the data")
    if not program(o, "xlrm_bench").is_file():
        missing.append(f"{o.build}/bin/xlrm_bench: build first (scripts/build), or set XLRM_BUILD_DIR")
    if missing:
        stop("missing\n  " + "\n  ".join(missing))


def measured(command, threads=1):
    """(standard output, standard error, most MiB resident) of one process."""
    environment = dict(os.environ, OMP_NUM_THREADS=str(threads), HF_HUB_OFFLINE="1", TOKENIZERS_PARALLELISM="false", RAYON_NUM_THREADS="1")
    command = [str(part) for part in command]
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as problems:
        child = subprocess.Popen(command, env=environment, stdout=out, stderr=problems)
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)  # waited for here, so Popen must not
        texts = [file.seek(0) or file.read().decode(errors="replace") for file in (out, problems)]
    if child.returncode != 0:
        stop(f"{' '.join(command)} failed ({child.returncode}):\n{texts[1][-2000:]}")
    return texts[0], texts[1], usage.ru_maxrss / 1024


def run(command, threads=1):
    return measured(command, threads)[0]


def peer(o, script, *arguments, threads):
    lines = [line for line in run([o.python, script, *arguments], threads).splitlines() if line.startswith("{")]
    return json.loads(lines[-1])


def program(o, name):
    return Path(o.build) / "bin" / name


def figures(o, *arguments, threads):
    """The figures of the one measurement that xlrm_bench is asked for."""
    with tempfile.NamedTemporaryFile(suffix=".json") as file:
        run([program(o, "xlrm_bench"), "--json", file.name, *arguments], threads)
        return json.loads(Path(file.name).read_text())["results"][0]["figures"]


def read_rows(path):
    opened = gzip.open(path, "rt", encoding="utf-8") if path.suffix == ".gz" else open(path, encoding="utf-8")
    with opened as file:
        return [line for line in file if line.strip()]


def write_inputs(o, folder):
    """512 rows of each kind, shuffled with seed 0, and the texts that are tokenised."""
    for rows in o.rows:
        lines = read_rows(o.peer_data / ROWS[rows])
        random.Random(0).shuffle(lines)
        (folder / (rows + ".jsonl")).write_text("".join(lines[:512]), encoding="utf-8")
    if "sentencepiece" in o.what:
        write_documents(o, folder / "documents.jsonl")
    if "tokenize" in o.what:
        texts, size = [], 0
        sources = [line for name in ROWS.values() if (o.peer_data / name).is_file() for line in read_rows(o.peer_data / name)]
        while sources and size < o.text_bytes:  # repeated until there is enough
            for line in sources:
                row = json.loads(line)
                for field in ("prompt", "chosen", "rejected"):
                    texts += [part for part in str(row[field]).split("\n") if part]
                    size += len(str(row[field]).encode())
                if size >= o.text_bytes:
                    break
        (folder / "texts.txt").write_text("\n".join(texts) + "\n", encoding="utf-8")


def write_documents(o, path):
    """Every text of the preference rows as a {text} row, repeated until there is a quarter of --text-bytes."""
    texts = []
    for name in ROWS.values():
        if (o.peer_data / name).is_file():
            rows = [json.loads(line) for line in read_rows(o.peer_data / name)]
            texts += [str(row[field]) for row in rows for field in ("prompt", "chosen", "rejected")]
    size = number = 0
    with open(path, "w", encoding="utf-8") as file:
        while size < o.text_bytes / 4:
            text = texts[number % len(texts)]
            file.write(json.dumps({"id": str(number), "lang": "en", "text": text}, ensure_ascii=False) + "\n")
            number, size = number + 1, size + len(text.encode())


def compare(name, unit, rounds, ours, theirs):
    """One run of each in turn; several figures of a peer are compared one by one. Without a peer ours alone is told."""
    mine, others = [], {}
    for _ in range(rounds):
        mine.append(ours())
        for peer_name, value in theirs().items():
            others.setdefault(peer_name, []).append(value)
    if not others:
        print(f"{name:34s} {'':28s} {spread(mine):34s} {'':34s} {'':7s}  {unit}", flush=True)
        return [{"name": name, "unit": unit, "xlrm": mine}]
    rows = []
    for peer_name, values in others.items():
        rows.append({"name": name, "peer": peer_name, "unit": unit, "xlrm": mine, "peer_samples": values,
                     "ratio": statistics.median(mine) / statistics.median(values)})
        print(f"{name:34s} {peer_name:28s} {spread(mine):34s} {spread(values):34s} {rows[-1]['ratio']:6.2f}x  {unit}", flush=True)
    return rows


def spread(values):
    return f"{statistics.median(values):.4g} [{min(values):.4g}, {max(values):.4g}]"


def comparisons(o, folder):
    """(name, unit, ours, theirs) of everything that was asked for."""
    ckpt, trl_name = (["--ckpt"], "TRL recomputing") if o.checkpointing else ([], "TRL")
    for size in o.sizes:
        model = folder / size
        for rows in o.rows:
            data = folder / (rows + ".jsonl")
            for dtype in o.dtypes:
                flags = ["--bf16"] if dtype == "bf16" else []
                common = ["--model", model, "--data", data, "--dtype", dtype, "--template", "none"]
                if "train" in o.what:
                    trl = [model, data, "--steps", o.steps, "--warm", o.warm_up, "--batch", BATCH, "--max-length", MAX_LENGTH, *flags, *ckpt]
                    ours = ["--what", "train", *common, "--batch-pairs", BATCH, "--warm-up", o.warm_up, "--repeat", o.steps - o.warm_up]
                    yield (f"train {size} {rows} {dtype}", "pairs/s",
                           lambda a=ours: train_rate(figures(o, *a, threads=o.threads)),
                           lambda a=trl: {trl_name: peer(o, o.peers / "peer_trl.py", *a, threads=o.threads)["pairs_s"]})
                if "memory" in o.what:
                    pairs = round(MICRO_TOKENS / (2 * MEAN_TOKENS[rows]))
                    trl = [o.python, o.peers / "peer_trl.py", model, data, "--steps", 2, "--warm", 1, "--batch", pairs, "--max-length", MAX_LENGTH, *flags, *ckpt]
                    ours = [program(o, "xlrm_bench"), "--what", "train", *common, "--batch-pairs", pairs, "--warm-up", 1, "--repeat", 1,
                            "--token-budget", 2 * pairs * MAX_LENGTH]
                    yield (f"train {size} {rows} {dtype} peak memory", "MiB",
                           lambda a=ours: measured(a, o.threads)[2],
                           lambda a=trl: {trl_name: measured(a, o.threads)[2]})
                if "score" in o.what:
                    theirs = [model, data, "--n", o.scored, *flags]
                    ours = ["--what", "score", *common, "--max-length", 2048, "--pairs", o.scored, "--repeat", 3, "--token-budget", 4096]
                    yield (f"score {size} {rows} {dtype}", "texts/s",
                           lambda a=ours: figures(o, *a, threads=o.threads)["texts"]["max"],
                           lambda a=theirs: score_rates(peer(o, o.peers / "peer_score.py", *a, threads=o.threads), 2 * o.scored))
                if "start" in o.what:
                    ours = [program(o, "xlrm_train"), "--model", model, "--data", data, "--dtype", dtype, "--template", "none", "--steps", 1, "--batch-pairs", BATCH]
                    yield f"start to first step {size} {rows} {dtype}", "s", lambda a=ours: start_seconds(o, a), dict
    if "sentencepiece" in o.what:
        for name in SENTENCEPIECE:
            for data in ["documents", *o.rows]:
                both = {}
                ours = ["--what", "prepare", "--tokenizer", o.peer_data / "tokenizers" / name, "--data", folder / (data + ".jsonl"), "--template", "none",
                        "--max-length", 1 << 20, "--repeat", 2]
                yield (f"prepare {name} {data}", "MB/s",
                       lambda a=ours, b=both: b.update(figures(o, *a, threads=1)) or b["prepare"]["max"],
                       lambda b=both: {"sentencepiece in a loop": b["library"]["max"]})
    if "tokenize" in o.what:
        tokenizer, texts = o.peer_data / "tokenizers" / "gpt-2", folder / "texts.txt"
        yield ("tokenize gpt-2", "MB/s",
               lambda: figures(o, "--what", "tokenize", "--tokenizer", tokenizer, "--text", texts, "--repeat", 2, threads=1)["text"]["max"],
               lambda: {"tokenizers": peer(o, "-c", TOKENIZE, tokenizer / "tokenizer.json", texts, threads=1)["mb_s"]})


def start_seconds(o, command):
    """From the start of xlrm_train's process to its first step, as it tells itself."""
    with tempfile.TemporaryDirectory(prefix="xlrm-bench-start.") as name:
        told = measured([*command, "--output", Path(name) / "model"], o.threads)[1]
    found = re.search(r"start to first step ([0-9.]+) s", told)
    return float(found[1]) if found else stop(f"xlrm_train does not say when its first step began:\n{told[-2000:]}")


def train_rate(found):
    """Pairs over the time of all steps, as the peer's script counts them."""
    seconds = sum(found["step"]["samples"]) / 1e3
    return sum(rate * step / 1e3 for rate, step in zip(found["pairs"]["samples"], found["step"]["samples"])) / seconds


def score_rates(found, texts):
    """Texts a second: the two sides' tokens differ by an end token."""
    share = texts / found["tokens"]
    return {"transformers, padded 8": share * found["padded8_tok_s"], "transformers, token budget": share * found["sorted_tok_s"]}


def main():
    o = options()
    if o.dry_run:
        for name, unit, _, _ in comparisons(o, Path("(temporary folder)")):
            print(f"{name}: {o.rounds} runs of each in turn, {unit}")
        return require_all(o)
    require_all(o)
    with tempfile.TemporaryDirectory(prefix="xlrm-bench-peers.") as name:
        folder = Path(name)
        write_inputs(o, folder)
        for size in o.sizes if {"train", "memory", "score", "start"} & set(o.what) else []:
            run([o.python, o.peers / "make_model.py", folder / size, o.peer_data / "tokenizers" / "gpt-2", *SHAPES[size].split()])
        facts = folder / "machine.json"
        run([Path(o.build) / "bin" / "xlrm_bench", "--what", "roof", "--size", "tiny", "--square", 1024, "--repeat", 3, "--json", facts], o.threads)
        machine = json.loads(facts.read_text())["machine"]
        print(f"{machine['processor']}, {machine['processors_allowed']} processors, {' '.join(machine['flags'])}; {o.threads} thread(s), load {os.getloadavg()[0]:.2f}")
        print(f"{'work':34s} {'peer':28s} {'xlrm median [min, max]':34s} {'peer median [min, max]':34s} {'ratio':>7s}")
        found = []
        for name, unit, ours, theirs in comparisons(o, folder):
            found += compare(name, unit, o.rounds, ours, theirs)
    if o.json:
        Path(o.json).write_text(json.dumps({"machine": machine, "threads": o.threads, "comparisons": found}, indent=1) + "\n")


if __name__ == "__main__":
    main()
