"""The page's colours of data are those of all other pictures."""

from importlib.resources import files

import pytest

from lungcli.anatomy import STRUCTURES
from lungcli.pictures import colours


@pytest.mark.parametrize(
    ("name", "colour"),
    [
        *((each.name.replace(" ", "-"), each.colour) for each in STRUCTURES),
        ("agreed", colours.AGREED),
        ("missed", colours.MISSED),
        ("extra", colours.EXTRA),
    ],
)
def test_one_palette(name, colour):
    style = files("lungcli.report").joinpath("templates/report.css").read_text("utf-8")
    red, green, blue = colour
    assert f"--{name}: rgb({red} {green} {blue});" in style
