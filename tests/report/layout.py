"""What a reader would see wrong in a figure: text outside of it, text over text."""

import matplotlib
from matplotlib.axes import Axes
from matplotlib.text import Text
from xlrm_results.figures.drawing import STYLE


def unused_tick_labels(axes):
    """matplotlib keeps labels for ticks outside the axis, and of an axis that is off; they are not drawn."""
    found = []
    for axis in (axes.xaxis, axes.yaxis):
        shown = axis._update_ticks() if axes.axison else []
        found += [] if axes.axison else [axis.label]
        found += [
            text for tick in axis.majorTicks + axis.minorTicks if tick not in shown for text in (tick.label1, tick.label2)
        ]
    return found


def visible_texts(figure):
    """(words, box in pixels) of every text that is drawn."""
    with matplotlib.rc_context({**matplotlib.rcParamsDefault, **STYLE}):
        figure.draw_without_rendering()
        renderer = figure._get_renderer()
        unused = {id(text) for axes in figure.findobj(Axes) for text in unused_tick_labels(axes)}
        return [
            (text.get_text(), text.get_window_extent(renderer))
            for text in figure.findobj(Text)
            if text.get_visible() and text.get_text().strip() and id(text) not in unused
        ]


def problems(figure, tolerance=1.0):
    """Sentences; empty for a figure whose texts are all inside it and apart from each other."""
    texts = visible_texts(figure)
    width, height = figure.bbox.width, figure.bbox.height
    found = []
    for words, box in texts:
        if box.x0 < -tolerance or box.y0 < -tolerance or box.x1 > width + tolerance or box.y1 > height + tolerance:
            found.append(f"clipped: {words!r}")
    for place, (words, box) in enumerate(texts):
        for other, beside in texts[place + 1 :]:
            across = min(box.x1, beside.x1) - max(box.x0, beside.x0)
            along = min(box.y1, beside.y1) - max(box.y0, beside.y0)
            if across > tolerance and along > tolerance:
                found.append(f"{words!r} over {other!r}")
    return found
