"""Work in processes of its own, beside this one: files of a figure are written while the next one is drawn."""

import os
import sys
import traceback


def run_and_exit(work, name):
    """In the new process; never returns."""
    status = 1
    try:
        work()
        status = 0
    except OSError as error:
        print(f"xlrm_report: {name}: {error}", file=sys.stderr)
        status = 74
    except BaseException:  # nothing may return into the caller, of which this is a copy
        traceback.print_exc()
    sys.stderr.flush()
    os._exit(status)


class Apart:
    """As many processes at once as there are cores; without os.fork, or on one core, the work is done here."""

    def __init__(self, most=None):
        cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
        self.most = cores if most is None else most
        self.running = {}  #: process → what it writes

    def run(self, work, name):
        """Calls work() in a copy of this process: what it changes in memory is not seen here."""
        if self.most < 2 or not hasattr(os, "fork"):
            work()
            return
        while len(self.running) >= self.most:
            self._wait_for_one()
        sys.stdout.flush()
        sys.stderr.flush()
        process = os.fork()
        if process == 0:
            run_and_exit(work, name)
        self.running[process] = name

    def wait(self):
        """Until all is done. OSError where some of it could not be."""
        while self.running:
            self._wait_for_one()

    def _wait_for_one(self):
        process = next(iter(self.running))
        name = self.running.pop(process)
        status = os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])
        if status != 0:
            raise OSError(f"{name}: not all files could be written (status {status})")
