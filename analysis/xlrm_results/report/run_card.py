"""Section 1: what was run."""

import json

from . import html
from .words import counted, listed


def short(digest):
    return str(digest)[:12]


def inputs_of(cells):
    """File name → SHA-256 of the evaluated rows, over all cells."""
    found = {}
    for cell in cells:
        for name, digest in cell.provenance.get("inputs", {}).get("input_sha256", {}).items():
            found.setdefault(name, set()).add(digest)
    return {name: ", ".join(sorted(short(d) for d in digests)) for name, digests in sorted(found.items())}


def run_of(layers):
    """ "0 to 4", or "0, 2 and 4" where some between are not kept."""
    whole = layers == list(range(layers[0], layers[-1] + 1)) and len(layers) > 2
    return f"{layers[0]} to {layers[-1]}" if whole else listed([str(layer) for layer in layers], 40)


def model_rows(results):
    rows = []
    for model in results.models:
        cells = [c for c in results.cells if c.model == model]
        first = cells[0]
        items = sorted({c.items for c in cells})
        rows.append(
            [
                model,
                "– (base)" if first.is_base else first.source or "not recorded",
                "–" if first.is_base else first.seed,
                len(cells),
                items[0] if len(items) == 1 else f"{items[0]} to {items[-1]}",
                short(first.attributes["model_sha256"]),
            ]
        )
    return rows


def problems(context):
    """Sentences on what is missing, damaged, or left out."""
    results = context.results
    found = [
        f"Missing cell: {model} on {benchmark} in {language} is planned and not finished."
        for model, benchmark, language in results.missing
        if f"cells/{model}/{benchmark}.{language}.h5" not in results.damaged
    ]
    found += [f"Damaged cell, left out: {error}" for _, error in sorted(results.damaged.items())]
    for statement in context.analysis.statements:
        if statement["code"] == "one_seed":
            continue  # the answer says so
        place = f"{statement['place']}: " if statement.get("place") else ""
        found.append(place + statement["text"])
    return [text.replace(str(results.root) + "/", "") for text in found]


def run_card(context):
    results = context.results
    cells = results.cells
    rewards = [c for c in cells if not c.is_base]
    planned = len(cells) + len(results.missing)
    sources, seeds = list(dict.fromkeys(c.source for c in rewards)), sorted({c.seed for c in rewards})
    answers = [
        f"{counted(len({c.model for c in rewards}), 'reward model')} ({counted(len(sources), 'source')}, "
        f"{counted(len(seeds), 'seed')}) and "
        f"{counted(len(results.models) - len({c.model for c in rewards}), 'base model')} in "
        f"{counted(len(results.languages), 'language')}: "
        f"{len(cells)} of {planned} planned cells are finished."
    ]
    if len(results.languages) < 2:
        answers.append("There is one language, so nothing can be said about transfer between languages.")
    if len(seeds) == 1:
        answers.append("There is one seed for each source: no interval here covers what another training run would give.")
    inside = html.table(
        "Models",
        ["model", "trained on", "seed", "cells", "items a cell", "weights (SHA-256)"],
        model_rows(results),
        (2, 3, 4),
    )
    if cells:
        attributes, provenance = cells[0].attributes, cells[0].provenance
        options = provenance.get("options", {})
        inside += html.definitions(
            [
                ("languages of the test", listed(results.languages, 40)),
                ("benchmarks", listed(results.benchmarks, 40)),
                (
                    "rows evaluated",
                    "; ".join(f"{name} {digest}" for name, digest in inputs_of(cells).items()) or "not recorded",
                ),
                ("template", f"{attributes['template']} ({short(attributes['template_sha256'])})"),
                ("tokenizer", short(attributes["tokenizer_sha256"])),
                ("computed in", attributes["dtype"]),
                ("pooling", attributes["pooling"]),
                (
                    "activations",
                    "; ".join(f"{c} token, layers {run_of(layers)}" for c, layers in cells[0].layers.items() if layers)
                    or "none were kept",
                ),
                ("stored as", options.get("activation_dtype", "not recorded")),
                ("xlrm", provenance.get("code", "not recorded")),
            ]
        )
    found = problems(context)
    if found:
        answers.append(f"{counted(len(found), 'remark')} on the data: see below.")
        inside += (
            "<h3>Remarks on the data</h3>\n<ul>\n" + "".join(f"<li>{html.escape(text)}</li>\n" for text in found) + "</ul>\n"
        )
    parts = [
        f"{name}: {json.dumps(str(value))[1:-1]}"
        for name, value in sorted(context.analysis.attributes.items())
        if name not in ("Conventions", "schema_version") and len(str(value)) < 200
    ]
    if parts:
        inside += html.definitions([("analysis", "; ".join(parts))])
    return "run", "What was run?", answers, inside
