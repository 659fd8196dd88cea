"""Decode a DICOM file as a chest X-ray."""

from pathlib import Path
from typing import BinaryIO

from pydicom.dataset import Dataset

from lungcli.data.dicom.dataset import parse, read_bytes
from lungcli.data.dicom.doubts import read_doubts
from lungcli.data.dicom.frame import Frame, read_frame
from lungcli.data.dicom.gray import to_gray
from lungcli.data.dicom.orientation import read_orientation, read_view
from lungcli.data.dicom.spacing import read_spacing
from lungcli.data.xray import Xray
from lungcli.system.quiet import without_warnings


def decode_dicom(path: Path, file: BinaryIO) -> Xray:
    """Decode the first frame of a DICOM image: CR, DX, secondary capture.

    Uncompressed (deflated, too), RLE, JPEG baseline and lossless, JPEG-LS and
    JPEG 2000. No turn or flip is applied: the pixels lie as the file stores them, and
    a mask of the same shape fits on it. Neither notes nor doubts nor errors quote
    anything but codes and numbers that describe pixels.

    Args:
        path: Named in errors.
        file: At its start.

    Raises:
        ImageError: If the file is no image, broken, or encoded in a way that is not
            read.
        TooSmallError: If a side has fewer than `MIN_SIDE` pixels.
    """
    content = read_bytes(path, file)
    # Warnings are global to the process, hence a lock; it makes no thread wait longer:
    # all slow codecs keep the interpreter to themselves while they decode.
    with without_warnings():
        dataset = parse(path, content)
        frame = read_frame(path, dataset)
        return _xray(path, dataset, frame)


def _xray(path: Path, dataset: Dataset, frame: Frame) -> Xray:
    shown = to_gray(path, frame, dataset)
    spacing_mm, spacing_source = read_spacing(dataset)
    orientation = read_orientation(dataset)
    return Xray(
        pixels=shown.pixels,
        low=shown.low,
        high=shown.high,
        is_dicom=True,
        spacing_mm=spacing_mm,
        spacing_source=spacing_source,
        view=read_view(dataset),
        quarter_turns=orientation.quarter_turns,
        mirrored=orientation.mirrored,
        notes=shown.notes,
        doubts=(*read_doubts(dataset, num_frames=frame.num_frames), *shown.doubts),
    )
