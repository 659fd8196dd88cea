"""A DICOM file full of names: none gets out, except where a format must have it."""

import gzip
import io
import json
import subprocess
import sys
import zipfile

import pydicom
import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo
from pydicom.datadict import dictionary_VR, keyword_dict
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import DigitalXRayImageStorageForPresentation, ExplicitVRLittleEndian

from lungcli.phantom import draw_phantom

MARK = b"MARKED"
UID = "1.2.826.0.1.77007.7"  # the prefix of every UID
DATE = "19420717"
_TEXTS = ("PN", "LO", "SH", "ST", "LT", "UT", "UC", "UR", "CS", "AE")
_NOT_FOR_US = (
    "PhotometricInterpretation",  # these are about pixels: a name there is no image
    "PresentationLUTShape",
    "SpecificCharacterSet",
    "PixelSpacingCalibrationType",
)
# what a DICOM segmentation repeats, or it would not belong to its study
_REPEATED = {
    "PatientName",
    "PatientID",
    "PatientBirthDate",
    "PatientSex",
    "StudyID",
    "StudyDate",
    "AccessionNumber",
    "ReferringPhysicianName",
    "ContentDate",
    "PositionReferenceIndicator",
    "TimezoneOffsetFromUTC",
    "LossyImageCompression",
    "LossyImageCompressionMethod",
}


def marked_tags():
    """Return a mark for every keyword of text and date of the standard."""
    tags = {}
    for keyword in keyword_dict:
        kind = dictionary_VR(keyword)
        if keyword and kind in _TEXTS and keyword not in _NOT_FOR_US:
            tags[keyword] = "MARKED^NAME"
        elif keyword and kind == "DA":
            tags[keyword] = DATE
        elif keyword and kind == "UI":
            tags[keyword] = f"{UID}.{len(tags)}"
    return tags


def write_marked(path, *, broken=False, **changes):
    """Write a digital X-ray of a phantom that names its patient everywhere."""
    image = draw_phantom(3, 128).image
    dataset = Dataset()
    with pydicom.config.disable_value_validation():
        for keyword, value in (marked_tags() | changes).items():
            if keyword_dict[keyword] >> 16 not in (0x0000, 0x0002, 0x0004, 0x5200):
                setattr(dataset, keyword, value)
    dataset.SOPClassUID = DigitalXRayImageStorageForPresentation
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    dataset.add_new((0x0009, 0x0010), "LO", "MARKED PRIVATE")
    dataset.add_new((0x0009, 0x1001), "LO", "MARKED^PRIVATE")
    dataset.Modality = "DX"
    dataset.PhotometricInterpretation = "MONOCHROME2"
    dataset.Rows, dataset.Columns = image.shape
    dataset.BitsAllocated = dataset.BitsStored = 8
    dataset.HighBit, dataset.SamplesPerPixel, dataset.PixelRepresentation = 7, 1, 0
    dataset.PixelData = image.tobytes()[: -99 if broken else None]
    with pydicom.config.disable_value_validation():
        dataset.save_as(path, enforce_file_format=True)
    return path


def unpacked(path):
    """Return the bytes of a file and, of packed ones, what they hold."""
    content = path.read_bytes()
    if path.suffix == ".gz":
        content += gzip.decompress(content)
    if path.suffix == ".npz":
        with zipfile.ZipFile(path) as file:
            content += b"".join(map(file.read, file.namelist()))
    if path.suffix == ".png":
        with Image.open(io.BytesIO(content)) as picture:
            picture.load()
            content += repr(picture.info).encode()
    return content


@pytest.fixture
def ward(tmp_path):
    """Honest, broken and odd files, a zip of one, and a PNG that says whose it is."""
    folder = tmp_path / "ward"
    folder.mkdir()
    write_marked(folder / "honest.dcm")
    write_marked(folder / "broken.dcm", broken=True)
    write_marked(folder / "colour.dcm", PhotometricInterpretation="MARKED")
    write_marked(
        folder / "odd.dcm",
        PixelSpacing=[7.654321, 7.654321],
        WindowCenter=7.654321,
        PatientAge="MARKED",
        SpecificCharacterSet="ISO_IR 100",
    )
    content = (folder / "odd.dcm").read_bytes()
    for number, text in ((b"7.654321", b"MARKED77"), (b"ISO_IR", b"MARKED")):
        assert number in content
        content = content.replace(number, text)
    (folder / "odd.dcm").write_bytes(content)
    texts = PngInfo()
    texts.add_text("Patient", "MARKED^NAME")
    Image.fromarray(draw_phantom(4, 96).image).save(folder / "a.png", pnginfo=texts)
    with zipfile.ZipFile(folder / "packed.zip", "w") as file:
        file.write(folder / "honest.dcm", "zipped.dcm")
    return folder


def command(*arguments, cwd):
    """Run lungcli as a user does: warnings of libraries show."""
    line = [sys.executable, "-W", "always", "-m", "lungcli", *map(str, arguments)]
    return subprocess.run(line, cwd=cwd, capture_output=True, check=False)


def has_mark(content):
    return MARK in content or UID.encode() in content or DATE.encode() in content


def test_predict_lets_nothing_out(ward, tmp_path):
    formats = "png,nifti,rle,coco,npz,overlay,csv"
    done = command(
        *("predict", ward, "--format", formats, "--review", "--out", "out"),
        cwd=tmp_path,
    )
    assert done.returncode in (0, 3), done.stderr
    assert b"broken.dcm" in done.stderr
    assert not has_mark(done.stdout + done.stderr), done.stderr
    files = [path for path in (tmp_path / "out").rglob("*") if path.is_file()]
    assert {path.suffix for path in files} >= {".png", ".gz", ".npz", ".csv", ".json"}
    for path in files:
        assert not has_mark(unpacked(path)), path
        assert not has_mark(str(path.relative_to(tmp_path)).encode())


def test_a_dicom_segmentation_repeats_what_it_must_and_no_more(ward, tmp_path):
    done = command(
        *("predict", ward / "honest.dcm", "--format", "dicom-seg", "--out", "out"),
        *("--json",),
        cwd=tmp_path,
    )
    assert done.returncode == 0, done.stderr
    assert not has_mark(done.stdout + done.stderr)
    assert json.loads(done.stdout)["files"][0]["status"] in ("ok", "doubtful")
    (path,) = (tmp_path / "out").glob("*.dcm")
    for element in pydicom.dcmread(path).iterall():
        if element.VR not in ("UI", "SQ") and has_mark(str(element.value).encode()):
            assert element.keyword in _REPEATED, element
