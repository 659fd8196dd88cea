"""A score that predicts Dice: better masks score higher, whatever their size."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from scipy import ndimage

from lungcli.arrays import LEFT, RIGHT
from lungcli.checks.quality import (
    QUALITY_JSON,
    QualityModel,
    Term,
    dice_of_logit,
    logit_of_dice,
)
from lungcli.checks.quality_features import FEATURES, quality_features, shrink
from lungcli.errors import ModelError
from lungcli.masks.labels import label_map
from lungcli.phantom import draw_phantom

SIZE = 256


@pytest.fixture(scope="module")
def model():
    return QualityModel.load()


@pytest.fixture(scope="module", params=range(3))
def phantom(request):
    return draw_phantom(request.param, SIZE)


def output(labels, blur=1.5):
    """Return what a network that is sure of its labels would say."""
    sides = [(labels == side).astype(np.float32) for side in (RIGHT, LEFT)]
    sigma = blur * labels.shape[0] / SIZE
    return np.stack([ndimage.gaussian_filter(side, sigma) for side in sides], axis=-1)


def score(model, image, probabilities):
    return model.score(image, probabilities, label_map(probabilities))


def test_a_sure_and_right_mask_scores_high(model, phantom):
    assert 0.9 < score(model, phantom.image, output(phantom.labels)) <= 1


def one_lung(labels, rng):
    return output(np.where(labels == RIGHT, labels, np.uint8(0)))


def doubtful(labels, rng):
    return output(labels, blur=12)


def noisy(labels, rng):
    noise = ndimage.gaussian_filter(rng.normal(size=(*labels.shape, 2)), (6, 6, 0))
    return np.clip(output(labels) + 4 * noise.astype(np.float32), 0, 0.5)


def moved(labels, rng):
    return output(np.roll(labels, labels.shape[0] // 4, axis=0), blur=4)


def blob(labels, rng):
    rows, columns = np.mgrid[-1 : 1 : SIZE * 1j, -1 : 1 : SIZE * 1j]
    round_one = np.hypot(rows - 0.3, columns) < 0.3
    return output(np.where(round_one, np.uint8(RIGHT), np.uint8(0)))


def cut_short(labels, rng):
    kept = labels.copy()
    kept[SIZE // 2 :] = 0
    return output(kept)


@pytest.mark.parametrize(
    "spoil",
    [one_lung, doubtful, noisy, moved, blob, cut_short],
    ids=lambda f: f.__name__,
)
def test_a_spoilt_mask_scores_lower(model, phantom, spoil):
    good = score(model, phantom.image, output(phantom.labels))
    spoilt = spoil(phantom.labels, np.random.default_rng(0))
    assert score(model, phantom.image, spoilt) < good - 0.005


def test_more_doubt_scores_ever_lower(model, phantom):
    scores = [
        score(model, phantom.image, output(phantom.labels, blur=blur))
        for blur in (1.5, 3, 6, 12)
    ]
    assert scores == sorted(scores, reverse=True)


def test_swapped_sides_score_lower(model, phantom):
    good = score(model, phantom.image, output(phantom.labels))
    assert score(model, phantom.image, output(phantom.labels)[..., ::-1]) < good - 0.01


@pytest.mark.parametrize("size", [128, 384, 512])
def test_the_size_of_the_network_matters_little(model, phantom, size):
    image = np.asarray(
        Image.fromarray(phantom.image).resize((size, size), reducing_gap=3)
    )
    labels = np.asarray(Image.fromarray(phantom.labels).resize((size, size), 0))
    here = score(model, phantom.image, output(phantom.labels, blur=4))
    there = score(model, image, output(labels, blur=4))
    assert there == pytest.approx(here, abs=0.02)


def test_no_lung_scores_zero(model, phantom):
    nothing = np.zeros((SIZE, SIZE, 2), np.float32)
    assert score(model, phantom.image, nothing) == 0


def test_a_speck_is_no_lung(model, phantom):
    speck = np.zeros((SIZE, SIZE, 2), np.float32)
    speck[:16, :16] = (1, 0)
    assert score(model, phantom.image, speck) == 0


@pytest.mark.parametrize("gray", [0, 255])
def test_a_constant_image_is_scored(model, phantom, gray):
    image = np.full((SIZE, SIZE), gray, np.uint8)
    assert 0 <= score(model, image, output(phantom.labels)) <= 1


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), size=st.sampled_from([32, 64, 100, 256]))
def test_any_output_is_scored_between_0_and_1(seed, size):
    rng = np.random.default_rng(seed)
    image = rng.integers(0, 256, (size, size), dtype=np.uint8)
    probabilities = rng.dirichlet((1, 1, 1), (size, size))[..., :2].astype(np.float32)
    assert 0 <= score(QualityModel.load(), image, probabilities) <= 1


def test_a_square_that_is_all_lung_scores_lower(model, phantom):
    everything = np.full((SIZE, SIZE, 2), 0.5, np.float32)
    good = score(model, phantom.image, output(phantom.labels))
    assert score(model, phantom.image, everything) < good - 0.01


def test_features_of_two_squares(model):
    """By hand: two sure squares of 16×24 pixels of the small grid, gray all around."""
    labels = np.zeros((64, 64), np.uint8)
    labels[20:44, 8:24], labels[20:44, 40:56] = RIGHT, LEFT
    image = np.where(labels > 0, np.uint8(0), np.uint8(255))
    probabilities = output(labels, blur=0)
    features = quality_features(shrink(image, probabilities, labels), model.shapes)
    found = dict(zip(FEATURES, features.tolist(), strict=True))
    assert found["doubt"] == pytest.approx(np.log(0.002), abs=0.1)
    assert found["smaller_lung"] == pytest.approx(np.log(16 * 24 / 64**2 + 0.002))
    assert found["edge_strength"] > 4


def test_doubt_is_entropy_in_bits():
    labels = np.full((64, 64), RIGHT, np.uint8)
    image = np.zeros((64, 64), np.uint8)
    probabilities = np.zeros((64, 64, 2), np.float32)
    probabilities[..., 0] = 0.5
    model = QualityModel.load()
    features = quality_features(shrink(image, probabilities, labels), model.shapes)
    assert features[FEATURES.index("doubt")] == pytest.approx(np.log(1 + 0.002))


def test_beyond_what_was_learned_nothing_is_added():
    term = Term(feature="doubt", low=-1, high=2, mean=0, scale=2, coefficient=-4)
    assert term.contribution(1) == -2
    assert term.contribution(9) == term.contribution(2) == -4
    assert term.contribution(-9) == 2


def test_the_logit_is_undone_and_finite():
    dice = np.array([0.005, 0.3, 0.9, 0.995])
    np.testing.assert_allclose(dice_of_logit(logit_of_dice(dice)), dice)
    assert np.isfinite(logit_of_dice(np.array([0.0, 1.0]))).all()


def test_written_and_read_it_scores_the_same(model, phantom, tmp_path):
    path = tmp_path / "quality.json"
    path.write_text(json.dumps(model.to_dict()))
    probabilities = output(phantom.labels)
    again = score(QualityModel.load(path), phantom.image, probabilities)
    assert again == score(model, phantom.image, probabilities)


def test_the_shipped_model_is_small_and_tells_its_figures():
    assert QUALITY_JSON.stat().st_size < 100_000
    figures = json.loads(QUALITY_JSON.read_text(encoding="utf-8"))["figures"]
    assert figures["as it is"]["spearman"] > 0.5
    assert figures["stressed"]["found"] >= 0.8 * figures["stressed"]["worst"]


def spoilt_file(tmp_path, change):
    document = json.loads(QUALITY_JSON.read_text(encoding="utf-8"))
    change(document)
    path = tmp_path / "quality.json"
    path.write_text(json.dumps(document))
    return path


def test_no_file(tmp_path):
    with pytest.raises(ModelError, match=r"none\.json .*Install lungcli again"):
        QualityModel.load(tmp_path / "none.json")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda d: d.pop("shapes"), "KeyError"),
        (lambda d: d["terms"].reverse(), "its terms are not doubt"),
        (lambda d: d["terms"][0].pop("mean"), "TypeError"),
        (lambda d: d["shapes"].update(mean="1 x"), "ValueError"),
    ],
)
def test_a_broken_file(tmp_path, change, message):
    with pytest.raises(ModelError, match=message):
        QualityModel.load(spoilt_file(tmp_path, change))


def test_a_heart_changes_nothing(model, phantom):
    probabilities = output(phantom.labels)
    heart = np.full((SIZE, SIZE, 1), 0.9, np.float32)
    labels = label_map(probabilities)
    with_heart = np.where(labels == 0, np.uint8(3), labels)
    assert model.score(
        phantom.image, np.concatenate([probabilities, heart], axis=-1), with_heart
    ) == model.score(phantom.image, probabilities, labels)
