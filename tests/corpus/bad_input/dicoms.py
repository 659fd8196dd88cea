"""DICOM: no pixels, wrong lengths, deep nesting, odd bits, garbage in capsules."""

import struct
import zlib
from functools import cache
from io import BytesIO

import numpy as np
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    DigitalXRayImageStorageForPresentation,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGLSLossless,
    RLELossless,
)

from bad_input.specimen import Specimen, cut, save, xray

SECRET = "DOE^JANE"  # noqa: S105 - a patient's name, no password
LOSSY = 2.5
BROKEN = "broken|cut off|not read"
ITEM = b"\xfe\xff\x00\xe0\xff\xff\xff\xff"
END = b"\xfe\xff\x0d\xe0\0\0\0\0" + b"\xfe\xff\xdd\xe0\0\0\0\0"
SEQUENCE = b"\x08\x00\x40\x11SQ\0\0\xff\xff\xff\xff"


@cache
def specimens():
    """Return all DICOM files."""
    return [*valid(), *damaged(), *capsules(), *hostile()]


def dicom(syntax=ExplicitVRLittleEndian, pixels=None, **tags):
    """Return a file; a tag of None is left out.

    Args:
        syntax: How it is written; a compressed one only says so.
        pixels: 8 or 16 bits; the X-ray in 8 by default.
        tags: By keyword, instead of those that fit the pixels.
    """
    pixels = xray() if pixels is None else pixels
    bits = 8 * pixels.dtype.itemsize
    order = ">" if syntax == ExplicitVRBigEndian else "<"
    dataset = Dataset()
    facts = {
        "SOPClassUID": DigitalXRayImageStorageForPresentation,
        "SOPInstanceUID": "1.2.3",
        "PatientName": SECRET,
        "PatientID": SECRET,
        "Modality": "DX",
        "Rows": pixels.shape[0],
        "Columns": pixels.shape[1],
        "SamplesPerPixel": 1,
        "PhotometricInterpretation": "MONOCHROME2",
        "BitsAllocated": bits,
        "BitsStored": bits,
        "HighBit": bits - 1,
        "PixelRepresentation": 0,
        "PixelData": pixels.astype(pixels.dtype.newbyteorder(order)).tobytes(),
    }
    for keyword, value in (facts | tags).items():
        if value is not None:
            setattr(dataset, keyword, value)
    if "PixelData" in dataset:
        dataset["PixelData"].VR = "OB" if bits == 8 else "OW"
        if syntax.is_compressed and syntax != DeflatedExplicitVRLittleEndian:
            dataset["PixelData"].VR = "OB"
            dataset["PixelData"].is_undefined_length = True
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = syntax
    file = BytesIO()
    dataset.save_as(file, enforce_file_format=True)
    return file.getvalue()


def compressed(syntax, **tags):
    """Return a file whose pixels are compressed without loss."""
    from pydicom import dcmread

    dataset = dcmread(BytesIO(dicom(**tags)))
    dataset.compress(syntax, generate_instance_uid=False)
    file = BytesIO()
    dataset.save_as(file)
    return file.getvalue()


def valid():
    """Return what must be read."""
    gray = xray()
    jpeg = save(gray, "JPEG", quality=95)
    window = {"WindowCenter": 128, "WindowWidth": 256}
    high = (gray * np.uint16(16)) | np.uint16(0xF)  # 8 bits stored in the middle
    odd = {"BitsStored": 8, "HighBit": 11}
    files = {
        "implicit": dicom(ImplicitVRLittleEndian),
        "big-endian": dicom(ExplicitVRBigEndian),
        "deflated": dicom(DeflatedExplicitVRLittleEndian),
        "rle": compressed(RLELossless),
        "jpeg-2000": compressed(JPEG2000Lossless),
        "jpeg-ls": compressed(JPEGLSLossless),
        "inverted": dicom(pixels=255 - gray, PhotometricInterpretation="MONOCHROME1"),
        "middle-bits": dicom(pixels=high, **odd, **window),
        "nested": _nested(20),
    }
    exact = [
        Specimen(name=f"dicom-{name}.dcm", content=content, pixels=gray)
        for name, content in files.items()
    ]
    baseline = dicom(JPEGBaseline8Bit, PixelData=encapsulate([jpeg]))
    return [
        *exact,
        Specimen(name="dicom-jpeg.dcm", content=baseline, pixels=gray, tolerance=LOSSY),
    ]


