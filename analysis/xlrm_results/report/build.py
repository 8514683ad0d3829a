"""Puts the page together and writes it."""

import os
from pathlib import Path

from ..tables import Analysis
from . import html, representation, rewards, run_card, transfer
from .context import Context

SECTIONS = (
    run_card.run_card,
    transfer.does_english_transfer,
    transfer.where,
    representation.how_do_they_move,
    representation.is_the_space_shared,
    representation.when_does_it_form,
    rewards.are_rewards_usable,
    rewards.do_models_agree,
    rewards.does_geometry_explain,
    rewards.limits,
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
    name = Path(results.root).resolve().name
    head = html.paragraph(
        "Each section begins with its answer. Numbers come from xlrm_analyze; files of the figures and their data lie in "
        "analysis/figures.",
        "soft",
    )
    path = Path(results.root) / "report.html"
    write_whole(path, html.page(f"Cross-lingual transfer of reward models: {name}", sections, head))
    return path, context
