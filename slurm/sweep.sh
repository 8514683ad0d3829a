#!/bin/bash
#SBATCH --job-name=xlrm-sweep
#SBATCH --nodes=1 --ntasks-per-node=8 --cpus-per-task=4
#SBATCH --time=12:00:00
#SBATCH --signal=B:USR1@300 --requeue --open-mode=append --output=%x-%j.log
##SBATCH --gpus-per-node=8
#
# Runs or continues a sweep:   sbatch [sbatch options] slurm/sweep.sh [--dry-run] [options of xlrm_sweep]
#   sbatch --nodes=4 --time=2:00:00 slurm/sweep.sh --config jobs/paper.cfg --output /scratch/me/paper
# Stopped by its time limit or a preemption it goes back to the queue and continues there; settings: slurm/env.sh.
# --dry-run (without sbatch) prints the launch line and the plan. Submit from xlrm's folder, or set XLRM_ROOT.
set -uo pipefail
stopping=
trap 'stopping=yes' USR1 TERM # a signal may come at once; launch.sh takes over
umask 027
script=sweep.sh
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

sweep=$(program xlrm_sweep) || exit
if [ "${1:-}" = --dry-run ]; then dry_run "$sweep" "${@:2}"; fi

# The sweep's folder, for the progress check: from the options, the configuration, or the program's default.
output_of_config() {
  awk -F' *= *' '/^\[/ { section = $1 } section ~ /^\[sweep\]/ && $1 == "output" { print $2; found = 1 } END { exit !found }' "$1" 2>/dev/null
}
config=$(option config "$@" || echo quickstart)
if ! out=$(option output "$@" || option sweep.output "$@"); then
  out=$(output_of_config "$config" || echo "xlrm-out/$(basename "$config" .cfg)")
  set -- "$@" --output "$out"
fi
# Finished cells and further checkpoints are progress.
progress() {
  "$sweep" status "$out" --json | grep -oE '"done": *[0-9]+'
  checkpoints "$out"
}
launch_until_done "$sweep" "$@"
