"""DICOM Segmentations: read back by highdicom, beside images of every kind."""

import shutil
import subprocess
from pathlib import Path

import highdicom
import numpy as np
import pydicom
import pytest
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian

from lungcli._version import __version__
from lungcli.anatomy import HEART, LUNGS, STRUCTURES
from lungcli.errors import ImageError, OutputError
from lungcli.outputs.dicom_seg import write_dicom_seg
from lungcli.system.quiet import without_warnings

CR = "1.2.840.10008.5.1.4.1.1.1"
SECONDARY_CAPTURE = "1.2.840.10008.5.1.4.1.1.7"
MULTI_FRAME = "1.2.840.10008.5.1.4.1.1.7.2"
DX = "1.2.840.10008.5.1.4.1.1.1.1"
PRIVATE = "1.3.12.2.1107.5.9.1"
FACTS = {
    "SpecificCharacterSet": "ISO_IR 100",
    "SOPInstanceUID": "1.2.3.4",
    "StudyInstanceUID": "1.2.3",
    "SeriesInstanceUID": "1.2.3.1",
    "StudyDate": "20040826",
    "StudyTime": "185059",
    "AccessionNumber": "A1",
    "PatientName": "Müller^Anna",
    "PatientID": "P1",
    "PatientBirthDate": "19400305",
    "PatientSex": "F",
    "StudyID": "S1",
    "InstanceNumber": "3",
    "OtherPatientIDs": "secret",
    "InstitutionName": "secret",
}


@pytest.fixture
def source(lungs, tmp_path):
    """A function that writes a DICOM image, with what is given changed or dropped."""

    def write(*, syntax=ExplicitVRLittleEndian, **changes):
        dataset = pydicom.Dataset()
        for keyword, value in ({"SOPClassUID": CR} | FACTS | changes).items():
            if value is not None:
                setattr(dataset, keyword, value)
        dataset.Rows, dataset.Columns = lungs.shape
        dataset.file_meta = pydicom.dataset.FileMetaDataset()
        dataset.file_meta.TransferSyntaxUID = syntax
        dataset.file_meta.MediaStorageSOPClassUID = CR
        dataset.file_meta.MediaStorageSOPInstanceUID = "1.2.3.4"
        dataset.save_as(tmp_path / "image.dcm", enforce_file_format=True)
        return tmp_path / "image.dcm"

    def write_what_no_device_should(**changes):
        with pytest.MonkeyPatch.context() as patch:
            let_pass(patch)
            return write(**changes)

    return write_what_no_device_should


def let_pass(patch):
    """Let pydicom accept values against the standard, which are a warning else."""
    settings = pydicom.config.settings
    patch.setattr(settings, "reading_validation_mode", pydicom.config.IGNORE)


@pytest.fixture
def write(lungs, make_xray, tmp_path):
    """A function that writes the segmentation of a DICOM image."""

    def write(dicom, labels=lungs, name="seg.dcm"):
        xray = make_xray(labels, dicom=dicom)
        return write_dicom_seg(xray, tmp_path / "out" / name, model="bundled")

    return write


def frames(path):
    """Return the two frames of a segmentation, as highdicom reads them."""
    segmentation = highdicom.seg.segread(path)
    pixels = segmentation.get_pixels_by_source_instance(
        [segmentation.SourceImageSequence[0].ReferencedSOPInstanceUID],
        segment_numbers=[1, 2],
        ignore_spatial_locations=True,
    )
    return pixels[0, ..., 0] > 0, pixels[0, ..., 1] > 0


def references(dataset):
    """Yield every item that refers to the image."""
    yield dataset.SourceImageSequence[0]
    yield dataset.ReferencedSeriesSequence[0].ReferencedInstanceSequence[0]
    for frame in dataset.PerFrameFunctionalGroupsSequence:
        yield frame.DerivationImageSequence[0].SourceImageSequence[0]


