"""Label maps as DICOM Segmentation objects that open beside their image.

A projection X-ray has no place in the patient's space, so the segmentation has none
either: it lies on the image pixel by pixel, through the reference that each of its
frames holds (PS3.3, A.51.5.1).

Two runs give equal bytes. Therefore nothing is dated now: the UIDs are derived from
those of the image and from the labels, and the date is the image's own.
"""

import hashlib
import re
import uuid
from collections.abc import Sequence
from pathlib import Path, PurePath
from typing import Any, Final

from lungcli._version import __version__
from lungcli.anatomy import LUNGS, Code, Structure
from lungcli.arrays import LabelMap
from lungcli.errors import OutputError
from lungcli.outputs.dicom_source import (
    Source,
    keep_bytes,
    positive,
    read_source,
    set_bytes,
)
from lungcli.outputs.labelled import LabelledXray
from lungcli.system.files import whole_file
from lungcli.system.quiet import without_warnings

_SERIES_NUMBER: Final = 1000  # far from those of the images
_LONGEST_TEXT: Final = 64  # characters of DICOM's LO

_PATIENT_AND_STUDY: Final = (
    "PatientName",
    "PatientID",
    "PatientBirthDate",
    "PatientSex",
    "StudyID",
    "StudyDate",
    "StudyTime",
    "AccessionNumber",
    "ReferringPhysicianName",
)
"""What every DICOM object must have, and not one thing more about the patient."""

_IMAGE: Final = (
    "SpecificCharacterSet",
    "TimezoneOffsetFromUTC",
    "FrameOfReferenceUID",
    "PositionReferenceIndicator",
    "LossyImageCompression",
    "LossyImageCompressionRatio",
    "LossyImageCompressionMethod",
)
_REFERENCES: Final = (
    "StudyInstanceUID",
    "SeriesInstanceUID",
    "InstanceNumber",
    "NumberOfFrames",
)
_DATES: Final = tuple(
    (f"{of}Date", f"{of}Time") for of in ("Content", "Acquisition", "Series", "Study")
)
_ORIENTATION: Final = "PatientOrientation"
_DIRECTIONS: Final = re.compile(rb"[APRLHF]{1,3}\\[APRLHF]{1,3}")
_DATE: Final = re.compile(rb"[0-9]{8}")
_TIME: Final = re.compile(rb"[0-9]{2}(?:[0-9]{2}){0,2}|[0-9]{6}\.[0-9]{1,6}")
_NO_DATE: Final = (b"19000101", b"000000")  # the standard demands one


def write_dicom_seg(xray: LabelledXray, path: Path, *, model: str) -> Path:
    """Write the labels of a CXR as a DICOM Segmentation, and return `path`.

    Binary, with a segment and a frame for each structure, the right lung first; the
    frame of one that was not found is empty. Frames lie on the grid that the image
    stores; of a multi-frame image they refer to frame 1. A study or series UID that the
    image lacks is derived from its own UID.

    Args:
        xray: The CXR with its labels, from a DICOM file.
        path: The `.dcm` file; parent folders are made. Whole or not at all.
        model: Name of the network, for the record; of the path of a run its last part,
            since the rest may name a person.

    Raises:
        OutputError: If the CXR is not from DICOM, or the file cannot be written.
        ImageError: If the DICOM file cannot be read again, or has no UID to refer to.
        ValueError: If the labels are not on the grid of the image.

    References:
        DICOM PS3.3 A.51 and C.8.20,
        https://dicom.nema.org/medical/dicom/current/output/chtml/part03/sect_A.51.html;
        Bridge et al. (2022), Journal of Digital Imaging 35:1719-1737,
        https://doi.org/10.1007/s10278-022-00683-y
    """
    if xray.dicom is None:
        msg = (
            f"{xray.name} is not DICOM, and a DICOM segmentation must refer to a DICOM "
            "image. Choose another --format for it, such as png or nifti."
        )
        raise OutputError(msg)
    dates = [keyword for pair in _DATES for keyword in pair]
    keywords = {*_PATIENT_AND_STUDY, *_IMAGE, *_REFERENCES, *dates, _ORIENTATION}
    # pydicom warns of what it mends, such as an unknown character set.
    with without_warnings(), whole_file(path) as part:
        source = read_source(xray.dicom, sorted(keywords), xray.labels.shape)
        segmentation = _segmentation(xray, source, _plain(PurePath(model).name))
        _refer(segmentation, source)
        _date(segmentation, source)
        segmentation.save_as(part, enforce_file_format=True)
    return path


