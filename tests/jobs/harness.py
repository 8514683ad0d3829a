"""What the tests of whole programs share: running them, model folders to damage, trees of files. Standard library only."""
import hashlib
import json
import os
import shutil
import struct
import subprocess
import sys
import tempfile

ENVIRONMENT = dict(os.environ, OMP_NUM_THREADS="1", OMPI_ALLOW_RUN_AS_ROOT="1", OMPI_ALLOW_RUN_AS_ROOT_CONFIRM="1",
                   XLRM_PYTHON="none",  # no report: drawing takes longer than the sweep (tests/report)
                   OMPI_MCA_mpi_yield_when_idle="1", OMPI_MCA_btl_vader_single_copy_mechanism="none")
failures = []


def note(problem):
    print("FAILED: " + problem, flush=True)
    failures.append(problem)


def check(ok, problem):
    if not ok:
        note(problem)


def finish():
    print(f"{len(failures)} failures")
    sys.exit(1 if failures else 0)


def mpirun(ranks, command):
    return ["mpirun", "--oversubscribe", "--bind-to", "none", "-np", str(ranks), *command]


def run(command, timeout=300):
    return subprocess.run(command, env=ENVIRONMENT, capture_output=True, text=True, timeout=timeout)


def read_tensors(path):
    """Header without metadata, and the bytes behind it."""
    data = open(path, "rb").read()
    size = struct.unpack("<Q", data[:8])[0]
    header = json.loads(data[8:8 + size])
    header.pop("__metadata__", None)
    return header, data[8 + size:]


def write_tensors(path, header, body):
    text = json.dumps(header).encode()
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text + body)


def drop_tensor(path, name):
    """The file without one tensor, the others moved together."""
    header, body = read_tensors(path)
    kept, out = {}, b""
    for key, entry in sorted(header.items(), key=lambda item: item[1]["data_offsets"]):
        if key == name:
            continue
        begin, end = entry["data_offsets"]
        kept[key] = dict(entry, data_offsets=[len(out), len(out) + end - begin])
        out += body[begin:end]
    write_tensors(path, kept, out)


def files_below(folder):
    return sorted(os.path.relpath(os.path.join(at, name), folder) for at, _, names in os.walk(folder) for name in names)


def digest(path):
    return hashlib.sha256(open(path, "rb").read()).hexdigest()


def cells_below(folder):
    """Relative path and SHA-256 of every cell, temporary files (hidden) not among them."""
    return {name: digest(os.path.join(folder, name)) for name in files_below(folder)
            if name.startswith("cells/") and name.endswith(".h5") and not os.path.basename(name).startswith(".")}


def analysis_below(folder):
    """Relative path and SHA-256 of every file of an analysis."""
    return {name: digest(os.path.join(folder, name)) for name in files_below(folder) if name.startswith("analysis/")}


class Work:
    """A temporary folder."""

    def __enter__(self):
        self.path = tempfile.mkdtemp(prefix="xlrm-jobs-")
        return self

    def __exit__(self, *_):
        shutil.rmtree(self.path, ignore_errors=True)

    def __truediv__(self, name):
        return os.path.join(self.path, name)
