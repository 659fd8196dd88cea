"""What a DICOM object takes over from the image that it belongs to, byte for byte.

Archives hold names in lost character sets, UIDs with leading zeros and dates that are
none. An object belongs to its image only if it repeats them as they are, so they are
never decoded on the way.
"""

from collections.abc import Iterable, Mapping, MutableSequence
from pathlib import Path
from typing import Any

from lungcli.errors import ImageError

Source = Mapping[str, bytes]
"""Keyword to value without padding; what is absent or empty is left out."""


def read_source(path: Path, keywords: Iterable[str], shape: tuple[int, ...]) -> Source:
    """Read some text elements of a DICOM image.

    Args:
        path: The DICOM file.
        keywords: Of the elements, as in PS3.6; `SOPClassUID` and `SOPInstanceUID`, to
            which every other object refers, are read without asking.
        shape: Height and width that the image must have.

    Raises:
        ImageError: If the file cannot be read, or lacks one of those two.
        ValueError: If it has another shape.
    """
    uids = ("SOPClassUID", "SOPInstanceUID")
    dataset = _open(path, [*uids, *keywords])
    grid = (_first(dataset, "Rows"), _first(dataset, "Columns"))
    if grid != shape:
        msg = (
            f"{path} has {grid[0]}×{grid[1]} pixels, its labels {shape[0]}×{shape[1]}."
        )
        raise ValueError(msg)
    values = {keyword: _value(dataset, keyword) for keyword in (*uids, *keywords)}
    for keyword in uids:
        if not values[keyword]:
            msg = (
                f"{path} has no {keyword}, which a DICOM segmentation must refer to. "
                "Choose another --format for it, such as png or nifti."
            )
            raise ImageError(msg)
    return {keyword: value for keyword, value in values.items() if value}


def set_bytes(dataset: Any, keyword: str, value: bytes) -> None:
    """Set an element to bytes, without decoding them; see `keep_bytes`."""
    from pydicom.datadict import dictionary_VR, tag_for_keyword  # noqa: PLC0415 - slow
    from pydicom.dataelem import RawDataElement  # noqa: PLC0415
    from pydicom.tag import Tag  # noqa: PLC0415

    tag = Tag(tag_for_keyword(keyword))
    vr = dictionary_VR(tag)
    if len(value) % 2:
        value += b"\0" if vr == "UI" else b" "
    dataset[tag] = RawDataElement(tag, vr, len(value), value, 0, False, True)


def keep_bytes(*datasets: Any) -> None:
    """Let explicit little-endian datasets be written without decoding `set_bytes`."""
    from pydicom.charset import convert_encodings, default_encoding  # noqa: PLC0415

    for dataset in datasets:
        names = dataset.get("SpecificCharacterSet")
        charset = convert_encodings(names) if names else default_encoding
        dataset.set_original_encoding(
            is_implicit_vr=False, is_little_endian=True, character_encoding=charset
        )


def positive(source: Source, keyword: str) -> int:
    """Return a number that DICOM writes as text; 1 if there is none above 0."""
    text = source.get(keyword, b"")
    return max(1, int(text)) if text.isdigit() and len(text) <= 9 else 1


def _open(path: Path, keywords: list[str]) -> Any:
    import pydicom  # noqa: PLC0415 - a third of a second

    try:
        return pydicom.dcmread(
            path,
            stop_before_pixels=True,
            specific_tags=[*keywords, "Rows", "Columns"],
            force=True,
        )
    except Exception as error:  # pydicom raises a dozen kinds on broken files
        msg = f"cannot read {path} again ({error}). Keep inputs until all is written."
        raise ImageError(msg) from error


def _first(dataset: Any, keyword: str) -> Any:
    value = dataset.get(keyword)  # some headers have several where one is due
    return value[0] if isinstance(value, MutableSequence) and value else value


def _value(dataset: Any, keyword: str) -> bytes:
    element = dataset.get_item(keyword)
    value = getattr(element, "value", None) or b""
    if not isinstance(value, bytes):  # pydicom has had to decode the character set
        value = "\\".join([value] if isinstance(value, str) else value).encode()
    stripped: bytes = value.strip(b"\0 ")
    return stripped
