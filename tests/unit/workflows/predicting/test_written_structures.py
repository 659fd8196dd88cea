"""A network that draws a heart: on request it is in every format, else in none."""

import contextlib
import csv
import io
import json

import highdicom
import nibabel
import numpy as np
import pydicom
import pytest
from PIL import Image
from pycocotools.coco import COCO
from pydicom.uid import ExplicitVRLittleEndian

from lungcli.errors import ConfigError
from lungcli.model.config import NetworkConfig
from lungcli.model.info import ModelInfo
from lungcli.phantom import draw_phantom
from lungcli.workflows.merging.merge import merge
from lungcli.workflows.predicting import labelling
from lungcli.workflows.predicting.formats import FORMATS
from lungcli.workflows.predicting.predict import predict
from lungcli.workflows.predicting.settings import PredictSettings
from lungcli.workflows.predicting.shards import Shard
from lungcli.workflows.shared.inference import LungModel

SIDE = 64
LABELS = np.zeros((SIDE, SIDE), np.uint8)
LABELS[10:50, 5:25], LABELS[10:50, 40:60], LABELS[30:50, 26:39] = 1, 2, 3
HEART_BOX = [26, 30, 13, 20]  # x, y, width, height
CR = "1.2.840.10008.5.1.4.1.1.1"


class Predictor:
    """A network that draws the same in every X-ray."""

    batch_size = 8

    def __init__(self, *structures):
        network = NetworkConfig(size=SIDE, structures=("right", "left", *structures))
        self.info = ModelInfo(network=network, convention="heart-excluded")

    def probabilities(self, images):
        labels = self.info.network.labels
        planes = [np.where(label == LABELS, 0.9, 0.02) for label in labels]
        square = np.stack(planes, axis=-1).astype(np.float32)
        return np.repeat(square[None], len(images), axis=0)


@pytest.fixture
def drawing(monkeypatch):
    """A function that says what the network draws beside the lungs."""

    def set_up(*structures):
        lungs = LungModel("stand-in", Predictor(*structures))
        monkeypatch.setattr(labelling, "load_model", lambda *_, **__: lungs)

    set_up("heart")
    return set_up


@pytest.fixture
def source(tmp_path):
    """A PNG and a DICOM file of one size."""
    folder = tmp_path / "in"
    folder.mkdir()
    pixels = draw_phantom(3, SIDE).image
    Image.fromarray(pixels).save(folder / "a.png")
    dataset = pydicom.Dataset()
    dataset.SOPClassUID, dataset.SOPInstanceUID = CR, "1.2.3.4"
    dataset.StudyInstanceUID, dataset.SeriesInstanceUID = "1.2.3", "1.2.3.1"
    dataset.Rows = dataset.Columns = SIDE
    dataset.BitsAllocated = dataset.BitsStored = 8
    dataset.HighBit, dataset.PixelRepresentation, dataset.SamplesPerPixel = 7, 0, 1
    dataset.PhotometricInterpretation = "MONOCHROME2"
    dataset.PixelData = pixels.tobytes()
    dataset.file_meta = pydicom.dataset.FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.save_as(folder / "b.dcm", enforce_file_format=True)
    return folder


@pytest.fixture
def run(source, tmp_path, drawing):
    """A function that predicts both, and returns the output folder and the notes."""
    del drawing

    def run(structures="all", *, name="out", formats=FORMATS, **settings):
        notes = []
        chosen = PredictSettings(formats=formats, structures=structures, **settings)
        out = tmp_path / name
        predict([source], "bundled", settings=chosen, out=out, announce=notes.append)
        return out, notes

    return run


def rows(path):
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def everything(out):
    """Return the bytes of all files but those that hold seconds."""
    files = (path for path in out.rglob("*") if path.is_file())
    return {
        path.name: path.read_bytes()
        for path in files
        if not path.name.startswith(("predictions", "."))
    }


def header(out):
    """Return the first line of the journal."""
    return json.loads((out / "predictions.jsonl").read_text().splitlines()[0])


