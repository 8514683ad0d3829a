#!/bin/bash
#SBATCH --job-name=xlrm-generate
#SBATCH --nodes=1 --ntasks-per-node=8 --cpus-per-task=4
#SBATCH --time=12:00:00
#SBATCH --signal=B:USR1@300 --requeue --open-mode=append --output=%x-%j.log
##SBATCH --gpus-per-node=8
#
# Generates texts, or goes on with them:   sbatch [sbatch options] slurm/generate.sh [--dry-run] [options of xlrm_generate]
#   sbatch --time=2:00:00 slurm/generate.sh --model models/policy --prompts prompts.jsonl --samples 16 --output samples.jsonl
# Stopped by its time limit or a preemption it goes back to the queue and makes the texts that are missing; settings:
# slurm/env.sh. --dry-run (without sbatch) prints the launch line and the plan.
set -uo pipefail
stopping=
trap 'stopping=yes' USR1 TERM # a signal may come at once; launch.sh takes over
umask 027
script=generate.sh
# Slurm runs a copy of this script; the job's record says where the original lies.
original=$0
[ -z "${SLURM_JOB_ID:-}" ] || original=$(scontrol show job "$SLURM_JOB_ID" | sed -n 's/^ *Command=\([^ ]*\).*/\1/p')
for root in "${XLRM_ROOT:-.}" "$(dirname "$original")/.." "$(dirname "$0")/.."; do
  [ ! -f "$root/slurm/launch.sh" ] || break
done
root=$(cd "$root" && pwd)
# shellcheck source=env.sh
source "$root/slurm/env.sh" || { echo "$script: xlrm's folder was not found; submit from it, or set XLRM_ROOT" >&2; exit 2; }
# shellcheck source=launch.sh
source "$root/slurm/launch.sh"

generate=$(program xlrm_generate) || exit
if [ "${1:-}" = --dry-run ]; then dry_run "$generate" "${@:2}"; fi

# Further finished texts are progress; they lie in parts beside the output until all are there.
out=$(option output "$@" || option generate.output "$@") || die 2 "--output is missing (the file of the samples)"
progress() { find "$(dirname "$out")" -maxdepth 1 -name "$(basename "$out").part*" -printf '%f %s\n' | sort; }
launch_until_done "$generate" "$@"
