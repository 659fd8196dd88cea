"""Text in pictures: Pillow's embedded font, and names that fit their place."""

import unicodedata
from functools import lru_cache

from PIL import ImageDraw, ImageFont

from lungcli.pictures.colours import TEXT, Colour

Font = ImageFont.FreeTypeFont

_ELLIPSIS = "…"
_UNASSIGNED = "\uffff"  # no font has a glyph for it, so it draws the empty box


@lru_cache
def load_font(size: int) -> Font:
    """Return the font embedded in Pillow, so that no machine needs fonts.

    Args:
        size: Height in pixels, at least 1.

    Raises:
        RuntimeError: If Pillow was built without FreeType.
    """
    font = ImageFont.load_default(size)
    if not isinstance(font, Font):
        msg = "this Pillow has no FreeType support. Install a wheel from PyPI."
        raise RuntimeError(msg)
    return font


def readable(text: str) -> str:
    """Return `text` in characters that the embedded font can draw.

    The font knows ASCII and little more: accents are dropped, anything else becomes
    a question mark. Line breaks and tabs become spaces.

    Examples:
        >>> readable("Müller 肺")
        'Muller ?'
    """
    return "".join(_drawable(char) for char in " ".join(text.split()))


def text_width(text: str, font: Font) -> int:
    """Return the width of one line in pixels, rounded up."""
    return -int(-font.getlength(text) // 1)


def shorten(text: str, font: Font, width: int) -> str:
    """Return `text`, its middle replaced by an ellipsis if it is wider than `width`.

    Case names differ at their start (the data set) and their end (the number), so
    both are kept.

    Args:
        text: One line of `readable` characters.
        font: What it will be drawn with.
        width: Place in pixels.

    Returns:
        A text of at most `width` pixels; empty if not even the ellipsis fits.
    """
    if text_width(text, font) <= width:
        return text
    fitting, too_many = 0, len(text)
    while too_many - fitting > 1:
        kept = (fitting + too_many) // 2
        if text_width(_without_middle(text, kept), font) <= width:
            fitting = kept
        else:
            too_many = kept
    shortest = _without_middle(text, fitting)
    return shortest if text_width(shortest, font) <= width else ""


def draw_text(
    draw: ImageDraw.ImageDraw,
    place: tuple[int, int],
    text: str,
    font: Font,
    *,
    anchor: str = "lm",
    colour: Colour = TEXT,
) -> None:
    """Draw one line of any text.

    Args:
        draw: The canvas.
        place: Point `(x, y)` that `anchor` refers to.
        text: Any unicode; see `readable`.
        font: From `load_font`.
        anchor: Pillow's two letters: l, m or r, then a, m or s.
        colour: Of the letters.
    """
    draw.text(place, readable(text), fill=colour, font=font, anchor=anchor)


def _without_middle(text: str, kept: int) -> str:
    tail = kept // 2
    return f"{text[: kept - tail]}{_ELLIPSIS}{text[len(text) - tail :]}"


@lru_cache(maxsize=4096)
def _drawable(char: str) -> str:
    """Return what is drawn for one character; nothing for a combining accent."""
    if char == " " or _has_glyph(char):
        return char
    bases = [c for c in unicodedata.normalize("NFKD", char) if not _is_accent(c)]
    return "".join(c if _has_glyph(c) else "?" for c in bases)


def _is_accent(char: str) -> bool:
    return unicodedata.combining(char) > 0


def _has_glyph(char: str) -> bool:
    font = load_font(16)
    drawn, missing = font.getmask(char), font.getmask(_UNASSIGNED)
    return drawn.size[0] > 0 and (
        drawn.size != missing.size or bytes(drawn) != bytes(missing)
    )
