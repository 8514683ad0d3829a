#!/usr/bin/env bash
# slurm/sweep.sh with the real xlrm_sweep (--smoke size) on a cluster of two nodes: the result files, and the same files
# after a stop signal and after a time limit that is too short.   usage: sweep_test.sh XLRM_SWEEP srun|mpirun
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
# shellcheck source=cluster.sh
source "$root/tests/slurm/cluster.sh"
# shellcheck source=jobs.sh
source "$root/tests/slurm/jobs.sh"
sweep=$(realpath "$1")
XLRM_BIN=$(dirname "$sweep")
export XLRM_BIN XLRM_LAUNCHER=$2 XLRM_PYTHON=none # no report: it takes longer than the sweep
require_cluster
start_cluster 2 2

submit_sweep() { # submit_sweep FOLDER [sbatch option…] -- [option of xlrm_sweep…]: one rank on each node
  local folder=$cluster/$1 flags=()
  mkdir "$folder"
  cd "$folder"
  shift
  while [ "$1" != -- ]; do
    flags+=("$1")
    shift
  done
  submit sbatch --nodes=2 --ntasks-per-node=1 --cpus-per-task=1 "${flags[@]}" "$root/slurm/sweep.sh" --smoke --output out "${@:2}"
}

cells() { (cd "$1/cells" && find . -name '*.h5' -exec sha256sum {} + | sort -k 2); }
hosts() { grep -rhoE '"host": *"[^"]*"' out/cells | grep -oE 'h[0-9]+' | sort -u | paste -sd ' '; }
finished() { grep '"event": *"done"' out/ledger.jsonl 2>/dev/null; }
finished_at_least() { [ "$(finished | wc -l)" -ge "$1" ]; }
finished_twice() { finished | grep -oE '"task": *"[^"]*"' | sort | uniq -d; }
told_to_stop() { grep -qF "got USR1" ./*.log; }
signal_ranks() { # signal_ranks SIGNAL: to every rank that works in this folder
  local pid
  for pid in $(pgrep -x xlrm_sweep); do
    if [ "$(readlink "/proc/$pid/cwd")" = "$PWD" ]; then kill "-$1" "$pid"; fi
  done
}
state() { "$sweep" status out --json | grep -oE '"state": *"[^"]*"' | cut -d'"' -f4; }

it "computes every cell on both nodes"
submit_sweep plain --
job_ends 0 600
expect "$(state)" "done"
expect "$("$sweep" verify out >/dev/null && echo verified)" verified
expect "$(hosts)" "h1 h2"
expect "$(restarts)" 0
expect "$(test -s out/table.txt && echo written)" written

it "stops on the signal, goes on in the queue, computes nothing twice and ends with the same cells"
submit_sweep signalled --
wait_for 400 finished_at_least 2 || failed "finished nothing"
scancel --signal=USR1 --batch "$job"
job_ends 0 600
expect "$(restarts)" 1
expect "$(state)" "done"
expect "$(finished_twice)" ""
expect "$(cells out)" "$(cells ../plain/out)"

it "finishes after a time limit that is too short"
# The ranks stand still from the first finished cell until Slurm's signal, which takes the place of work longer than the
# limit on any machine. Slurm looks every 30 s whom to signal, and half a minute ahead: the signal comes 15 to 45 s after
# the start. A launch on a busy machine may be stopped before it has taken one step, several times in a row.
export XLRM_MAX_STALLS=30
submit_sweep limited --time=1 --signal=B:USR1@15 -- --seeds 1,2,3,4
wait_for 400 finished_at_least 1 || failed "finished nothing"
signal_ranks STOP
wait_for 120 told_to_stop || failed "the signal did not come"
signal_ranks CONT
job_ends 0 1200
expect "$([ "$(restarts)" -ge 1 ] && echo requeued)" requeued
expect "$(state)" "done"
expect "$(finished_twice)" ""
expect "$(cells out | grep -vE '\.s[234]/')" "$(cells ../plain/out)"

finish_tests
