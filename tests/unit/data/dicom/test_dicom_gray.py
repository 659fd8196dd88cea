import numpy as np
import pytest
from dicom_files import compress, make_dataset
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from openjpeg.utils import encode_array
from PIL import Image
from pydicom.dataset import Dataset
from pydicom.pixels import apply_modality_lut, apply_voi_lut, get_encoder
from pydicom.uid import JPEG2000Lossless, JPEGLSLossless, RLELossless

from lungcli.data.images import to_8bit
from lungcli.data.read_xray import read_xray


@pytest.fixture
def gray(write):
    """Write pixels with tags and return what is read."""

    def gray(pixels, **tags):
        return read_xray(write(make_dataset(pixels, **tags)))

    return gray


def lut_item(entries, *, first=0, bits=16):
    item = Dataset()
    item.add_new("LUTDescriptor", "US", [len(entries) % 2**16, first % 2**16, bits])
    item.add_new("LUTData", "OW", np.asarray(entries, "<u2").tobytes())
    return item


def grid(*values, dtype=np.uint16):
    """Spread the values over an image of 40 by 40, one row each, the last repeated."""
    rows = [*values, *[values[-1]] * (40 - len(values))]
    return np.tile(np.array(rows, dtype)[:, None], (1, 40))


def test_window_linear_by_hand(gray):
    """C.11.2.1.2.1: centre 100, width 101 runs from 49.5 to 149.5."""
    values = (0, 49, 50, 75, 100, 149, 150, 4000)
    xray = gray(grid(*values), WindowCenter=100, WindowWidth=101)
    expected = [0, 0, 1.275, 65.025, 128.775, 253.725, 255, 255]
    np.testing.assert_array_equal(xray.pixels[:8, 0], np.rint(expected))
    assert xray.notes == ("window 100/101 (LINEAR)",)


@pytest.mark.parametrize(
    ("photometric", "ends"), [("MONOCHROME2", (49, 150)), ("MONOCHROME1", (150, 49))]
)
def test_values_that_became_black_and_white(gray, photometric, ends):
    """The window above, of what occurs: 49 and 0 are black, 150 and 4000 white."""
    values = grid(0, 49, 50, 75, 100, 149, 150, 4000)
    tags = {"WindowCenter": 100, "WindowWidth": 101}
    xray = gray(values, PhotometricInterpretation=photometric, **tags)
    assert (xray.low, xray.high) == ends


def test_values_with_a_negative_slope(gray):
    """As rescaled; the smallest and the largest of all do not stretch the others."""
    xray = gray(grid(0, 10, 20, 30), RescaleSlope=-1, RescaleIntercept=0)
    assert (xray.low, xray.high) == (-20, -10)


def test_window_exact_and_sigmoid_by_hand(gray):
    values = (0, 50, 75, 100, 125, 150, 4000)
    tags = {"WindowCenter": 100, "WindowWidth": 100}
    exact = gray(grid(*values), VOILUTFunction="LINEAR_EXACT", **tags)
    expected = [0, 0, 63.75, 127.5, 191.25, 255, 255]
    np.testing.assert_array_equal(exact.pixels[:7, 0], np.rint(expected))
    sigmoid = gray(grid(*values), VOILUTFunction="SIGMOID", **tags)
    levels = 1 / (1 + np.exp(-4 * (np.array(values) - 100) / 100))
    np.testing.assert_array_equal(sigmoid.pixels[:7, 0], np.rint(255 * levels))


def test_window_of_width_1_is_a_step(gray):
    xray = gray(grid(98, 99, 100, 101), WindowCenter=100, WindowWidth=1)
    np.testing.assert_array_equal(xray.pixels[:4, 0], [0, 0, 255, 255])


def test_first_of_several_windows(gray):
    xray = gray(grid(0, 100), WindowCenter=[100, 9], WindowWidth=[101, 9])
    assert xray.notes == ("window 100/101 (LINEAR)",)


@pytest.mark.parametrize(
    "tags",
    [
        pytest.param({"WindowCenter": 9, "WindowWidth": 0}, id="width 0"),
        pytest.param({"WindowCenter": 9}, id="no width"),
        pytest.param({"VOILUTSequence": [Dataset()]}, id="empty table"),
    ],
)
def test_malformed_window_is_not_used(gray, tags):
    assert gray(grid(0, 1, 2, 3), **tags).notes == ("12-bit scaled by percentiles",)


def test_window_that_shows_nothing_is_not_used(gray):
    xray = gray(grid(0, 1000, 2000, 3000), WindowCenter=-900, WindowWidth=100)
    assert xray.notes == ("12-bit scaled by percentiles",)
    assert xray.doubts == ("window -900/100 (LINEAR) shows nothing: not used",)
    assert xray.pixels.max() == 255


