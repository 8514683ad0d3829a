#!/usr/bin/env bash
# An installed tree that was moved: programs find their libraries in it, run from another folder, batch scripts find the programs, and
# `module load` gives both.   usage: install_test.sh BUILD
set -euo pipefail
build=$(cd "$1" && pwd)
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
unset XLRM_BIN XLRM_ROOT SLURM_JOB_ID SLURM_JOB_GPUS SLURM_GPUS_ON_NODE
cmake --install "$build" --prefix "$scratch/first" >/dev/null
mkdir "$scratch/elsewhere"
mv "$scratch/first" "$scratch/elsewhere/xlrm"
tree=$scratch/elsewhere/xlrm
cd "$scratch"

fail() { echo "FAILED: $*" >&2; exit 1; }

for program in "$tree"/bin/*; do
  [ "$program" != "$tree/bin/xlrm_report" ] || continue # Python
  places=$(ldd "$program")
  ! grep -q 'not found' <<<"$places" || fail "$program: $places"
  ! grep -E 'lib(torch|c10|gomp|arrow|parquet)' <<<"$places" | grep -vF "$tree/" || fail "$program takes these from outside the tree"
  [[ $("$program" --version) == xlrm* ]] || fail "$program --version"
done
[ "$(ls "$tree/bin")" = "$(printf 'xlrm_%s\n' align analyze bench evaluate generate inspect judge prepare report sweep train)" ] || fail "programs: $(ls "$tree/bin")"

"$tree/bin/xlrm_sweep" --smoke --output "$scratch/out" >"$scratch/printed" 2>"$scratch/log" || fail "xlrm_sweep --smoke: $(cat "$scratch/log")"
if ! grep -q 'no Python with h5py and matplotlib' "$scratch/log"; then
  [ "$(tail -n 1 "$scratch/printed")" = "Report: $scratch/out/report.html" ] || fail "no report: $(tail -n 3 "$scratch/printed" "$scratch/log")"
fi
[ -n "$("$tree/bin/xlrm_sweep" table "$scratch/out")" ] || fail "no table"

"$tree/share/xlrm/slurm/sweep.sh" --dry-run --config "$tree/share/xlrm/jobs/smoke.cfg" --output "$scratch/dry" >"$scratch/dry.txt" || fail "slurm/sweep.sh"
[[ $(head -n 1 "$scratch/dry.txt") == *"$tree/bin/xlrm_sweep"* ]] || fail "slurm/sweep.sh took another program: $(head -n 1 "$scratch/dry.txt")"

for file in share/doc/xlrm/README.md share/doc/xlrm/jobs/sweep.md share/doc/xlrm/slurm/README.md share/doc/xlrm/LICENSE; do
  [ -s "$tree/$file" ] || fail "$file is missing"
done

modules=/usr/share/modules/init/bash # Debian's environment-modules
if [ -r "$modules" ]; then
  # shellcheck disable=SC1090
  found=$(bash -c "set +u; . $modules; module use '$tree/share/modulefiles'; module load xlrm && type -P xlrm_sweep && echo \$XLRM_ROOT" 2>&1)
  [ "$found" = "$tree/bin/xlrm_sweep"$'\n'"$tree/share/xlrm" ] || fail "module load xlrm: $found"
else
  echo "environment-modules is not installed: the modulefile was not loaded"
fi
