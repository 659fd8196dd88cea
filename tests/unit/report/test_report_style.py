"""The page's colours of data are those of all other pictures."""

from importlib.resources import files

import pytest

from lungcli.anatomy import LEFT_LUNG, RIGHT_LUNG
from lungcli.pictures import colours


@pytest.mark.parametrize(
    ("name", "colour"),
    [
        ("right-lung", RIGHT_LUNG.colour),
        ("left-lung", LEFT_LUNG.colour),
        ("agreed", colours.AGREED),
        ("missed", colours.MISSED),
        ("extra", colours.EXTRA),
    ],
)
def test_one_palette(name, colour):
    style = files("lungcli.report").joinpath("templates/report.css").read_text("utf-8")
    red, green, blue = colour
    assert f"--{name}: rgb({red} {green} {blue});" in style