def test_voi_table_goes_before_the_window(gray):
    """A header that claims 16 bits for entries of 12 loses no contrast."""
    xray = gray(
        grid(9, 10, 11, 12, 13, 99),
        VOILUTSequence=[lut_item([0, 1000, 4000], first=10)],
        WindowCenter=9,
        WindowWidth=9,
    )
    np.testing.assert_array_equal(xray.pixels[:6, 0], [0, 0, 64, 255, 255, 255])
    assert xray.notes == ("VOI LUT",)


def test_table_with_negative_first_value_stored_as_unsigned(gray):
    xray = gray(
        grid(-3, -2, -1, 0, dtype=np.int16),
        bits=16,
        VOILUTSequence=[lut_item([0, 50, 100], first=-2)],
    )
    np.testing.assert_array_equal(xray.pixels[:4, 0], [0, 0, 128, 255])


def test_modality_then_window(gray):
    xray = gray(
        grid(0, 500, 1000),
        RescaleSlope=2,
        RescaleIntercept=-1000,
        VOILUTFunction="LINEAR_EXACT",
        WindowCenter=0,
        WindowWidth=2000,
    )
    np.testing.assert_array_equal(xray.pixels[:3, 0], [0, 128, 255])
    assert xray.notes == (
        "rescaled by 2 and -1000",
        "window 0/2000 (LINEAR_EXACT)",
    )


def test_modality_table(gray):
    xray = gray(
        grid(0, 1, 2),
        ModalityLUTSequence=[lut_item([0, 900, 1000])],
        WindowCenter=500,
        WindowWidth=1000,
        VOILUTFunction="LINEAR_EXACT",
    )
    np.testing.assert_array_equal(xray.pixels[:3, 0], np.rint([0, 229.5, 255]))
    assert xray.notes[0] == "modality LUT"


@pytest.mark.parametrize(
    ("photometric", "shape", "inverted", "doubtful"),
    [
        ("MONOCHROME2", None, False, False),
        ("MONOCHROME2", "IDENTITY", False, False),
        ("MONOCHROME1", None, True, False),
        ("MONOCHROME1", "INVERSE", True, False),
        ("MONOCHROME1", "IDENTITY", True, True),
        ("MONOCHROME2", "INVERSE", False, True),
    ],
)
def test_inverted_once(gray, ramp, photometric, shape, inverted, doubtful):
    tags = {} if shape is None else {"PresentationLUTShape": shape}
    plain = gray(ramp, WindowCenter=2000, WindowWidth=3000).pixels
    xray = gray(
        ramp,
        PhotometricInterpretation=photometric,
        WindowCenter=2000,
        WindowWidth=3000,
        **tags,
    )
    expected = 255 - plain if inverted else plain
    assert np.abs(xray.pixels.astype(int) - expected).max() <= 1  # rounding of halves
    assert ("inverted (MONOCHROME1)" in xray.notes) == inverted
    assert bool(xray.doubts) == doubtful


def test_negative_slope_is_no_inversion_of_the_window(gray):
    """Values of 0, -50 and -100, in a window from -100 to 0."""
    xray = gray(
        grid(0, 50, 100),
        RescaleSlope=-1,
        RescaleIntercept=0,
        WindowCenter=-50,
        WindowWidth=100,
        VOILUTFunction="LINEAR_EXACT",
    )
    np.testing.assert_array_equal(xray.pixels[:3, 0], [255, 128, 0])


def test_inversion_comes_after_the_window(gray):
    """Inverting the stored values first would move the window to the other end."""
    xray = gray(
        grid(0, 100, 4000),
        PhotometricInterpretation="MONOCHROME1",
        WindowCenter=50,
        WindowWidth=100,
    )
    np.testing.assert_array_equal(xray.pixels[:3, 0], [255, 0, 0])


def test_bits_above_and_below_the_stored_ones_are_ignored(gray, ramp):
    junk = np.random.default_rng(0).integers(0, 16, ramp.shape).astype(np.uint16)
    expected = to_8bit(ramp)[0]
    above = gray(ramp | (junk << 12))
    np.testing.assert_array_equal(above.pixels, expected)
    below = gray((ramp << 4) | junk, HighBit=15)
    np.testing.assert_array_equal(below.pixels, expected)


@pytest.mark.parametrize("bits", [9, 10, 12, 14, 15, 16])
@pytest.mark.parametrize("signed", [False, True])
def test_every_depth_fills_the_range(gray, bits, signed):
    low = -(2 ** (bits - 1)) if signed else 0
    row = np.linspace(low, low + 2**bits - 1, 400)
    pixels = np.tile(row, (400, 1)).astype(np.int16 if signed else np.uint16)
    xray = gray(pixels, bits=bits)
    assert (np.diff(xray.pixels[0].astype(int)) >= 0).all()
    np.testing.assert_array_equal(xray.pixels, to_8bit(pixels.astype(np.int32))[0])


