"""The sheet of doubtful masks: who comes first, and who is left out."""

from pathlib import PurePosixPath

import numpy as np
import pytest
from PIL import Image

from lungcli.data.inputs import Input
from lungcli.data.journal import REVIEW
from lungcli.workflows.predicting import review_sheet as review
from lungcli.workflows.predicting.record import Entry, Finding, Record, Status
from lungcli.workflows.predicting.review_sheet import write_review


@pytest.fixture
def found(tmp_path):
    """A function that makes an X-ray with a mask, as the journal tells of it."""

    def make(stem, status, quality):
        path = tmp_path / f"{stem}_in.png"
        for each in (path, tmp_path / f"{stem}.png"):
            Image.fromarray(np.zeros((40, 40), np.uint8)).save(each)
        name = PurePosixPath(f"{stem}.png")
        item = Input(shown=str(path), name=name, path=path)
        finding = Finding(lungs="both", quality=quality)
        record = Record(name=str(name), seconds=0.5, finding=finding)
        return item, Entry(stem=stem, shown="", status=status, record=record)

    return make


@pytest.fixture
def captions(monkeypatch):
    """The captions of the sheet that is drawn."""
    drawn = []
    real = review.contact_sheet

    def note(tiles, **options):
        drawn.extend(tile.caption for tile in tiles)
        return real(tiles, **options)

    monkeypatch.setattr(review, "contact_sheet", note)
    return drawn


def test_doubts_come_first_and_then_the_lowest_scores(found, captions, tmp_path):
    pairs = [
        found("a", Status.OK, 0.97),
        found("b", Status.FAILED, 0.0),
        found("c", Status.OK, 0.9),
        found("d", Status.DOUBTFUL, 0.95),
        found("e", Status.DOUBTFUL, 0.6),
    ]
    assert write_review(pairs, tmp_path) == tmp_path / REVIEW
    assert captions == ["0.60 e.png", "0.95 d.png", "0.90 c.png", "0.97 a.png"]


def test_what_has_gone_is_left_out(found, captions, tmp_path):
    pairs = [found(stem, Status.OK, 0.9) for stem in "abc"]
    (tmp_path / "a_in.png").unlink()
    (tmp_path / "b.png").unlink()
    write_review(pairs, tmp_path)
    assert captions == ["0.90 c.png"]
    assert write_review(pairs[:2], tmp_path) is None
