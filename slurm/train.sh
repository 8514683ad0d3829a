#!/bin/bash
#SBATCH --job-name=xlrm-train
#SBATCH --nodes=1 --ntasks-per-node=8 --cpus-per-task=4
#SBATCH --time=12:00:00
#SBATCH --signal=B:USR1@300 --requeue --open-mode=append --output=%x-%j.log
##SBATCH --gpus-per-node=8
#
# Trains one model, or goes on with it:   sbatch [sbatch options] slurm/train.sh [--dry-run] [options of xlrm_train]
#   sbatch --time=2:00:00 slurm/train.sh --model base --data pairs.h5 --langs en --output models/en
# Stopped by its time limit or a preemption it goes back to the queue and continues from its checkpoint; settings:
# slurm/env.sh. --dry-run (without sbatch) prints the launch line and the plan.
set -uo pipefail
stopping=
trap 'stopping=yes' USR1 TERM # a signal may come at once; launch.sh takes over
umask 027
script=train.sh
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

train=$(program xlrm_train) || exit
if [ "${1:-}" = --dry-run ]; then dry_run "$train" "${@:2}"; fi

# A further checkpoint is progress; it lies beside the model folder until the run is complete.
out=$(option output "$@" || option train.output "$@") || die 2 "--output is missing (the folder of the trained model)"
progress() { checkpoints "$out.checkpoint"; }
launch_until_done "$train" "$@"
