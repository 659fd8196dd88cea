import contextlib
import io
import struct
import threading
import warnings

import numpy as np
import pytest
from dicom_files import SECRET, compress, make_dataset, to_bytes
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from openjpeg.utils import encode_array
from PIL import Image
from pydicom import Dataset, dcmread
from pydicom.encaps import encapsulate
from pydicom.pixels import get_encoder
from pydicom.uid import (
    MPEG2MPML,
    BasicTextSRStorage,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGLosslessSV1,
    JPEGLSLossless,
    RLELossless,
)

from lungcli.data.images import TooSmallError, to_8bit
from lungcli.data.read_xray import read_xray
from lungcli.errors import ImageError

NATIVE = (
    ImplicitVRLittleEndian,
    ExplicitVRLittleEndian,
    DeflatedExplicitVRLittleEndian,
)


def encoded(dataset, pixels, syntax):
    """Compress with pydicom's own encoders, or the codec's own."""
    if syntax == JPEG2000Lossless:
        frame = encode_array(pixels, bits_stored=12, photometric_interpretation=2)
    else:
        encoder = get_encoder(syntax)
        dataset.file_meta = None
        frame = encoder.encode(
            pixels,
            rows=pixels.shape[0],
            columns=pixels.shape[1],
            samples_per_pixel=1,
            bits_allocated=16,
            bits_stored=12,
            pixel_representation=dataset.PixelRepresentation,
            photometric_interpretation="MONOCHROME2",
            number_of_frames=1,
        )
        del dataset.file_meta
    return compress(dataset, bytes(frame))


@pytest.mark.parametrize("syntax", NATIVE, ids=lambda syntax: syntax.name)
def test_uncompressed(dataset, ramp, write, syntax):
    xray = read_xray(write(dataset, syntax))
    np.testing.assert_array_equal(xray.pixels, to_8bit(ramp)[0])
    assert xray.notes == ("12-bit scaled by percentiles",)
    assert xray.doubts == ()


def test_big_endian(dataset, ramp, write):
    dataset.PixelData = ramp.astype(">u2").tobytes()
    xray = read_xray(write(dataset, ExplicitVRBigEndian))
    np.testing.assert_array_equal(xray.pixels, to_8bit(ramp)[0])


@pytest.mark.parametrize(
    "syntax",
    [RLELossless, JPEGLSLossless, JPEG2000Lossless],
    ids=lambda syntax: syntax.name,
)
def test_lossless_compression_changes_nothing(dataset, ramp, write, syntax):
    plain = read_xray(write(dataset, name="plain.dcm"))
    packed = read_xray(write(encoded(dataset, ramp, syntax), syntax))
    np.testing.assert_array_equal(packed.pixels, plain.pixels)


def test_jpeg_lossless(dataset, ramp, write, tmp_path):
    gdcm = pytest.importorskip("gdcm")
    path = write(dataset, name="plain.dcm")
    reader = gdcm.ImageReader()
    reader.SetFileName(str(path))
    assert reader.Read()
    change = gdcm.ImageChangeTransferSyntax()
    change.SetTransferSyntax(
        gdcm.TransferSyntax(gdcm.TransferSyntax.JPEGLosslessProcess14_1)
    )
    change.SetInput(reader.GetImage())
    assert change.Change()
    writer = gdcm.ImageWriter()
    writer.SetFileName(str(tmp_path / "packed.dcm"))
    writer.SetFile(reader.GetFile())
    writer.SetImage(change.GetOutput())
    assert writer.Write()
    assert dcmread(tmp_path / "packed.dcm").file_meta.TransferSyntaxUID == (
        JPEGLosslessSV1
    )
    xray = read_xray(tmp_path / "packed.dcm")
    np.testing.assert_array_equal(xray.pixels, to_8bit(ramp)[0])


def test_jpeg_baseline_is_close(ramp, write):
    gray = (ramp >> 4).astype(np.uint8)
    file = io.BytesIO()
    Image.fromarray(gray).save(file, "JPEG", quality=95)
    dataset = compress(make_dataset(gray, bits=8), file.getvalue())
    xray = read_xray(write(dataset, JPEGBaseline8Bit))
    assert np.abs(xray.pixels.astype(int) - gray).max() <= 4
    assert xray.notes == ()


def test_the_same_pixels_as_a_png_of_16_bits(ramp, dataset, write, tmp_path):
    Image.fromarray(ramp).save(tmp_path / "a.png")
    np.testing.assert_array_equal(
        read_xray(write(dataset)).pixels, read_xray(tmp_path / "a.png").pixels
    )


def test_first_frame_of_several(ramp, write):
    dataset = make_dataset(ramp, NumberOfFrames=3)
    dataset.PixelData = np.stack([ramp, ramp[:, ::-1], 0 * ramp]).tobytes()
    xray = read_xray(write(dataset))
    np.testing.assert_array_equal(xray.pixels, to_8bit(ramp)[0])
    assert xray.doubts == ("first of 3 frames",)


