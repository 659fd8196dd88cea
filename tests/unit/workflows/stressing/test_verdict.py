"""Where the mean Dice falls below a threshold, by hand."""

import json
import math
from dataclasses import replace

import numpy as np
import pytest

from lungcli.perturbations.catalogue import find_perturbations
from lungcli.workflows.stressing.verdict import find_drop, judge, to_document

NAN = math.nan


def named(name, **changes):
    return replace(find_perturbations([name])[0], **changes)


ROTATION = named("rotation", levels=(-60, -30, 0, 30, 60))
GAMMA = named("gamma", levels=(0.25, 1, 4))
NOISE = named("noise", levels=(0, 10, 20))
JPEG = named("jpeg", levels=(100, 50, 10))
INVERSION = named("inversion")


@pytest.mark.parametrize(
    ("perturbation", "means", "levels", "text"),
    [
        pytest.param(
            NOISE,
            [0.98, 0.96, 0.94],
            {"up": 15},
            "at 15%",
            id="halfway",
        ),
        pytest.param(
            NOISE, [0.98, 0.97, 0.95], {"up": None}, "never up to 20%", id="not-below"
        ),
        pytest.param(
            ROTATION,
            [0.5, 0.98, 0.99, 0.96, 0.91],
            {"down": -31.875, "up": 36},
            "at -32° and 36°",
            id="both-ways",
        ),
        pytest.param(
            ROTATION,
            [0.96, 0.98, 0.99, 0.96, 0.96],
            {"down": None, "up": None},
            "never within -60° to 60°",
            id="never",
        ),
        pytest.param(
            ROTATION,
            [0.96, 0.98, 0.99, 0.96, 0.94],
            {"down": None, "up": 45},
            "at 45°, never down to -60°",
            id="one-way-of-two",
        ),
        pytest.param(
            GAMMA,
            [0.94, 0.96, 0.92],
            {"down": 0.5, "up": 4**0.25},
            "at 0.5 and 1.41",
            id="in-equal-factors",
        ),
        pytest.param(
            JPEG, [0.98, 0.96, 0.92], {"down": 40}, "at 40", id="strength-goes-down"
        ),
        pytest.param(
            INVERSION, [0.98, 0.5], {"up": 1}, "when inverted", id="nothing-between"
        ),
        pytest.param(INVERSION, [0.98, 0.97], {"up": None}, "never", id="no-harm"),
        pytest.param(
            NOISE, [0.98, 0.90, 0.99], {"up": 3.75}, "at 3.75%", id="first-of-several"
        ),
        pytest.param(
            NOISE, [0.97, NAN, 0.93], {"up": 10}, "at 10%", id="undefined-between"
        ),
        pytest.param(
            NOISE, [0.97, NAN, NAN], {"up": None}, "never up to 20%", id="undefined"
        ),
    ],
)
def test_drop(perturbation, means, levels, text):
    drop = find_drop(perturbation, means, 0.95)
    assert not drop.already
    assert drop.levels == pytest.approx(levels)
    assert drop.text == text


def test_below_from_the_start():
    drop = find_drop(ROTATION, [0.9, 0.9, 0.943, 0.99, 0.9], 0.95)
    assert drop.already
    assert drop.levels == {"down": None, "up": None}
    assert drop.text == "already as it is (0.943)"


def test_without_a_lung_nothing_can_be_said():
    """Lung on a perturbed X-ray alone has Dice 0, but is no drop."""
    drop = find_drop(NOISE, [NAN, 0, 0], 0.95)
    assert not drop.already
    assert drop.levels == {"up": None}
    assert drop.text == "unknown: no case has a lung"


def test_summary_of_the_levels_by_hand():
    dice = np.array([[0.98, 0.96, NAN], [0.96, 0.85, NAN], [0.97, NAN, NAN]])
    patients = [("a", "1"), ("a", "2"), ("b", "1")]
    verdict = judge(NOISE, dice, patients, seed=0)
    first, second, third = verdict.levels
    assert (first.cases, first.undefined, first.failure_rate) == (3, 0, 0)
    assert first.mean == pytest.approx(0.97)
    assert first.p5 == pytest.approx(0.961)
    assert 0.96 <= first.low < 0.97 < first.high <= 0.98
    assert (second.cases, second.undefined, second.failure_rate) == (2, 1, 0.5)
    assert second.mean == pytest.approx(0.905)
    assert (third.cases, third.undefined) == (0, 3)
    assert all(math.isnan(value) for value in (third.mean, third.p5, third.low))
    assert verdict.text == ("mean Dice below 0.95 at 3.08%; below 0.9 never up to 20%")


def test_one_patient_has_no_interval():
    dice = np.array([[0.98, 0.96, 0.5], [0.96, 0.85, 0.4]])
    verdict = judge(NOISE, dice, [("a", "1"), ("a", "1")], seed=0)
    assert all(math.isnan(scores.low) for scores in verdict.levels)
    assert to_document(verdict)["levels"][0]["ci95"] is None


def test_document_is_json():
    dice = np.array([[0.98, 0.96, NAN], [0.96, 0.85, NAN]])
    verdict = judge(NOISE, dice, [("a", "1"), ("a", "2")], seed=0)
    document = json.loads(json.dumps(to_document(verdict), allow_nan=False))
    assert document["drops"][0] == {
        "dice": 0.95,
        "already": False,
        "up": pytest.approx(3.0769, abs=1e-3),
    }
    assert document["levels"][2] == {
        "level": 20,
        "cases": 0,
        "undefined": 2,
        "mean": None,
        "ci95": None,
        "p5": None,
        "failure_rate": None,
    }
