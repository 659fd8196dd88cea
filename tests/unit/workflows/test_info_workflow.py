"""What a bug report holds, and what it must not hold."""

import json
from importlib.metadata import version
from pathlib import Path

import pytest

from lungcli.workflows import info as workflow
from lungcli.workflows.info import abbreviate_home, info


@pytest.fixture
def home(monkeypatch, tmp_path):
    """A home folder with a telling name."""
    folder = tmp_path / "ada.lovelace"
    folder.mkdir()
    monkeypatch.setenv("HOME", str(folder))
    monkeypatch.setenv("USERPROFILE", str(folder))
    return folder


def test_versions():
    versions = info().sections["versions"]
    assert versions["lungcli"] == version("lungcli")
    assert versions["numpy"] == version("numpy")


def test_unknown_package():
    assert workflow._version("no-such-package-of-ours") is None


def test_machine():
    machine = info().sections["machine"]
    assert machine["cores"] >= 1
    assert machine["memory_gib"] is None or machine["memory_gib"] > 0


@pytest.mark.parametrize(
    ("text", "name"),
    [
        pytest.param("processor : 0\nmodel name\t: Model X \n", "Model X", id="x86"),
        pytest.param("processor : 0\n", workflow.platform.machine(), id="arm"),
    ],
)
def test_processor(tmp_path, text, name):
    cpuinfo = tmp_path / "cpuinfo"
    cpuinfo.write_text(text)
    assert workflow._processor(cpuinfo) == name


def test_no_user_name_leaks(home, monkeypatch):
    monkeypatch.setenv("KERAS_HOME", f"{home}/keras")
    monkeypatch.setenv("JAX_COMPILATION_CACHE_DIR", f"{home}/cache")
    monkeypatch.setenv("XLA_FLAGS", f"--dump={home}/dump --other={home}")
    monkeypatch.chdir(home)
    document = info().to_dict()
    assert "lovelace" not in json.dumps(document)
    assert document["environment"]["XLA_FLAGS"] == "--dump=~/dump --other=~"
    assert document["caches"] == {"keras": "~/keras", "jax_compilation": "~/cache"}
    assert document["runs"] == {"folder": "~/runs", "latest": None}


def test_only_the_whole_name_of_the_home_folder_is_abbreviated(home):
    other = f"{home}-2/x"
    nested = {"a": [f"{home}/x", 3], "b": other, "c": None}
    assert abbreviate_home(nested) == {"a": ["~/x", 3], "b": other, "c": None}


def test_a_home_that_is_the_root_is_no_home(monkeypatch):
    monkeypatch.setenv("HOME", "/")
    assert abbreviate_home("/data/x") == "/data/x"


def test_environment_holds_what_matters_and_no_secrets(monkeypatch):
    shown = {"CUDA_VISIBLE_DEVICES": "0", "TF_NUM_INTEROP_THREADS": "2"}
    hidden = {"TF_VAR_password": "x", "TF_TOKEN_example_org": "x", "AWS_KEY": "x"}
    for name, value in {**shown, **hidden}.items():
        monkeypatch.setenv(name, value)
    environment = workflow._environment()
    assert environment.items() >= shown.items()
    assert not set(environment) & set(hidden)


def test_latest_run(tmp_path):
    (tmp_path / "runs" / "mine").mkdir(parents=True)
    (tmp_path / "runs" / "latest").symlink_to("mine", target_is_directory=True)
    latest = info(runs=tmp_path / "runs").sections["runs"]["latest"]
    assert Path(latest).name == "mine"


def test_models():
    models = info().sections["models"]
    assert models["folder"].endswith("models")
    assert isinstance(models["bundled"], list)


def test_gpus(driver):
    driver()
    before = info().sections
    driver("NVIDIA L4")
    after = info().sections
    assert before["machine"]["nvidia_gpus"] == []
    assert after["machine"]["nvidia_gpus"] == ["NVIDIA L4"]
    for section in ("keras", "onnxruntime"):
        assert before[section]["unseen_gpu"] is None
    assert after["onnxruntime"]["providers"]


def test_an_installation_without_the_network(monkeypatch, tmp_path):
    monkeypatch.setattr(workflow, "bundled_models", lambda: {"bundled": tmp_path})
    assert info().sections["onnxruntime"] == {"providers": None, "unseen_gpu": None}