def damaged():
    """Return what must be refused."""
    good = dicom()
    place = good.index(b"\xe0\x7f\x10\x00")
    length = struct.pack("<L", 2**32 - 2)
    files = {
        "no-pixels": (dicom(PixelData=None), "holds no pixels"),
        "empty-pixels": (dicom(PixelData=b""), "holds no pixels"),
        "short-pixels": (dicom(PixelData=bytes(100)), "cut off"),
        "no-rows": (dicom(Rows=None), "broken"),
        "no-bits": (dicom(BitsAllocated=None), "broken"),
        "32-bits": (dicom(BitsAllocated=32), "only 8 and 16"),
        "7-bits": (dicom(BitsAllocated=7), "only 8 and 16"),
        "stored-beyond": (dicom(BitsStored=12), "only 8 and 16"),
        "5-samples": (dicom(SamplesPerPixel=5), "broken"),
        "wrong-length": (good[: place + 8] + length + good[place + 12 :], ""),
        "wrong-syntax": (saying(good, JPEG2000Lossless), BROKEN),
        "unknown-syntax": (saying(good, "1.2.840.10008.9.9.9"), BROKEN),
        "preamble-only": (bytes(128) + b"DICM", "broken|holds no pixels"),
        "report": (dicom(PixelData=None, Modality="SR"), "holds no pixels"),
        "garbage": (bytes(128) + b"DICM" + b"\xa5" * 999, "broken|holds no pixels"),
    }
    found = [
        Specimen(name=f"dicom-{name}.dcm", content=content, says=says)
        for name, (content, says) in files.items()
    ]
    told = "broken|cut off|holds no pixels|not DICOM|empty"
    return [*found, *cut("dicom.dcm", good, told)]


def capsules():
    """Return compressed pixels that are none, or others than the header claims."""
    jpeg = save(xray(), "JPEG")
    frame = jpeg.index(b"\xff\xc0")
    huge = jpeg[: frame + 5] + b"\xff\xdc\xff\xdc" + jpeg[frame + 9 :]
    good = compressed(JPEG2000Lossless)
    files = {
        "garbage": dicom(JPEG2000Lossless, PixelData=encapsulate([b"\xa5" * 999])),
        "no-items": saying(dicom(PixelData=b"\xa5" * 100), JPEGBaseline8Bit),
        "other-size": dicom(JPEGBaseline8Bit, PixelData=encapsulate([huge])),
        "start-only": dicom(JPEGBaseline8Bit, PixelData=encapsulate([jpeg[:20]])),
        "jpeg-in-rle": dicom(RLELossless, PixelData=encapsulate([jpeg])),
        "rle-garbage": dicom(RLELossless, PixelData=encapsulate([b"\1" * 500])),
        "2000-as-rle": saying(good, RLELossless),
        "many-offsets": dicom(
            JPEGBaseline8Bit, PixelData=b"\xfe\xff\x00\xe0\xff\xff\xff\x7f" + jpeg
        ),
    }
    return [
        Specimen(name=f"dicom-capsule-{name}.dcm", content=content, says=BROKEN)
        for name, content in files.items()
    ]


def hostile():
    """Return bombs."""
    from bad_input.jpegs import many_scans

    good = dicom()
    head = good[: _start(good)]
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    zeros = packer.compress(bytes(2**27)) + packer.flush()
    deflated = dicom(DeflatedExplicitVRLittleEndian)
    scans = dicom(
        JPEGBaseline8Bit,
        PixelData=encapsulate([many_scans()]),
        Rows=4000,
        Columns=4000,
    )
    files = {
        "65535": (dicom(Rows=65_535, Columns=65_535), "more pixels"),
        "frames": (dicom(NumberOfFrames="2147483647"), ""),
        "nested": (head + (SEQUENCE + ITEM) * 50_000, BROKEN),
        "elements": (head + b"\x09\x00\x01\x00CS\0\0" * 2_000_000, BROKEN),
        "deflated": (deflated[: _start(deflated)] + zeros, BROKEN),
        "scans": (scans, "scans"),
        "huge-table": (_lut(), ""),
    }
    return [
        Specimen(name=f"dicom-bomb-{name}.dcm", content=content, says=says)
        for name, (content, says) in files.items()
    ]


def _lut():
    item = Dataset()
    item.LUTDescriptor = [0, 0, 16]
    item.LUTData = b"\xff\xff" * 10
    item["LUTData"].VR = "OW"
    return dicom(VOILUTSequence=[item])


def saying(content, syntax):
    """Return a file that states another transfer syntax than its own."""
    value = str(syntax).encode() + b"\0" * (len(syntax) % 2)
    place = content.index(b"\x02\x00\x10\x00UI") + 6
    (old,) = struct.unpack("<H", content[place : place + 2])
    (length,) = struct.unpack("<L", content[140:144])
    return b"".join(
        [
            content[:140],
            struct.pack("<L", length + len(value) - old),
            content[144:place],
            struct.pack("<H", len(value)),
            value,
            content[place + 2 + old :],
        ]
    )


def _start(content):
    """Return where the data set begins, after the file's meta information."""
    return 144 + struct.unpack("<L", content[140:144])[0]


def _nested(depth):
    """Return a file with sequences in sequences."""
    good = dicom()
    place = good.index(b"\x10\x00\x10\x00PN")  # tags go up
    return good[:place] + (SEQUENCE + ITEM) * depth + END * depth + good[place:]
