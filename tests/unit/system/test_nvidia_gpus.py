"""GPUs are found by the files of their driver, here pretended ones."""

import pytest

from lungcli.system import nvidia_gpus
from lungcli.system.nvidia_gpus import find_nvidia_gpus, note_unseen


@pytest.mark.parametrize(
    ("models", "found"),
    [
        pytest.param([], (), id="driver-without-gpu"),
        pytest.param(["NVIDIA L4"], ("NVIDIA L4",), id="one"),
        pytest.param([None], ("NVIDIA",), id="secret"),
        pytest.param(["NVIDIA A40", "Tesla T4"], ("NVIDIA A40", "Tesla T4"), id="two"),
    ],
)
def test_models(driver, models, found):
    driver(*models)
    assert find_nvidia_gpus() == found


@pytest.mark.usefixtures("driver")
def test_no_driver():
    assert find_nvidia_gpus() == ()


def test_a_system_without_such_folders(monkeypatch, tmp_path):
    monkeypatch.setattr(nvidia_gpus, "_ROOT", tmp_path / "nowhere")
    assert find_nvidia_gpus() == ()


def test_a_container_shows_all_of_the_driver_but_only_its_own_gpu(driver):
    root = driver("NVIDIA A40", "Tesla T4")
    (root / "dev" / "nvidia0").unlink()
    assert find_nvidia_gpus() == ("Tesla T4",)


def test_a_scheduler_closes_the_device_files_of_others(driver, monkeypatch):
    driver("NVIDIA A40", "Tesla T4")
    closed = {"nvidia1"}
    monkeypatch.setattr(
        nvidia_gpus.os, "access", lambda path, mode: path.name not in closed
    )
    assert find_nvidia_gpus() == ("NVIDIA A40",)
    closed.add("nvidia0")
    assert find_nvidia_gpus() == ()


@pytest.mark.parametrize(
    "text", ["", "Model: \t\t NVIDIA L4\n", "Device Minor: \t 0\n", "\x00"]
)
def test_what_the_driver_says_otherwise(driver, text):
    root = driver("NVIDIA L4")
    next(root.rglob("information")).write_text(text)
    assert find_nvidia_gpus() == ("NVIDIA",)


def test_information_that_cannot_be_read(driver):
    root = driver("NVIDIA L4")
    path = next(root.rglob("information"))
    path.unlink()
    path.mkdir()
    assert find_nvidia_gpus() == ("NVIDIA",)


@pytest.mark.parametrize(
    ("files", "found"),
    [
        pytest.param(["dev/dxg", "usr/lib/wsl/lib/libcuda.so.1"], 1, id="nvidia"),
        pytest.param(["dev/dxg", "usr/lib/wsl/lib/libd3d12.so"], 0, id="other-maker"),
        pytest.param(["usr/lib/wsl/lib/libcuda.so.1"], 0, id="no-gpu"),
    ],
)
def test_windows_subsystem_for_linux(tmp_path, monkeypatch, files, found):
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    monkeypatch.setattr(nvidia_gpus, "_ROOT", tmp_path)
    for name in files:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    assert find_nvidia_gpus() == ("NVIDIA",) * found


@pytest.mark.parametrize(
    ("visible", "wanted"),
    [
        pytest.param("", False, id="empty"),
        pytest.param("-1", False, id="minus-one"),
        pytest.param("-1,0", False, id="stops-there"),
        pytest.param("NoDevFiles", False, id="slurm"),
        pytest.param("0", True, id="index"),
        pytest.param("1,-1", True, id="one-of-two"),
        pytest.param("GPU-8932f937", True, id="uuid"),
        pytest.param("MIG-GPU-8932f937/1/0", True, id="mig"),
    ],
)
def test_hidden_on_purpose(driver, monkeypatch, visible, wanted):
    driver("NVIDIA L4")
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    assert bool(find_nvidia_gpus()) is wanted


@pytest.mark.parametrize(
    ("models", "named"),
    [
        pytest.param(["NVIDIA L4"], "GPU of this machine (NVIDIA L4) and", id="one"),
        pytest.param([None], "GPU of this machine (NVIDIA) and", id="secret"),
        pytest.param(
            ["Tesla T4", "NVIDIA L4", "Tesla T4"],
            "GPUs of this machine (2 x Tesla T4, NVIDIA L4) and",
            id="three",
        ),
    ],
)
def test_note_in_one_line(driver, models, named):
    driver(*models)
    note = note_unseen("Abacus", "pip install beads")
    assert note.startswith(f"Abacus does not see the {named} computes on the processor")
    assert "Run: pip install beads." in note
    assert "\n" not in note


def test_nothing_to_note(driver):
    driver()
    assert note_unseen("Abacus", "pip install beads") is None
