# shellcheck shell=bash
# What the batch scripts share: find the programs, launch one under srun or mpirun, pass the stop signal on, and decide
# afterwards whether the job is done, failed, or goes back to the queue. Sourced, never run; needs
# `root` (xlrm's folder), `script` (the name in messages) and `stopping` (set by a signal that came before).
#
# The script defines progress(), which prints a text that changes whenever work was finished for good, and calls
#   launch_until_done PROGRAM ARGUMENT…
#
# Stop signal: Slurm sends USR1 to this shell before the time limit or a preemption (#SBATCH --signal=B:USR1@300); the
# launcher passes it to every rank. Steps are not signalled directly, since mpirun's ranks would not all get it.
# Verdict: ranks exit 0 after every orderly end and leave the program's exit code in a status file, because launchers do
# not pass codes on reliably. Without a status file the launcher's own code tells a refusal (1, 2, 3, 74) from a crash,
# unless it was asked to stop.
#   0 done   1, 2, 74 failed: ends with that code   3 finished, some cells failed
#   75 stopped early: back to the queue     crash: launched again in this allocation
# Both of the latter end the job with 75 after XLRM_MAX_STALLS launches in a row without progress.

say() { echo "$(date '+%F %T') ${script:?}: $*"; }
die() { say "${@:2}" >&2; exit "$1"; }

stop_time=
child=
on_signal() {
  say "got $1, asking the ranks to stop"
  stopping=yes
  [ -n "$stop_time" ] || stop_time=$SECONDS
  [ -z "$child" ] || kill -USR1 "$child" 2>/dev/null
}

# launch_line PROGRAM ARGUMENT…: fills the array `line`.
launch_line() {
  local flags=()
  case $XLRM_LAUNCHER in
    srun)
      read -ra flags <<<"$XLRM_SRUN_FLAGS"
      line=(srun --mpi="$XLRM_MPI" --kill-on-bad-exit=1)
      # Every rank sees all devices of its node and takes one by its local rank: peers need each other's memory.
      [ -z "${SLURM_JOB_GPUS:-}${SLURM_GPUS_ON_NODE:-}" ] || line+=(--gpu-bind=none)
      ;;
    mpirun)
      read -ra flags <<<"$XLRM_MPIRUN_FLAGS"
      line=(mpirun)
      ;;
    *) die 2 "XLRM_LAUNCHER is '$XLRM_LAUNCHER' (unknown launcher); use srun or mpirun" ;;
  esac
  line+=("${flags[@]}" "$@")
}

prepare_environment() {
  export OMP_NUM_THREADS=${OMP_NUM_THREADS:-${SLURM_CPUS_PER_TASK:-1}}
  export SRUN_CPUS_PER_TASK=${SRUN_CPUS_PER_TASK:-${SLURM_CPUS_PER_TASK:-1}} # srun does not take it over from sbatch
}

# Runs `line` in the background so that traps run at once; sets `rc`. After the stop signal it has XLRM_GRACE seconds.
run_line() {
  "${line[@]}" &
  child=$!
  [ -z "$stopping" ] || kill -USR1 "$child" 2>/dev/null
  while kill -0 "$child" 2>/dev/null; do
    sleep 1 &
    wait $! 2>/dev/null
    [ -n "$stop_time" ] || continue
    if [ $((SECONDS - stop_time)) -ge $((XLRM_GRACE + 30)) ]; then
      kill -KILL "$child" 2>/dev/null
    elif [ $((SECONDS - stop_time)) -ge "$XLRM_GRACE" ]; then
      [ "$stopping" = by_force ] || say "no end within $XLRM_GRACE s of the stop signal, ending the launcher"
      stopping=by_force
      kill -TERM "$child" 2>/dev/null
    fi
  done
  wait "$child"
  rc=$?
  child=
}

# The program's exit code from the status file, "crash" where the launcher died of something else; sets `verdict`.
judge() {
  verdict=
  [ ! -s "$status_file" ] || verdict=$(grep -oE '"exit": *[0-9]+' "$status_file" | grep -oE '[0-9]+$')
  if [ -z "$verdict" ]; then
    case $stopping$rc in
      1 | 2 | 3 | 74) verdict=$rc ;;
      *) verdict=crash ;;
    esac
  fi
}

progress_line() { progress 2>/dev/null | paste -sd ' '; }

# Counts launches in a row after which progress() prints the same text; ends the job at XLRM_MAX_STALLS.
check_progress() {
  local before='' stalls=0 now
  if [ -f "$progress_file" ]; then { read -r stalls; read -r before; } <"$progress_file"; fi
  now=$(progress_line)
  if [ "$now" = "$before" ]; then stalls=$((stalls + 1)); else stalls=0; fi
  printf '%s\n%s\n' "$stalls" "$now" >"$progress_file"
  [ "$stalls" -lt "$XLRM_MAX_STALLS" ] ||
    die 75 "$stalls launches in a row finished nothing new, giving up. See the log above; submit again once the cause is mended."
}

# A job that ends by itself is not requeued by Slurm, so this asks for it, then waits to be ended.
requeue() {
  [ "$XLRM_REQUEUE" = yes ] || die 75 "stopped early; submit the same command again to go on"
  scontrol requeue "$SLURM_JOB_ID" || die 75 "stopped early, and scontrol could not requeue the job; submit the same command again to go on"
  say "stopped early, the job is back in the queue"
  sleep 60
  exit 75
}

launch_until_done() {
  local name=${SLURM_JOB_NAME:-$script}-${SLURM_JOB_ID:-$$}
  status_file=$PWD/$name.status.json
  progress_file=$PWD/$name.progress
  launch_line "$@" --status-file "$status_file"
  prepare_environment
  trap 'on_signal USR1' USR1
  trap 'on_signal TERM' TERM
  [ -f "$progress_file" ] || printf '0\n%s\n' "$(progress_line)" >"$progress_file"
  while :; do
    if [ -n "$stopping" ]; then
      check_progress
      requeue
    fi
    rm -f "$status_file"
    say "${line[*]}"
    run_line
    judge
    case $verdict in
      crash) say "the launcher ended with code $rc and no verdict of the program" ;;
      75) say "the program stopped early" ;;
      *)
        rm -f "$status_file" "$progress_file"
        say "ended with code $verdict"
        exit "$verdict"
        ;;
    esac
    check_progress
    if [ "$verdict" = 75 ] || [ -n "$stopping" ]; then requeue; fi
  done
}

# checkpoints FOLDER: the names of the training states below it; each is named by its step.
checkpoints() { find "$1" -maxdepth 3 -path '*.checkpoint/state-*.safetensors' -printf '%P\n' 2>/dev/null | sort; }

# --dry-run as the first argument: prints the launch line, then the program's own estimate.
dry_run() {
  launch_line "$@"
  printf '%s\n' "${line[*]}"
  exec "$@" --dry-run
}

# option NAME ARGUMENT…: the value of --NAME among the arguments, if any.
option() {
  local name=$1
  shift
  while [ $# -gt 0 ]; do
    case $1 in
      "--$name") echo "${2:-}"; return ;;
      "--$name="*) echo "${1#*=}"; return ;;
    esac
    shift
  done
  return 1
}

program() { # program NAME: its path, in the build folder or in an installed tree
  local folder=${root:?}/build/bin path
  [ -d "$folder" ] || [ ! -d "$root/../../bin" ] || folder=$(cd "$root/../../bin" && pwd)
  path=${XLRM_BIN:-$folder}/$1
  [ -x "$path" ] || die 2 "$path is missing; run scripts/build, or set XLRM_BIN to the folder of the programs"
  echo "$path"
}
