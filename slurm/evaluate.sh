#!/bin/bash
#SBATCH --job-name=xlrm-evaluate
#SBATCH --nodes=1 --ntasks-per-node=8 --cpus-per-task=4
#SBATCH --time=12:00:00
#SBATCH --signal=B:USR1@300 --requeue --open-mode=append --output=%x-%j.log
##SBATCH --gpus-per-node=8
#
# Scores one model on one data set:   sbatch [sbatch options] slurm/evaluate.sh [--dry-run] [options of xlrm_evaluate]
#   sbatch slurm/evaluate.sh --model models/en --data rewardbench.jsonl --langs ko --output en.ko.h5
# Stopped early it goes back to the queue and starts the cell again; settings: slurm/env.sh.
# --dry-run (without sbatch) prints the launch line and the plan.
set -uo pipefail
stopping=
trap 'stopping=yes' USR1 TERM # a signal may come at once; launch.sh takes over
umask 027
script=evaluate.sh
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

evaluate=$(program xlrm_evaluate) || exit
if [ "${1:-}" = --dry-run ]; then dry_run "$evaluate" "${@:2}"; fi

# One cell is computed whole or not at all, so a second launch has nothing to build on; XLRM_MAX_STALLS stops end the job.
progress() { :; }
launch_until_done "$evaluate" "$@"
