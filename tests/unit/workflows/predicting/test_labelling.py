"""One X-ray: what is written, and what must not be left behind."""

from pathlib import PurePosixPath

import numpy as np
import pytest
from PIL import Image

from lungcli.anatomy import LUNGS, STRUCTURES
from lungcli.checks.gate import Appearance
from lungcli.data.geometry import fit_square, to_square
from lungcli.data.inputs import Input
from lungcli.errors import OutputError
from lungcli.workflows.predicting import labelling
from lungcli.workflows.predicting.labelling import Labeller
from lungcli.workflows.predicting.record import Finding, Status


class Lungs:
    """A network that finds the right lung left of the middle, the left one beside."""

    name, threshold, structures = "stand-in", 0.5, LUNGS
    channels = (1, 2)

    def to_square(self, image):
        geometry = fit_square(*image.shape, 64)
        return to_square(image, geometry), geometry

    def infer(self, square):
        del square
        found = np.zeros((64, 64, 2), np.float32)
        found[20:40, 10:25, 0] = found[20:40, 35:50, 1] = 1
        return found

    def clean(self, probabilities):
        return probabilities

    def restore(self, cleaned, geometry):
        labels = np.zeros((geometry.height, geometry.width), np.uint8)
        labels[20:40, 10:25], labels[20:40, 35:50] = 1, 2
        return labels


class Gate:
    """A gate that never doubts, or finds no chest."""

    def __init__(self, *, chest=True):
        self.chest = chest

    def look(self, pixels):
        del pixels
        return Appearance(
            quarter_turns=0,
            inverted=False,
            mirrored=False,
            frontal_chest=self.chest,
            turn_probabilities=(1.0, 0.0, 0.0, 0.0),
            inverted_probability=0.0,
            mirrored_probability=0.0,
            chest_probability=1.0,
        )


class Quality:
    """A quality model that is content, or not."""

    def __init__(self, score=0.99):
        self.given = score

    def score(self, square, probabilities, labels):
        del square, probabilities, labels
        return self.given


@pytest.fixture
def item(tmp_path):
    path = tmp_path / "a.png"
    ramp = np.linspace(0, 255, 64).astype(np.uint8)
    Image.fromarray(np.tile(ramp, (64, 1))).save(path)
    return Input(shown="a.png", name=PurePosixPath("a.png"), path=path)


@pytest.fixture
def label(tmp_path, item):
    """A function that labels the X-ray as the stand-ins say."""

    def label(
        *,
        formats=("png",),
        on_doubt="warn",
        chest=True,
        score=0.99,
        lungs=None,
        structures=LUNGS,
    ):
        labeller = Labeller(
            lungs=lungs or Lungs(),
            gate=Gate(chest=chest),
            quality=Quality(score),
            structures=structures,
            on_doubt=on_doubt,
            formats=formats,
            out=tmp_path / "masks",
        )
        return labeller.label(item, PurePosixPath("a"))

    return label


def test_an_entry_tells_what_was_found_and_written(label, tmp_path):
    entry = label()
    size = (tmp_path / "masks" / "a.png").stat().st_size
    assert (entry.status, entry.outputs) == (Status.OK, {"a.png": size})
    assert entry.record.finding == Finding(lungs="both", quality=0.99)


def test_a_low_score_is_a_doubt(label):
    entry = label(score=0.5)
    assert entry.status == Status.DOUBTFUL
    assert entry.record.doubts == ("the mask may be wrong: quality score 0.50",)


class DarkLungs(Lungs):
    """A network that is blind where the left border of the X-ray is dark."""

    def infer(self, square):
        return super().infer(square) * np.float32(square[:, 0].mean() > 128)