def test_8_bits_without_window_stay(gray):
    pixels = np.random.default_rng(1).integers(0, 256, (40, 40)).astype(np.uint8)
    xray = gray(pixels, bits=8)
    np.testing.assert_array_equal(xray.pixels, pixels)
    assert xray.notes == ()


@pytest.mark.parametrize("syntax", [RLELossless, JPEGLSLossless, JPEG2000Lossless])
def test_signed_and_compressed(gray, write, syntax):
    pixels = np.tile(np.linspace(-2000, 2000, 64).astype(np.int16), (48, 1))
    plain = gray(pixels)
    dataset = make_dataset(pixels)
    if syntax == JPEG2000Lossless:
        frame = encode_array(pixels, bits_stored=12, photometric_interpretation=2)
    else:
        frame = get_encoder(syntax).encode(
            pixels,
            rows=48,
            columns=64,
            samples_per_pixel=1,
            bits_allocated=16,
            bits_stored=12,
            pixel_representation=1,
            photometric_interpretation="MONOCHROME2",
            number_of_frames=1,
        )
    packed = read_xray(write(compress(dataset, bytes(frame)), syntax, "b.dcm"))
    np.testing.assert_array_equal(packed.pixels, plain.pixels)


@pytest.mark.parametrize("photometric", ["MONOCHROME1", "MONOCHROME2"])
def test_padding_is_black_and_squeezes_nothing(gray, ramp, photometric):
    framed = np.full((80, 64), 2**16 - 1, np.uint16)
    framed[16:64] = ramp
    tags = {"PhotometricInterpretation": photometric}
    plain = gray(ramp, bits=16, **tags).pixels
    padded = gray(framed, bits=16, PixelPaddingValue=2**16 - 1, **tags)
    np.testing.assert_array_equal(padded.pixels[16:64], plain)
    assert not padded.pixels[:16].any()
    assert not padded.pixels[64:].any()
    assert "padding black" in padded.notes


def test_range_of_padding(gray):
    pixels = grid(-2000, -1995, -1990, 0, 100, 200, 300, dtype=np.int16)
    tags = {"PixelPaddingValue": -2000, "PixelPaddingRangeLimit": -1990}
    xray = gray(pixels, bits=16, **tags)
    assert not xray.pixels[:3].any()
    alone = gray(pixels[3:], bits=16)
    np.testing.assert_array_equal(xray.pixels[3:], alone.pixels)


def test_padding_of_signed_pixels_written_as_unsigned(write):
    dataset = make_dataset(grid(-2000, 0, 100, 200, dtype=np.int16))
    dataset.add_new("PixelPaddingValue", "US", 2**16 - 2000)
    xray = read_xray(write(dataset))
    assert "padding black" in xray.notes
    assert not xray.pixels[0].any()


def test_all_padding(gray):
    xray = gray(grid(7, 7), PixelPaddingValue=7)
    assert not xray.pixels.any()
    assert xray.doubts == ("constant image",)


def test_constant(gray):
    xray = gray(grid(7, 7))
    assert not xray.pixels.any()
    assert xray.doubts == ("constant image",)


def test_raw_linear_intensities_become_logarithms(gray):
    """Equal ratios become equal steps, as equal thicknesses of water would be."""
    pixels = grid(10, 20, 40, 80, 160, 320, 640, 1280)
    raw = {"PresentationIntentType": "FOR PROCESSING"}
    xray = gray(pixels, PixelIntensityRelationship="LIN", **raw)
    steps = np.diff(xray.pixels[1:7, 0].astype(int))
    assert np.ptp(steps) <= 1
    assert xray.notes == ("logarithm, 12-bit scaled by percentiles",)
    for tags in ({"PixelIntensityRelationship": "LOG", **raw}, {}):
        assert gray(pixels, **tags).notes == ("12-bit scaled by percentiles",)


@pytest.mark.parametrize("planar", [0, 1])
def test_colours_become_luma(write, planar):
    colours = np.random.default_rng(2).integers(0, 256, (40, 50, 3)).astype(np.uint8)
    dataset = make_dataset(colours, bits=8, PlanarConfiguration=planar)
    if planar:
        dataset.PixelData = colours.transpose(2, 0, 1).tobytes()
    xray = read_xray(write(dataset))
    expected = np.array(Image.fromarray(colours).convert("L"))
    np.testing.assert_array_equal(xray.pixels, expected)
    assert xray.notes == ("colours",)