class TestAll:
    @pytest.fixture
    def out(self, run):
        return run()[0]

    def test_png(self, out):
        with Image.open(out / "a.png") as picture:
            np.testing.assert_array_equal(np.asarray(picture), LABELS)

    def test_nifti(self, out):
        image = nibabel.load(out / "a.nii.gz")
        np.testing.assert_array_equal(np.asarray(image.dataobj)[..., 0].T, LABELS)

    def test_dicom_seg(self, out):
        segmentation = highdicom.seg.segread(out / "b_seg.dcm")
        pixels = segmentation.get_pixels_by_source_instance(
            ["1.2.3.4"], segment_numbers=[3], ignore_spatial_locations=True
        )
        np.testing.assert_array_equal(pixels[0, ..., 0] > 0, LABELS == 3)

    def test_npz(self, out):
        with np.load(out / "a.npz", allow_pickle=False) as archive:
            assert archive["structures"].tolist() == ["right", "left", "heart"]
            assert archive["probabilities"].shape == (SIDE, SIDE, 3)

    def test_coco(self, out):
        with contextlib.redirect_stdout(io.StringIO()):
            coco = COCO(out / "coco.json")
        assert len(set(coco.getAnnIds())) == 6
        for heart in coco.loadAnns(coco.getAnnIds(catIds=coco.getCatIds("heart"))):
            assert heart["bbox"] == HEART_BOX
            np.testing.assert_array_equal(coco.annToMask(heart) == 1, LABELS == 3)

    def test_rle(self, out):
        first, second = rows(out / "rle.csv")
        assert first["Heart"] == second["Heart"]
        assert first["Heart"].split()[:2] == [str(30 * SIDE + 26 + 1), "13"]

    def test_the_parts_of_two_machines_are_merged_to_the_same(self, out, run, tmp_path):
        for shard in ("1/2", "2/2"):
            run(name=f"part-{shard[0]}", shard=Shard.parse(shard))
        merged = tmp_path / "merged"
        merge([tmp_path / "part-1", tmp_path / "part-2"], out=merged)
        assert everything(merged) == everything(out)


def test_lungs_alone_are_written_as_by_a_network_without_a_heart(run, drawing):
    ours, _ = run("lungs", name="ours")
    drawing()
    theirs, _ = run("lungs", name="theirs")
    ours, theirs = everything(ours), everything(theirs)
    del ours["measures.csv"], theirs["measures.csv"]  # all that is drawn is measured
    assert ours == theirs


@pytest.mark.parametrize("structures", ["lungs", "all"])
def test_all_that_is_drawn_is_measured(run, structures):
    out, _ = run(structures, formats=("csv",))
    for row in rows(out / "measures.csv"):
        names = ("x_px", "y_px", "width_px", "height_px")
        assert [int(row[f"heart.{name}"]) for name in names] == HEART_BOX
        assert int(row["heart.area_px"]) == 13 * 20
        assert int(row["lungs.area_px"]) == 2 * 40 * 20


def test_without_a_heart_all_is_lungs_and_is_said_once(run, drawing):
    drawing()
    all_, notes = run("all", name="all")
    assert [note for note in notes if "--structures" in note] == [
        "stand-in draws lungs only: --structures all adds nothing."
    ]
    lungs, notes = run("lungs", name="lungs")
    assert not any("--structures" in note for note in notes)
    assert everything(all_) == everything(lungs)
    heads = [header(out) for out in (all_, lungs)]
    assert heads[0] == heads[1]


def test_the_journal_says_more_than_lungs_only(run):
    out, _ = run("lungs", formats=("png",))
    assert "structures" not in header(out)["settings"]
    with pytest.raises(ConfigError, match=r"structures was None and is .*heart"):
        run("all", formats=("png",), resume=True)
    out, _ = run("all", formats=("png",), name="all")
    assert header(out)["settings"]["structures"] == ["right", "left", "heart"]
    run("all", formats=("png",), name="all", resume=True)


def test_an_unknown_choice_is_named():
    with pytest.raises(ConfigError, match="--structures 'heart': choose one of lungs"):
        PredictSettings(structures="heart")
