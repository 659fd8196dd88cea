"""The look of all figures: files without a date, settings left as they were."""

import os
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from lungcli.errors import ConfigError
from lungcli.pictures.figures.theme import (
    COLUMN_INCH,
    PAPER,
    SERIES,
    label,
    new_figure,
    paper_style,
    relative_luminance,
    save_figure,
    text_colour,
    to_rgb,
)

DRAW = """
import sys
from pathlib import Path
from lungcli.pictures.figures.theme import new_figure, paper_style, save_figure

with paper_style():
    figure = new_figure(3.5, 1.5)
    figure.subplots().plot([0, 1], label="x")
for suffix in (".png", ".svg", ".pdf"):
    save_figure(figure, Path(sys.argv[1] + suffix))
"""


@paper_style()
def draw(text="Dice"):
    figure = new_figure(COLUMN_INCH, 1.5)
    axes = figure.subplots()
    axes.plot([0, 1, 0.5], label=text)
    axes.legend()
    return figure


@pytest.mark.slow
def test_the_same_bytes_anywhere_and_nothing_is_said(tmp_path):
    """Also with settings of the user's, and where Matplotlib cannot keep its fonts."""
    settings = tmp_path / "matplotlibrc"
    settings.write_text("lines.linewidth: 9\nfont.size: 30\n")
    home = tmp_path / "home"
    home.write_text("no folder, so not even root can write into it")
    env = {**os.environ, "MPLCONFIGDIR": str(home), "MATPLOTLIBRC": str(settings)}
    command = [sys.executable, "-W", "error", "-c", DRAW, str(tmp_path / "a")]
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=True)
    assert done.stdout + done.stderr == ""
    with paper_style():
        figure = new_figure(3.5, 1.5)
        figure.subplots().plot([0, 1], label="x")
    for suffix in (".png", ".svg", ".pdf"):
        here = save_figure(figure, tmp_path / f"b{suffix}")
        assert here.read_bytes() == (tmp_path / f"a{suffix}").read_bytes()


def test_a_figure_is_as_large_as_it_says(tmp_path):
    figure = draw()
    assert to_rgb(figure).shape == (300, 700, 3)
    with Image.open(save_figure(figure, tmp_path / "new" / "a.PNG")) as picture:
        assert picture.size == (700, 300)
        assert picture.info["dpi"] == pytest.approx((200, 200), abs=0.1)
        assert np.array_equal(np.asarray(picture.convert("RGB")), to_rgb(figure))


def test_text_stays_text_in_vector_files(tmp_path):
    svg = save_figure(draw("Ärzte $x_1$"), tmp_path / "a.svg").read_text("utf-8")
    assert "Ärzte $x_1$" in svg
    assert "DejaVu Sans" in svg
    pdf = save_figure(draw(), tmp_path / "a.pdf").read_bytes()
    assert b"/CIDFontType2" in pdf  # TrueType
    assert b"/Type3" not in pdf


def test_text_beyond_the_font_is_no_error(tmp_path):
    assert save_figure(draw("肺 \U0001fac1"), tmp_path / "a.png").is_file()


@pytest.mark.parametrize("name", ["a.jpg", "a", "a.tar"])
def test_other_formats_are_refused(tmp_path, name):
    with pytest.raises(ConfigError, match=r"Choose \.png, \.svg or \.pdf"):
        save_figure(draw(), tmp_path / name)
    assert list(tmp_path.iterdir()) == []


def test_settings_of_the_process_stay():
    import matplotlib as mpl

    with mpl.rc_context({"font.size": 33, "text.parse_math": True}):
        before = dict(mpl.rcParams)
        to_rgb(draw())
        assert dict(mpl.rcParams) == before


def test_pyplot_is_never_loaded(tmp_path):
    code = f"{DRAW}\nassert 'matplotlib.pyplot' not in sys.modules"
    subprocess.run([sys.executable, "-c", code, str(tmp_path / "a")], check=True)


def test_importing_a_figure_does_not_load_matplotlib():
    code = (
        "import sys, lungcli.pictures.figures.curves, lungcli.pictures.figures.matrix\n"
        "assert 'matplotlib' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


@given(text=st.text(max_size=60), at_most=st.integers(3, 40))
def test_labels_are_one_short_line(text, at_most):
    short = label(text, at_most)
    assert len(short) <= at_most
    assert len(short.splitlines()) <= 1
    assert short.isprintable()


def test_names_of_files_that_are_no_text(tmp_path):
    name = label(os.fsdecode(b"caf\xe9 \x01 <b>"))
    assert name == "caf? ? <b>"
    svg = save_figure(draw(name), tmp_path / "a.svg").read_text("utf-8")
    assert "caf? ? &lt;b&gt;" in svg


@given(st.tuples(*[st.floats(0, 1)] * 3))
def test_text_has_contrast_on_any_colour(colour):
    luminance = {"black": 0.0, "white": 1.0}[text_colour(colour)]
    dark, bright = sorted([luminance, relative_luminance(colour)])
    assert (bright + 0.05) / (dark + 0.05) >= 4.5


def test_luminance_of_the_primaries_sums_to_white():
    parts = [relative_luminance(row) for row in np.eye(3)]
    assert parts == pytest.approx([0.2126, 0.7152, 0.0722])
    assert relative_luminance((1, 1, 1)) == pytest.approx(1)


@pytest.mark.parametrize("colour", SERIES)
def test_lines_show_on_paper(colour):
    """WCAG asks graphics for 3; the lighter hues of Okabe and Ito reach 2."""
    rgb = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    assert PAPER == "#ffffff"
    assert 1.05 / (relative_luminance(rgb) + 0.05) > 2
