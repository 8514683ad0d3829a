#!/usr/bin/env bash
# The batch scripts without Slurm: what --dry-run prints, and what they refuse.   usage: dry_run_test.sh
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cd "$scratch"
for name in sweep train evaluate generate; do
  printf '#!/bin/sh\necho "%s got: $*"\n' "$name" >"xlrm_$name"
  chmod +x "xlrm_$name"
done
export XLRM_BIN=$scratch
unset XLRM_LAUNCHER XLRM_MPI XLRM_SRUN_FLAGS XLRM_MPIRUN_FLAGS XLRM_ROOT SLURM_JOB_ID SLURM_JOB_GPUS SLURM_GPUS_ON_NODE
failures=0

expect() { # expect WHAT GOT WANTED
  [ "$2" = "$3" ] || { printf 'FAILED: %s\n  got:      %s\n  expected: %s\n' "$1" "$2" "$3"; failures=$((failures + 1)); }
}

refusal() { # refusal COMMAND…: exit code and message
  local code=0 message
  message=$("$@" 2>&1) || code=$?
  echo "$code $message" | sed -E 's/ [0-9-]+ [0-9:]+ / /'
}

for name in sweep train evaluate generate; do
  expect "$name under srun" "$("$root/slurm/$name.sh" --dry-run --output a)" \
    "srun --mpi=pmix --kill-on-bad-exit=1 $scratch/xlrm_$name --output a"$'\n'"$name got: --output a --dry-run"
done
expect "mpirun" "$(XLRM_LAUNCHER=mpirun XLRM_MPIRUN_FLAGS='-x A' "$root/slurm/sweep.sh" --dry-run | head -n 1)" "mpirun -x A $scratch/xlrm_sweep"
expect "devices are shared" "$(SLURM_GPUS_ON_NODE=2 "$root/slurm/sweep.sh" --dry-run | head -n 1)" \
  "srun --mpi=pmix --kill-on-bad-exit=1 --gpu-bind=none $scratch/xlrm_sweep"
expect "other flags of srun" "$(XLRM_MPI=pmi2 XLRM_SRUN_FLAGS='--cpu-bind=cores -v' "$root/slurm/sweep.sh" --dry-run | head -n 1)" \
  "srun --mpi=pmi2 --kill-on-bad-exit=1 --cpu-bind=cores -v $scratch/xlrm_sweep"
expect "unknown launcher" "$(XLRM_LAUNCHER=aprun refusal "$root/slurm/sweep.sh" --dry-run)" \
  "2 sweep.sh: XLRM_LAUNCHER is 'aprun' (unknown launcher); use srun or mpirun"
expect "missing program" "$(XLRM_BIN=/none refusal "$root/slurm/sweep.sh" --dry-run)" \
  "2 sweep.sh: /none/xlrm_sweep is missing; run scripts/build, or set XLRM_BIN to the folder of the programs"
expect "missing output" "$(refusal "$root/slurm/train.sh" --model m)" "2 train.sh: --output is missing (the folder of the trained model)"
expect "missing output" "$(refusal "$root/slurm/generate.sh" --model m)" "2 generate.sh: --output is missing (the file of the samples)"

[ "$failures" = 0 ]
