# shellcheck shell=bash
# Verbs for tests that submit jobs. Sourced after cluster.sh. A failed expectation is printed and counted; the job's state
# and log come with it.

failures=0
it() { current=$*; echo "- $*"; }

failed() {
  echo "FAILED: $current: $*"
  failures=$((failures + 1))
  show_job
}

show_job() {
  echo "  job $job: $(job_field JobState), reason $(job_field Reason), exit $(job_field ExitCode), restarts $(restarts); its log ends:"
  tail -n 15 ./*.log 2>&1 | sed 's/^/  | /' || true
}

expect() { [ "$1" = "$2" ] || failed "got '$1', expected '$2'"; }

expect_log() { grep -qF -- "$1" ./*.log || failed "the log lacks '$1'"; }

submit() { # submit COMMAND…: runs sbatch, sets `job`
  job=$("$@" | grep -oE '[0-9]+$')
}

job_field() { scontrol show job -o "$job" | grep -oE "(^| )$1=[^ ]*" | cut -d= -f2; }
restarts() { job_field Restarts; }
requeued() { [ "$(restarts)" -ge 1 ] && [ "$(job_field JobState)" != COMPLETING ]; }

ended() {
  case $(job_field JobState) in
    COMPLETED | FAILED | CANCELLED | TIMEOUT | NODE_FAIL | OUT_OF_MEMORY | DEADLINE | BOOT_FAIL) return 0 ;;
    *) return 1 ;;
  esac
}

job_ends() { # job_ends CODE [SECONDS]: waits for the end of the job and compares its exit code
  wait_for "${2:-120}" ended || { failed "did not end"; scancel "$job"; }
  [ "$(job_field ExitCode)" = "$1:0" ] || failed "job ended $(job_field JobState) with $(job_field ExitCode), expected $1:0"
}

finish_tests() {
  [ "$failures" = 0 ] || { echo "$failures expectation(s) failed"; exit 1; }
  echo "all expectations hold"
}
