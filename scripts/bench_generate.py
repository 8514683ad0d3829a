#!/usr/bin/env python3
"""Generation beside its peers: the same model folder, the same prompts as ids, one run of each in turn, ratios of medians. Standard library
only; each peer is a process of its own that loads its model once, and is suspended while another runs. See scripts/bench_generate.

Scenarios: `fixed`, 64 prompts of 32 ids, 64 new ones each, greedy; `samples`, 4 samples of each prompt at temperature 1, of 16 to 112 ids (a
length a prompt), of the first 16 prompts. End tokens are ignored, keys and values in the weights' dtype, nothing is detokenised; loading and
converting do not count. A prompt is never kept from one run to the next; within a run all may share it among its samples. transformers, which
has one batch as long as its longest text and no paged cache, runs in the first round alone. Before the clock the greedy ids are compared with
each peer's: where a text differs, fp64 says whether the two logits were closer than 1e-4 (bf16: 0.05) at the first difference.

The first use of a model takes minutes (it is made, exported, compiled): --work FOLDER keeps all that, and --prepare ends there."""
import argparse
import json
import os
import random
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SIZES = {"10m": "384 6 6 2 1024", "124m": "768 12 12 4 3808"}  # hidden, layers, heads, key-value heads, width of the MLP
VOCAB, PROMPTS, PROMPT, NEW, SAMPLES = 50304, 64, 32, 64, 4
SAMPLED_PROMPTS = 16  # of the scenario `samples`
FLAGS = ("avx2", "avx512f", "avx512_vnni", "avx512_bf16", "amx_bf16", "amx_int8")

MAKE_MODEL = """
import sys, torch
from transformers import LlamaConfig, LlamaForCausalLM
folder, *shape = sys.argv[1:]
hidden, layers, heads, kv, ff, vocab = map(int, shape)
torch.manual_seed(0)
config = LlamaConfig(vocab_size=vocab, hidden_size=hidden, intermediate_size=ff, num_hidden_layers=layers, num_attention_heads=heads,
                     num_key_value_heads=kv, max_position_embeddings=1024, tie_word_embeddings=False, bos_token_id=1, eos_token_id=2, pad_token_id=0)
model = LlamaForCausalLM(config)
with torch.no_grad():
    model.lm_head.weight.normal_(0, 8 / hidden ** 0.5)  # wide logits, so that the best token is rarely in doubt
model.save_pretrained(folder)
"""

