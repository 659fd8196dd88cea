"""The record of an X-ray as a JSON document, and back."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lungcli.workflows.predicting.record import Entry, Film, Finding, Record, Status

TEXTS = st.lists(st.text(max_size=9), max_size=2).map(tuple)
NUMBERS = st.floats(0, 1e6)
FILMS = st.builds(
    Film,
    height=st.integers(1, 9000),
    width=st.integers(1, 9000),
    spacing_mm=st.none() | st.tuples(NUMBERS, NUMBERS),
    spacing_source=st.text(max_size=9),
    corrected=TEXTS,
    doubts=TEXTS,
    notes=TEXTS,
)
FINDINGS = st.builds(Finding, lungs=st.text(max_size=5), quality=NUMBERS)
PARTS = st.dictionaries(st.text(max_size=5), st.none() | NUMBERS, max_size=2)
RECORDS = st.builds(
    Record,
    name=st.text(max_size=9),
    seconds=NUMBERS,
    film=st.none() | FILMS,
    finding=st.none() | FINDINGS,
    tables=st.dictionaries(st.sampled_from(["rle", "coco", "csv"]), PARTS),
    error=st.none() | st.text(max_size=9),
)
COUNTS = st.dictionaries(st.text(max_size=5), st.integers(0), max_size=2)
ENTRIES = st.builds(
    Entry,
    stem=st.text(max_size=9),
    shown=st.text(max_size=9),
    status=st.sampled_from(Status),
    index=st.integers(0),
    state=COUNTS,
    outputs=COUNTS,
    record=RECORDS,
)
FILM = Film(
    height=2,
    width=3,
    spacing_mm=(0.5, 0.25),
    spacing_source="PixelSpacing",
    corrected=(),
    doubts=("odd",),
    notes=("of 16 bits",),
)
DESCRIBED = (
    '"height": 2, "width": 3, "spacing_mm": [0.5, 0.25], '
    '"spacing_source": "PixelSpacing", "corrected": [], "doubts": ["odd"], '
    '"notes": ["of 16 bits"], '
)


@given(ENTRIES)
def test_what_was_written_is_read(entry):
    text = json.dumps(entry.to_document())
    again = Entry.from_document(json.loads(text))
    assert again == entry
    assert json.dumps(again.to_document()) == text  # the order of its tables, too


@pytest.mark.parametrize(
    ("known", "expected"),
    [
        pytest.param({"error": "broken"}, '"error": "broken", ', id="failed"),
        pytest.param(
            {"film": FILM, "error": "refused"},
            DESCRIBED + '"error": "refused", ',
            id="refused",
        ),
        pytest.param(
            {
                "film": FILM,
                "finding": Finding(lungs="both", quality=0.97),
                "tables": {"csv": {"symmetry": None}, "rle": {}},
            },
            DESCRIBED + '"csv": {"symmetry": null}, "rle": {}, '
            '"lungs": "both", "quality": 0.97, ',
            id="labelled",
        ),
    ],
)
def test_only_what_is_known_is_written_in_a_fixed_order(known, expected):
    record = Record(name="a.png", seconds=0.5, **known)
    document = json.dumps(record.to_document())
    assert document == "{" + expected + '"name": "a.png", "seconds": 0.5}'


def test_a_line_of_the_journal():
    entry = Entry(
        stem="a",
        shown="in/a.png",
        status=Status.OK,
        state={"size": 4},
        outputs={"a.png": 9},
        record=Record(name="a.png", seconds=0.5),
    )
    assert json.dumps(entry.to_document()) == (
        '{"stem": "a", "shown": "in/a.png", "status": "ok", "index": 0, '
        '"state": {"size": 4}, "outputs": {"a.png": 9}, '
        '"record": {"name": "a.png", "seconds": 0.5}}'
    )
