"""What `predict` writes, in every format, `prepare` reads back: the same masks."""

import csv
import json
from dataclasses import replace
from pathlib import PurePosixPath

import numpy as np
import pytest
from PIL import Image
from pycocotools import mask as coco_masks

from lungcli.anatomy import STRUCTURES
from lungcli.data.case import Issue
from lungcli.data.prepared import open_prepared
from lungcli.errors import DatasetError
from lungcli.outputs.coco import coco_entry, write_coco
from lungcli.outputs.label_png import write_label_png
from lungcli.outputs.labelled import LabelledXray
from lungcli.outputs.nifti import write_nifti
from lungcli.outputs.npz import write_npz
from lungcli.outputs.rle import rle_row, write_rle
from lungcli.phantom import draw_phantom
from lungcli.workflows.predicting.formats import SUFFIXES, TABLES
from lungcli.workflows.predicting.predict import predict
from lungcli.workflows.predicting.settings import PredictSettings
from lungcli.workflows.preparing.prepare import prepare
from lungcli.workflows.preparing.settings import PrepareSettings

SHAPES = {"a": (97, 64), "b": (64, 64), "c": (65, 111)}
WRITERS = {"png": lambda x, p: write_label_png(x.labels, p), "nifti": write_nifti}


@pytest.fixture
def xrays():
    """Draw phantoms with hearts, of odd sizes."""
    found = {}
    for seed, (name, (height, width)) in enumerate(SHAPES.items()):
        phantom = draw_phantom(seed=seed, size=max(height, width))
        labels = np.where(phantom.heart & (phantom.labels == 0), 3, phantom.labels)
        found[name] = LabelledXray(
            name=PurePosixPath(f"{name}.png"),
            image=phantom.image[:height, :width].copy(),
            labels=labels[:height, :width].astype(np.uint8),
            structures=STRUCTURES,
        )
    return found


def write_images(xrays, folder):
    folder.mkdir(parents=True, exist_ok=True)
    for name, xray in xrays.items():
        Image.fromarray(xray.image).save(folder / f"{name}.png")


def write_masks(xrays, folder, kind):
    if kind == "rle":
        write_rle(map(rle_row, xrays.values()), folder / TABLES[kind], STRUCTURES)
    elif kind == "coco":
        write_coco(map(coco_entry, xrays.values()), folder / TABLES[kind], STRUCTURES)
    else:
        write = {**WRITERS, "npz": write_npz}[kind]
        for name, xray in xrays.items():
            folder.mkdir(parents=True, exist_ok=True)
            probabilities = np.stack(
                [xray.labels == each.label for each in STRUCTURES], axis=-1
            ).astype(np.float32)
            with_probabilities = replace(xray, probabilities=probabilities)
            write(with_probabilities, folder / f"{name}{SUFFIXES[kind]}")


def references(source, out, **settings):
    settings = {"size": 64, "workers": 1, "val": 0, "test": 0} | settings
    report = prepare([source], settings=PrepareSettings(out=out, **settings))
    prepared = open_prepared(out)
    read = {c.case_id: prepared.read_reference(c) for c in prepared.cases if c.has_mask}
    return read, report


@pytest.mark.parametrize("kind", ["png", "nifti", "npz", "rle", "coco"])
@pytest.mark.parametrize("layout", ["beside the images", "--images"])
def test_the_same_labels(xrays, tmp_path, kind, layout):
    images = tmp_path / "ward" / "images"
    write_images(xrays, images)
    if layout == "--images":
        write_masks(xrays, tmp_path / "drawn", kind)
        read, _ = references(tmp_path / "drawn", tmp_path / "p", images=images)
    else:
        write_masks(xrays, tmp_path / "ward" / "masks", kind)
        read, _ = references(tmp_path / "ward", tmp_path / "p")
    assert read.keys() == xrays.keys()
    for name, labels in read.items():
        np.testing.assert_array_equal(labels, xrays[name].labels)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["png", "nifti", "npz", "rle", "coco"])
def test_the_journal_knows_the_images(tmp_path, kind):
    """The bundled network's masks of phantoms, also of folders below."""
    images = tmp_path / "elsewhere"
    drawn = draw_phantom(seed=3, size=128).image
    for name in ("a.png", "ward/b.png"):
        (images / name).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(drawn[: 120 if name == "a.png" else 128]).save(images / name)
    masks = tmp_path / "masks"
    settings = PredictSettings(formats=(kind, "csv", "overlay"))
    predict([str(images)], out=masks, settings=settings)
    with pytest.raises(DatasetError, match="--unreviewed"):
        references(masks, tmp_path / "p")
    read, _ = references(masks, tmp_path / "p", unreviewed=True)
    predict([str(images)], out=tmp_path / "png")
    assert read.keys() == {"a", "ward/b"}
    for name, labels in read.items():
        expected = np.asarray(Image.open(tmp_path / "png" / f"{name}.png"))
        np.testing.assert_array_equal(labels, expected)
    images.rename(tmp_path / "moved")
    with pytest.raises(DatasetError, match="--images FOLDER"):
        references(masks, tmp_path / "q", unreviewed=True)
    again, _ = references(
        masks, tmp_path / "q", unreviewed=True, images=tmp_path / "moved"
    )
    assert again.keys() == read.keys()