# Each peer: loads, prints "ready", then for each line {"scenario", "out"} on its input runs and prints {"seconds"}.
COMMON = """
import json, os, sys, time
folder, dtype, work, threads = sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4])
read = lambda name: [json.loads(line) for line in open(os.path.join(work, name + ".jsonl"))]
prompts = {"fixed": read("fixed"), "samples": read("samples")}
out = os.dup(1)
os.dup2(2, 1)  # what libraries print
def say(value):
    os.write(out, (json.dumps(value) + "\\n").encode())
def serve(run, before=lambda: None):
    say("ready")
    for line in sys.stdin:
        asked = json.loads(line)
        before()
        start = time.perf_counter()
        texts = run(asked["scenario"])
        seconds = time.perf_counter() - start
        if asked.get("out"):
            with open(asked["out"], "w") as file:
                file.writelines(json.dumps(text) + "\\n" for text in texts)
        say({"seconds": seconds})
"""
TRANSFORMERS = COMMON + """
import torch
from transformers import AutoModelForCausalLM
torch.set_num_threads(threads)
model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32 if dtype == "fp32" else torch.bfloat16).eval()
def run(scenario):
    ids = torch.tensor([prompt["ids"] for prompt in prompts[scenario]])
    longest = max(prompt["new"] for prompt in prompts[scenario])
    more = dict(do_sample=False) if scenario == "fixed" else dict(do_sample=True, temperature=1.0, top_p=1.0, top_k=0, num_return_sequences=4)
    with torch.inference_mode():
        made = model.generate(ids, attention_mask=torch.ones_like(ids), max_new_tokens=longest, min_new_tokens=longest, pad_token_id=0, **more)
    return made[:, ids.shape[1]:].tolist()
serve(run)
"""
OPENVINO = COMMON + """
import numpy, openvino, openvino_genai
converted = folder + ".openvino"
if not os.path.exists(converted):
    import torch
    from optimum.intel import OVModelForCausalLM
    OVModelForCausalLM.from_pretrained(folder, export=True, load_in_8bit=False, compile=False).save_pretrained(converted + ".new")
    os.rename(converted + ".new", converted)
precision = "f32" if dtype == "fp32" else "bf16"
scheduler = openvino_genai.SchedulerConfig()
scheduler.max_num_seqs, scheduler.max_num_batched_tokens, scheduler.cache_size = 256, 4096, 2
scheduler.enable_prefix_caching, scheduler.dynamic_split_fuse = False, True  # samples of a prompt share it in any case
pipeline = openvino_genai.ContinuousBatchingPipeline(converted, scheduler, "CPU", {"INFERENCE_PRECISION_HINT": precision,
    "KV_CACHE_PRECISION": precision, "INFERENCE_NUM_THREADS": threads, "NUM_STREAMS": 1}, {})
tensors = {name: [openvino.Tensor(numpy.array([prompt["ids"]], dtype=numpy.int64)) for prompt in rows] for name, rows in prompts.items()}
def config(new, scenario):
    one = openvino_genai.GenerationConfig()
    one.max_new_tokens = one.min_new_tokens = new
    one.ignore_eos, one.do_sample, one.apply_chat_template = True, scenario != "fixed", False
    if scenario != "fixed":
        one.num_return_sequences, one.temperature, one.top_p = 4, 1.0, 1.0
    return one
def run(scenario):
    made = pipeline.generate(tensors[scenario], [config(prompt["new"], scenario) for prompt in prompts[scenario]])
    return [ids for result in made for ids in result.m_generation_ids]
serve(run)
"""
VLLM = COMMON + """
from vllm import LLM, SamplingParams
model = LLM(folder, dtype="float32" if dtype == "fp32" else "bfloat16", skip_tokenizer_init=True, max_num_seqs=256, max_model_len=256,
            enable_prefix_caching=True, enforce_eager=os.environ.get("BENCH_EAGER") == "1", seed=0)
def run(scenario):
    parameters = [SamplingParams(n=1 if scenario == "fixed" else 4, temperature=0.0 if scenario == "fixed" else 1.0, ignore_eos=True, detokenize=False,
                                 min_tokens=prompt["new"], max_tokens=prompt["new"]) for prompt in prompts[scenario]]
    made = model.generate([{"prompt_token_ids": prompt["ids"]} for prompt in prompts[scenario]], parameters, use_tqdm=False)
    return [list(text.token_ids) for result in made for text in result.outputs]
serve(run, before=model.reset_prefix_cache)
"""
GAP = """
import json, sys, torch
from transformers import AutoModelForCausalLM
folder, prompts, ours, theirs = sys.argv[1:]
read = lambda path: [json.loads(line) for line in open(path)]
model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float64).eval()
gaps = []
for prompt, a, b in zip(read(prompts), read(ours), read(theirs)):
    if a == b:
        continue
    same = next(i for i, pair in enumerate(zip(a, b)) if pair[0] != pair[1])
    with torch.inference_mode():
        logits = model(torch.tensor([prompt["ids"] + b[:same]])).logits[0, -1]
    gaps.append(float(abs(logits[a[same]] - logits[b[same]])))
print(json.dumps(gaps))
"""


def stop(problem):
    sys.exit("bench_generate: " + problem)


def options():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", default="10m,124m", help="of: " + ", ".join(SIZES) + " (parameters without embeddings)")
    parser.add_argument("--dtypes", default="fp32", help="of: fp32, bf16")
    parser.add_argument("--scenarios", default="fixed,samples", help="of: fixed, samples; fixed has the ids that are compared")
    parser.add_argument("--peers", default="transformers,openvino,vllm", help="of: transformers, openvino, vllm")
    parser.add_argument("--rounds", type=int, default=5, help="runs of each side (transformers: one)")
    parser.add_argument("--limit", type=float, default=0.0, help="minutes for the rounds of a scenario, after which none begins; 0: none")
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--json", default="", help="file for all samples")
    parser.add_argument("--work", default="", help="folder for models, exports and compiled code, kept; default: a temporary one")
    parser.add_argument("--prepare", action="store_true", help="make, export and compile into --work, and measure nothing")
    parser.add_argument("--any-load", action="store_true", help="measure although other programs run")
    parser.add_argument("--build", default=os.environ.get("XLRM_BUILD_DIR", str(ROOT / "build")))
    given = parser.parse_args()
    if given.prepare and not given.work:
        stop("--prepare needs --work, the folder that is kept")
    for name, known in (("sizes", SIZES), ("dtypes", ("fp32", "bf16")), ("scenarios", ("fixed", "samples")), ("peers", ("transformers", "openvino", "vllm"))):
        values = getattr(given, name).split(",")
        for value in values:
            if value not in known:
                stop(f"--{name} '{value}' is not known ({', '.join(known)})")
        setattr(given, name, values)
    return given


