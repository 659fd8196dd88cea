"""Masks that predict writes are read back as they were, on the same grid."""

from pathlib import Path, PurePosixPath

import nibabel
import numpy as np
import pydicom
import pytest
from PIL import Image

from lungcli.data.mask_files import read_mask
from lungcli.data.mask_formats import read_format
from lungcli.data.prepared import open_prepared
from lungcli.errors import ImageError
from lungcli.outputs.dicom_seg import write_dicom_seg
from lungcli.outputs.label_png import write_label_png
from lungcli.outputs.labelled import LabelledXray
from lungcli.outputs.nifti import write_nifti
from lungcli.outputs.npz import write_npz
from lungcli.phantom import draw_phantom
from lungcli.workflows.preparing.prepare import prepare
from lungcli.workflows.preparing.settings import PrepareSettings

CR = "1.2.840.10008.5.1.4.1.1.1"


def phantom():
    """Not square, so that no axis stands for the other."""
    drawn = draw_phantom(5, 96)
    return drawn.image[:, 3:], drawn.labels[:, 3:]


def dicom(path: Path, shape: tuple[int, int]) -> Path:
    dataset = pydicom.Dataset()
    dataset.SOPClassUID, dataset.SOPInstanceUID = CR, "1.2.3.4"
    dataset.StudyInstanceUID, dataset.SeriesInstanceUID = "1.2.3", "1.2.3.1"
    dataset.Rows, dataset.Columns = shape
    dataset.file_meta = pydicom.dataset.FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = pydicom.uid.ExplicitVRLittleEndian
    dataset.file_meta.MediaStorageSOPClassUID = CR
    dataset.file_meta.MediaStorageSOPInstanceUID = "1.2.3.4"
    dataset.save_as(path, enforce_file_format=True)
    return path


def write(folder: Path, kind: str, labels: np.ndarray) -> Path:
    image = np.zeros_like(labels)
    xray = LabelledXray(
        name=PurePosixPath("a.png"), image=image, labels=labels, spacing_mm=(0.2, 0.1)
    )
    if kind == "png":
        return write_label_png(labels, folder / "a.png")
    if kind == "nifti":
        return write_nifti(xray, folder / "a.nii.gz")
    if kind == "npz":
        return write_npz(xray, folder / "a.npz")
    source = dicom(folder / "source.ima", labels.shape)
    xray = LabelledXray(name=xray.name, image=image, labels=labels, dicom=source)
    return write_dicom_seg(xray, folder / "a_seg.dcm", model="test")


KINDS = ("png", "nifti", "npz", "dicom-seg")


@pytest.mark.parametrize("kind", KINDS)
def test_prepare_reads_what_predict_writes(tmp_path, kind):
    image, labels = phantom()
    for name in ("images", "masks"):
        (tmp_path / "ward" / name).mkdir(parents=True)
    Image.fromarray(image).save(tmp_path / "ward/images/a.png")
    write(tmp_path / "ward/masks", kind, labels)
    out = tmp_path / "prepared"
    report = prepare([tmp_path / "ward"], settings=PrepareSettings(out=out, workers=1))
    assert report.findings == ()
    dataset = open_prepared(out)
    (case,) = dataset.cases
    assert case.sides == "given"
    assert (dataset.read_reference(case) == labels).all()


@pytest.mark.parametrize("kind", ["png", "nifti", "npz"])
def test_hearts_are_read_back(tmp_path, kind):
    labels = draw_phantom(5, 96).all_labels
    raw = read_mask(write(tmp_path, kind, labels))
    assert raw.has_sides
    assert (raw.labels == labels).all()


@pytest.mark.parametrize("label", [1, 2])
def test_one_lung_of_a_dicom_seg(tmp_path, label):
    labels = np.where(phantom()[1] == label, label, 0).astype(np.uint8)
    assert (read_format(write(tmp_path, "dicom-seg", labels)) == labels).all()


def test_a_segment_that_lungcli_does_not_draw(tmp_path):
    path = write(tmp_path, "dicom-seg", phantom()[1])
    dataset = pydicom.dcmread(path)
    for segment in dataset.SegmentSequence:
        segment.SegmentedPropertyTypeCodeSequence[0].CodeValue = "51299004"
    dataset.save_as(path)
    with pytest.raises(ImageError, match="no segment that is coded as one of right"):
        read_mask(path)


def test_an_xray_is_no_segmentation(tmp_path):
    path = dicom(tmp_path / "a.dcm", (4, 4))
    with pytest.raises(ImageError, match="is no DICOM Segmentation"):
        read_mask(path)


@pytest.mark.parametrize("signs", [(1, -1), (-1, 1), (1, 1)])
def test_a_turned_nifti_is_refused(tmp_path, signs):
    affine = np.diag([*signs, 1, 1])
    nibabel.Nifti1Image(phantom()[1].T[..., None], affine).to_filename(
        tmp_path / "a.nii"
    )
    with pytest.raises(ImageError, match="may be turned or mirrored"):
        read_mask(tmp_path / "a.nii")


def test_several_slices(tmp_path):
    volume = np.zeros((4, 5, 3), np.uint8)
    nibabel.Nifti1Image(volume, np.diag([-1, -1, 1, 1])).to_filename(tmp_path / "a.nii")
    with pytest.raises(ImageError, match=r"shape \(4, 5, 3\)\. Give a mask of one"):
        read_mask(tmp_path / "a.nii")


def test_an_archive_of_something_else(tmp_path):
    np.savez(tmp_path / "a.npz", labels=np.zeros((2, 3, 4)))
    np.savez(tmp_path / "b.npz", other=np.zeros((2, 3)))
    with pytest.raises(ImageError, match=r"labels are float64 \(2, 3, 4\)"):
        read_mask(tmp_path / "a.npz")
    with pytest.raises(ImageError, match="cannot be read as a mask"):
        read_mask(tmp_path / "b.npz")


@pytest.mark.parametrize("name", ["a.nii", "a.nii.gz", "a.npz", "a.dcm"])
def test_broken_and_missing_files(tmp_path, name):
    with pytest.raises(ImageError, match="cannot read"):
        read_mask(tmp_path / name)
    (tmp_path / name).write_bytes(b"nothing of the kind" * 20)
    with pytest.raises(ImageError, match=name):
        read_mask(tmp_path / name)


def test_an_archive_that_claims_too_much(tmp_path):
    np.savez(tmp_path / "a.npz", labels=np.zeros((1, 1), np.uint8))
    content = (tmp_path / "a.npz").read_bytes()
    assert b"(1, 1), }" in content
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("lungcli.data.mask_formats.MAX_PIXELS", 0)
        with pytest.raises(ImageError, match="claims more pixels"):
            read_mask(tmp_path / "a.npz")