def test_colours_of_16_bits_lose_the_lower_8(write):
    colours = np.full((40, 50, 3), 200 * 256 + 17, np.uint16)
    xray = read_xray(write(make_dataset(colours, bits=16)))
    assert (xray.pixels == 200).all()


@pytest.mark.parametrize("photometric", ["YBR_FULL", "YBR_FULL_422"])
def test_luminance_and_chroma(write, photometric):
    """Y without chroma is gray."""
    luminance = np.tile(np.arange(64, dtype=np.uint8), (40, 1))
    chroma = np.full_like(luminance, 128)
    dataset = make_dataset(np.dstack([luminance, chroma, chroma]), bits=8)
    dataset.PhotometricInterpretation = photometric
    if photometric == "YBR_FULL_422":
        pairs = luminance.reshape(-1, 2)
        dataset.PixelData = np.hstack([pairs, np.full_like(pairs, 128)]).tobytes()
    xray = read_xray(write(dataset))
    np.testing.assert_array_equal(xray.pixels, luminance)


def palette(dataset):
    dataset.PhotometricInterpretation = "PALETTE COLOR"
    for colour in ("Red", "Green", "Blue"):
        name = f"{colour}PaletteColorLookupTable"
        setattr(dataset, f"{name}Descriptor", [256, 0, 16])
        entries = np.arange(255, -1, -1, dtype=np.uint16) * 257
        setattr(dataset, f"{name}Data", entries.tobytes())


def test_palette(write):
    pixels = np.tile(np.arange(64, dtype=np.uint8), (40, 1))
    dataset = make_dataset(pixels, bits=8)
    palette(dataset)
    xray = read_xray(write(dataset))
    np.testing.assert_array_equal(xray.pixels, 255 - pixels)
    assert xray.notes == ("palette",)


def test_missing_palette(write):
    dataset = make_dataset(np.zeros((40, 40), np.uint8), bits=8)
    dataset.PhotometricInterpretation = "PALETTE COLOR"
    with pytest.raises(Exception, match="its palette cannot be used"):
        read_xray(write(dataset))


@given(
    pixels=arrays(np.uint16, (40, 40), elements=st.integers(0, 4095)),
    centre=st.integers(1, 4000),
    width=st.integers(2, 5000),
    slope=st.sampled_from([1, 2, 0.5]),
    inverse=st.booleans(),
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=20)
def test_second_opinion(write, pixels, centre, width, slope, inverse):
    """pydicom's own pipeline, scaled to 8 bits, where the window shows anything."""
    dataset = make_dataset(
        pixels,
        WindowCenter=centre,
        WindowWidth=width,
        RescaleSlope=slope,
        RescaleIntercept=10,
        PhotometricInterpretation="MONOCHROME1" if inverse else "MONOCHROME2",
    )
    shown = apply_voi_lut(apply_modality_lut(pixels, dataset), dataset)
    expected = (shown - 10) / (4095 * slope) * 255
    assume(np.ptp(shown) > 0)
    xray = read_xray(write(dataset))
    assume(not xray.doubts)  # a window that hides most of the middle is not used
    got = xray.pixels
    expected = 255 - expected if inverse else expected
    np.testing.assert_allclose(got, expected, atol=0.51)


def test_table_of_8_bits_packed(gray):
    item = Dataset()
    item.add_new("LUTDescriptor", "US", [4, 0, 8])
    item.add_new("LUTData", "OW", bytes([0, 10, 20, 40]))
    xray = gray(grid(0, 1, 2, 3), VOILUTSequence=[item])
    np.testing.assert_array_equal(xray.pixels[:4, 0], [0, 64, 128, 255])


def test_table_of_all_values_states_0_entries(gray):
    entries = np.arange(2**16)[::-1]
    xray = gray(grid(0, 2**16 - 1), bits=16, VOILUTSequence=[lut_item(entries)])
    np.testing.assert_array_equal(xray.pixels[:2, 0], [255, 0])


@pytest.mark.parametrize("window", [(3900, 100), (300, 100)], ids=["black", "white"])
def test_a_window_that_hides_the_chest_is_not_used(gray, window):
    """All but a border: the chest would be black, or white, with a frame around it."""
    pixels = np.full((64, 64), 4000, np.uint16)
    pixels[4:-4, 4:-4] = np.linspace(1000, 3000, 56 * 56).reshape(56, 56)
    pixels[:4] = 250
    centre, width = window
    xray = gray(pixels, WindowCenter=centre, WindowWidth=width)
    assert "hides 100 % of the middle: not used" in xray.doubts[0]
    assert len(np.unique(xray.pixels[16:-16, 16:-16])) > 100
    used = gray(pixels, WindowCenter=2000, WindowWidth=2500)
    assert used.doubts == ()
    assert used.notes == ("window 2000/2500 (LINEAR)",)