def require_idle(o):
    load = os.getloadavg()[0]
    print(f"load before the start: {load:.2f}")
    if load > 0.3 and not o.any_load:
        stop(f"the load is {load:.2f}, so figures would be those of a busy machine; wait until it is below 0.3, or give --any-load")


def machine():
    text = Path("/proc/cpuinfo").read_text()
    model = next((line.split(":", 1)[1].strip() for line in text.splitlines() if line.startswith("model name")), "?")
    flags = next((line.split(":", 1)[1].split() for line in text.splitlines() if line.startswith("flags")), [])
    return f"{model}: {' '.join(flag for flag in FLAGS if flag in flags)}", "avx512_bf16" in flags or "amx_bf16" in flags


def environment(o, work):
    names = {"VLLM_CACHE_ROOT": str(work / "vllm"), "OMP_NUM_THREADS": str(o.threads), "HF_HUB_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false", "VLLM_CPU_KVCACHE_SPACE": "2",
             "VLLM_ENABLE_V1_MULTIPROCESSING": "0", "VLLM_CPU_OMP_THREADS_BIND": "nobind", "VLLM_NO_USAGE_STATS": "1", "DO_NOT_TRACK": "1"}
    return dict(os.environ, **names)


class Peer:
    """A process that has its model loaded; it is stopped while others run."""

    def __init__(self, o, name, python, script, folder, dtype, work):
        self.name, log = name, work / f"{name}.log"
        self.process = subprocess.Popen([python, "-c", script, str(folder), dtype, str(work), str(o.threads)], env=environment(o, work),
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=open(log, "w"), text=True, start_new_session=True)
        try:
            self.answer(log)
        except BaseException:
            self.end()
            raise
        self.signal(signal.SIGSTOP)

    def signal(self, number):
        os.killpg(self.process.pid, number)

    def answer(self, log=""):
        line = self.process.stdout.readline()
        if not line:
            stop(f"{self.name} ended ({self.process.wait()}); {log}")
        return json.loads(line)

    def run(self, scenario, out=""):
        self.signal(signal.SIGCONT)
        self.process.stdin.write(json.dumps({"scenario": scenario, "out": str(out)}) + "\n")
        self.process.stdin.flush()
        seconds = self.answer()["seconds"]
        self.signal(signal.SIGSTOP)
        return seconds

    def end(self):
        if self.process.poll() is None:
            self.signal(signal.SIGCONT)
            self.signal(signal.SIGTERM)
        self.process.wait()


def write_prompts(work):
    """samples.jsonl, with a length each, and fixed.jsonl; the new tokens of a run by scenario."""
    draw = random.Random(0)
    prompts = [{"ids": [draw.randrange(3, VOCAB) for _ in range(PROMPT)], "new": 16 + draw.randrange(97)} for _ in range(PROMPTS)]
    sampled = prompts[:SAMPLED_PROMPTS]
    for name, rows in (("samples", sampled), ("fixed", [dict(prompt, new=NEW) for prompt in prompts])):
        (work / (name + ".jsonl")).write_text("".join(json.dumps(row) + "\n" for row in rows))
    return {"fixed": PROMPTS * NEW, "samples": SAMPLES * sum(prompt["new"] for prompt in sampled)}


def ours(o, work, folder, dtype, scenario, out=""):
    """All figures of one run, behind one of the prompts alone."""
    report = work / "xlrm.json"
    words = [Path(o.build) / "bin" / "xlrm_bench", "--what", "generate", "--model", folder, "--dtype", dtype, "--generate-data", work / (scenario + ".jsonl"),
             "--generate-samples", SAMPLES if scenario == "samples" else 1, "--repeat", 1, "--warm-up", 0, "--json", report]
    if out:
        words += ["--generate-output", out]
    done = subprocess.run([str(word) for word in words], env=environment(o, work), capture_output=True, text=True)
    if done.returncode != 0:
        stop(f"xlrm_bench failed:\n{done.stderr}")
    return {name: figure["median"] for name, figure in json.loads(report.read_text())["results"][0]["figures"].items()}


def read_ids(path):
    return [json.loads(line) for line in open(path)]


