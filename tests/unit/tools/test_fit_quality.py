"""The script that learns the quality score."""

import sys
from pathlib import Path

import numpy as np
import pytest

from lungcli.checks.quality_features import FEATURES, shape_of, shrink
from lungcli.phantom import draw_phantom

TOOLS = Path(__file__).parents[3] / "tools"
SIZE = 96


@pytest.fixture(scope="module", autouse=True)
def tools():
    sys.path.insert(0, str(TOOLS))
    yield
    sys.path.remove(str(TOOLS))


@pytest.fixture(scope="module")
def phantom():
    return draw_phantom(0, SIZE)


def stress_names():
    source = (TOOLS / "quality_stress.py").read_text(encoding="utf-8")
    listed = source.split("STRESSES")[1].split(")")[0]
    return [line.strip(" ,") for line in listed.splitlines()[1:] if line.strip(" ,")]


@pytest.mark.parametrize("name", stress_names())
def test_every_stress_keeps_squares_and_labels(phantom, name):
    import quality_stress

    stress = getattr(quality_stress, name)
    for seed in range(4):
        before = phantom.image.copy(), phantom.labels.copy()
        image, labels = stress(*before, np.random.default_rng(seed))
        assert image.shape == labels.shape == (SIZE, SIZE)
        assert image.dtype == labels.dtype == np.uint8
        assert {*np.unique(labels).tolist()} <= {0, 1, 2}
        assert (image != phantom.image).any()
        np.testing.assert_array_equal(before[0], phantom.image)


@pytest.mark.parametrize(
    "name", ["rotate", "quarter_turn", "shrink", "enlarge", "squeeze", "collimate"]
)
def test_the_reference_moves_with_the_image(phantom, name):
    """Labels used as the image too: both must end in the same place."""
    import quality_stress

    picture = np.where(phantom.labels > 0, np.uint8(255), np.uint8(0))
    stress = getattr(quality_stress, name)
    for seed in range(4):
        image, labels = stress(picture, phantom.labels, np.random.default_rng(seed))
        apart = np.count_nonzero((image > 127) != (labels > 0))
        assert apart <= 0.06 * max(np.count_nonzero(labels), 200)


def samples(count=60):
    """Masks whose doubt alone decides on their Dice."""
    from quality_material import AS_IT_IS, Sample

    made = []
    phantoms = [draw_phantom(seed, SIZE) for seed in range(4)]
    for seed in range(count):
        phantom = phantoms[seed % len(phantoms)]
        certainty = 1 - 0.4 * (seed % 7) / 7
        sides = [phantom.labels == side for side in (1, 2)]
        probabilities = np.stack(sides, axis=-1).astype(np.float32) * certainty
        made.append(
            Sample(
                case=f"a/{seed}",
                patient=("a", str(seed)),
                stress="noise" if seed % 2 else AS_IT_IS,
                view=shrink(phantom.image, probabilities, phantom.labels),
                reference=shape_of(phantom.labels),
                dice=certainty**2,
            )
        )
    return made


@pytest.mark.slow  # what collects the masks imports Keras
def test_what_was_learned_predicts_other_patients():
    from quality_learn import learn, measure, score_others

    masks = samples()
    scores, others = score_others(masks, masks[:5])
    np.testing.assert_array_equal(others, scores[:5])
    dice = np.array([mask.dice for mask in masks])
    found = measure(scores, dice)
    assert found.spearman > 0.8
    assert abs(found.bias) < 0.05
    assert tuple(term.feature for term in learn(masks).terms) == FEATURES


@pytest.mark.slow
def test_figures_by_hand():
    from quality_learn import measure

    dice = np.linspace(0.5, 1, 40)  # the two worst come first
    scores = dice.copy()
    scores[1] = 0.99  # one of them is not among the four lowest scores
    found = measure(scores, dice)
    assert (found.masks, found.worst, found.found) == (40, 2, 1)
    assert found.error == pytest.approx((0.99 - dice[1]) / 40)
    assert found.bias == pytest.approx(found.error)
