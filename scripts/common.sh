# shellcheck shell=bash
# What the scripts of this folder share. Sourced, never run.
# shellcheck disable=SC2034  # root is for the scripts that source this
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
export XLRM_CACHE=${XLRM_CACHE:-$HOME/.cache/xlrm}

say() { printf '%s: %s\n' "$(basename "$0")" "$*" >&2; }
die() { say "$@"; exit 1; }

# The comment block at the top of a script is its help.
show_help() { sed -n '2,/^[^#]/{s/^# \{0,1\}//p}' "$0"; }

# One compiler a core, but no more than memory allows: a source that includes libtorch takes up to 1.5 GiB.
compile_jobs() {
  local memory_kib cores by_memory
  memory_kib=$(awk '/^MemAvailable:/ {print $2}' /proc/meminfo)
  cores=$(nproc)
  by_memory=$((memory_kib / (1536 * 1024)))
  [ "$by_memory" -ge 1 ] || by_memory=1
  echo "${XLRM_JOBS:-$((cores < by_memory ? cores : by_memory))}"
}

# Cores that this process may use, hardware threads of one core counted once.
physical_cores() {
  local allowed cores
  allowed=$(nproc)
  cores=$(lscpu -p=CORE,SOCKET 2>/dev/null | grep -v '^#' | sort -u | wc -l)
  [ "$cores" -ge 1 ] || cores=$allowed
  echo $((cores < allowed ? cores : allowed))
}

# Settings of Open MPI for one machine. As root it starts only when told so twice; without the right to read another
# process's memory (containers) single-copy messages fail.
export_mpi_settings() {
  if [ "$(id -u)" = 0 ]; then
    export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
  fi
  export OMPI_MCA_btl_vader_single_copy_mechanism=${OMPI_MCA_btl_vader_single_copy_mechanism:-none}
}
