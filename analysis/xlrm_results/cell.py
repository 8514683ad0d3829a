"""One cell: the scores and activations of a model on a benchmark in a language. The file is open only while it is read."""

import hashlib
import json
from dataclasses import dataclass, field
from pathlib import Path

import h5py
import numpy as np

from .errors import DamagedCell, ResultsError, SchemaError

CONVENTIONS = "XLRM-1"
SCHEMA_VERSION = 1


def check_schema(attributes, path):
    """Raises SchemaError unless `attributes` (of the root of `path`) are of the schema that this package reads."""
    found = attributes.get("Conventions"), attributes.get("schema_version")
    if found == (CONVENTIONS, SCHEMA_VERSION):
        return
    if found[0] is None:
        raise SchemaError(
            f"{path}: no attribute Conventions, so it is not a cell of xlrm. Cells are written by xlrm_evaluate "
            "and xlrm_sweep"
        )
    older = found[0] == CONVENTIONS and isinstance(found[1], (int, np.integer)) and found[1] < SCHEMA_VERSION
    advice = "Evaluate again with the present xlrm" if older else "Use the xlrm_results package of the xlrm that wrote it"
    raise SchemaError(
        f"{path}: schema {found[0]}, version {found[1]}, and this package reads {CONVENTIONS}, version "
        f"{SCHEMA_VERSION}. {advice}"
    )


def split_model_name(model, source, seed):
    """Base of a reward model of a sweep, whose name is <base>.<source>.s<seed>; None for another name."""
    suffix = f".{source}.s{seed}"
    return model[: -len(suffix)] if source and model.endswith(suffix) and len(model) > len(suffix) else None


def text(values):
    return [value.decode("utf-8") if isinstance(value, bytes) else str(value) for value in values]


@dataclass(frozen=True)
class Scores:
    """Columns over the items of a cell. chosen, rejected and margin are None for a base model, which has no reward head."""

    id: list
    occurrence: np.ndarray  #: which item of this language and id, 0 for the first
    category: list
    language: list
    chosen_tokens: np.ndarray
    rejected_tokens: np.ndarray
    chosen: np.ndarray = None
    rejected: np.ndarray = None
    margin: np.ndarray = None

    def keys(self):
        """(id, occurrence): what one item is called in every language and model."""
        return list(zip(self.id, self.occurrence.tolist()))


def occurrences(ids):
    """For files from before the occurrence was kept: 0, 1, … over the items of the same id, in order."""
    seen = {}
    return np.array([seen.__setitem__(name, seen.get(name, -1) + 1) or seen[name] for name in ids], np.int32)


