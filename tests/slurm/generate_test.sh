#!/usr/bin/env bash
# slurm/generate.sh with the real xlrm_generate on a cluster of two nodes: the samples, and the same bytes after a stop signal and after a rank
# was killed.   usage: generate_test.sh XLRM_GENERATE FIXTURE srun|mpirun
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
# shellcheck source=cluster.sh
source "$root/tests/slurm/cluster.sh"
# shellcheck source=jobs.sh
source "$root/tests/slurm/jobs.sh"
generate=$(realpath "$1")
fixture=$(realpath "$2")
XLRM_BIN=$(dirname "$generate")
export XLRM_BIN XLRM_LAUNCHER=$3
require_cluster
start_cluster 2 2

python3 "$root/tests/jobs/causal_model.py" "$fixture/model" "$cluster/model"
for i in $(seq 40); do
  printf '{"id": "q%d", "lang": "en", "prompt": "what is %d times %d?"}\n' "$i" "$i" "$i"
done >"$cluster/prompts.jsonl"

submit_generate() { # submit_generate FOLDER: one rank on each node, long enough to be interrupted
  local folder=$cluster/$1
  mkdir "$folder"
  cd "$folder"
  submit sbatch --nodes=2 --ntasks-per-node=1 --cpus-per-task=1 "$root/slurm/generate.sh" --model "$cluster/model" --template none \
    --prompts "$cluster/prompts.jsonl" --samples 100 --max-new-tokens 200 --ignore-eos --token-budget 48 --output out.jsonl
}

samples() { sha256sum out.jsonl | cut -d' ' -f1; }
parts_written() { [ -s out.jsonl.part0 ] && [ -s out.jsonl.part1 ]; }
ranks_below() { # pids of the ranks that work in this folder
  local pid
  for pid in $(pgrep -x xlrm_generate); do
    if [ "$(readlink "/proc/$pid/cwd")" = "$PWD" ]; then echo "$pid"; fi
  done
}

it "generates on both nodes"
submit_generate plain
job_ends 0 300
expect "$(wc -l <out.jsonl)" 4000
expect "$(restarts)" 0
expect "$(find . -name 'out.jsonl.part*')" ""
whole=$(samples)

it "stops on the signal, goes on in the queue and ends with the same bytes"
submit_generate signalled
wait_for 120 parts_written || failed "wrote no parts"
scancel --signal=USR1 --batch "$job"
job_ends 0 300
expect "$(restarts)" 1
expect "$(samples)" "$whole"

it "goes on in the same allocation where a rank was killed"
submit_generate killed
wait_for 120 parts_written || failed "wrote no parts"
kill -KILL "$(ranks_below | head -n 1)"
job_ends 0 300
expect "$(restarts)" 0
expect "$(samples)" "$whole"

finish_tests
