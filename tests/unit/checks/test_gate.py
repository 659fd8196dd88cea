"""The gate on phantoms, photographs and, where there are some, real chests."""

import json
import warnings
from pathlib import Path

import numpy as np
import pytest
import skimage
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from lungcli.checks import gate as module
from lungcli.checks.gate import Gate, Thresholds, join_views, judge, standardize
from lungcli.data.read_xray import read_xray
from lungcli.errors import ModelError
from lungcli.phantom import draw_phantom

SEEDS = range(6)
PHOTOGRAPHS = ["astronaut.png", "camera.png", "coins.png", "page.png", "retina.jpg"]
REAL = [
    "MontgomerySet/CXR_png", "ChinaSet_AllFiles/CXR_png", "JSRT/images",
    "covid-v7/images",
]  # fmt: skip
SURE = Thresholds(turned=0.9, inverted=0.9, mirrored=0.9, other=0.9)


@pytest.fixture(scope="module")
def gate():
    return Gate.load()


@pytest.fixture(scope="module")
def chests():
    return [draw_phantom(seed, 192).image for seed in SEEDS]


def claims(appearance):
    return (
        appearance.quarter_turns,
        appearance.inverted,
        appearance.mirrored,
        appearance.frontal_chest,
    )


def test_an_upright_chest_is_left_alone(gate, chests):
    assert [claims(gate.look(chest)) for chest in chests] == [
        (0, False, False, True)
    ] * len(chests)


@pytest.mark.parametrize("inverted", [False, True], ids=["bright bones", "dark bones"])
@pytest.mark.parametrize("turned", [1, 2, 3])
def test_turned_and_inverted(gate, chests, turned, inverted):
    for chest in chests:
        posed = np.ascontiguousarray(np.rot90(chest, turned))
        found = gate.look(255 - posed if inverted else posed)
        assert found.frontal_chest
        assert found.inverted == inverted
        np.testing.assert_array_equal(np.rot90(posed, found.quarter_turns), chest)


def test_dark_bones_upright(gate, chests):
    for chest in chests:
        assert claims(gate.look(255 - chest)) == (0, True, False, True)


@pytest.mark.parametrize("pad", [0, 255], ids=["black", "white"])
def test_bars_beside_dark_bones(gate, chests, pad):
    for chest in chests:
        padded = np.pad(255 - chest, ((0, 0), (24, 24)), constant_values=pad)
        assert claims(gate.look(padded))[:2] == (0, True)


def test_mirrored_chests_look_more_mirrored(gate, chests):
    for chest in chests:
        mirrored = gate.look(np.fliplr(chest))
        assert mirrored.mirrored_probability > gate.look(chest).mirrored_probability


@pytest.mark.parametrize("shape", [(120, 240), (330, 150)])
def test_aspect_does_not_matter(gate, chests, shape):
    for chest in chests:
        stretched = Image.fromarray(chest).resize(shape[::-1])
        assert claims(gate.look(np.asarray(stretched))) == (0, False, False, True)


@pytest.mark.parametrize("name", PHOTOGRAPHS)
def test_a_photograph_is_no_chest(gate, name):
    pixels = read_xray(Path(skimage.__file__).parent / "data" / name).pixels
    assert claims(gate.look(pixels)) == (0, False, False, False)


@pytest.mark.parametrize("spread", [3, 30, 90])
def test_noise_is_no_chest(gate, spread):
    noise = np.random.default_rng(0).normal(128, spread, (300, 260))
    assert not gate.look(np.clip(noise, 0, 255).astype(np.uint8)).frontal_chest


@pytest.mark.parametrize("level", [0, 1, 128, 255])
@pytest.mark.parametrize("shape", [(32, 32), (1, 1), (5000, 33), (40, 3000)])
def test_a_constant_image_is_no_chest_and_no_warning(gate, level, shape):
    with warnings.catch_warnings(action="error"):
        found = gate.look(np.full(shape, level, np.uint8))
    assert claims(found) == (0, False, False, False)


def test_the_same_image_twice(gate, chests):
    assert gate.look(chests[0]) == Gate.load().look(chests[0].copy())


def test_reads_views_and_read_only_pixels(gate, chests):
    view = np.flipud(np.flipud(chests[0])[::-1][::-1])
    view.flags.writeable = False
    assert gate.look(view) == gate.look(chests[0])