def test_first_frame_of_several_compressed(ramp, write):
    dataset = make_dataset(ramp, NumberOfFrames=2)
    frames = [
        encode_array(image, bits_stored=12, photometric_interpretation=2)
        for image in (ramp, ramp[:, ::-1].copy())
    ]
    compress(dataset, b"--")
    dataset.PixelData = encapsulate([bytes(frame) for frame in frames])
    xray = read_xray(write(dataset, JPEG2000Lossless))
    np.testing.assert_array_equal(xray.pixels, to_8bit(ramp)[0])


def test_what_the_header_says_of_it(dataset, write):
    dataset.PixelSpacing = [0.2, 0.1]
    dataset.ViewPosition = "PA"
    dataset.PatientOrientation = ["L", "F"]
    dataset.PresentationIntentType = "FOR PROCESSING"
    dataset.BodyPartExamined = "KNEE"
    dataset.Modality = "MG"
    xray = read_xray(write(dataset))
    assert xray.spacing_mm == (0.2, 0.1)
    assert xray.spacing_source == "PixelSpacing"
    assert (xray.view, xray.quarter_turns, xray.mirrored) == ("PA", 0, False)
    assert xray.doubts == (
        "FOR PROCESSING: raw, not meant to be looked at",
        "modality MG: no plain X-ray",
        "body part KNEE: no chest",
    )


def test_no_turn_is_applied_to_the_pixels(dataset, ramp, write):
    dataset.PatientOrientation = ["F", "R"]
    dataset.FieldOfViewRotation = 90
    dataset.FieldOfViewHorizontalFlip = "YES"
    xray = read_xray(write(dataset))
    np.testing.assert_array_equal(xray.pixels, to_8bit(ramp)[0])
    assert (xray.quarter_turns, xray.mirrored) == (3, False)


def test_decided_by_content_not_by_name(dataset, ramp, write, tmp_path):
    assert read_xray(write(dataset, name="chest")).pixels.shape == ramp.shape
    Image.fromarray(ramp).save(tmp_path / "b.png")
    (tmp_path / "b.png").rename(tmp_path / "b.dcm")
    xray = read_xray(tmp_path / "b.dcm")
    assert xray.notes == ("16-bit scaled by percentiles",)
    assert xray.spacing_mm is None


def remove_pixels(dataset):
    del dataset.PixelData


def report(dataset):
    del dataset.PixelData
    dataset.SOPClassUID = BasicTextSRStorage


def swapped_stream(dataset):
    pixels = np.zeros((64, 48), np.uint16)
    encoded(dataset, pixels, JPEG2000Lossless)


def huge_stream(dataset):
    stream = bytearray(encode_array(np.zeros((48, 64), np.uint16), bits_stored=12))
    struct.pack_into(">2L", stream, 8, 60_000, 60_000)
    compress(dataset, bytes(stream))


def cut_stream(dataset):
    noise = np.random.default_rng(0).integers(0, 4096, (48, 64)).astype(np.uint16)
    stream = bytes(encode_array(noise, bits_stored=12, photometric_interpretation=2))
    compress(dataset, stream[: len(stream) // 2])


def setting(**tags):
    def change(dataset):
        for keyword, value in tags.items():
            setattr(dataset, keyword, value)

    return change


BROKEN = [
    pytest.param(remove_pixels, None, r"holds no pixels \(Digital X-Ray", id="none"),
    pytest.param(report, None, r"holds no pixels \(Basic Text SR", id="report"),
    pytest.param(setting(PixelData=b""), None, "holds no pixels", id="empty"),
    pytest.param(setting(Rows=60_000), None, "cut off, or its header", id="too few"),
    pytest.param(
        setting(Rows=60_000, Columns=60_000),
        None,
        "more pixels than any X-ray",
        id="huge",
    ),
    pytest.param(setting(Rows=0), None, "tells of 64×0 pixels", id="no rows"),
    pytest.param(setting(BitsAllocated=32), None, "of 32 bits", id="32 bits"),
    pytest.param(setting(BitsStored=17), None, "stores 17 of 16 bits", id="bits"),
    pytest.param(setting(SamplesPerPixel=2), None, "2 × 16 bits", id="samples"),
    pytest.param(
        lambda dataset: compress(dataset, b"--"), MPEG2MPML, "not read", id="video"
    ),
    pytest.param(swapped_stream, JPEG2000Lossless, "of 48×64", id="swapped"),
    pytest.param(huge_stream, JPEG2000Lossless, "60000×60000", id="huge stream"),
    pytest.param(cut_stream, JPEG2000Lossless, "cannot be decoded", id="cut stream"),
    pytest.param(
        lambda dataset: compress(dataset, b"\0" * 64),
        RLELossless,
        "cannot be decoded",
        id="zeros",
    ),
]


@pytest.mark.parametrize(("change", "syntax", "message"), BROKEN)
def test_what_cannot_be_read_is_explained(
    dataset, write, capfd, change, syntax, message
):
    change(dataset)
    path = write(dataset, syntax or ExplicitVRLittleEndian)
    with pytest.raises(ImageError, match=message) as caught:
        read_xray(path)
    assert str(path) in str(caught.value)
    assert "DOE" not in str(caught.value)
    assert capfd.readouterr() == ("", "")


def test_unknown_transfer_syntax(dataset, write):
    path = write(dataset)
    known = b"1.2.840.10008.1.2.1\0"
    path.write_bytes(path.read_bytes().replace(known, b"1.2.3.4.5.6.7.8.9.10"))
    with pytest.raises(ImageError, match="an unknown transfer syntax"):
        read_xray(path)


def test_too_small(write):
    with pytest.raises(TooSmallError, match="31×40 pixels"):
        read_xray(write(make_dataset(np.zeros((40, 31), np.uint16))))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        pytest.param(b"", "is empty", id="empty"),
        pytest.param(b"\0" * 200, "is not DICOM", id="no preamble"),
        pytest.param(b"\0" * 128 + b"DICM", "holds no pixels", id="preamble only"),
    ],
)
def test_no_dicom(tmp_path, content, message):
    path = tmp_path / "a.dcm"
    path.write_bytes(content)
    with pytest.raises(ImageError, match=message):
        read_xray(path)


