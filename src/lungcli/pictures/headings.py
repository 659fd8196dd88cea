"""The line above a picture: number and name of the case, its scores."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from PIL import ImageDraw

from lungcli.pictures.colours import QUIET, TEXT, Colour
from lungcli.pictures.text import Font, draw_text, readable, shorten, text_width

Box = tuple[int, int, int, int]  # left, top, right, bottom


@dataclass(frozen=True, slots=True, kw_only=True)
class Heading:
    """What stands above the panels.

    Attributes:
        title: Name of the case.
        note: Beside the title where there is space, e.g. the data set.
        numbers: Names and values on the right, the most important one first; NaN is
            left out.
        place: Of the frame in its film and how many there are: `(3, 14)` is written
            as 3/14.
    """

    title: str
    note: str = ""
    numbers: tuple[tuple[str, float], ...] = ()
    place: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True)
class _Word:
    text: str
    width: int  # pixels
    colour: Colour


def draw_heading(
    draw: ImageDraw.ImageDraw, box: Box, heading: Heading, font: Font
) -> None:
    """Draw number, name and note on the left, the other numbers on the right.

    Where space is short, first the less important numbers go, then the note and the
    place, and at last the middle of the name.

    Args:
        draw: The canvas.
        box: Where the line may go.
        heading: What it says.
        font: Of the letters.
    """
    left, top, right, bottom = box
    gap, middle = text_width("0", font), (top + bottom) // 2
    numbers = _numbers(heading, font)
    while numbers and _length(numbers, gap) > (right - left) // 2:
        numbers.pop()  # never a part of a number
    start = right - _length(numbers, gap)
    free = (start - 2 * gap if numbers else right) - left
    _draw_words(draw, (left, middle), _names(heading, font, free), font, gap)
    _draw_words(draw, (start, middle), numbers, font, gap)


def _numbers(heading: Heading, font: Font) -> list[_Word]:
    shown = [(name, value) for name, value in heading.numbers if math.isfinite(value)]
    colours = (TEXT, *[QUIET] * len(shown))
    return [
        _word(f"{name} {value:.3f}", font, colour)
        for (name, value), colour in zip(shown, colours, strict=False)
    ]


def _names(heading: Heading, font: Font, width: int) -> list[_Word]:
    gap = text_width("0", font)
    title = _word(readable(heading.title), font, TEXT)
    place = _place(heading.place, font)
    note = [_word(readable(heading.note), font, QUIET)] if heading.note else []
    for words in ([*place, title, *note], [*place, title], [title]):
        if _length(words, gap) <= width:
            return words
    return [_word(shorten(title.text, font, width), font, TEXT)]


def _place(place: tuple[int, int] | None, font: Font) -> list[_Word]:
    """Return `3/14`, as wide as `14/14`: the names shall not jump."""
    if place is None:
        return []
    number, total = place
    return [_Word(f"{number}/{total}", text_width(f"{total}/{total}", font), QUIET)]


def _word(text: str, font: Font, colour: Colour) -> _Word:
    return _Word(text, text_width(text, font), colour)


def _length(words: Sequence[_Word], gap: int) -> int:
    return sum(word.width for word in words) + gap * max(0, len(words) - 1)


def _draw_words(
    draw: ImageDraw.ImageDraw,
    start: tuple[int, int],
    words: Sequence[_Word],
    font: Font,
    gap: int,
) -> None:
    x, y = start
    for word in words:
        draw_text(draw, (x, y), word.text, font, colour=word.colour)
        x += word.width + gap