def compare_ids(o, work, folder, dtype, mine, peer):
    """How many greedy texts are equal; the others' gaps between the two tokens in fp64."""
    theirs = work / "theirs.jsonl"
    peer.run("fixed", theirs)
    a, b = read_ids(mine), read_ids(theirs)
    differing = sum(x != y for x, y in zip(a, b))
    text = f"greedy ids equal to {peer.name}: {len(a) - differing} of {len(a)}"
    if differing:
        done = subprocess.run([os.environ["XLRM_PEER_PYTHON"], "-c", GAP, str(folder), str(work / "fixed.jsonl"), str(mine), str(theirs)], capture_output=True, text=True)
        gaps = json.loads(done.stdout.splitlines()[-1])
        allowed = 1e-4 if dtype == "fp32" else 0.05
        text += f"; gaps in fp64 where they part: {', '.join(f'{gap:.1e}' for gap in gaps)}" + ("" if max(gaps) < allowed else f" (above {allowed})")
    print(text, flush=True)


def measure(o, work, size, dtype, tokens):
    folder = work / size
    if not folder.exists():
        subprocess.run([os.environ["XLRM_PEER_PYTHON"], "-c", MAKE_MODEL, str(folder), *SIZES[size].split(), str(VOCAB)], check=True, env=environment(o, work))
    interpreters = {"transformers": (os.environ.get("XLRM_PEER_PYTHON"), TRANSFORMERS), "openvino": (os.environ.get("XLRM_OPENVINO_PYTHON"), OPENVINO),
                    "vllm": (os.environ.get("XLRM_VLLM_PYTHON"), VLLM)}
    peers = []
    try:
        for name in o.peers:
            python, script = interpreters[name]
            if python:
                peers.append(Peer(o, name, python, script, folder, dtype, work))
            else:
                print(f"{name}: left out, its interpreter is not named (scripts/bench_generate)")
        if not o.prepare:
            return compare(o, work, size, dtype, tokens, folder, peers)
        for peer in peers:
            print(f"{size} {dtype} {peer.name}: ready; fixed took {peer.run('fixed'):.1f} s", flush=True)
        return []
    finally:
        for peer in peers:
            peer.end()


def compare(o, work, size, dtype, tokens, folder, peers):
    mine = work / "mine.ids"
    ours(o, work, folder, dtype, "fixed", mine)
    ids = work / "mine.jsonl"
    ids.write_text("".join(json.dumps(row["ids"]) + "\n" for row in read_ids(mine)))
    for peer in peers:
        compare_ids(o, work, folder, dtype, ids, peer)
    results = []
    for scenario in o.scenarios:
        for peer in peers:
            if scenario != "fixed" and peer.name != "transformers":
                peer.run(scenario)  # warm, as `fixed` is from the comparison
        rates, figures = {peer.name: [] for peer in peers}, []
        end = time.monotonic() + 60.0 * o.limit if o.limit > 0 else float("inf")
        for number in range(o.rounds):
            if number > 0 and time.monotonic() > end:
                break
            figures.append(ours(o, work, folder, dtype, scenario))
            for peer in peers:
                if number == 0 or peer.name != "transformers":
                    rates[peer.name].append(tokens[scenario] / peer.run(scenario))
        xlrm = [one["new"] for one in figures]
        shares = {name: statistics.median(one[name] for one in figures) for name in ("decode", "decode, of roof", "share of roof")}
        print(f"{size} {dtype} {scenario:8s} xlrm         {spread(xlrm)} tokens/s of {len(xlrm)} runs; decode {shares['decode']:.0f} tokens/s, {shares['decode, of roof']:.0f} % of the roof", flush=True)
        for name, values in rates.items():
            print(f"{size} {dtype} {scenario:8s} {name:12s} {spread(values)} tokens/s   xlrm is {statistics.median(xlrm) / statistics.median(values):.2f}x", flush=True)
        results.append({"size": size, "dtype": dtype, "scenario": scenario, "xlrm": figures, "peers": rates})
    return results


def spread(values):
    return f"{statistics.median(values):7.0f} [{min(values):.0f}, {max(values):.0f}]"


def main():
    o = options()
    if not os.environ.get("XLRM_PEER_PYTHON"):
        stop("XLRM_PEER_PYTHON names no interpreter with torch and transformers, which makes the models")
    text, has_bf16 = machine()
    print(f"{text}; {o.threads} thread(s)")
    if "bf16" in o.dtypes and not has_bf16:
        print("this processor has no bf16 instructions: bf16 is left out")
        o.dtypes = [dtype for dtype in o.dtypes if dtype != "bf16"]
    if not o.prepare:
        require_idle(o)
    with tempfile.TemporaryDirectory() as temporary:
        work = Path(o.work or temporary)
        work.mkdir(parents=True, exist_ok=True)
        tokens = write_prompts(work)
        results = [result for size in o.sizes for dtype in o.dtypes for result in measure(o, work, size, dtype, tokens)]
    if o.json:
        Path(o.json).write_text(json.dumps({"machine": text, "threads": o.threads, "results": results}, indent=1) + "\n")


main()
