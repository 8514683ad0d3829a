"""xlrm_report: figures and report.html of a sweep."""

import argparse
import sys

from . import open as open_results
from .errors import ResultsError


def parser():
    made = argparse.ArgumentParser(
        prog="xlrm_report",
        description="Draws the figures of a sweep and writes OUT/report.html, from its cells and from what xlrm_analyze wrote.",
        epilog="Exit codes: 0 done, 1 the folder or a file in it is not what it should be, 2 wrong command line, 74 a file "
        "cannot be written.",
    )
    made.add_argument("out", metavar="OUT", help="folder of the sweep (its --output)")
    made.add_argument(
        "--english",
        default="en",
        metavar="LANG",
        help="language whose models are compared with the targets' own (en); as in xlrm_analyze",
    )
    made.add_argument(
        "--models",
        default="",
        metavar="NAME,…",
        help="reward models that get figures of their own (the English one of the first seed); all: every model, which takes "
        "longer",
    )
    made.add_argument(
        "--verify", action="store_true", help="check every cell against its SHA-256 first, and leave out those that differ"
    )
    return made


def main(arguments=None):
    options = parser().parse_args(arguments)
    try:
        from .report.build import build_report

        results = open_results(options.out, verify=options.verify)
        models = tuple(name for name in options.models.split(",") if name)
        unknown = [name for name in models if name != "all" and name not in results.models]
        if unknown:
            raise ResultsError(
                f"--models {', '.join(unknown)}: no finished cell of it. There are {', '.join(results.models) or 'none'}"
            )
        path, context = build_report(results, english=options.english, models=models)
    except ResultsError as error:
        print(f"xlrm_report: {error}", file=sys.stderr)
        return 1
    except OSError as error:
        print(f"xlrm_report: {error}", file=sys.stderr)
        return 74
    if context.gaps:
        print(f"xlrm_report: {len(context.gaps)} parts are missing; the report's last section names them", file=sys.stderr)
    print(f"Report: {path}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
