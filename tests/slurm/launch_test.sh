#!/usr/bin/env bash
# slurm/sweep.sh on a cluster of two nodes, with a probe in place of xlrm_sweep: what the script does with signals, crashes
# and hangs.   usage: launch_test.sh PROBE srun|mpirun
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
# shellcheck source=cluster.sh
source "$root/tests/slurm/cluster.sh"
# shellcheck source=jobs.sh
source "$root/tests/slurm/jobs.sh"
probe=$(realpath "$1")
export XLRM_LAUNCHER=$2
require_cluster
start_cluster 2 2
mkdir "$cluster/bin"
ln -s "$probe" "$cluster/bin/xlrm_sweep"
export XLRM_BIN=$cluster/bin

submit_probe() { # submit_probe FOLDER [VARIABLE=VALUE…]: 4 ranks on 2 nodes
  local folder=$cluster/$1
  mkdir "$folder"
  cd "$folder"
  submit env "${@:2}" sbatch --nodes=2 --ntasks-per-node=2 --cpus-per-task=1 "$root/slurm/sweep.sh" --output out
}

it "finishes on all ranks of both nodes"
submit_probe plain
job_ends 0
expect "$(cat out/launches)" "4 2"
expect "$(find out -name "unit.*" | wc -l)" 4

it "stops all ranks on the signal, goes back to the queue and finishes there"
submit_probe requeued PROBE_UNITS=8
wait_for 30 test -e out/unit.1 || failed "did not start"
scancel --signal=USR1 --batch "$job"
job_ends 0
expect "$(cat out/stops)" "4 of 4"
expect "$(cat out/launches)" $'4 2\n4 2'
expect "$(restarts)" 1

it "launches again where a rank was killed"
submit_probe killed PROBE_FAULT=kill-once
job_ends 0
expect "$(cat out/launches)" $'4 2\n4 2'
expect "$(restarts)" 0

it "gives up after three launches without progress"
submit_probe stalled PROBE_FAULT=kill
job_ends 75
expect "$(cat out/launches)" $'4 2\n4 2\n4 2'
expect_log "3 launches in a row finished nothing new"

it "ends a program that does not heed the signal, and queues it again"
submit_probe deaf PROBE_FAULT=deaf PROBE_UNITS=1000 XLRM_GRACE=2 XLRM_MAX_STALLS=1000
wait_for 30 test -e out/unit.1 || failed "did not start"
scancel --signal=USR1 --batch "$job"
wait_for 60 requeued || failed "did not go back to the queue"
expect_log "no end within 2 s of the stop signal"
scancel "$job"

finish_tests
