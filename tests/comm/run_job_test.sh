#!/usr/bin/env bash
# How programs end under mpirun: exit codes, messages, time, status files, signals.
#
# usage: run_job_test.sh PROBE MPIRUN
set -uo pipefail
probe=$1
mpirun=("$2" --oversubscribe --bind-to none -np)
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
failures=0

# run RANKS [argument…]: leaves the exit code in $code, the seconds in $took, the output in $folder/out and $folder/err.
run() {
  local ranks=$1 begun=$SECONDS
  shift
  rm -f "$folder/status"
  timeout 30 "${mpirun[@]}" "$ranks" "$probe" "$@" >"$folder/out" 2>"$folder/err"
  code=$?
  took=$((SECONDS - begun))
}

fault() {
  failures=$((failures + 1))
  echo "FAILED: $*"
  sed 's/^/    /' "$folder/out" "$folder/err"
}

expect_code() { [ "$code" = "$1" ] || fault "$2: exit code $code instead of $1"; }
expect_quick() { [ "$took" -le 5 ] || fault "$1: took $took s"; }
expect_lines() { # expect_lines N TEXT FILE NAME
  local found
  found=$(grep -cF -- "$2" "$folder/$3")
  [ "$found" = "$1" ] || fault "$4: \"$2\" stands $found times in $3 instead of $1"
}
expect_no_banner() { # mpirun tells of every code that is not 0, MPI_Abort has a banner of its own
  grep -q 'MPI_ABORT' "$folder/err" && fault "$1: MPI was aborted"
}
expect_status() { # expect_status CODE NAME
  grep -q "\"exit\":$1[,}]" "$folder/status" 2>/dev/null || fault "$2: the status file says $(cat "$folder/status" 2>&1)"
}

for ranks in 1 3; do
  run $ranks --do end
  expect_code 0 "orderly end on $ranks"
  expect_lines 1 "begun" err "orderly end on $ranks"

  run $ranks --cuont 5
  expect_code 2 "usage error on $ranks"
  expect_lines 1 "unknown option --cuont; did you mean --count?" err "usage error on $ranks"
  expect_lines 0 "begun" err "usage error on $ranks"

  run $ranks --do throw-all
  expect_code 2 "refusal of all $ranks"
  expect_lines 1 "all ranks refuse" err "refusal of all $ranks"
  expect_no_banner "refusal of all $ranks"

  run $ranks --do throw-late --status-file "$folder/status"
  expect_status 74 "late error on $ranks"
  expect_quick "late error on $ranks"
  expect_lines 1 "the last rank failed at its end" err "late error on $ranks"
  expect_no_banner "late error on $ranks"

  run $ranks --do stopped-with-reason --log-level error
  expect_code 75 "stop on $ranks"
  expect_lines 1 "run_job_probe: stopped at step 3; the state is in out.checkpoint" err "stop on $ranks"
  expect_no_banner "stop on $ranks"

  run $ranks --do stop-in-work --status-file "$folder/status"
  expect_status 75 "stop in work on $ranks"
  expect_lines 1 "stopped by a signal while the rows were read" err "stop in work on $ranks"
  grep -q '"reason":".*the rows were read' "$folder/status" || fault "stop in work on $ranks: no reason in the status file"
  expect_no_banner "stop in work on $ranks"

  run $ranks --do throw-io --status-file "$folder/status"
  expect_code 74 "throw on $ranks"
  expect_quick "throw on $ranks"
  expect_lines 1 "/data/cell.h5: cut off" err "throw on $ranks"
  expect_status 74 "throw on $ranks"
done

run 1 --do throw-io
expect_no_banner "an error of one rank alone"

for ranks in 2 3 5; do
  run $ranks --do agree-in-group --status-file "$folder/status"
  expect_quick "agreed in a group of $ranks"
  expect_status 2 "agreed in a group of $ranks"
  expect_lines 1 "the group agrees" err "agreed in a group of $ranks"
  expect_no_banner "agreed in a group of $ranks"
