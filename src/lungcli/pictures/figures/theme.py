"""How every figure looks, and how it becomes a file: for print, on white paper.

A function that draws a figure is decorated with `paper_style()`:

    @paper_style()
    def draw_something(values: Sequence[float]) -> Figure:
        figure = new_figure(COLUMN_INCH, 2.4)
        axes = figure.subplots()
        axes.plot(values)
        return figure

Matplotlib is imported when the first figure is drawn, never by `pyplot`, and its
settings are put back afterwards: neither a user's `matplotlibrc` nor a notebook around
lungcli sees or changes anything. Its settings are the process's, so figures are drawn
in one thread.
"""

import logging
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from PIL import Image

from lungcli.anatomy import LEFT_LUNG, RIGHT_LUNG
from lungcli.arrays import Rgb
from lungcli.errors import ConfigError
from lungcli.pictures import colours
from lungcli.system.files import whole_file

if TYPE_CHECKING:
    from matplotlib.figure import Figure

COLUMN_INCH: Final = 3.5  # one of a journal's two columns
PAGE_INCH: Final = 7.0  # both

PIXELS_PER_INCH: Final = 200


def hex_colour(colour: colours.Colour) -> str:
    """Return a colour as Matplotlib takes it.

    Examples:
        >>> hex_colour((0, 114, 178))
        '#0072b2'
    """
    return "#{:02x}{:02x}{:02x}".format(*colour)


PAPER: Final = hex_colour(colours.WHITE)
INK: Final = "#222222"  # text and axes
FAINT: Final = "#6b6b6b"  # secondary text: contrast 5.3 on paper
RULE: Final = "#dddddd"  # grid lines

BLUE: Final = hex_colour(colours.AGREED)
VERMILION: Final = hex_colour(colours.MISSED)
GREEN: Final = "#009e73"
PURPLE: Final = "#cc79a7"
ORANGE: Final = hex_colour(LEFT_LUNG.colour)
SKY: Final = hex_colour(RIGHT_LUNG.colour)

SERIES: Final = (BLUE, VERMILION, GREEN, ORANGE, PURPLE, SKY)
"""For kinds of data, in this order. Yellow, the last of Okabe and Ito's hues, cannot be
seen on paper; more than six kinds need markers or panels."""

_STYLE: Final[Mapping[Any, Any]] = {
    "font.family": ["DejaVu Sans"],  # comes with Matplotlib: the same everywhere
    "font.size": 7,
    "axes.titlesize": 8,
    "axes.titlelocation": "left",
    "axes.labelsize": 7,
    "xtick.labelsize": 6.5,
    "ytick.labelsize": 6.5,
    "legend.fontsize": 6.5,
    "legend.frameon": False,  # it would hide data
    "text.color": INK,
    "text.parse_math": False,  # a case may be called $a$
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "axes.linewidth": 0.6,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "axes.prop_cycle": f"cycler(color={list(SERIES)})",
    "grid.color": RULE,
    "grid.linewidth": 0.5,
    "xtick.color": INK,
    "ytick.color": INK,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "xtick.major.size": 2.5,
    "ytick.major.size": 2.5,
    "lines.linewidth": 1.2,
    "lines.markersize": 3.5,
    "figure.constrained_layout.use": True,
    "svg.fonttype": "none",  # text stays text: journals edit it
    "svg.hashsalt": "lungcli",  # or each file gets names of its own inside
    "pdf.fonttype": 42,  # TrueType: many journals refuse Type 3
}

# by suffix: what each format would otherwise say about when it was made
_UNDATED: Final[Mapping[str, Mapping[str, None]]] = {
    ".png": {"Software": None},
    ".svg": {"Date": None},
    ".pdf": {"CreationDate": None},
}


@contextmanager
def paper_style() -> Iterator[None]:
    """Draw in lungcli's style inside; also a decorator.

    Of text, `$` is a dollar and not mathematics, so the labels of a logarithmic axis
    need a formatter of their own. What the font cannot draw becomes a box.
    """
    with _without_chatter():
        import matplotlib as mpl  # noqa: PLC0415 - half a second
        import matplotlib.font_manager  # noqa: PLC0415 - talks when first imported
    with mpl.rc_context(), warnings.catch_warnings():
        mpl.rcdefaults()  # a user's matplotlibrc must not show
        mpl.rcParams.update(_STYLE)
        warnings.filterwarnings("ignore", r"Glyph .* missing from font", UserWarning)
        yield


