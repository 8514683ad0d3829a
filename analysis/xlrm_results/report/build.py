"""Puts the page together and writes it."""

import os
from pathlib import Path

from ..tables import Analysis
from . import agreement, categories, geometry, html, lens, limits, movement, rewards, run_card, shared, transfer
from .context import Context

SECTIONS = (
    run_card.run_card,
    transfer.does_english_transfer,
    categories.where,
    movement.how_do_they_move,
    shared.is_the_space_shared,
    lens.when_does_it_form,
    rewards.are_rewards_usable,
    agreement.do_models_agree,
    geometry.does_geometry_explain,
    limits.limits,
)


def write_whole(path, text):
    """No part of a page under its name: beside it first, then renamed."""
    partial = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        partial.write_text(text, encoding="utf-8")
        os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)


def build_report(results, **options):
    """Writes OUT/report.html and OUT/analysis/figures; gives the path of the page and the Context (figures, missing parts)."""
    context = Context(results, Analysis(results.root), **options)
    sections = [section(context) for section in SECTIONS]
    context.apart.wait()
    name = Path(results.root).resolve().name
    head = html.paragraph(
        "Each section begins with its answer. Numbers come from xlrm_analyze; files of the figures and their data lie in "
        "analysis/figures.",
        "soft",
    )
    path = Path(results.root) / "report.html"
    write_whole(path, html.page(f"Cross-lingual transfer of reward models: {name}", sections, head))
    return path, context