def _segmentation(xray: LabelledXray, source: Source, model: str) -> Any:
    """Return a segmentation of a stand-in for the image.

    highdicom takes neither the second frame of a projection nor private image classes,
    and pydicom warns of every odd value: what is real is filled in by `_refer`.
    """
    from highdicom.seg import Segmentation  # noqa: PLC0415 - half a second

    labels, structures = xray.labels, xray.structures
    others = [each for each in structures if each not in LUNGS]
    keys, names = ([each.key for each in others], [each.name for each in others])
    image_uid = source["SOPInstanceUID"]
    series_uid = source.get("SeriesInstanceUID", image_uid)
    author = (__version__, model, *keys)
    return Segmentation(
        source_images=[_stand_in(labels.shape)],
        pixel_array=labels,
        segmentation_type="BINARY",
        segment_descriptions=_segments(structures, model),
        series_instance_uid=_derived_uid("series", series_uid, *author),
        series_number=_SERIES_NUMBER,
        sop_instance_uid=_derived_uid("instance", image_uid, *author, _hash(labels)),
        instance_number=positive(source, "InstanceNumber"),
        manufacturer="lungcli",
        manufacturer_model_name=model,
        software_versions=__version__,
        device_serial_number="0",  # software has none, and the standard demands one
        omit_empty_frames=False,
        content_label="_".join(["lungs", *keys]).upper(),
        content_description=", ".join(["Right and left lung", *names]),
        series_description=", ".join(["Lungs", *names, "segmented by lungcli"]),
    )


def _hash(labels: LabelMap) -> str:
    return hashlib.sha256(repr(labels.shape).encode() + labels.tobytes()).hexdigest()


def _stand_in(shape: tuple[int, ...]) -> Any:
    from pydicom import Dataset  # noqa: PLC0415 - a third of a second

    image = Dataset()
    for keyword in _PATIENT_AND_STUDY:
        setattr(image, keyword, None)
    image.SOPClassUID = "1.2.840.10008.5.1.4.1.1.1"  # computed radiography
    image.SOPInstanceUID = image.SeriesInstanceUID = image.StudyInstanceUID = "2.25.1"
    image.Rows, image.Columns = shape
    image.Modality = "CR"
    return image


def _segments(structures: Sequence[Structure], model: str) -> list[Any]:
    from highdicom import AlgorithmIdentificationSequence  # noqa: PLC0415 - slow
    from highdicom.color import CIELabColor  # noqa: PLC0415
    from highdicom.seg import SegmentDescription  # noqa: PLC0415
    from highdicom.sr import CodedConcept  # noqa: PLC0415

    algorithm = AlgorithmIdentificationSequence(
        name=f"lungcli {model}"[:_LONGEST_TEXT],
        family=CodedConcept("123110", "DCM", "Artificial Intelligence"),
        version=__version__,
    )
    anatomy = CodedConcept("91723000", "SCT", "Anatomical Structure")
    segments = []
    for structure in structures:
        segment = SegmentDescription(
            segment_number=structure.label,
            segment_label=structure.name.capitalize(),
            segmented_property_category=anatomy,
            segmented_property_type=_concept(structure.code),
            algorithm_type="AUTOMATIC",
            algorithm_identification=algorithm,
            display_color=CIELabColor.from_rgb(*structure.colour),
        )
        if structure.laterality is not None:
            (kind,) = segment.SegmentedPropertyTypeCodeSequence
            kind.SegmentedPropertyTypeModifierCodeSequence = [
                _concept(structure.laterality)
            ]
        segments.append(segment)
    return segments


