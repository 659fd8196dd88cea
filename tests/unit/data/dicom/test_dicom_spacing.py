import pytest
from pydicom.dataset import Dataset

from lungcli.data.dicom.spacing import read_spacing

DETECTOR = "(at the detector, not in the patient)"


def dataset(**tags):
    made = Dataset()
    for keyword, value in tags.items():
        setattr(made, keyword, value)
    return made


@pytest.mark.parametrize(
    ("tags", "expected", "source"),
    [
        pytest.param({}, None, "", id="none"),
        pytest.param(
            {"PixelSpacing": [0.2, 0.1]}, (0.2, 0.1), "PixelSpacing", id="one"
        ),
        pytest.param({"PixelSpacing": [0, 0]}, None, "", id="zero"),
        pytest.param({"PixelSpacing": [0.2, -0.1]}, None, "", id="negative"),
        pytest.param({"PixelSpacing": ["1e308", "1e308"]}, None, "", id="absurd"),
        pytest.param({"PixelSpacing": [0.2, 1e-9]}, None, "", id="next to nothing"),
        pytest.param({"PixelSpacing": None}, None, "", id="empty"),
        pytest.param({"PixelSpacing": 0.2}, None, "", id="only one value"),
        pytest.param(
            {"ImagerPixelSpacing": [0.2, 0.1]},
            (0.2, 0.1),
            f"ImagerPixelSpacing {DETECTOR}",
            id="detector",
        ),
        pytest.param(
            {"PixelSpacing": [0, 0], "ImagerPixelSpacing": [0.2, 0.1]},
            (0.2, 0.1),
            f"ImagerPixelSpacing {DETECTOR}",
            id="zero, but detector",
        ),
        pytest.param(
            {"PixelSpacing": [0.2, 0.2], "ImagerPixelSpacing": [0.2, 0.2]},
            (0.2, 0.2),
            f"PixelSpacing {DETECTOR}",
            id="repeated",
        ),
        pytest.param(
            {
                "PixelSpacing": [0.18, 0.18],
                "ImagerPixelSpacing": [0.2, 0.2],
                "PixelSpacingCalibrationType": "GEOMETRY",
            },
            (0.18, 0.18),
            "PixelSpacing (calibrated by geometry)",
            id="calibrated",
        ),
        pytest.param(
            {"NominalScannedPixelSpacing": [0.175, 0.175]},
            (0.175, 0.175),
            "NominalScannedPixelSpacing (on the film, not in the patient)",
            id="film",
        ),
    ],
)
def test_spacing_and_its_source(tags, expected, source):
    assert read_spacing(dataset(**tags)) == (expected, source)


@pytest.mark.parametrize("junk", [b"wide\\0.1", b"1e400\\1", b"nan\\0.1", b"0,2\\0,2"])
def test_what_is_no_number_counts_as_unknown(junk, write, dataset_with_spacing):
    from lungcli.data.read_xray import read_xray

    path = write(dataset_with_spacing)
    content = path.read_bytes()
    place = content.index(b"0.143000\\0.143000")
    padded = junk.ljust(17)
    path.write_bytes(content[:place] + padded + content[place + 17 :])
    assert read_xray(path).spacing_mm is None


@pytest.fixture
def dataset_with_spacing(ramp):
    from dicom_files import make_dataset

    return make_dataset(ramp, PixelSpacing=["0.143000", "0.143000"])
