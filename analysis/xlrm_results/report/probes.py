"""Section 5: what linear probes read from the states, and whether one language's probe works in another."""

import math

from ..figures import layers, similarity
from . import html
from .movement import WHERE, curve, of_capture
from .words import counted, decimal, percent, spaced, why_undefined

OBSERVES = "A probe shows what is there, not what a model uses."


def at_layers(rows, most=4):
    """Rows by layer, at most `most` layers, evenly spaced."""
    found = sorted({r["layer"] for r in rows})
    return {found[place]: [r for r in rows if r["layer"] == found[place]] for place in spaced(len(found), most)}


def transfer_of_probes(context, base, benchmark):
    """Figure 14: preference probes of the base, fitted in one language and tested in another."""
    rows = of_capture(context.analysis.rows("probe_transfer", base=base, benchmark=benchmark))
    if not rows:
        return context.part_missing("Preference probes on the base", "probe_transfer", base)
    names = list(dict.fromkeys(r["source"] for r in rows))
    panels = {
        f"layer {layer}": [
            {
                "language": r["source"],
                "other_language": r["target"],
                "value": r["accuracy"],
                "reason": why_undefined(r, "accuracy") if r["accuracy"] is None else None,
            }
            for r in own
        ]
        for layer, own in at_layers(rows).items()
    }
    lowest = min((r["accuracy"] for r in rows if r["accuracy"] is not None), default=0.4)
    control = [r["control"] for r in rows if r["control"] is not None]
    beside = f" The same probe with random labels: {percent(min(control))} to {percent(max(control))} %." if control else ""
    drawing = similarity.language_by_language(
        panels,
        names,
        f"Figure 14. Accuracy of a preference probe on the base, fitted on rows, tested on columns: benchmark {benchmark}, {WHERE}",
        scale_label="accuracy",
        limits=(min(0.4, math.floor(10 * lowest) / 10), 1.0),
        notes=[OBSERVES + " Chance: 0.5." + beside],
    )
    return context.draw(f"probes.{base}.{benchmark}", drawing)


def what_is_there(context, base, benchmark):
    """Figure 15: language and category read from the states, by layer, against a probe with random labels."""
    rows = of_capture(context.analysis.rows("probes", base=base, benchmark=benchmark))
    if not rows:
        return context.part_missing("Language and category probes", "probes", base)
    shown = [base] + context.shown_models(base, benchmark)
    points, panels = [], {}
    for r in rows:
        if r["model"] not in shown:
            continue
        target = r.get("target", "all")
        panel = r["task"] if target == "all" else f"{r['task']} in {target}"
        panels.setdefault(panel, f"{panel}: accuracy of the probe, {counted(r['classes'], 'class', 'classes')}")
        points.append(curve(r, panel, r["model"], "accuracy", r["control"]))
    first = list(panels)[:6]
    title = f"Figure 15. What a linear probe reads, by layer: base {base}, benchmark {benchmark}, {WHERE}"
    notes = ["Null: the same probe fitted on random labels (control task). " + OBSERVES]
    drawing = layers.layer_curves(
        [p for p in points if p["panel"] in first], {name: panels[name] for name in first}, title, notes, dict.fromkeys(first, (0, 1.03))
    )
    return context.draw(f"what_is_there.{base}.{benchmark}", drawing)


def directions(context, base, benchmark):
    """Figure 16: the direction from rejected to chosen answers against the head's, by layer, and between languages."""
    rows = of_capture(context.analysis.rows("preference_directions", base=base, benchmark=benchmark))
    if not rows:
        return context.part_missing("Preference directions", "preference_directions", base)
    pairs = of_capture(context.analysis.rows("preference_pairs", base=base, benchmark=benchmark))
    inside = ""
    for model in context.shown_models(base, benchmark):
        points = [
            curve(r, column, r["target"], column, 0.0)
            for r in rows
            if r["model"] == model
            for column in ("head_cosine", "shift_head_cosine")
        ]
        with_reference = [r for r in pairs if r["model"] == model and context.english in (r["first_target"], r["second_target"])]
        for r in with_reference:
            other = r["second_target"] if r["first_target"] == context.english else r["first_target"]
            points.append(curve(r, "cosine", other, "cosine", 0.0))
        panels = {
            "head_cosine": "cosine of the preference direction and the head",
            "shift_head_cosine": "cosine of its shift from the base and the head",
            "cosine": f"cosine of the directions of a language and {context.language}",
        }
        panels = {name: text for name, text in panels.items() if any(p["panel"] == name for p in points)}
        title = f"Figure 16. Preference direction (mean of chosen − rejected) of {model}, by layer: benchmark {benchmark}, {WHERE}"
        drawing = layers.layer_curves(points, panels, title, ["Null: directions that have nothing in common."], dict.fromkeys(panels, (-1.05, 1.05)))
        inside += context.draw(f"directions.{model}.{benchmark}", drawing)
    known = [r for r in rows if r["head_cosine"] is not None]
    if not known:
        return inside
    last = max(r["layer"] for r in known)
    lines = [[r["model"], r["target"], decimal(r["head_cosine"]), decimal(r["shift_head_cosine"])] for r in known if r["layer"] == last]
    table = html.table(f"Layer {last}, cosine with the head", ["model", "language", "direction", "shift of the direction"], lines, (2, 3))
    return inside + html.details("Preference directions of every model", table)
