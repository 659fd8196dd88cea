"""Every file of the corpus, read in this process: read right, or refused in words."""

import re

import numpy as np
import pytest
from bad_input import archives, dicoms, folders, masks, tables

from lungcli.data.inputs.archive import image_members, unpacked
from lungcli.data.other_masks import read_labels
from lungcli.data.read_xray import read_xray
from lungcli.data.split_file import read_split_list
from lungcli.errors import LungcliError
from lungcli.model.config import TrainConfig
from lungcli.model.settings_file import read_settings


def named(specimens):
    return [pytest.param(each, id=each.name) for each in specimens]


def named_pairs(made):
    return [pytest.param(name, *pair, id=name) for name, pair in made.items()]


def refused(function, *arguments, **options):
    """Return the error, which must be lungcli's own, or None."""
    try:
        function(*arguments, **options)
    except LungcliError as error:
        return str(error)
    return None


@pytest.mark.parametrize("specimen", named(folders.images()))
def test_images_are_read_right_or_refused(specimen, tmp_path):
    path = tmp_path / specimen.name
    path.write_bytes(specimen.content)
    if specimen.pixels is not None:
        pixels = read_xray(path).pixels
        assert pixels.shape == specimen.pixels.shape
        wrong = np.abs(pixels.astype(int) - specimen.pixels).mean()
        assert wrong <= specimen.tolerance
        return
    said = refused(read_xray, path)
    if specimen.says:
        assert said is not None
        assert re.search(specimen.says, said), said
    if said is not None:
        assert str(path) in said
        assert dicoms.SECRET not in said


@pytest.mark.parametrize("specimen", named(masks.specimens()))
def test_masks_are_read_right_or_refused(specimen, tmp_path):
    path = tmp_path / specimen.name
    path.write_bytes(specimen.content)
    if specimen.labels is not None:
        labels = read_labels(path)
        assert np.count_nonzero(labels != specimen.labels) <= specimen.most_wrong
        return
    said = refused(read_labels, path)
    if specimen.says:
        assert said is not None
        assert re.search(specimen.says, said), said
        assert str(path) in said


@pytest.mark.parametrize(("name", "content", "says"), named_pairs(tables.split_lists()))
def test_split_lists(name, content, says, tmp_path):
    path = tmp_path / f"{name}.csv"
    path.write_bytes(content)
    if not says:
        listed = read_split_list(str(path))
        assert listed.splits == {("", "a"): "train", ("", "b"): "test"}
        return
    said = refused(read_split_list, str(path))
    assert said is not None
    assert re.search(says, said), said
    assert str(path) in said
    assert len(said) < 500


@pytest.mark.parametrize(("name", "content", "says"), named_pairs(tables.configs()))
def test_configurations(name, content, says, tmp_path):
    path = tmp_path / f"{name}.toml"
    path.write_bytes(content)
    said = refused(lambda: TrainConfig.from_dict(read_settings(path), where=str(path)))
    assert said is not None
    assert re.search(says, said), said
    assert str(path) in said


@pytest.mark.parametrize(("name", "content", "says"), named_pairs(archives.specimens()))
def test_archives(name, content, says, tmp_path):
    path = tmp_path / f"{name}.zip"
    path.write_bytes(content)
    said = refused(_read_all, path) or ""
    assert bool(said) == bool(says)
    assert re.search(says, said), said
    assert not said or str(path) in said
    assert [each.name for each in tmp_path.iterdir()] == [path.name]


def _read_all(path):
    for member in image_members(path):
        with unpacked(path, member) as copy:
            try:
                read_xray(copy)
            except LungcliError as error:
                raise type(error)(str(error).replace(str(copy), str(path))) from error