def test_polygons_and_several_parts(xrays, tmp_path):
    """Against pycocotools, but for a line of pixels at the border."""
    write_images({"b": xrays["b"]}, tmp_path / "ward" / "images")
    square = [10.0, 10.0, 30.0, 10.0, 30.0, 50.0, 10.0, 50.0]
    other = [40.0, 10.0, 55.0, 10.0, 55.0, 50.0, 40.0, 50.0]
    document = {
        "categories": [{"id": 7, "name": "Lung"}, {"id": 8, "name": "clavicle"}],
        "images": [{"id": 3, "file_name": "set/b.png", "height": 64, "width": 64}],
        "annotations": [
            {"image_id": 3, "category_id": 7, "segmentation": [square]},
            {"image_id": 3, "category_id": 7, "segmentation": [other]},
            {"image_id": 3, "category_id": 8, "segmentation": [square]},
        ],
    }
    path = tmp_path / "ward" / "annotations" / "instances_default.json"
    path.parent.mkdir()
    path.write_text(json.dumps(document))
    read, _ = references(tmp_path / "ward", tmp_path / "p")
    rles = coco_masks.frPyObjects([square, other], 64, 64)
    expected = coco_masks.decode(coco_masks.merge(rles)).astype(bool)
    assert (expected ^ (read["b"] > 0)).sum() <= 2 * (20 + 40 + 15 + 40)
    assert set(np.unique(read["b"])) == {0, 1, 2}  # sides by where they lie


def test_runs_not_compressed(xrays, tmp_path):
    write_images({"b": xrays["b"]}, tmp_path / "ward" / "images")
    counts = [64 * 8, 64 * 20, 64 * 8, 64 * 20, 64 * 8]
    entry = {"size": [64, 64], "counts": counts}
    document = {
        "categories": [{"id": 1, "name": "lungs"}],
        "images": [{"id": 1, "file_name": "b.png", "height": 64, "width": 64}],
        "annotations": [{"image_id": 1, "category_id": 1, "segmentation": entry}],
    }
    (tmp_path / "ward" / "a.json").write_text(json.dumps(document))
    read, _ = references(tmp_path / "ward", tmp_path / "p")
    assert (read["b"][:, 8:28] == 1).all()
    assert (read["b"][:, 36:56] == 2).all()
    assert np.count_nonzero(read["b"]) == 64 * 40


def test_masks_of_chexmask_are_a_networks(xrays, tmp_path):
    write_images(xrays, tmp_path / "ward" / "images")
    rows = [rle_row(xray) for xray in xrays.values()]
    with (tmp_path / "ward" / "masks.csv").open("w", newline="") as file:
        table = csv.writer(file)
        names = ("Left Lung", "Right Lung", "Heart", "Height", "Width")
        table.writerow(("dicom_id", "Dice RCA (Mean)", "Landmarks", *names))
        for row in rows:
            cells = [row[name.lower().replace(" ", "_")] for name in names]
            table.writerow((row["image_id"], 0.9, "[[1 2]\n [3 4]]", *cells))
    with pytest.raises(DatasetError, match="estimated Dice"):
        references(tmp_path / "ward", tmp_path / "p")
    read, _ = references(tmp_path / "ward", tmp_path / "p", unreviewed=True)
    for name, labels in read.items():
        np.testing.assert_array_equal(labels, xrays[name].labels)


@pytest.mark.parametrize(
    "segmentation",
    [
        pytest.param({"size": [64, 64], "counts": "zzz"}, id="letters"),
        pytest.param({"size": [64, 64], "counts": [1, 2, 3]}, id="too few"),
        pytest.param({"size": [64, 64], "counts": [5000, -904]}, id="negative"),
        pytest.param({"size": [1, 1], "counts": [1]}, id="other size"),
        pytest.param([[1, 2, 3]], id="half a point"),
        pytest.param("", id="text"),
    ],
)
def test_damaged_masks_are_findings(xrays, tmp_path, segmentation):
    write_images({"a": xrays["b"], "b": xrays["b"]}, tmp_path / "ward" / "images")
    good = {"size": [64, 64], "counts": [640, 640, 64 * 44]}
    document = {
        "categories": [{"id": 1, "name": "lungs"}],
        "images": [
            {"id": n, "file_name": f"{name}.png", "height": 64, "width": 64}
            for n, name in enumerate("ab")
        ],
        "annotations": [
            {"image_id": 0, "category_id": 1, "segmentation": segmentation},
            {"image_id": 1, "category_id": 1, "segmentation": good},
        ],
    }
    (tmp_path / "ward" / "a.json").write_text(json.dumps(document))
    read, report = references(tmp_path / "ward", tmp_path / "p")
    assert read.keys() == {"b"}
    bad = {finding.case_id: finding.issue for finding in report.findings}
    assert bad["a"] in {Issue.UNREADABLE, Issue.EMPTY_MASK}


def test_entries_without_image_and_images_without_entry(xrays, tmp_path):
    write_images({"a": xrays["a"], "z": xrays["b"]}, tmp_path / "ward" / "images")
    write_masks(xrays, tmp_path / "ward", "rle")
    read, report = references(tmp_path / "ward", tmp_path / "p")
    assert read.keys() == {"a"}
    found = {(finding.issue, finding.case_id) for finding in report.findings}
    assert (Issue.NO_MASK, "z") in found
    assert (Issue.NO_IMAGE, "b.png") in found


def test_nothing_is_called_alike(xrays, tmp_path):
    write_images({"x": xrays["b"]}, tmp_path / "images")
    write_masks(xrays, tmp_path / "drawn", "png")
    with pytest.raises(DatasetError, match=r"the first X-ray is x\.png"):
        references(tmp_path / "drawn", tmp_path / "p", images=tmp_path / "images")
