#!/bin/bash
# train_job.sh BIN FIXTURES: xlrm_train from the outside: dry run, exit codes, stop by signal and resume, messages about bad input.
set -euo pipefail
bin=$1; data=$2; work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
run=("$bin/xlrm_train" --model "$data/model" --data "$data/pairs.jsonl" --max-length 128 --batch-pairs 8)
fail() { echo "FAILED: $*" >&2; exit 1; }
# expect CODE TEXT COMMAND...: the command ends with CODE and says TEXT.
expect() {
    local code=$1 text=$2 got=0; shift 2
    "$@" >"$work/out" 2>&1 || got=$?
    [ "$got" = "$code" ] || { cat "$work/out"; fail "exit code $got instead of $code: $*"; }
    grep -qF -- "$text" "$work/out" || { cat "$work/out"; fail "no '$text' from: $*"; }
}

expect 0 "steps" "${run[@]}" --output "$work/dry" --dry-run
if [ -e "$work/dry" ] || [ -e "$work/dry.checkpoint" ]; then fail "a dry run wrote something"; fi

# Stopped by a signal, the same command goes on and ends with the bits of an undisturbed run.
"${run[@]}" --steps 6000 --output "$work/stopped" >"$work/log" 2>&1 &
pid=$!
for _ in $(seq 600); do [ -s "$work/stopped.checkpoint/metrics.jsonl" ] && break; sleep 0.1; done
kill -TERM $pid
code=0; wait $pid || code=$?
[ "$code" = 75 ] || { cat "$work/log"; fail "exit code $code instead of 75 after SIGTERM"; }
[ -e "$work/stopped.checkpoint/checkpoint.json" ] || fail "no checkpoint after SIGTERM"
[ ! -e "$work/stopped" ] || fail "an unfinished model has its final name"
rm -r "$work/stopped.checkpoint"

"${run[@]}" --steps 5 --output "$work/m" >/dev/null 2>&1
[ "$(wc -l <"$work/m/metrics.jsonl")" = 5 ] || fail "metrics.jsonl has not one line a step"
expect 0 "already trained" "${run[@]}" --steps 5 --output "$work/m"
expect 1 "option steps is 5 there and 6 here" "${run[@]}" --steps 6 --output "$work/m"

expect 2 "--learning" "${run[@]}" --learning-rate 1 --output "$work/x"
expect 2 "--model is not given" "$bin/xlrm_train" --data "$data/pairs.jsonl" --output "$work/x"
expect 2 "--output is the folder of --model" "${run[@]}" --output "$data/model"
expect 74 "missing.jsonl" "${run[@]}" --data "$work/missing.jsonl" --output "$work/x"
expect 1 "no row is in language 'ko'" "${run[@]}" --langs ko --output "$work/x"
{ head -n 2 "$data/pairs.jsonl"; echo '{"id": "broken'; } >"$work/broken.jsonl"
expect 1 "broken.jsonl:3" "${run[@]}" --data "$work/broken.jsonl" --output "$work/x"
expect 1 "more than --max-length 12" "${run[@]}" --max-length 12 --over-length error --output "$work/x"
cp -r "$data/model" "$work/cut"; chmod u+w "$work/cut/model.safetensors"; truncate -s 20000 "$work/cut/model.safetensors"
expect 1 "cut/model.safetensors" "${run[@]}" --model "$work/cut" --output "$work/x"
cp -r "$data/model" "$work/small"; sed -i 's/"vocab_size": [0-9]*/"vocab_size": 200/' "$work/small/config.json"
expect 1 "small/config.json" "${run[@]}" --model "$work/small" --output "$work/x"
expect 1 "finite" "${run[@]}" --lr 1e30 --warmup-ratio 0 --clip 0 --steps 20 --output "$work/nan"
if [ -e "$work/x" ] || [ -e "$work/nan" ]; then fail "a failed run left a model"; fi
