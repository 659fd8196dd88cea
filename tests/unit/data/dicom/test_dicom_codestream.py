import io
import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from openjpeg.utils import encode_array
from PIL import Image
from pydicom.pixels import get_encoder
from pydicom.uid import JPEGLSLossless

from lungcli.data.dicom.codestream import StreamSize, stream_size

PIXELS = np.zeros((40, 70), np.uint16)


def jpeg(**options):
    file = io.BytesIO()
    Image.fromarray(PIXELS.astype(np.uint8)).save(file, "JPEG", **options)
    return file.getvalue()


@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"comment": b"x" * 99}])
def test_jpeg(options):
    assert stream_size(jpeg(**options)) == StreamSize(70, 40, 8)


def test_jpeg_ls():
    stream = get_encoder(JPEGLSLossless).encode(
        PIXELS,
        rows=40,
        columns=70,
        samples_per_pixel=1,
        bits_allocated=16,
        bits_stored=12,
        pixel_representation=0,
        photometric_interpretation="MONOCHROME2",
        number_of_frames=1,
    )
    assert stream_size(stream) == StreamSize(70, 40, 12)


@pytest.mark.parametrize("codec_format", [0, 1], ids=["stream", "JP2 file"])
def test_jpeg_2000(codec_format):
    stream = encode_array(
        PIXELS.astype(np.int16),
        bits_stored=12,
        photometric_interpretation=2,
        codec_format=codec_format,
    )
    assert stream_size(bytes(stream)) == StreamSize(70, 40, 12)


def test_a_decoy_in_front_of_the_codestream_is_passed_over():
    stream = bytes(
        encode_array(
            PIXELS.astype(np.int16),
            bits_stored=12,
            photometric_interpretation=2,
            codec_format=1,
        )
    )
    place = stream.index(b"jp2c") - 4
    decoy = b"\xff\x4f\xff\x51" + bytes(60)
    box = struct.pack(">L4s", len(decoy) + 8, b"free") + decoy
    hidden = stream[:place] + box + stream[place:]
    assert stream_size(hidden) == StreamSize(70, 40, 12)


@given(
    st.binary(max_size=80),
    st.sampled_from(
        [b"", b"\xff\xd8", b"\xff\x4f\xff\x51", b"\0\0\0\x0cjP  \r\n\x87\n"]
    ),
)
def test_junk_has_a_size_or_none(junk, start):
    assert isinstance(stream_size(start + junk), StreamSize | None)
