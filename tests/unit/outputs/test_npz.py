"""The NumPy archive, as NumPy reads it."""

import numpy as np
import pytest

from lungcli.outputs.npz import write_npz


def test_all_that_is_known(lungs, make_xray, tmp_path):
    probabilities = np.random.default_rng(0).random((40, 50, 2), np.float32)
    xray = make_xray(lungs, probabilities=probabilities, spacing_mm=(0.2, 0.1))
    path = write_npz(xray, tmp_path / "ward" / "chest.npz")
    with np.load(path, allow_pickle=False) as archive:
        assert set(archive) == {"labels", "probabilities", "spacing_mm"}
        np.testing.assert_array_equal(archive["labels"], lungs)
        assert archive["labels"].dtype == np.uint8
        assert archive["probabilities"].dtype == np.float16
        np.testing.assert_allclose(archive["probabilities"], probabilities, atol=5e-4)
        assert archive["spacing_mm"].tolist() == [0.2, 0.1]


def test_what_is_unknown(labels, make_xray, tmp_path):
    path = write_npz(make_xray(labels), tmp_path / "chest.npz")
    with np.load(path, allow_pickle=False) as archive:
        np.testing.assert_array_equal(archive["labels"], labels)
        assert "probabilities" not in archive
        assert np.isnan(archive["spacing_mm"]).all()


@pytest.mark.parametrize(
    ("probability", "expected"),
    [
        pytest.param(0.0, 0.0, id="none"),
        pytest.param(5e-5, 0.0, id="subnormal"),
        pytest.param(2.0**-14, 2.0**-14, id="smallest-normal"),
        pytest.param(1.0, 1.0, id="certain"),
    ],
)
def test_small_probabilities(probability, expected, lungs, make_xray, tmp_path):
    probabilities = np.full((40, 50, 2), probability, np.float32)
    path = write_npz(make_xray(lungs, probabilities=probabilities), tmp_path / "a.npz")
    with np.load(path, allow_pickle=False) as archive:
        assert (archive["probabilities"] == expected).all()


def test_equal_input_gives_equal_bytes(lungs, make_xray, tmp_path):
    first, second = (write_npz(make_xray(lungs), tmp_path / n) for n in "ab")
    assert first.read_bytes() == second.read_bytes()
    assert b"\x00\x00\x21\x00" in first.read_bytes()[:16]  # 1980-01-01 00:00


def test_a_heart_has_a_channel_with_its_key(make_chest, chest, tmp_path):
    probabilities = np.zeros((40, 50, 3), np.float32)
    probabilities[18:34, 20:30, 2] = 0.75
    path = write_npz(make_chest(probabilities=probabilities), tmp_path / "a.npz")
    with np.load(path, allow_pickle=False) as archive:
        assert archive["structures"].tolist() == ["right", "left", "heart"]
        np.testing.assert_array_equal(archive["labels"], chest)
        np.testing.assert_array_equal(archive["probabilities"], probabilities)


def test_of_lungs_alone_no_keys_are_said(lungs, make_xray, tmp_path):
    with np.load(write_npz(make_xray(lungs), tmp_path / "a.npz")) as archive:
        assert set(archive) == {"labels", "spacing_mm"}
