import numpy as np
import pytest

from lungcli.data.read_xray import read_xray

pytestmark = pytest.mark.data


@pytest.fixture
def dicom(real_data):
    return real_data / "dicom"


def test_chest_in_15_bits_without_spacing(dicom):
    xray = read_xray(dicom / "RG1_J2KI.dcm")
    assert xray.pixels.shape == (1955, 1841)
    assert (xray.spacing_mm, xray.spacing_source) == (None, "")
    assert (xray.view, xray.quarter_turns, xray.mirrored) == ("PA", 0, False)
    assert xray.notes == ("window 15000/30000 (LINEAR)", "inverted (MONOCHROME1)")
    assert xray.doubts == ()
    spine = xray.pixels[900:1500, 880:960].mean()
    air = xray.pixels[60:150, 40:160].mean()
    lung = xray.pixels[280:420, 480:640].mean()
    assert air < lung < spine


def test_two_encodings_of_one_leg(dicom):
    lossy = read_xray(dicom / "RG3_J2KI.dcm")
    lossless = read_xray(dicom / "RG3_J2KR.dcm")
    difference = lossy.pixels.astype(int) - lossless.pixels
    assert np.abs(difference).mean() < 2
    assert lossless.doubts == ("body part EXTREMITY: no chest",)
    assert lossless.mirrored is True  # seen from behind
