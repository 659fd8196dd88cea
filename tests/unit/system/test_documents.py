"""JSON documents from strangers, by the types of dataclasses."""

import json
from dataclasses import asdict, dataclass
from enum import StrEnum

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lungcli.system.documents import parse_fields, parse_json, read_json


class Kind(StrEnum):
    OLD = "old"
    NEW = "new"


@dataclass(frozen=True, kw_only=True)
class Part:
    name: str
    share: float | None = None
    kind: Kind = Kind.OLD
    size: tuple[int, float] | None = None


@dataclass(frozen=True, kw_only=True)
class Whole:
    number: int
    sure: bool
    parts: tuple[Part, ...]
    counts: dict[str, dict[str, float | None]]


PARTS = st.builds(
    Part,
    name=st.text(),
    share=st.none() | st.floats(allow_nan=False, width=32),
    kind=st.sampled_from(Kind),
    size=st.none() | st.tuples(st.integers(), st.floats(0, 1)),
)
NUMBERS = st.none() | st.floats(allow_nan=False, allow_infinity=False)
WHOLES = st.builds(
    Whole,
    number=st.integers(-(2**64), 2**64),
    sure=st.booleans(),
    parts=st.lists(PARTS, max_size=3).map(tuple),
    counts=st.dictionaries(st.text(), st.dictionaries(st.text(), NUMBERS), max_size=3),
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(WHOLES)
def test_what_was_written_is_read(whole):
    document = json.loads(json.dumps(asdict(whole)))  # lists for tuples
    assert parse_fields(Whole, document) == whole


@given(JSON)
def test_anything_else_is_refused_by_a_value_error(document):
    with pytest.raises(ValueError, match=r"must be|is missing|is unknown"):
        parse_fields(Whole, document)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"kind": "older"}, "kind must be one of old, new, got 'older'"),
        ({"kind": ["old"]}, r"kind must be one of old, new, got \['old'\]"),
        ({"size": [1]}, r"size must be a list of 2, got \[1\]"),
        ({"size": [1, 2.5, 3]}, r"size must be a list of 2, got \[1, 2.5, 3\]"),
        ({"size": [1.5, 2.5]}, r"size\[\] must be a whole number, got 1.5"),
    ],
)
def test_choices_and_lists_of_a_length(change, reason):
    with pytest.raises(ValueError, match=reason):
        parse_fields(Part, {"name": "a", **change})


def test_a_whole_number_is_a_number_but_true_is_none():
    assert parse_fields(Part, {"name": "a", "share": 1}).share == 1.0
    with pytest.raises(ValueError, match="share must be a number, got True"):
        parse_fields(Part, {"name": "a", "share": True})
    with pytest.raises(ValueError, match="share must be a number, got 1000"):
        parse_fields(Part, {"name": "a", "share": 10**400})


def test_the_message_names_the_place():
    whole = {"number": 1, "sure": True, "counts": {}, "parts": [{"name": 3}]}
    with pytest.raises(ValueError, match=r"^parts\[\]\.name must be text, got 3$"):
        parse_fields(Whole, whole)


def test_a_long_value_is_not_repeated():
    with pytest.raises(ValueError, match="name must be text") as refusal:
        parse_fields(Part, {"name": ["x" * 10_000] * 10_000})
    assert len(str(refusal.value)) < 300


@pytest.mark.parametrize("text", [b"NaN", b'{"a": NaN}', b'{"a": [Infinity]}'])
def test_what_is_no_number_is_no_json(text):
    with pytest.raises(ValueError, match="is no JSON"):
        parse_json(text)


def test_a_file_that_is_too_large_is_not_parsed(tmp_path):
    path = tmp_path / "a.json"
    path.write_text(json.dumps({"a": "x" * 100}))
    assert read_json(path)["a"] == "x" * 100
    with pytest.raises(ValueError, match="larger than"):
        read_json(path, most_bytes=99)
