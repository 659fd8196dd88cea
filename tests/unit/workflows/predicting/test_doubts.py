"""Tags are heeded, pixels are doubted, and every correction can be undone."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lungcli.checks.gate import Appearance
from lungcli.data.xray import Xray
from lungcli.workflows.predicting.doubts import Correction, examine

UPRIGHT = Appearance(
    quarter_turns=0,
    inverted=False,
    mirrored=False,
    frontal_chest=True,
    turn_probabilities=(1.0, 0.0, 0.0, 0.0),
    inverted_probability=0.0,
    mirrored_probability=0.0,
    chest_probability=1.0,
)
IMAGE = np.array([[0, 1, 2], [3, 4, 255]], np.uint8)

CORRECTIONS = st.builds(
    Correction,
    quarter_turns=st.integers(0, 3),
    mirrored=st.booleans(),
    inverted=st.booleans(),
)


class StandIn:
    """A gate that sees what it is told, and keeps what it was shown."""

    def __init__(self, **seen):
        self.seen = replace(UPRIGHT, **seen)

    def look(self, pixels):
        self.shown = pixels
        return self.seen


@given(correction=CORRECTIONS)
def test_labels_come_back_to_the_stored_grid(correction):
    geometry_only = replace(correction, inverted=False)
    np.testing.assert_array_equal(correction.undo(geometry_only.apply(IMAGE)), IMAGE)


@given(correction=CORRECTIONS)
def test_probabilities_come_back_likewise(correction):
    pair = np.stack([IMAGE, IMAGE // 2], axis=-1).astype(np.float32)
    geometry_only = replace(correction, inverted=False)
    upright = np.stack([geometry_only.apply(pair[..., k]) for k in (0, 1)], axis=-1)
    np.testing.assert_array_equal(correction.undo_probabilities(upright), pair)


def test_a_turn_is_counter_clockwise_and_mirroring_comes_after_it():
    turned = Correction(quarter_turns=1).apply(IMAGE)
    assert turned.tolist() == [[2, 255], [1, 4], [0, 3]]
    both = Correction(quarter_turns=1, mirrored=True).apply(IMAGE)
    assert both.tolist() == [[255, 2], [4, 1], [3, 0]]
    assert Correction(inverted=True).apply(IMAGE)[0, 1] == 254


@given(
    turns=st.integers(0, 3),
    mirrored=st.booleans(),
    seen=st.integers(0, 3),
)
def test_a_fix_is_what_the_pixels_say_on_top_of_the_tags(turns, mirrored, seen):
    xray = Xray(pixels=IMAGE, quarter_turns=turns, mirrored=mirrored)
    gate = StandIn(quarter_turns=seen)
    found = examine(xray, gate, on_doubt="fix")
    np.testing.assert_array_equal(
        found.correction.apply(IMAGE), np.rot90(gate.shown, seen)
    )


def test_the_gate_sees_what_the_tags_have_set_upright():
    gate = StandIn()
    examine(Xray(pixels=IMAGE, quarter_turns=2), gate, on_doubt="warn")
    np.testing.assert_array_equal(gate.shown, np.rot90(IMAGE, 2))


@pytest.mark.parametrize(
    ("seen", "told"),
    [
        ({"quarter_turns": 1}, "looks turned: 90° counter-clockwise"),
        ({"inverted": True}, "looks inverted"),
        ({"mirrored": True}, "looks mirrored"),
        ({"frontal_chest": False}, "does not look like a frontal chest"),
    ],
)
def test_warn_tells_and_changes_nothing(seen, told):
    found = examine(Xray(pixels=IMAGE), StandIn(**seen), on_doubt="warn")
    assert told in found.doubts[0]
    assert found.correction == Correction()
    assert not found.refused


def test_what_was_fixed_is_no_doubt_any_more():
    found = examine(
        Xray(pixels=IMAGE), StandIn(quarter_turns=3, inverted=True), on_doubt="fix"
    )
    assert found.doubts == ()
    assert found.correction == Correction(quarter_turns=3, inverted=True)
    assert found.correction.words == ("turned 90° clockwise", "inverted")


def test_pixels_never_mirror():
    found = examine(Xray(pixels=IMAGE), StandIn(mirrored=True), on_doubt="fix")
    assert not found.correction.mirrored
    assert "dextrocardia" in found.doubts[0]


def test_sides_that_the_tags_know_are_not_doubted():
    xray = Xray(pixels=IMAGE, mirrored=False)
    assert examine(xray, StandIn(mirrored=True), on_doubt="warn").doubts == ()


def test_what_the_header_says_is_a_reason_to_refuse():
    xray = Xray(pixels=IMAGE, doubts=("body part HAND: no chest",))
    assert examine(xray, StandIn(), on_doubt="refuse").refused
    assert not examine(xray, StandIn(), on_doubt="fix").refused


@pytest.mark.parametrize(
    ("levels", "said"),
    [
        pytest.param(range(100, 116), [], id="16 levels are enough"),
        pytest.param(
            range(100, 109),
            ["low contrast: the middle has gray values 100 to 108 only"],
            id="9 are not",
        ),
        pytest.param([7], ["low contrast: the middle has gray values 7 to 7 only"]),
    ],
)
def test_few_gray_values_are_a_doubt_whatever_a_marker_has(levels, said):
    pixels = np.resize(np.array(levels, np.uint8), (60, 60))
    pixels[:5, :9] = 255
    assert list(examine(Xray(pixels=pixels), StandIn(), on_doubt="warn").doubts) == said


def test_the_gate_sees_what_the_network_sees_of_a_narrow_range():
    ramp = np.tile(np.linspace(40, 70, 60).astype(np.uint8), (60, 1))
    gate = StandIn()
    examine(Xray(pixels=ramp), gate, on_doubt="warn")
    assert np.ptp(gate.shown) > 200