@dataclass(frozen=True)
class Cell:
    """A finished cell. Made by Cell.read; the attributes are those of the file's root."""

    path: Path
    model: str
    base: str  #: base model that it was trained from; the model itself for a base
    source: str  #: language (or name of languages) of the training rows; "" for a base model
    seed: int
    benchmark: str
    language: str  #: of the test
    is_base: bool
    layers: dict  #: capture ("last", "mean") → layers
    items: int
    attributes: dict = field(repr=False)

    @staticmethod
    def read(path):
        """Raises DamagedCell for a file that is no complete cell, SchemaError for one of another version."""
        path = Path(path)
        try:
            with h5py.File(path, "r") as file:
                attributes = {name: value for name, value in file.attrs.items()}
                check_schema(attributes, path)
                if attributes.get("state") != "complete":
                    raise DamagedCell(
                        f"{path}: its state is {attributes.get('state')!r} and not 'complete', so rows may be "
                        "missing. Remove it and run the same command again"
                    )
                layers = {
                    capture: sorted(int(name[6:]) for name in group if name.startswith("layer_"))
                    for capture, group in file.get("activations", {}).items()
                    if capture != "tokens"
                }
                items = file["scores/id"].shape[0]
        except (OSError, KeyError) as error:
            raise DamagedCell(
                f"{path}: not readable as a cell ({error}). Run the same sweep again: it computes what does not " "verify"
            ) from error
        model, source, seed = attributes["model"], attributes["source_lang"], int(attributes["seed"])
        language, is_base = attributes["target_lang"], attributes["head"] == "none"
        ending = f".{language}.h5"
        if not path.name.endswith(ending):
            raise DamagedCell(
                f"{path}: it holds language {language!r}, so its name should end in {ending}. Was it renamed or " "copied?"
            )
        return Cell(
            path=path,
            model=model,
            base=split_model_name(model, source, seed) or model,
            source=source,
            seed=seed,
            benchmark=path.name[: -len(ending)],
            language=language,
            is_base=is_base,
            layers=layers,
            items=items,
            attributes=attributes,
        )

    @property
    def provenance(self):
        """Options that matter to the content, code version, input hashes."""
        return json.loads(self.attributes["xlrm_provenance"])

    @property
    def last_layer(self):
        """Index of the model's last layer among those captured; None where none is."""
        return max((layers[-1] for layers in self.layers.values() if layers), default=None)

    def scores(self):
        with self._open() as file:
            group = file["scores"]
            columns = {name: group[name][:] if name in group else None for name in ("chosen", "rejected", "margin")}
            ids = text(group["id"][:])
            kept = group["occurrence"][:] if "occurrence" in group else occurrences(ids)
            return Scores(
                id=ids,
                occurrence=kept,
                category=text(group["subset"][:]),
                language=text(group["lang"][:]),
                chosen_tokens=group["chosen_tokens"][:],
                rejected_tokens=group["rejected_tokens"][:],
                **columns,
            )

    def head(self):
        """{"final_norm": (feature), "weight": (feature), "norm_eps": float}, what was captured of them."""
        with self._open() as file:
            if "head" not in file:
                return {}
            head = {name: file["head"][name][:] for name in ("final_norm", "weight") if name in file["head"]}
            return {**head, "norm_eps": float(file["head"].attrs["norm_eps"])} if "norm_eps" in file["head"].attrs else head

    def activations(self, layer, side="chosen", capture="last", rows=slice(None)):
        """float32 (item, feature): residual stream after block `layer` (0: embedding output), before the final norm.

        `rows` is a slice or an ascending list of items; only they are read.
        """
        if capture not in self.layers:
            raise ResultsError(
                f"{self.path}: no capture {capture!r}; it has {', '.join(self.layers) or 'no activations'} "
                "(options --layers and --capture of the evaluation)"
            )
        if layer not in self.layers[capture]:
            raise ResultsError(
                f"{self.path}: no layer {layer} of capture {capture!r}; it has {self.layers[capture]} " "(option --layers)"
            )
        if side not in ("chosen", "rejected"):
            raise ResultsError(f"side {side!r}: an item has 'chosen' and 'rejected'")
        with self._open() as file:
            return file[f"activations/{capture}/layer_{layer:02d}/{side}"][rows].astype(np.float32, copy=False)

    def tokens(self, layer, side="chosen"):
        """{row of the scores: float32 (token, feature)}: every token of the items that --capture-tokens sampled."""
        with self._open() as file:
            group = file.get(f"activations/tokens/layer_{layer:02d}/{side}")
            if group is None:
                raise ResultsError(
                    f"{self.path}: no tokens of layer {layer}, {side} answers. The evaluation keeps the tokens of N items with "
                    "--capture-tokens N"
                )
            ends = np.cumsum(group["row_size"][:])
            values = group["values"][:].astype(np.float32, copy=False)
            return {
                int(item): values[end - size : end] for item, size, end in zip(group["item"][:], group["row_size"][:], ends)
            }

    def features(self, capture="last"):
        """Width of the activations."""
        with self._open() as file:
            return file[f"activations/{capture}/layer_{self.layers[capture][0]:02d}/chosen"].shape[1]

    def verify(self):
        """Raises DamagedCell unless the file agrees with the SHA-256 in the file beside it."""
        beside = self.path.with_suffix(".sha256")
        if not beside.exists():
            raise DamagedCell(f"{self.path}: {beside.name} is missing, so it cannot be verified. Copy it along with the cell")
        words = beside.read_text().split()
        digest = hashlib.sha256()
        with open(self.path, "rb") as file:
            while block := file.read(1 << 20):
                digest.update(block)
        if not words or words[0] != digest.hexdigest():
            said = words[0][:12] if words else "nothing"
            raise DamagedCell(
                f"{self.path}: its SHA-256 is {digest.hexdigest()[:12]}… and {beside.name} says {said}…, so the "
                "file changed after it was written. Run the same sweep again: it computes what does not verify"
            )

    def _open(self):
        try:
            return h5py.File(self.path, "r")
        except FileNotFoundError as error:
            raise DamagedCell(
                f"{self.path}: it was there when the folder was opened, and is gone. Open the folder " "again"
            ) from error
        except OSError as error:
            raise DamagedCell(f"{self.path}: cannot be opened ({error})") from error