def test_what_a_second_look_found_is_told_and_stays_doubtful(label, tmp_path):
    entry = label(lungs=DarkLungs())
    assert entry.status == Status.DOUBTFUL
    assert entry.record.finding.lungs == "both"
    assert entry.record.corrected == ("inverted",)
    assert entry.record.doubts == ("no lung was found before the X-ray was inverted",)
    with Image.open(tmp_path / "masks" / "a.png") as mask:
        assert set(np.unique(mask)) == {0, 1, 2}


def test_where_no_look_helps_the_doubt_is_the_first_ones(label):
    entry = label(lungs=DarkLungs(), score=0.5)
    assert entry.record.corrected == ()
    assert entry.record.doubts == ("no lung was found",)


@pytest.mark.parametrize("status", [Status.FAILED, Status.REFUSED])
def test_an_earlier_mask_does_not_outlive_a_failure(label, tmp_path, item, status):
    label(formats=("png", "overlay"))
    if status == Status.FAILED:
        item.path.write_bytes(b"no image")
    entry = label(formats=("png", "overlay"), on_doubt="refuse", chest=False)
    assert (entry.status, entry.outputs) == (status, {})
    assert list((tmp_path / "masks").iterdir()) == []


@pytest.mark.parametrize(
    ("error", "said"),
    [
        pytest.param(
            FileNotFoundError(2, "No such file or directory"),
            "cannot read a.png (No such file or directory). Try it again.",
            id="gone while it was read",
        ),
        pytest.param(
            MemoryError(),
            "a.png is too large for the memory. Make it smaller.",
            id="big",
        ),
        pytest.param(
            ValueError("Muster^Max"),
            "a.png cannot be labelled (ValueError). Report it, or leave it out.",
            id="unforeseen",
        ),
    ],
)
def test_whatever_goes_wrong_with_one_x_ray_is_its_own(label, monkeypatch, error, said):
    def fail(path):
        del path
        raise error

    monkeypatch.setattr(labelling, "read_xray", fail)
    entry = label()
    assert (entry.status, entry.record.error) == (Status.FAILED, said)


def test_a_full_disk_is_everybodys(label, tmp_path):
    (tmp_path / "masks").write_text("no folder")
    with pytest.raises(OutputError, match="cannot write"):
        label()


class Chest(Lungs):
    """A network that finds a heart as well, in rows 30-39 of columns 26-33."""

    structures, channels = STRUCTURES, (1, 2, 3)

    def infer(self, square):
        found = np.zeros((64, 64, 3), np.float32)
        found[..., :2] = super().infer(square)
        found[30:40, 26:34, 2] = 1
        return found

    def restore(self, cleaned, geometry):
        labels = super().restore(cleaned, geometry)
        labels[30:40, 26:34] = 3
        return labels


def written(folder):
    with np.load(folder / "a.npz") as archive:
        return {name: archive[name] for name in archive}


def test_a_heart_is_written_on_request(label, tmp_path):
    entry = label(formats=("png", "npz", "coco"), lungs=Chest(), structures=STRUCTURES)
    with Image.open(tmp_path / "masks" / "a.png") as mask:
        rows, columns = np.nonzero(np.asarray(mask) == 3)
    assert (rows.min(), rows.max(), columns.min(), columns.max()) == (30, 39, 26, 33)
    arrays = written(tmp_path / "masks")
    assert arrays["structures"].tolist() == ["right", "left", "heart"]
    assert arrays["probabilities"].shape == (64, 64, 3)
    boxes = [each["bbox"] for each in entry.record.tables["coco"]["annotations"]]
    assert boxes[2] == [26, 30, 8, 10]
    assert entry.record.finding.lungs == "both"


def test_without_request_nothing_tells_of_a_heart(label, tmp_path):
    formats = ("png", "npz", "coco", "rle", "nifti", "overlay")

    def outcome(lungs):
        record = label(formats=formats, lungs=lungs).record
        folder = tmp_path / "masks"
        return record.tables, {p.name: p.read_bytes() for p in folder.iterdir()}

    assert outcome(Chest()) == outcome(Lungs())
