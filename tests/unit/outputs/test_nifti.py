"""NIfTI label maps: geometry, units and sides as nibabel reads them."""

import nibabel
import numpy as np
import pytest

from lungcli.outputs.nifti import affine, write_nifti


def test_labels_are_read_back(labels, make_xray, tmp_path):
    path = write_nifti(make_xray(labels), tmp_path / "ward" / "chest.nii.gz")
    image = nibabel.load(path)
    assert image.get_data_dtype() == np.uint8
    assert image.shape == (labels.shape[1], labels.shape[0], 1)
    np.testing.assert_array_equal(np.asarray(image.dataobj)[..., 0].T, labels)


def test_columns_run_to_the_left_and_rows_to_the_back(lungs, make_xray, tmp_path):
    """The axes that ITK gives an image without orientation, as NIfTI counts them."""
    path = write_nifti(make_xray(lungs), tmp_path / "chest.nii.gz")
    assert nibabel.aff2axcodes(nibabel.load(path).affine) == ("L", "P", "S")


def test_the_right_lung_is_at_the_right(lungs, make_xray, tmp_path):
    path = write_nifti(make_xray(lungs), tmp_path / "chest.nii.gz")
    image = nibabel.as_closest_canonical(nibabel.load(path))  # first axis to the right
    data = np.asarray(image.dataobj)
    assert np.argwhere(data == 1)[:, 0].mean() > np.argwhere(data == 2)[:, 0].mean()


def test_spacing(lungs, make_xray, tmp_path):
    path = write_nifti(make_xray(lungs, spacing_mm=(0.2, 0.1)), tmp_path / "a.nii.gz")
    image = nibabel.load(path)
    assert image.header.get_zooms()[:2] == pytest.approx((0.1, 0.2))  # column, row
    assert image.header.get_xyzt_units()[0] == "mm"
    np.testing.assert_allclose(image.affine, affine((0.2, 0.1)), rtol=1e-6)
    np.testing.assert_allclose(image.get_qform(), image.get_sform(), rtol=1e-6)
    assert image.header["qform_code"] == image.header["sform_code"] == 1


def test_unknown_spacing_is_1_of_no_unit(lungs, make_xray, tmp_path):
    image = nibabel.load(write_nifti(make_xray(lungs), tmp_path / "a.nii.gz"))
    assert image.header.get_zooms() == (1, 1, 1)
    assert image.header.get_xyzt_units()[0] == "unknown"


def test_equal_input_gives_equal_bytes(lungs, make_xray, tmp_path):
    first = write_nifti(make_xray(lungs), tmp_path / "a.nii.gz")
    second = write_nifti(make_xray(np.asfortranarray(lungs)), tmp_path / "b.nii.gz")
    assert first.read_bytes() == second.read_bytes()
    assert first.read_bytes()[4:8] == bytes(4)  # no time in the gzip header


def test_a_heart_is_read_back(make_chest, chest, lungs, make_xray, tmp_path):
    image = nibabel.load(write_nifti(make_chest(), tmp_path / "chest.nii.gz"))
    found = np.asarray(image.dataobj)[..., 0].T
    np.testing.assert_array_equal(found, chest)
    assert image.header["cal_max"] == 3
    alone = nibabel.load(write_nifti(make_xray(lungs), tmp_path / "lungs.nii.gz"))
    assert alone.header["cal_max"] == 2
