#!/usr/bin/env bash
# Every C++ source is as .clang-format says. Other versions of clang-format break lines otherwise, so that only Debian 12's counts.
set -euo pipefail
cd "$(dirname "$0")/../.."
version=$(clang-format --version 2>/dev/null || echo none)
case $version in
  *"version 14."*) ;;
  *) echo "skipped: clang-format 14 is needed, here is: $version"; exit 77 ;;
esac
find include src jobs analysis tests -name '*.cpp' -o -name '*.hpp' | sort | xargs clang-format --dry-run --Werror