done
for ranks in 3 5; do
  run $ranks --do throw-in-group --status-file "$folder/status"
  expect_code 74 "one of a group of $ranks"
  expect_quick "one of a group of $ranks"
  expect_status 74 "one of a group of $ranks"
  expect_lines 1 "the group's root is gone" err "one of a group of $ranks"

  run $ranks --do throw-twice
  expect_code 74 "two of $ranks at once"
  expect_quick "two of $ranks at once"
  expect_lines 1 "two at once" err "two of $ranks at once"
done

"$probe" --do print >/dev/full 2>"$folder/err"
code=$?
: >"$folder/out"
expect_code 74 "full disk behind standard output"
expect_lines 1 "standard output cannot be written" err "full disk behind standard output"

run 3 --do some-failed
expect_code 3 "some failed"

run 3 --count five
expect_code 2 "bad value"
expect_lines 1 "--count: \"five\" is not a whole number" err "bad value"

run 3 --help
expect_code 0 "help"
expect_lines 1 "Usage: run_job_probe" out "help"

run 3 --version
expect_code 0 "version"
expect_lines 1 "compiler" out "version"

run 3 --do throw-other --status-file "$folder/status"
expect_code 1 "foreign exception"
expect_quick "foreign exception"
expect_lines 1 "not one of ours" err "foreign exception"
expect_status 1 "foreign exception"

run 3 --do throw-agreed --status-file "$folder/status"
expect_code 0 "agreed error"
expect_lines 1 "prefs.jsonl:3: broken" err "agreed error"
expect_status 1 "agreed error"

run 3 --do throw-io
expect_lines 1 "xlrm [rank 2]: error: /data/cell.h5: cut off" err "the rank is named"

run 3 --do throw-while-reducing
expect_code 1 "throw while reducing"
expect_quick "throw while reducing"
expect_lines 1 "xlrm [rank 1]: error: rank 1 ran out of luck" err "throw while reducing"

run 1 --do stopped
expect_code 75 "stopped alone"
run 3 --do stopped --status-file "$folder/status"
expect_code 0 "stopped under a launcher"
expect_status 75 "stopped under a launcher"
run 3 --do end --status-file "$folder/status"
expect_status 0 "done under a launcher"

run 2 --do end --status-file /proc/nowhere/status
expect_code 74 "status file that cannot be written"
expect_quick "status file that cannot be written"

# stop_by SIGNAL: mpirun passes SIGUSR1 on to the ranks, which stop between two batches.
stop_by() {
  rm -f "$folder/status"
  : >"$folder/out"
  "${mpirun[@]}" 3 "$probe" --do work --status-file "$folder/status" >"$folder/out" 2>"$folder/err" &
  local launcher=$!
  for _ in $(seq 200); do
    grep -q working "$folder/out" && break
    sleep 0.05
  done
  kill "-$1" $launcher
  wait $launcher
  code=$?
}
stop_by USR1
expect_code 0 "SIGUSR1"
expect_status 75 "SIGUSR1"

# One rank alone sees the signal.
: >"$folder/out"
"$probe" --do work --status-file "$folder/status" >"$folder/out" 2>"$folder/err" &
alone=$!
for _ in $(seq 200); do
  grep -q working "$folder/out" && break
  sleep 0.05
done
kill -TERM $alone
wait $alone
code=$?
expect_code 75 "SIGTERM without a launcher"

# Two tasks of Slurm that do not know each other must not both do the whole work.
SLURM_STEP_ID=0 SLURM_PROCID=1 SLURM_STEP_NUM_TASKS=2 timeout 30 "$probe" --do end >"$folder/out" 2>"$folder/err"
code=$?
expect_code 2 "Slurm without PMIx"
expect_lines 1 "launch with srun --mpi=pmix, or with mpirun" err "Slurm without PMIx"

[ $failures = 0 ] && echo "all ends are right"
exit $((failures > 0))