def _concept(code: Code) -> Any:
    from highdicom.sr import CodedConcept  # noqa: PLC0415 - slow

    return CodedConcept(code.value, "SCT", code.meaning)


def _refer(segmentation: Any, source: Source) -> None:
    """Let a segmentation of the stand-in belong to the real image, in place."""
    image_uid = source["SOPInstanceUID"]
    # Where nobody knows it, it must be there, and empty (PS3.3 C.7.6.1.1.1).
    known = source.get(_ORIENTATION, b"")
    known = known if _DIRECTIONS.fullmatch(known) else b""
    set_bytes(segmentation, _ORIENTATION, known)
    for keyword in (*_PATIENT_AND_STUDY, *_IMAGE):
        if keyword in source:
            set_bytes(segmentation, keyword, source[keyword])
    if "FrameOfReferenceUID" in source:
        indicator = source.get("PositionReferenceIndicator", b"")
        set_bytes(segmentation, "PositionReferenceIndicator", indicator)
    (series,) = segmentation.ReferencedSeriesSequence
    for item, keyword in (
        (segmentation, "StudyInstanceUID"),
        (series, "SeriesInstanceUID"),
    ):
        derived = _derived_uid(keyword, image_uid).encode()
        set_bytes(item, keyword, source.get(keyword, derived))
    by_frame = [
        frame.DerivationImageSequence[0].SourceImageSequence[0]
        for frame in segmentation.PerFrameFunctionalGroupsSequence
    ]
    by_instance = series.ReferencedInstanceSequence[0]
    references = (segmentation.SourceImageSequence[0], by_instance, *by_frame)
    for item in references:
        set_bytes(item, "ReferencedSOPClassUID", source["SOPClassUID"])
        set_bytes(item, "ReferencedSOPInstanceUID", image_uid)
    segmentation["PixelData"].VR = "OB"  # pydicom must not settle it by decoding all
    keep_bytes(segmentation, series, *references)
    if positive(source, "NumberOfFrames") > 1:
        for item in by_frame:
            item.ReferencedFrameNumber = 1


def _date(segmentation: Any, source: Source) -> None:
    """Replace what highdicom draws at random or from the clock, in place."""
    uid = _derived_uid("dimensions", segmentation.SOPInstanceUID)
    for item in (
        *segmentation.DimensionOrganizationSequence,
        *segmentation.DimensionIndexSequence,
    ):
        item.DimensionOrganizationUID = uid
    del segmentation.InstanceCreationDate
    del segmentation.InstanceCreationTime
    del segmentation.ContributingEquipmentSequence  # highdicom itself, and the time
    date, time = _content_date(source)
    set_bytes(segmentation, "ContentDate", date)
    set_bytes(segmentation, "ContentTime", time)


def _content_date(source: Source) -> tuple[bytes, bytes]:
    """Return the first date of the image that is one, and its time."""
    for date_keyword, time_keyword in _DATES:
        date, time = source.get(date_keyword, b""), source.get(time_keyword, b"")
        if _DATE.fullmatch(date):
            return date, time if _TIME.fullmatch(time) else _NO_DATE[1]
    return _NO_DATE


def _derived_uid(*parts: str | bytes) -> str:
    """Return the UID that always follows from these parts.

    References:
        DICOM PS3.5 B.2 (UUID derived UID); RFC 9562, section 5.5 (UUID of a name)
    """
    texts = [
        part.decode("latin-1") if isinstance(part, bytes) else part for part in parts
    ]
    return f"2.25.{uuid.uuid5(uuid.NAMESPACE_OID, '/'.join(('lungcli', *texts))).int}"


def _plain(text: str) -> str:
    r"""Return what every DICOM character set can write; `\` would part two values."""
    return text.encode("ascii", "replace").decode().replace("\\", "/")[:_LONGEST_TEXT]