def test_both_lungs_lie_on_the_grid_of_the_image(source, write, lungs):
    path = write(source())
    right, left = frames(path)
    np.testing.assert_array_equal(right, lungs == 1)
    np.testing.assert_array_equal(left, lungs == 2)
    raw = pydicom.dcmread(path)
    assert raw.pixel_array.shape == (2, *lungs.shape)
    np.testing.assert_array_equal(raw.pixel_array[0] > 0, lungs == 1)
    columns = [np.argwhere(frame)[:, 1].mean() for frame in raw.pixel_array]
    assert columns[0] < columns[1]  # the right lung is on the left of the picture


def test_segments_are_coded(source, write):
    dataset = pydicom.dcmread(write(source()))
    assert dataset.SegmentationType == "BINARY"
    assert dataset.SegmentsOverlap == "NO"
    codes = []
    for segment in dataset.SegmentSequence:
        kind = segment.SegmentedPropertyTypeCodeSequence[0]
        side = kind.SegmentedPropertyTypeModifierCodeSequence[0]
        category = segment.SegmentedPropertyCategoryCodeSequence[0]
        codes.append([item.CodeValue for item in (category, kind, side)])
        algorithm = segment.SegmentationAlgorithmIdentificationSequence[0]
        assert algorithm.AlgorithmName == "lungcli bundled"
        assert algorithm.AlgorithmVersion == __version__
    assert codes == [
        ["91723000", "39607008", "24028007"],
        ["91723000", "39607008", "7771000"],
    ]


def test_it_belongs_to_the_patient_and_study_of_the_image(source, write):
    dataset = pydicom.dcmread(write(source()))
    kept = {key: value for key, value in FACTS.items() if value != "secret"}
    for keyword in kept.keys() - {"SOPInstanceUID", "SeriesInstanceUID"}:
        assert dataset[keyword].value == kept[keyword], keyword
    assert dataset.ReferencedSeriesSequence[0].SeriesInstanceUID == "1.2.3.1"
    assert {str(item.ReferencedSOPInstanceUID) for item in references(dataset)} == {
        "1.2.3.4"
    }
    assert b"secret" not in write(source()).read_bytes()


def test_two_runs_give_equal_bytes(source, write):
    first, second = write(source(), name="a.dcm"), write(source(), name="b.dcm")
    assert first.read_bytes() == second.read_bytes()


def test_uids_follow_the_image_the_labels_and_the_model(
    source, write, lungs, make_xray, tmp_path
):
    def uids(path):
        dataset = pydicom.dcmread(path)
        return str(dataset.SOPInstanceUID), str(dataset.SeriesInstanceUID)

    image, series = uids(write(source()))
    assert image.startswith("2.25.")
    assert len(image) <= 64
    assert uids(write(source(), np.fliplr(lungs))) == (
        uids(write(source(), np.fliplr(lungs)))[0],
        series,
    )
    assert uids(write(source(), np.fliplr(lungs)))[0] != image
    assert uids(write(source(SOPInstanceUID="1.2.3.5")))[0] != image
    xray = make_xray(lungs, dicom=source())
    other = write_dicom_seg(xray, tmp_path / "other.dcm", model="mine")
    assert set(uids(other)).isdisjoint((image, series))


@pytest.mark.parametrize("missing", [(1,), (2,), (1, 2)], ids=["right", "left", "both"])
def test_a_missing_lung_is_an_empty_frame(missing, source, write, lungs):
    lungs[np.isin(lungs, missing)] = 0
    right, left = frames(write(source()))
    assert right.any() == (1 not in missing)
    assert left.any() == (2 not in missing)


