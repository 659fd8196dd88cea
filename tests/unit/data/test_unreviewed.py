"""A network's masks are no references unless somebody insists."""

import shutil

import pytest

from lungcli.data.journal import JOURNAL
from lungcli.errors import DatasetError
from lungcli.phantom import write_montgomery
from lungcli.workflows.preparing.prepare import prepare
from lungcli.workflows.preparing.settings import PrepareSettings


@pytest.fixture
def predicted(tmp_path):
    """Return a source whose masks lie where `predict` has left them."""
    write_montgomery(tmp_path / "phantoms", count=4, size=64, workers=1)
    source = tmp_path / "mine"
    shutil.copytree(tmp_path / "phantoms" / "CXR_png", source / "images")
    masks = tmp_path / "phantoms" / "ManualMask" / "leftMask"
    shutil.copytree(masks, source / "masks")
    return source


def settings(source, **given):
    return PrepareSettings(out=source.parent / "out", size=64, workers=1, **given)


@pytest.mark.parametrize("folder", ["masks", "."])
@pytest.mark.parametrize("name", [JOURNAL, "predictions.2-of-3.jsonl"])
def test_they_are_refused_by_their_journal(predicted, folder, name):
    (predicted / folder / name).write_text("{}\n")
    with pytest.raises(DatasetError, match=r"network's.*Insist with --unreviewed"):
        prepare([predicted], settings=settings(predicted))
    assert not (predicted.parent / "out").exists()


def test_they_are_taken_on_request(predicted):
    (predicted / "masks" / JOURNAL).write_text("{}\n")
    report = prepare([predicted], settings=settings(predicted, unreviewed=True))
    assert report.out.is_dir()


def test_a_journal_above_the_source_says_nothing_of_it(predicted):
    (predicted.parent / JOURNAL).write_text("{}\n")
    assert prepare([predicted], settings=settings(predicted)).out.is_dir()
