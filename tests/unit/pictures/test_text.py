"""Any name can be drawn and fits its place."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageDraw

from lungcli.pictures.text import draw_text, load_font, readable, shorten, text_width

FONT = load_font(16)


@given(text=st.text(max_size=40), width=st.integers(0, 300))
def test_any_text_fits_any_width(text, width):
    line = shorten(readable(text), FONT, width)
    assert text_width(line, FONT) <= width or not line


def test_start_and_end_of_a_long_name_are_kept():
    line = shorten("MontgomerySet_MCUCXR_0001_0_frontal_17", FONT, 150)
    assert line.startswith("Mont")
    assert line.endswith("_17")
    assert "…" in line


def test_the_longest_text_that_fits_is_taken():
    text = "iiiiiiiiiiWWWWWWWWWWiiiiiiiiii"
    width = text_width(text, FONT) - 1
    assert text_width(shorten(text, FONT, width), FONT) > 0.8 * width


def test_short_text_is_untouched():
    assert shorten("MCUCXR_0001_0", FONT, 500) == "MCUCXR_0001_0"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("Dice 0.97 · ok…", "Dice 0.97 · ok…", id="drawable"),
        pytest.param("Zürich", "Zurich", id="accent"),
        pytest.param("Zu\u0308rich", "Zurich", id="combining-accent"),
        pytest.param("肺_01", "?_01", id="no-glyph"),
        pytest.param("🫁", "?", id="emoji"),
        pytest.param("a\nb\tc", "a b c", id="one-line"),
        pytest.param("", "", id="empty"),
    ],
)
def test_readable(text, expected):
    assert readable(text) == expected


@given(text=st.text(max_size=20))
def test_any_text_can_be_drawn(text):
    image = Image.new("RGB", (64, 24))
    draw_text(ImageDraw.Draw(image), (0, 12), text, FONT)
    assert np.asarray(image).shape == (24, 64, 3)
