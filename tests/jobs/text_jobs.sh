#!/bin/bash
# text_jobs.sh BIN FIXTURES: xlrm_inspect and xlrm_prepare from the command line.
set -euo pipefail
bin=$1 fixtures=$2 work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
fail() { echo "text_jobs.sh: $1" >&2; exit 1; }

# expect CODE PATTERN COMMAND…: exit code, and a message on standard error
expect() {
    local code=$1 pattern=$2 got=0
    shift 2
    "$@" > "$work/out" 2> "$work/err" || got=$?
    [ "$got" = "$code" ] || { cat "$work/err"; fail "exit code $got instead of $code: $*"; }
    grep -q -e "$pattern" "$work/err" || { cat "$work/err"; fail "no '$pattern' on standard error: $*"; }
}

for name in special prefix digits whole; do
    model=$work/$name golden=$fixtures/bpe_$name.golden.jsonl
    mkdir "$model"
    cp "$fixtures/bpe_$name.json" "$model/tokenizer.json"
    # The golden rows hold the ids already, in the same place and spelling.
    "$bin/xlrm_inspect" tokenize --model "$model" --input "$golden" --special no | diff - "$golden" || fail "ids of $name"
done
model=$work/special
echo '{"messages": [{"role": "user", "content": "a"}], "add_generation_prompt": true}' > "$work/chats.jsonl"
rendered=$("$bin/xlrm_inspect" render --model "$model" --input "$work/chats.jsonl" --template chatml)
[[ $rendered == *'user\na<|im_end|>'* ]] || fail "render"

printf '%s\n' '{"prompt": "p", "chosen": "c", "rejected": "r"}' '{"prompt": "p", "chosen": "c"}' > "$work/bad.jsonl"
head -1 "$work/bad.jsonl" > "$work/good.jsonl"
"$bin/xlrm_prepare" --input "$work/good.jsonl" --model "$model" --output "$work/dry.h5" --dry-run > "$work/dry_report"
grep -q '^en ' "$work/dry_report" || fail "report"
[ ! -e "$work/dry.h5" ] || fail "a dry run wrote its output"
"$bin/xlrm_prepare" --input "$work/good.jsonl" --model "$model" --output "$work/good.h5" > "$work/report"
[ -s "$work/good.h5" ] || fail "no output"
expect 1 "bad.jsonl:2: field 'rejected' is missing" "$bin/xlrm_prepare" --input "$work/bad.jsonl" --model "$model" --output "$work/bad.h5"
[ ! -e "$work/bad.h5" ] || fail "bad rows gave an output"
expect 74 "none.jsonl" "$bin/xlrm_prepare" --input "$work/none.jsonl" --model "$model" --output "$work/bad.h5"
expect 1 "'zh'" "$bin/xlrm_prepare" --input "$work/good.jsonl" --model "$model" --langs en,zh
expect 1 "max-length 2" "$bin/xlrm_prepare" --input "$work/good.jsonl" --model "$model" --max-length 2 --over-length error
expect 74 "not a regular file" "$bin/xlrm_prepare" --input <(cat "$work/good.jsonl") --model "$model" --dry-run

# Published forms are named in the report, and what is not used of their columns; two names of one language are warned of.
echo '{"prompt": "p", "response_0": "a", "response_1": "b", "better_response_id": 0, "safer_response_id": 1, "language": "kor_Hang"}' > "$work/pku.jsonl"
echo '{"question": "p", "best": "a", "worst": "b", "lang": "ko"}' > "$work/own.jsonl"
"$bin/xlrm_prepare" --input "$work/pku.jsonl,$work/own.jsonl" --model "$model" --columns prompt=question,chosen=best,rejected=worst \
    --output "$work/forms.h5" > "$work/report" 2> "$work/err"
grep -q '^form: pku-safe-rlhf (1 row), preference (1 row); read as preference rows$' "$work/report" || { cat "$work/report"; fail "forms in the report"; }
grep -q '^columns not used: safer_response_id (1 row)$' "$work/report" || { cat "$work/report"; fail "unused columns in the report"; }
grep -q "^ko  *2 " "$work/report" || { cat "$work/report"; fail "one language"; }
grep -q "ko (1 row) and kor_Hang (1 row) are both read as 'ko'" "$work/err" || { cat "$work/err"; fail "names of one language"; }
"$bin/xlrm_prepare" --input "$work/pku.jsonl" --model "$model" --prefer safer --pair-by rank --dry-run > "$work/report" 2>&1
grep -q -e '--pair-by rank: no row' "$work/report" || fail "an idle option"
expect 2 "'best' is no column" "$bin/xlrm_prepare" --input "$work/own.jsonl" --model "$model" --columns best=chosen --dry-run

expect 2 "max-length" "$bin/xlrm_prepare" --max-lenght 3
expect 2 'tokenize, render, forward or model' "$bin/xlrm_inspect" tokenise --model "$model" --input "$work/good.jsonl"