@pytest.mark.parametrize("shape", [(1, 9), (9, 1), (3, 5)], ids=str)
def test_frames_that_do_not_fill_whole_bytes(shape, source, write, lungs):
    labels = np.resize(np.array([1, 2, 0], np.uint8), shape)
    path = source()
    dataset = pydicom.dcmread(path)
    dataset.Rows, dataset.Columns = shape
    dataset.save_as(path)
    right, left = frames(write(path, labels))
    np.testing.assert_array_equal(right, labels == 1)
    np.testing.assert_array_equal(left, labels == 2)


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"SOPClassUID": SECONDARY_CAPTURE}, id="secondary-capture"),
        pytest.param({"SOPClassUID": PRIVATE}, id="private-class"),
        pytest.param({"SOPClassUID": DX, "FrameOfReferenceUID": "1.9"}, id="dx-frame"),
        pytest.param({"syntax": ImplicitVRLittleEndian}, id="implicit"),
        pytest.param({"PatientID": None, "PatientName": None}, id="no-patient"),
        pytest.param({"PatientSex": "female"}, id="odd-sex"),
        pytest.param({"PatientBirthDate": "unknown"}, id="odd-date"),
        pytest.param({"PatientName": "A^B^C^D^E^F^G"}, id="odd-name"),
        pytest.param({"SOPInstanceUID": "1.02.3"}, id="odd-uid"),
        pytest.param({"InstanceNumber": "-1"}, id="odd-number"),
        pytest.param({"LossyImageCompression": "01"}, id="lossy"),
        pytest.param({"SpecificCharacterSet": None}, id="no-character-set"),
    ],
)
def test_images_of_every_kind(changes, source, write, lungs, monkeypatch):
    path = write(source(**changes))  # without a warning, each being an error here
    let_pass(monkeypatch)
    right, left = frames(path)
    np.testing.assert_array_equal(right, lungs == 1)
    np.testing.assert_array_equal(left, lungs == 2)


def test_values_are_repeated_as_they_are(source, write, monkeypatch):
    path = write(
        source(
            SOPInstanceUID="1.02.3", SeriesInstanceUID="1.2.3.01", PatientSex="female"
        )
    )
    let_pass(monkeypatch)
    dataset = pydicom.dcmread(path)
    assert dataset.ReferencedSeriesSequence[0].SeriesInstanceUID == "1.2.3.01"
    assert dataset.PatientSex == "female"
    assert next(references(dataset)).ReferencedSOPInstanceUID == "1.02.3"


def test_names_are_not_decoded(source, write, tmp_path):
    """Archives hold Latin letters under the name of UTF-8."""
    path = source()
    path.write_bytes(
        path.read_bytes().replace(b"ISO_IR 100", b"ISO_IR 192")  # of the same length
    )
    written = write(path).read_bytes()
    assert "Müller^Anna".encode("latin-1") in written
    assert b"ISO_IR 192" in written


def test_names_in_two_character_sets(source, write):
    changes = {
        "SpecificCharacterSet": ["", "ISO 2022 IR 87"],
        "PatientName": "Yamada^Tarou=山田^太郎",
    }
    dataset = pydicom.dcmread(write(source(**changes)))
    assert dataset.PatientName == changes["PatientName"]


@pytest.mark.parametrize("uid", ["StudyInstanceUID", "SeriesInstanceUID"])
def test_a_missing_uid_is_derived(uid, source, write):
    dataset = pydicom.dcmread(write(source(**{uid: None})))
    series = dataset.ReferencedSeriesSequence[0]
    holder = dataset if uid == "StudyInstanceUID" else series
    assert holder[uid].value.startswith("2.25.")


@pytest.mark.parametrize("uid", ["SOPInstanceUID", "SOPClassUID"])
def test_an_image_without_uid_cannot_be_referred_to(uid, source, write):
    with pytest.raises(ImageError, match=rf"image\.dcm has no {uid}.*--format"):
        write(source(**{uid: None}))


def test_frame_of_reference_is_kept_where_there_is_one(source, write):
    assert "FrameOfReferenceUID" not in pydicom.dcmread(write(source()))
    dataset = pydicom.dcmread(write(source(FrameOfReferenceUID="1.9")))
    assert dataset.FrameOfReferenceUID == "1.9"
    assert dataset["PositionReferenceIndicator"].is_empty