def new_figure(width_inch: float, height_inch: float) -> "Figure":
    """Return an empty figure whose parts make room for each other.

    Args:
        width_inch: `COLUMN_INCH` or `PAGE_INCH`.
        height_inch: As the content needs.
    """
    from matplotlib.figure import Figure  # noqa: PLC0415 - half a second

    return Figure(figsize=(width_inch, height_inch), dpi=PIXELS_PER_INCH)


def label(text: str, at_most: int = 24) -> str:
    """Return a name on one line, its middle left out if it is long.

    Names from users go through this before they are drawn: Matplotlib would shrink the
    plot until a long one fits, and an SVG file cannot hold every character.

    Args:
        text: A name, of a data set for instance. What cannot be printed becomes a
            question mark.
        at_most: Characters of the result, at least 3.

    Examples:
        >>> label("tuberculosis_chest_xrays_shenzhen", 16)
        'tubercul…henzhen'
    """
    line = " ".join(text.split())
    line = "".join(char if char.isprintable() else "?" for char in line)
    if len(line) <= at_most:
        return line
    tail = (at_most - 1) // 2
    return f"{line[: at_most - 1 - tail]}…{line[-tail:]}"


def heading(figure: "Figure", text: str) -> None:
    """Write one line above everything, from the left edge on."""
    figure.suptitle(text, x=0.01, ha="left", fontsize=8)


def text_colour(behind: Sequence[float]) -> str:
    """Return black or white, whichever has more contrast with a colour: 4.5 and more.

    Args:
        behind: Red, green and blue in [0, 1]; what follows them is ignored.

    References:
        WCAG 2.2, contrast ratio, https://www.w3.org/TR/WCAG22/#dfn-contrast-ratio

    Examples:
        >>> text_colour((1.0, 1.0, 0.0)), text_colour((0.0, 0.0, 0.5))
        ('black', 'white')
    """
    luminance = relative_luminance(behind)
    on_black, on_white = (luminance + 0.05) / 0.05, 1.05 / (luminance + 0.05)
    return "black" if on_black >= on_white else "white"


def relative_luminance(colour: Sequence[float]) -> float:
    """Return how bright an sRGB colour is, from 0 (black) to 1 (white).

    References:
        WCAG 2.2, https://www.w3.org/TR/WCAG22/#dfn-relative-luminance
    """
    red, green, blue = (
        value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4
        for value in colour[:3]
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@paper_style()
def save_figure(figure: "Figure", path: Path) -> Path:
    """Write a figure, whole or not at all, and return `path`.

    The same figure gives the same bytes, whenever it is written.

    Args:
        figure: From a function decorated with `paper_style`.
        path: Its suffix is the format: `.png` (200 dpi), `.svg` or `.pdf`, both with
            text that can be edited.

    Raises:
        ConfigError: If the suffix is another one.
        OutputError: If the file cannot be written.
    """
    suffix = path.suffix.lower()
    if suffix not in _UNDATED:
        *others, last = _UNDATED
        msg = (
            f"cannot write {path}: no figure is made of '{path.suffix}'. "
            f"Choose {', '.join(others)} or {last}."
        )
        raise ConfigError(msg)
    with whole_file(path) as part:
        figure.savefig(part, format=suffix[1:], metadata=dict(_UNDATED[suffix]))
    return path


@paper_style()
def to_rgb(figure: "Figure") -> Rgb:
    """Return a figure as a picture of 200 pixels an inch, `(height, width, 3)`."""
    drawn = BytesIO()
    figure.savefig(drawn, format="png")
    with Image.open(drawn) as picture:
        return np.asarray(picture.convert("RGB"))


@contextmanager
def _without_chatter() -> Iterator[None]:
    """Keep quiet that a home is read-only, or that fonts are looked for."""
    logger = logging.getLogger("matplotlib")
    before = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(before)
