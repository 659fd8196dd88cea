"""The encodings and sizes that the sets are published in, all the way through."""

import numpy as np
import pytest
from PIL import Image

from lungcli.data.prepared import open_prepared
from lungcli.workflows.preparing.prepare import prepare
from lungcli.workflows.preparing.settings import PrepareSettings


def cxr(height, width, shift=0.0):
    """Draw something bright with two dark lungs, 8 bits."""
    rows = np.linspace(0, 6 + shift, height)[:, None]
    columns = np.linspace(0, 5, width)[None, :]
    bright = 150 + 60 * np.sin(rows) * np.cos(columns + shift)
    return np.where(lung(height, width), bright / 3, bright).astype(np.uint8)


def lung(height, width, *sides):
    mask = np.zeros((height, width), np.bool_)
    rows = slice(height // 5, 4 * height // 5)
    if "right" in sides or not sides:
        mask[rows, width // 8 : 3 * width // 8] = True
    if "left" in sides or not sides:
        mask[rows, 5 * width // 8 : 7 * width // 8] = True
    return mask


def save(path, image):
    path.parent.mkdir(parents=True, exist_ok=True)
    picture = image if isinstance(image, Image.Image) else Image.fromarray(image)
    options = {"compress_level": 1} if path.suffix == ".png" else {}
    picture.save(path, **options)


def run(root, out):
    report = prepare(
        [root], settings=PrepareSettings(out=out, size=128, workers=1, check=False)
    )
    return report, open_prepared(out)


def test_montgomery(tmp_path):
    root = tmp_path / "MontgomerySet"
    shapes = {"MCUCXR_0001_0": (4020, 4892), "MCUCXR_0002_0": (4892, 4020)}
    for index, (name, shape) in enumerate(shapes.items()):
        save(root / "CXR_png" / f"{name}.png", cxr(*shape, shift=index))
        for side in ("left", "right"):
            mask = lung(*shape, side) * np.uint8(255)
            save(root / "ManualMask" / f"{side}Mask" / f"{name}.png", mask)
    report, dataset = run(root, tmp_path / "p")
    assert report.findings == ()
    for case in dataset.cases:
        shape = shapes[case.case_id]
        assert case.spacing_mm == (0.0875, 0.0875)
        assert case.sides == "given"
        reference = dataset.read_reference(case)
        np.testing.assert_array_equal(reference == 1, lung(*shape, "right"))
        np.testing.assert_array_equal(reference == 2, lung(*shape, "left"))
        assert dataset.read_mask(case).shape == (128, 128)


def palette_image(gray):
    """Store gray levels as a palette PNG whose indices run backwards."""
    image = Image.fromarray(255 - gray)
    image.putpalette([255 - index // 3 for index in range(768)])
    return image


def test_shenzhen_palette(tmp_path):
    root = tmp_path / "ChinaSet_AllFiles"
    gray = cxr(300, 320)
    save(root / "CXR_png" / "CHNCXR_0001_0.png", palette_image(gray))
    mask = lung(300, 320) * np.uint8(255)
    save(root / "mask" / "CHNCXR_0001_0_mask.png", mask)
    report, dataset = run(root, tmp_path / "p")
    (case,) = dataset.cases
    assert report.findings == ()
    assert (case.notes, case.sides, case.spacing_mm) == ("palette", "derived", None)
    image = dataset.read_image(case)
    inside = dataset.read_mask(case) > 0
    assert image[inside].mean() < 80
    assert image[40:80, 60:68].mean() > 120
    np.testing.assert_array_equal(dataset.read_reference(case) > 0, lung(300, 320))


def test_jsrt_raw(tmp_path):
    root = tmp_path / "JSRT"
    bright = cxr(2048, 2048).astype(np.uint16) * 16
    path = root / "All247images" / "JPCLN001.IMG"
    path.parent.mkdir(parents=True)
    (4095 - bright).astype(">u2").tofile(path)
    for side in ("left", "right"):
        mask = lung(1024, 1024, side) * np.uint8(255)
        save(root / "scratch/fold1/masks" / f"{side} lung" / "JPCLN001.gif", mask)
    report, dataset = run(root, tmp_path / "p")
    (case,) = dataset.cases
    assert report.findings == ()
    assert (case.spacing_mm, case.sides) == ((0.175, 0.175), "given")
    assert case.window_low > case.window_high  # inverted
    reference = dataset.read_reference(case)
    right = lung(1024, 1024, "right").repeat(2, axis=0).repeat(2, axis=1)
    np.testing.assert_array_equal(reference == 1, right)
    image, inside = dataset.read_image(case), dataset.read_mask(case) > 0
    assert image[inside].mean() < image[~inside].mean()


@pytest.mark.parametrize("name", ["Lung Segmentation", "."])
def test_merged_copy(tmp_path, name):
    root = tmp_path / "archive" / "Lung Segmentation"
    for index, stem in enumerate(("MCUCXR_0001_0", "CHNCXR_0001_0", "CHNCXR_0325_0")):
        save(root / "CXR_png" / f"{stem}.png", cxr(90, 80, shift=index))
    save(root / "test" / "CHNCXR_0340_1.png", cxr(90, 80, shift=3))
    mask = lung(90, 80) * np.uint8(255)
    save(root / "masks" / "MCUCXR_0001_0.png", mask)
    save(root / "masks" / "CHNCXR_0001_0_mask.png", mask)
    report, dataset = run(tmp_path / "archive" / name, tmp_path / "p")
    counts = {each.name: each for each in report.sources}
    assert sum(counts["montgomery"].splits.values()) == 1
    assert sum(counts["shenzhen"].splits.values()) == 1
    assert counts["shenzhen"].no_mask == 2
    assert [case.case_id for case in dataset.cases if case.has_mask] == [
        "MCUCXR_0001_0",
        "CHNCXR_0001_0",
    ]