def test_frame_1_of_a_multi_frame_image(source, write, lungs):
    path = write(source(SOPClassUID=MULTI_FRAME, NumberOfFrames="4"))
    dataset = pydicom.dcmread(path)
    _, _, *by_frame = references(dataset)
    assert [item.ReferencedFrameNumber for item in by_frame] == [1, 1]
    segmentation = highdicom.seg.segread(path)
    pixels = segmentation.get_pixels_by_source_frame(
        "1.2.3.4", [1], segment_numbers=[1, 2], ignore_spatial_locations=True
    )
    np.testing.assert_array_equal(pixels[0, ..., 0] > 0, lungs == 1)
    single = pydicom.dcmread(write(source()))
    assert all("ReferencedFrameNumber" not in item for item in references(single))


@pytest.mark.parametrize(
    ("changes", "date", "time"),
    [
        pytest.param({}, "20040826", "185059", id="study"),
        pytest.param(
            {"ContentDate": "19950926", "ContentTime": "125130.5"},
            "19950926",
            "125130.5",
            id="content",
        ),
        pytest.param({"AcquisitionDate": "1995"}, "20040826", "185059", id="odd"),
        pytest.param({"StudyTime": None}, "20040826", "000000", id="no-time"),
        pytest.param({"StudyDate": None}, "19000101", "000000", id="no-date"),
    ],
)
def test_dated_by_the_image(changes, date, time, source, write):
    dataset = pydicom.dcmread(write(source(**changes)))
    assert (dataset.ContentDate, dataset.ContentTime) == (date, time)
    assert "InstanceCreationDate" not in dataset


def test_model_names_are_made_to_fit(source, lungs, make_xray, tmp_path):
    xray = make_xray(lungs, dicom=source())
    path = write_dicom_seg(xray, tmp_path / "a.dcm", model="ü\\" + "x" * 99)
    dataset = pydicom.dcmread(path)
    assert dataset.ManufacturerModelName == "?/" + "x" * 62


def test_other_formats_have_nothing_to_refer_to(lungs, make_xray, tmp_path):
    with pytest.raises(OutputError, match=r"chest\.png is not DICOM.*--format"):
        write_dicom_seg(make_xray(lungs), tmp_path / "a.dcm", model="bundled")


def test_a_file_that_has_gone(write):
    with pytest.raises(ImageError, match=r"cannot read gone\.dcm again"):
        write(Path("gone.dcm"))


def test_a_height_that_is_told_twice(source, write):
    path = source()
    dataset = pydicom.dcmread(path)
    dataset.Rows = [dataset.Rows, dataset.Rows]
    dataset.save_as(path)
    assert pydicom.dcmread(write(path)).Rows == dataset.Rows[0]


def test_labels_of_another_grid(source, write):
    with pytest.raises(ValueError, match=r"40×50 pixels, its labels 2×2"):
        write(source(), np.zeros((2, 2), np.uint8))


@pytest.mark.data
@pytest.mark.parametrize("name", ["RG1_J2KI", "RG3_J2KI", "RG3_J2KR"])
def test_real_images(name, real_data, write):
    dicom = real_data / "dicom" / f"{name}.dcm"
    image = pydicom.dcmread(dicom, stop_before_pixels=True)
    labels = np.zeros((image.Rows, image.Columns), np.uint8)
    labels[300:1500, 200:800] = 1
    labels[300:1500, 1000:1600] = 2
    path = write(dicom, labels)
    right, left = frames(path)
    np.testing.assert_array_equal(right + 2 * left, labels)
    written = pydicom.dcmread(path)
    assert written.PatientName == image.PatientName
    assert written.StudyInstanceUID == image.StudyInstanceUID
    assert written.LossyImageCompression == image.LossyImageCompression


