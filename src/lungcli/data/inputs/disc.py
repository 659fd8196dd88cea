"""The index of a disc, `DICOMDIR`: the images that it lists."""

from pathlib import Path, PurePosixPath
from typing import Any, Final

from lungcli.errors import DatasetError
from lungcli.system.quiet import without_warnings

INDEX: Final = "DICOMDIR"
_MOST_BYTES: Final = 2**26  # a disc of a hundred thousand images has 50 megabytes


def is_index(path: Path) -> bool:
    """Tell the index of a disc by its name, which the standard prescribes."""
    return path.name.upper() == INDEX and path.is_file()


def listed_images(path: Path) -> list[PurePosixPath]:
    """Return the places of the images that an index lists, below its folder.

    Raises:
        DatasetError: If it cannot be read, or lists none.

    References:
        DICOM PS3.3 annex F (basic directory), PS3.10 section 8.
    """
    from pydicom import dcmread  # noqa: PLC0415 - a third of a second

    remedy = "Give the folder of the disc instead; all that is in it is found."
    try:
        if path.stat().st_size > _MOST_BYTES:
            msg = "too large"
            raise ValueError(msg)
        with without_warnings():
            records = dcmread(path).get("DirectoryRecordSequence") or ()
            places = [_place(record) for record in records]
    except Exception as error:  # pydicom raises a dozen kinds on broken files
        msg = (
            f"{path} is no readable index of a disc ({type(error).__name__}). {remedy}"
        )
        raise DatasetError(msg) from error
    images = [place for place in places if place is not None]
    if not images:
        msg = f"{path} lists no image. {remedy}"
        raise DatasetError(msg)
    return images


def _place(record: Any) -> PurePosixPath | None:
    """Return where an image lies; None for patients, studies, series and the like."""
    parts = record.get("ReferencedFileID")
    if record.get("DirectoryRecordType") != "IMAGE" or not parts:
        return None
    names = [parts] if isinstance(parts, str) else [str(part) for part in parts]
    if any(name in {"", ".", ".."} or set(name) & set("/\\") for name in names):
        msg = "a name that leads out of the disc"
        raise ValueError(msg)
    return PurePosixPath(*names)
