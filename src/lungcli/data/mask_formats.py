"""Masks that are no pictures: NIfTI, NumPy archives and DICOM Segmentations."""

import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from lungcli.anatomy import BACKGROUND, STRUCTURES
from lungcli.data.dicom.dataset import parse, read_bytes
from lungcli.data.dicom.facts import SEGMENTATION
from lungcli.data.dicom.tags import code, items, number, whole
from lungcli.data.opening import MAX_PIXELS, open_file, too_large
from lungcli.errors import ImageError
from lungcli.system.quiet import without_warnings


def read_nifti(path: Path) -> NDArray[Any]:
    """Read a label map of one slice, as ITK and lungcli lay it into the axial plane.

    Args:
        path: The `.nii` or `.nii.gz` file; its array is (column, row, slice).

    Returns:
        Shape `(height, width)`.

    Raises:
        ImageError: If it is no NIfTI file, has several slices, or has its axes turned.
    """
    import nibabel  # noqa: PLC0415 - half a second

    image: Any = nibabel.load(path)
    shape: tuple[int, ...] = (*image.shape, 1)
    width, height = shape[:2]
    _check_size(path, height, width)
    if any(length != 1 for length in shape[2:]):
        msg = f"{path} has the shape {image.shape}. Give a mask of one slice."
        raise ImageError(msg)
    turned = np.sign(np.round(image.affine[:2, :2], 6))
    if not np.array_equal(turned, -np.eye(2)):
        msg = (
            f"{path} does not have its columns run to the patient's left and its rows "
            "to the back, so it may be turned or mirrored. Save it as ITK does, or as "
            "PNG."
        )
        raise ImageError(msg)
    return np.asarray(image.dataobj).reshape(width, height).T


def read_npz(path: Path) -> NDArray[Any]:
    """Read the array `labels` of a NumPy archive, shape `(height, width)`.

    Raises:
        ImageError: If it is none, or has no such array of two dimensions.
    """
    with zipfile.ZipFile(path) as archive, archive.open("labels.npy") as entry:
        if np.lib.format.read_magic(entry) != (1, 0):
            msg = "an array of another version"
            raise ValueError(msg)
        shape, _, dtype = np.lib.format.read_array_header_1_0(entry)
    if len(shape) != 2 or dtype.kind not in "biuf":
        msg = f"{path}: labels are {dtype} {shape}. Give numbers of height and width."
        raise ImageError(msg)
    _check_size(path, *shape)
    with np.load(path, allow_pickle=False) as arrays:
        labels: NDArray[Any] = arrays["labels"]
    return labels


def read_dicom_seg(path: Path) -> NDArray[np.uint8]:
    """Read the segments that lungcli draws of a DICOM Segmentation.

    They are known by their codes; all others are left alone.

    Returns:
        Label map of shape `(height, width)`.

    Raises:
        ImageError: If it is none, has none of these segments, or several frames of
            one.

    References:
        DICOM PS3.3 C.8.20.2 (segments), PS3.16 CID 7166 (their codes).
    """
    with open_file(path) as file, without_warnings():
        dataset = parse(path, read_bytes(path, file))
        if str(dataset.get("SOPClassUID")) != SEGMENTATION:
            msg = f"{path} is no DICOM Segmentation. Give one, or a PNG mask."
            raise ImageError(msg)
        height, width = whole(dataset, "Rows"), whole(dataset, "Columns")
        _check_size(path, height, width)
        frames = _frames_of_segments(path, dataset)
        _check_size(path, height * whole(dataset, "NumberOfFrames", 1), width)
        pixels = dataset.pixel_array.reshape(-1, height, width)
        least = 1.0
        if code(dataset, "SegmentationType") == "FRACTIONAL":
            least = (number(dataset, "MaximumFractionalValue") or 255) / 2
    labels = np.full((height, width), BACKGROUND, np.uint8)
    for label, frame in frames.items():
        labels[pixels[frame] >= least] = label
    return labels


def _frames_of_segments(path: Path, dataset: Any) -> dict[int, int]:
    """Return the frame of each label that there is, in the order of the labels."""
    keys = {
        (each.code.value, each.laterality.value if each.laterality else ""): each.label
        for each in STRUCTURES
    }
    labels = {}
    for segment in items(dataset, "SegmentSequence"):
        for kind in items(segment, "SegmentedPropertyTypeCodeSequence"):
            modifiers = items(kind, "SegmentedPropertyTypeModifierCodeSequence")
            side = next((code(each, "CodeValue") for each in modifiers), "")
            label = keys.get((code(kind, "CodeValue"), side))
            if label is not None:
                labels[whole(segment, "SegmentNumber")] = label
    found: dict[int, int] = {}
    for frame, group in enumerate(items(dataset, "PerFrameFunctionalGroupsSequence")):
        (identified,) = items(group, "SegmentIdentificationSequence")
        label = labels.get(whole(identified, "ReferencedSegmentNumber"))
        if label in found:
            msg = f"{path} has several frames of one segment. Give one of each."
            raise ImageError(msg)
        if label is not None:
            found[label] = frame
    if not found:
        names = ", ".join(each.name for each in STRUCTURES)
        msg = f"{path} has no segment that is coded as one of {names}."
        raise ImageError(msg)
    return dict(sorted(found.items()))


READERS: Final[Mapping[str, Callable[[Path], NDArray[Any]]]] = {
    ".nii.gz": read_nifti,
    ".nii": read_nifti,
    ".npz": read_npz,
    ".dcm": read_dicom_seg,
}
"""By the end of a file's name, in lower case."""


def read_format(path: Path) -> NDArray[Any] | None:
    """Read a mask that is no picture, by its suffix; None if it is another file.

    Raises:
        ImageError: If it cannot be read.
    """
    name = path.name.lower()
    read = next((READERS[end] for end in READERS if name.endswith(end)), None)
    if read is None:
        return None
    with open_file(path):  # explains what is missing, empty or no file
        pass
    try:
        return read(path)
    except ImageError:
        raise
    except Exception as error:  # libraries raise a dozen kinds on broken files
        msg = (
            f"{path} cannot be read as a mask ({type(error).__name__}). Write it "
            "again, or save it as PNG."
        )
        raise ImageError(msg) from error


def _check_size(path: Path, height: int, width: int) -> None:
    if height * width > MAX_PIXELS:
        raise too_large(path, (width, height))