def test_small_file_that_unpacks_to_gigabytes(dataset, write, monkeypatch):
    monkeypatch.setattr("lungcli.data.dicom.dataset._MAX_BYTES", 5000)
    dataset.PixelData = bytes(10_000)
    path = write(dataset, DeflatedExplicitVRLittleEndian)
    assert path.stat().st_size < 5000
    with pytest.raises(ImageError, match="unpacks to more than 5,000 bytes"):
        read_xray(path)


def test_file_of_gigabytes_is_not_read(dataset, write, monkeypatch):
    monkeypatch.setattr("lungcli.data.dicom.dataset._MAX_BYTES", 100)
    with pytest.raises(ImageError, match="more than any X-ray"):
        read_xray(write(dataset))


@given(length=st.integers(132, 7000))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40)
def test_cut_off_anywhere(dataset, tmp_path, length):
    content = to_bytes(dataset)
    path = tmp_path / "cut.dcm"
    path.write_bytes(content[:length])
    if length >= len(content):
        read_xray(path)
        return
    with pytest.raises(ImageError, match=r"cut\.dcm"):
        read_xray(path)


@given(
    place=st.integers(132, 900),
    junk=st.binary(min_size=1, max_size=8),
    syntax=st.sampled_from([*NATIVE, JPEG2000Lossless, RLELossless]),
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=100)
def test_junk_never_ends_in_a_traceback(ramp, tmp_path, place, junk, syntax):
    dataset = make_dataset(
        ramp, WindowCenter=2000, WindowWidth=3000, PixelSpacing=[0.1, 0.1]
    )
    dataset.PixelPaddingValue = 0
    if syntax.is_encapsulated:
        encoded(dataset, ramp, syntax)
    content = bytearray(to_bytes(dataset, syntax))
    content[place : place + len(junk)] = junk
    path = tmp_path / "junk.dcm"
    path.write_bytes(content)
    with contextlib.suppress(ImageError):
        pixels = read_xray(path).pixels
        assert pixels.dtype == np.uint8
        assert pixels.ndim == 2


def test_warnings_stay_inside_in_every_thread(dataset, write):
    """pydicom warns of characters that it does not know, and more."""
    dataset.SpecificCharacterSet = "ISO_IR 100"
    path = write(dataset)
    path.write_bytes(path.read_bytes().replace(b"ISO_IR 100", b"ISO_IR 999"))
    with pytest.warns(UserWarning, match="ISO_IR 999"):
        repr(dcmread(path))
    failures = []

    def read():
        try:
            for _ in range(5):
                read_xray(path)
        except BaseException as error:
            failures.append(error)

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        threads = [threading.Thread(target=read) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert failures == []


def test_identity_shows_up_nowhere(dataset, write):
    xray = read_xray(write(dataset))
    assert SECRET not in repr((xray.notes, xray.doubts, xray.view))


def test_minimal_header(ramp, write):
    dataset = Dataset()
    dataset.update(make_dataset(ramp))
    for keyword in ("PixelRepresentation", "PhotometricInterpretation", "HighBit"):
        del dataset[keyword]
    np.testing.assert_array_equal(
        read_xray(write(dataset, ImplicitVRLittleEndian)).pixels, to_8bit(ramp)[0]
    )
