"""Which trained network a user means."""

import shutil
from pathlib import Path

import pytest

from lungcli.errors import ModelError
from lungcli.model import find as models
from lungcli.model.find import bundled_models, find_model


@pytest.fixture
def shipped(tmp_path, monkeypatch):
    """Two networks in the package; neither has weights, finding needs none."""
    folder = tmp_path / "package" / "models"
    for name in ("lungs", "tiny"):
        (folder / name).mkdir(parents=True)
        (folder / name / "model.json").write_text("{}")
    (folder / "LICENSE").touch()
    monkeypatch.setattr(models, "MODELS", folder)
    return folder


@pytest.fixture
def here(tmp_path, monkeypatch):
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


def test_names_of_what_is_shipped(shipped):
    assert bundled_models() == {
        "bundled": shipped / "lungs",
        "bundled-tiny": shipped / "tiny",
    }
    shutil.rmtree(shipped / "tiny")
    assert list(bundled_models()) == ["bundled"]


@pytest.mark.parametrize(
    ("name", "folder"), [("bundled", "lungs"), ("bundled-tiny", "tiny")]
)
def test_a_bundled_network_by_name(shipped, here, name, folder):
    told = []
    found = find_model(name, announce=told.append)
    assert (found.name, found.root) == (name, shipped / folder)
    assert not told  # it was asked for


def test_its_results_go_to_the_current_folder(shipped, here):
    results = find_model("bundled").results
    assert results.evaluation.absolute() == here / "evaluation"
    assert results.pictures.absolute() == here / "pictures"


def test_two_bundled_networks_do_not_share_a_folder(shipped, here):
    results = find_model("bundled-tiny").results
    assert results.evaluation.absolute() == here / "bundled-tiny" / "evaluation"


def test_nothing_is_written_into_the_package_even_if_named_by_its_path(shipped, here):
    for path in (shipped / "lungs", str(shipped / "lungs")):
        found = find_model(path)
        assert found.name == "bundled"
        assert found.results.evaluation.absolute() == here / "evaluation"


def test_a_run_is_its_own_place(shipped, here):
    (here / "runs" / "mine").mkdir(parents=True)
    for given in ("runs/mine", "mine", Path("mine")):
        found = find_model(given)
        assert found.name == str((here / "runs" / "mine").resolve())
        assert found.results.evaluation == Path("runs/mine/evaluation")


@pytest.mark.parametrize("given", ["./bundled", Path("bundled"), "../here/bundled"])
def test_a_folder_called_bundled_needs_a_path(shipped, here, given):
    (here / "bundled").mkdir()
    assert find_model(given).root.resolve() == (here / "bundled").resolve()
    assert find_model("bundled").root == shipped / "lungs"


def test_the_latest_run_comes_before_the_bundled_network(shipped, here):
    told = []
    assert find_model(None, announce=told.append).name == "bundled"
    assert len(told) == 1
    assert "no run in runs/latest: the model that came with lungcli" in told[0]
    (here / "runs" / "mine").mkdir(parents=True)
    (here / "runs" / "latest").symlink_to("mine")
    found = find_model(None, announce=told.append)
    assert found.root.resolve() == (here / "runs" / "mine").resolve()
    assert len(told) == 1


def test_a_run_that_is_not_there_is_no_reason_for_another_model(shipped, here):
    with pytest.raises(ModelError, match="no trained model in runs/gone"):
        find_model("runs/gone")


def test_an_unknown_bundled_network_names_those_there_are(shipped, here):
    with pytest.raises(ModelError, match=r"bundled-huge\. Bundled: bundled, bundled-t"):
        find_model("bundled-huge")
    (here / "runs" / "bundled-huge").mkdir(parents=True)
    found = find_model("bundled-huge")
    assert found.name == str((here / "runs" / "bundled-huge").resolve())


@pytest.mark.parametrize("given", [None, "bundled"])
def test_an_installation_without_network(shipped, here, given):
    told = []
    shutil.rmtree(shipped / "lungs")
    with pytest.raises(ModelError, match=r"no bundled network .* reinstall"):
        find_model(given, announce=told.append)
    assert not told


def test_the_models_lie_in_the_package():
    import lungcli

    assert Path(lungcli.__file__).parent / "models" == models.MODELS
    assert {"LICENSE", "MODEL_CARD.md"} <= {p.name for p in models.MODELS.iterdir()}
