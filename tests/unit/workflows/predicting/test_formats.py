"""Formats by name."""

import pytest

from lungcli.errors import ConfigError
from lungcli.workflows.predicting.formats import FORMATS, parse_formats


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("png", ("png",)),
        (" PNG , csv,png", ("png", "csv")),
        ("png,,csv,", ("png", "csv")),
        (",".join(FORMATS), FORMATS),
    ],
)
def test_parse(text, expected):
    assert parse_formats(text) == expected


@pytest.mark.parametrize("text", ["", ",", "tiff", "png,tiff"])
def test_parse_refuses(text):
    with pytest.raises(ConfigError, match="is none of png, nifti"):
        parse_formats(text)
