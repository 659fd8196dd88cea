import numpy as np
import pytest
from dicom_files import make_dataset, to_bytes
from pydicom.uid import ExplicitVRLittleEndian


@pytest.fixture
def ramp():
    """A 12-bit image whose every row runs from dark to bright, 48 by 64."""
    row = np.linspace(100, 4000, 64).astype(np.uint16)
    return np.tile(row, (48, 1))


@pytest.fixture
def dataset(ramp):
    """A valid DX image of `ramp`, MONOCHROME2 without a window."""
    return make_dataset(ramp)


@pytest.fixture
def write(tmp_path):
    """Write a data set and return its path."""

    def write(dataset, syntax=ExplicitVRLittleEndian, name="a.dcm"):
        path = tmp_path / name
        path.write_bytes(to_bytes(dataset, syntax))
        return path

    return write