class TestHeart:
    @pytest.fixture
    def path(self, source, make_chest, tmp_path):
        xray = make_chest(dicom=source())
        return write_dicom_seg(xray, tmp_path / "heart.dcm", model="bundled")

    def test_it_is_a_third_segment(self, path, chest):
        segmentation = highdicom.seg.segread(path)
        assert segmentation.segment_numbers == [1, 2, 3]
        pixels = segmentation.get_pixels_by_source_instance(
            ["1.2.3.4"], segment_numbers=[3], ignore_spatial_locations=True
        )
        rows, columns = np.nonzero(pixels[0, ..., 0])
        assert (rows.min(), rows.max()) == (18, 33)
        assert (columns.min(), columns.max()) == (20, 29)
        raw = pydicom.dcmread(path).pixel_array
        assert raw.shape == (3, *chest.shape)
        np.testing.assert_array_equal(raw[2] > 0, chest == 3)

    def test_it_is_coded_without_a_side(self, path):
        dataset = pydicom.dcmread(path)
        heart = dataset.SegmentSequence[2]
        (kind,) = heart.SegmentedPropertyTypeCodeSequence
        assert (kind.CodeValue, kind.CodeMeaning) == ("80891009", "Heart")
        assert kind.CodingSchemeDesignator == "SCT"
        assert "SegmentedPropertyTypeModifierCodeSequence" not in kind
        assert heart.SegmentLabel == "Heart"
        expected = highdicom.color.CIELabColor.from_rgb(*HEART.colour)
        assert tuple(heart.RecommendedDisplayCIELabValue) == expected.value
        assert dataset.ContentLabel == "LUNGS_HEART"
        assert dataset.ContentDescription == "Right and left lung, heart"
        assert dataset.SeriesDescription == "Lungs, heart, segmented by lungcli"

    def test_a_missing_heart_is_an_empty_frame_of_an_object_of_its_own(
        self, source, write, lungs, make_xray, tmp_path
    ):
        xray = make_xray(lungs, dicom=source(), structures=STRUCTURES)
        other = write_dicom_seg(xray, tmp_path / "none.dcm", model="bundled")
        with_heart, without = pydicom.dcmread(other), pydicom.dcmread(write(source()))
        assert not with_heart.pixel_array[2].any()
        for keyword in ("SOPInstanceUID", "SeriesInstanceUID"):
            assert with_heart[keyword].value != without[keyword].value


def test_the_path_of_a_run_is_nobodys_business(source, lungs, make_xray, tmp_path):
    """A run that was moved writes the same bytes, and none tells where it lay."""
    xray = make_xray(lungs, dicom=source())
    first, moved = (
        write_dicom_seg(xray, tmp_path / name, model=f"/home/{name}/runs/mine")
        for name in ("anna", "otto")
    )
    assert first.read_bytes() == moved.read_bytes()
    assert b"anna" not in first.read_bytes()
    assert pydicom.dcmread(first).ManufacturerModelName == "mine"


@pytest.mark.skipif(not shutil.which("dciodvfy"), reason="dicom3tools is not installed")
@pytest.mark.parametrize("structures", [LUNGS, STRUCTURES], ids=["lungs", "heart"])
@pytest.mark.parametrize("empty", [False, True], ids=["lungs found", "nothing found"])
@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"SOPClassUID": DX, "PatientOrientation": ["L", "F"]}, id="DX"),
        pytest.param({"SOPClassUID": DX}, id="DX without orientation"),
        pytest.param({"SOPClassUID": CR}, id="CR"),
        pytest.param({"SOPClassUID": SECONDARY_CAPTURE}, id="secondary capture"),
        pytest.param({"StudyInstanceUID": None, "PatientSex": None}, id="sparse"),
    ],
)
def test_a_validator_finds_no_error(
    changes, empty, structures, source, chest, make_xray, tmp_path
):
    """The independent one of dicom3tools, by David Clunie."""
    labels = np.where(chest == HEART.label, 0, chest) if structures == LUNGS else chest
    labels = np.zeros_like(chest) if empty else labels.astype(np.uint8)
    xray = make_xray(labels, dicom=source(**changes), structures=structures)
    path = write_dicom_seg(xray, tmp_path / "seg.dcm", model="bundled")
    program = shutil.which("dciodvfy")
    told = subprocess.run(
        [program, "-new", path], capture_output=True, text=True, check=False
    )
    errors = [line for line in told.stderr.splitlines() if line.startswith("Error")]
    assert errors == []


def test_no_warning_of_a_library_escapes(source, write):
    """pytest makes an error of each; users would read a path into site-packages."""
    with without_warnings():
        image = source(SpecificCharacterSet="ISO_IR 999")
    assert write(image).is_file()
