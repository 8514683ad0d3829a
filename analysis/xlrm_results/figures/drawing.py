"""What all figures share: look, size, notes, and files that have the same bytes in every run."""

import csv
from dataclasses import dataclass, field

import matplotlib
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.textpath import TextToPath
from matplotlib.transforms import ScaledTranslation

#: Fixed whatever a user's matplotlibrc says. DejaVu comes with matplotlib; text as paths looks alike everywhere.
STYLE = {
    "font.family": "DejaVu Sans",
    "font.size": 9,
    "axes.titlesize": 9.5,
    "axes.labelsize": 9,
    "xtick.labelsize": 8.5,
    "ytick.labelsize": 8.5,
    "legend.fontsize": 8.5,
    "figure.titlesize": 10.5,
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": "#444444",
    "axes.linewidth": 0.8,
    "grid.color": "#d8d8d8",
    "grid.linewidth": 0.6,
    "axes.axisbelow": True,
    "figure.facecolor": "white",
    "hatch.linewidth": 0.5,
    "svg.hashsalt": "xlrm",
    "svg.fonttype": "path",
    "pdf.fonttype": 42,
    "path.simplify": True,
    "figure.dpi": 100,
}

#: Okabe and Ito's colours, told apart without colour vision; the dashes and markers tell them apart in grey.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#000000", "#E69F00", "#56B4E9", "#7F7F7F")
DASHES = (
    "-",
    (0, (5, 1.5)),
    (0, (1.5, 1.2)),
    (0, (5, 1.5, 1, 1.5)),
    (0, (8, 2)),
    (0, (3, 1, 1, 1, 1, 1)),
    (0, (1, 2)),
    (0, (10, 2, 2, 2)),
)
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*")
PHONE = 4.0  #: inches that a phone shows without scrolling
SEQUENTIAL = "cividis"  #: even in lightness, so that it reads in grey
DIVERGING = "PuOr_r"  #: both ends told apart without colour vision; the printed signs tell them apart in grey


def look(place):
    """Colour, dash and marker of the series at `place`; always the same for the same place."""
    return {
        "color": COLOURS[place % 8],
        "linestyle": DASHES[(place + place // 8) % 8],
        "marker": MARKERS[(place + 3 * (place // 8)) % 8],
    }


@dataclass
class Drawing:
    """A figure with the rows that it was drawn from. `missing` names what could not be drawn; it is written on the figure too."""

    figure: Figure
    title: str
    columns: list
    rows: list
    missing: list = field(default_factory=list)


def new_figure(width, height):
    """A figure of this size in inches whose parts make room for each other."""
    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    figure.get_layout_engine().set(w_pad=0.06, h_pad=0.06, wspace=0.04, hspace=0.04)
    return figure


def wrapped(text, width, size):
    """`text` in lines of at most `width` inches at `size` points, broken at spaces."""
    font = FontProperties(family="DejaVu Sans", size=size)
    lines = [""]
    for word in text.split():
        longer = f"{lines[-1]} {word}".strip()
        fits = TextToPath().get_text_width_height_descent(longer, font, False)[0] <= 72 * width
        if fits or not lines[-1]:
            lines[-1] = longer
        else:
            lines.append(word)
    return "\n".join(lines)


def label(figure, title, notes):
    """Title above and notes below, wrapped to the width of the figure. The title names estimator and origin."""
    width = 0.97 * figure.get_figwidth()
    figure.suptitle(wrapped(title, width, STYLE["figure.titlesize"]), x=0.01, ha="left")
    text = "\n".join(wrapped(note, width, 7.5) for note in notes if note)
    if text:
        figure.supxlabel(text, x=0.01, ha="left", fontsize=7.5, color="#333333")


def key_below(axes, sources, columns, points=32):
    """One key for the series of all axes of `sources`, `points` below `axes`: under its ticks and label, whatever its height."""
    entries = {}
    for source in sources:
        for handle, name in zip(*source.get_legend_handles_labels()):
            entries.setdefault(name, handle)
    if entries:
        place = axes.transAxes + ScaledTranslation(0, -points / 72, axes.figure.dpi_scale_trans)
        axes.legend(
            entries.values(),
            entries.keys(),
            loc="upper center",
            bbox_to_anchor=(0.5, 0),
            bbox_transform=place,
            ncol=columns,
            frameon=False,
            handlelength=3.2,
            columnspacing=1.2,
            borderaxespad=0.2,
        )


def heading(axes, text):
    """Title of a panel, wrapped: full names of estimators are long."""
    axes.set_title(
        wrapped(text, 0.8 * axes.figure.get_figwidth() / axes.get_subplotspec().get_gridspec().ncols, STYLE["axes.titlesize"])
    )


def say_missing(axes, text):
    """What this panel would have shown, and why it is empty."""
    axes.set_axis_on()
    axes.set_xticks([])
    axes.set_yticks([])
    axes.text(
        0.5,
        0.5,
        wrapped(text, 0.62 * axes.figure.get_figwidth(), 9),
        transform=axes.transAxes,
        ha="center",
        va="center",
        color="#333333",
        bbox={"facecolor": "#f2f2f2", "edgecolor": "#999999", "boxstyle": "round,pad=0.5"},
    )


def empty_drawing(title, why):
    """A figure that says why there is nothing to draw."""
    with matplotlib.rc_context(STYLE):
        figure = new_figure(PHONE, 1.6)
        say_missing(figure.add_subplot(), why)
        label(figure, title, [])
        return Drawing(figure, title, ["missing"], [[why]], [why])


def in_style():
    """The fixed style while it lasts."""
    return matplotlib.rc_context({**matplotlib.rcParamsDefault, **STYLE, "backend": "agg"})


def drawn(function):
    """Runs a figure function in the fixed style."""

    def call(*arguments, **options):
        with in_style():
            return function(*arguments, **options)

    call.__name__, call.__doc__ = function.__name__, function.__doc__
    return call


def number(value):
    """As it stands in the CSV: empty for what is not defined, 6 significant digits for what is drawn."""
    if value is None or value != value:
        return ""
    return format(value, ".6g") if isinstance(value, float) or hasattr(value, "dtype") else str(value)


def save(drawing, folder, name, apart=None):
    """Writes name.svg, .pdf, .png (200 dpi) and .csv. No dates and fixed identifiers: equal rows give equal bytes.

    apart: an Apart, which writes PDF and PNG while the caller goes on with the SVG.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with in_style():
        drawing.figure.draw_without_rendering()
        drawing.figure.set_layout_engine(None)  # laid out once for every format; with any engine each would be drawn twice
    if apart is None:
        save_pictures(drawing, folder, name)
    else:
        apart.run(lambda: save_pictures(drawing, folder, name), str(folder / name))
    metadata = {"Date": None, "Creator": "xlrm_report", "Title": drawing.title}
    with in_style():
        drawing.figure.savefig(folder / f"{name}.svg", dpi=72, metadata=metadata)
    with open(folder / f"{name}.csv", "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(drawing.columns)
        writer.writerows([number(value) for value in row] for row in drawing.rows)


def save_pictures(drawing, folder, name):
    """The formats that the page does not hold."""
    metadata = {"CreationDate": None, "Creator": "xlrm_report", "Producer": None, "Title": drawing.title}
    with in_style():
        drawing.figure.savefig(folder / f"{name}.pdf", dpi=72, metadata=metadata)
        drawing.figure.savefig(folder / f"{name}.png", dpi=200, metadata={"Software": None, "Title": drawing.title})