@settings(max_examples=20)
@given(seed=st.integers(0, 2**32 - 1), turns=st.integers(0, 3), mirror=st.booleans())
def test_who_turns_the_image_turns_the_answer(gate, seed, turns, mirror):
    image = np.random.default_rng(seed).integers(0, 256, (64, 64)).astype(np.uint8)
    before = gate.look(image)
    posed = np.rot90(np.fliplr(image) if mirror else image, turns)
    after = gate.look(np.ascontiguousarray(posed))
    left = before.turn_probabilities
    left = (left[0], left[3], left[2], left[1]) if mirror else left
    expected = before.mirrored_probability
    expected = 1.0 - expected if mirror else expected
    close = {"abs": 1e-5}
    assert after.turn_probabilities == pytest.approx(np.roll(left, -turns), **close)
    assert after.mirrored_probability == pytest.approx(expected, **close)
    assert after.inverted_probability == pytest.approx(
        before.inverted_probability, **close
    )


def test_views_are_joined_by_hand():
    # one quarter turn sets it upright: after k turns by us, 1 - k are left,
    # and 3 - k where it is seen from behind
    logits = np.zeros((8, 7), np.float32)
    for turned in range(4):
        logits[turned, (1 - turned) % 4] = 8.0
        logits[4 + turned, (3 - turned) % 4] = 8.0
    logits[:, 4] = [1, 2, 3, 6, 1, 2, 3, 6]
    logits[:4, 5], logits[4:, 5] = 3.0, -1.0
    np.testing.assert_allclose(join_views(logits), [0, 8, 0, 0, 3, 2, 0])


@pytest.mark.parametrize(
    ("logits", "expected"),
    [
        pytest.param([0, 9, 0, 0, 9, 9, 9], (1, True, True, True), id="all claims"),
        pytest.param([0, 9, 0, 0, 9, 9, -9], (0, False, False, False), id="no chest"),
        pytest.param([0, 2, 0, 0, 2, 2, -2], (0, False, False, True), id="doubtful"),
        pytest.param([9, 0, 0, 0, -9, -9, 9], (0, False, False, True), id="upright"),
    ],
)
def test_claims_only_where_sure(logits, expected):
    found = judge(np.array(logits, np.float32), SURE)
    assert claims(found) == expected
    assert sum(found.turn_probabilities) == pytest.approx(1.0)


def test_doubts_are_kept_as_probabilities():
    found = judge(np.array([0, 0, 0, 0, 0, np.log(3), 0], np.float32), SURE)
    assert found.turn_probabilities == pytest.approx((0.25,) * 4)
    assert found.inverted_probability == pytest.approx(0.5)
    assert found.mirrored_probability == pytest.approx(0.75)
    assert found.chest_probability == pytest.approx(0.5)


def test_inverting_commutes_with_standardizing():
    thumbnail = np.random.default_rng(1).integers(0, 256, (64, 64)).astype(np.uint8)
    np.testing.assert_allclose(
        standardize(255 - thumbnail), 1.0 - standardize(thumbnail), atol=1e-5
    )


def test_a_missing_network_is_said(tmp_path):
    document = (module._MODEL / "gate.json").read_text()
    (tmp_path / "gate.json").write_text(document)
    with pytest.raises(ModelError, match=r"cannot use the network .*gate\.onnx"):
        Gate.load(tmp_path)


@pytest.mark.parametrize("text", [None, "{", "{}", '{"thresholds": {"odd": 1}}'])
def test_broken_thresholds_are_said(tmp_path, text):
    if text is not None:
        (tmp_path / "gate.json").write_text(text)
    with pytest.raises(ModelError, match=r"gate\.json .*Install lungcli again"):
        Gate.load(tmp_path)


def test_what_ships_is_small_and_says_its_licence():
    folder = module._MODEL
    assert (folder / "gate.onnx").stat().st_size < 1_000_000
    document = json.loads((folder / "gate.json").read_text())
    assert document["license"] == "CC-BY-NC-SA-4.0"
    assert set(document["thresholds"]) == {"turned", "inverted", "mirrored", "other"}


@pytest.mark.data
def test_real_chests_hardly_ever_raise_an_alarm(gate, real_data):
    # it has learned from them; gate.json has the figures of cross-validation
    paths = [path for folder in REAL for path in sorted((real_data / folder).iterdir())]
    sample = paths[::4]
    found = [claims(gate.look(read_xray(path).pixels)) for path in sample]
    alarms = sum(claim != (0, False, False, True) for claim in found)
    assert alarms <= 0.01 * len(sample), f"{alarms} of {len(sample)}"
