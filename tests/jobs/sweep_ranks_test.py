#!/usr/bin/env python3
"""sweep_ranks_test.py BIN RANKS…: xlrm_sweep --smoke gives byte-equal cells and tables on one rank and on each of RANKS, and ends well."""
import os
import sys

from harness import Work, analysis_below, cells_below, check, finish, mpirun, run

SWEEP = os.path.join(sys.argv[1], "xlrm_sweep")


def sweep(output, ranks):
    result = run(mpirun(ranks, [SWEEP, "--smoke", "--output", output]), timeout=900)
    check(result.returncode == 0, f"{ranks} ranks: exit code {result.returncode}\n{result.stderr[-3000:]}")
    check("Tables:" in result.stdout, f"{ranks} ranks: no table is named\n{result.stdout[-500:]}")
    analysis = analysis_below(output)
    check("analysis/summary.json" in analysis and len(analysis) > 60, f"{ranks} ranks: {len(analysis)} files of the analysis")
    return {**cells_below(output), **analysis}, len(cells_below(output))


with Work() as work:
    reference, count = sweep(work / "np1", 1)
    check(count == 30, f"{count} cells instead of 30 (five models and the base, five targets)")
    for ranks in map(int, sys.argv[2:]):
        files, count = sweep(work / f"np{ranks}", ranks)
        differ = [name for name in reference if files.get(name) != reference[name]]
        check(not differ and len(files) == len(reference), f"{ranks} ranks: {count} cells, these differ from one rank's: {differ}")
    status = run([SWEEP, "status", work / "np1", "--json"])
    check(status.returncode == 0 and '"state":"done"' in status.stdout, f"status: {status.stdout} {status.stderr}")
    given = run([SWEEP, "--smoke", "--bases", f"given={work / 'np1'}/models/base", "--sources", "en", "--targets", "en", "--output", work / "given"])
    check(given.returncode == 0, f"a given base: exit code {given.returncode}\n{given.stderr[-3000:]}")
    check(not os.path.exists(work / "given/tokenizer"), "a given base: a tokenizer was trained that nobody uses")
    check(run([SWEEP, "verify", work / "np1"]).returncode == 0, "verify: a cell is damaged")
finish()
