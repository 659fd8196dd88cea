"""The script that packs prepared data for another machine."""

import importlib.util
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from lungcli.data.prepared import open_prepared
from lungcli.errors import DatasetError, OutputError

SCRIPT = Path(__file__).parents[3] / "tools" / "pack_data.py"


@pytest.fixture(scope="module")
def script():
    spec = importlib.util.spec_from_file_location("pack_data", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def unpacked(script, prepared, tmp_path):
    """Return a function that packs the phantoms, and opens what comes out."""

    def pack_and_unpack(*, size=384, quality=None):
        file = tmp_path / "pack.zip"
        script.pack([prepared], file, size=size, quality=quality, limit=1)
        (dataset,) = script.unpack(file, tmp_path / "unpacked")
        assert dataset.root == tmp_path / "unpacked" / "1"
        return dataset

    return pack_and_unpack


def by_name(dataset):
    return {case.case_id: case for case in dataset.cases}


def test_what_trains_and_validates_comes_out_as_it_was(unpacked, prepared):
    before, after = open_prepared(prepared), unpacked()
    wanted = {*before.select("train"), *before.select("val")}
    assert {*after.cases} == wanted
    assert (after.name, after.size) == (before.name, before.size)
    assert (after.fingerprint, after.convention) == (
        before.fingerprint,
        before.convention,
    )
    for case in wanted:
        for read in ("read_image", "read_mask", "read_reference"):
            found, expected = (getattr(one, read)(case) for one in (after, before))
            np.testing.assert_array_equal(found, expected)
    left = {path.suffix for path in (after.root / "images").iterdir()}
    assert left == {".png"}


def test_only_what_trains_loses_a_little(unpacked, prepared):
    before, after = open_prepared(prepared), unpacked(quality=95)
    for case in after.cases:
        apart = np.abs(
            after.read_image(case).astype(float) - before.read_image(case).astype(float)
        )
        assert 0 < apart.mean() < 3 if case.split == "train" else apart.max() == 0


def test_smaller_squares_hold_the_same_image(unpacked, prepared):
    """130 rows by 160 columns, prepared at 96: no padding may be lost or added."""
    before, after = open_prepared(prepared), unpacked(size=48)
    assert after.size == 48
    for name, case in by_name(after).items():
        old, new = by_name(before)[name].geometry, case.geometry
        assert (new.height, new.width) == (old.height, old.width) == (130, 160)
        assert (new.side, new.content_height, new.content_width) == (48, 39, 48)
        image, mask = after.read_image(case), after.read_mask(case)
        assert image.shape == mask.shape == (48, 48)
        assert image[: new.top].max() == image[new.top + 39 :].max() == 0
        lung = before.read_mask(by_name(before)[name]) > 0
        assert (mask > 0).mean() == pytest.approx(lung.mean(), rel=0.05)


def test_larger_sizes_enlarge_nothing(unpacked):
    assert {case.geometry.side for case in unpacked(size=500).cases} == {96}


def test_several_sets_get_a_folder_each(script, prepared, tmp_path):
    other = shutil.copytree(prepared, tmp_path / "other")
    script.pack([prepared, other], tmp_path / "a", size=96, quality=None, limit=1)
    found = script.unpack(tmp_path / "a", tmp_path / "out")
    assert [dataset.root.name for dataset in found] == ["1", "2"]


def test_a_file_that_is_too_large_is_not_written(script, prepared, tmp_path):
    with pytest.raises(OutputError, match=r"more than 0\.001\. Use a smaller --size"):
        script.pack([prepared], tmp_path / "a", size=96, quality=None, limit=0.001)
    assert not [*tmp_path.iterdir()]


def test_another_file_is_refused(script, tmp_path):
    (tmp_path / "a.zip").write_bytes(b"no archive")
    with pytest.raises(DatasetError, match=r"cannot unpack .*a\.zip"):
        script.unpack(tmp_path / "a.zip", tmp_path / "out")
    with pytest.raises(DatasetError, match=r"cannot unpack .*b\.zip"):
        script.unpack(tmp_path / "b.zip", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_git_must_ignore_the_file(script, tmp_path):
    git = ["git", "-C", str(tmp_path)]
    try:
        subprocess.run([*git, "init", "-q"], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("git is not installed")
    (tmp_path / ".gitignore").write_text("/data/\n")
    script.check_unseen_by_git(tmp_path / "data" / "gpu" / "pack.zip")
    with pytest.raises(OutputError, match="git does not ignore"):
        script.check_unseen_by_git(tmp_path / "pack.zip")


def test_as_a_command(prepared, tmp_path):
    def run(*arguments):
        return subprocess.run(
            [sys.executable, SCRIPT, *map(str, arguments)],
            capture_output=True,
            text=True,
            check=False,
        )

    file = tmp_path / "pack.zip"
    packed = run("pack", prepared, "--out", file, "--size", 64)
    assert packed.returncode == 0, packed.stderr
    assert packed.stdout.startswith(f"{file}: 10 cases, 0.")
    out = run("unpack", file, tmp_path / "out").stdout
    assert out == f"{tmp_path / 'out' / '1'}: montgomery, 10 cases, 64 px\n"
    failed = run("unpack", tmp_path / "none", tmp_path / "out")
    assert failed.returncode == 1
    assert failed.stderr.startswith("error: cannot unpack")
    assert "Traceback" not in failed.stderr
