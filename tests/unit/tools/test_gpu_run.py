"""The prepared run for a GPU: its stages with a stand-in for Python, and in small."""

import importlib.util
import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[3] / "tools" / "gpu_run.sh"
BASH = shutil.which("bash")
STAGES = ["setup", "tests", "proof", "speed", "dice", "final"]

pytestmark = pytest.mark.skipif(
    not all(map(shutil.which, ("bash", "timeout", "split"))),
    reason="bash, timeout or split is not installed",
)

# Notes what it was asked for, and does of it what leaves files.
STAND_IN = """#!/usr/bin/env bash
[[ $1 == -c ]] || echo "$*" >>"$CALLS"
[[ "$*" != *"$FAILING"* ]] || { echo "no luck"; exit 3; }
[[ "$*" != *"$HANGING"* ]] || sleep 100
case "$*" in
  *pack_data.py\\ unpack*) mkdir -p "${@: -1}"/{1,2} ;;
  *training_speed.py* | *time_to_dice.py*) echo '{"told": 1}' ;;
  *train_in_time.py*)
    while [[ $1 != --run ]]; do shift; done
    mkdir -p "$2" && echo '{}' >"$2/model.json" && echo epoch >"$2/history.csv"
    head -c 2500 /dev/urandom | tee "$WEIGHTS" >"$2/best.weights.h5" ;;
esac
"""


@pytest.fixture
def start(tmp_path):
    """Return a function that starts all stages with the stand-in."""
    python = tmp_path / "python"
    python.write_text(STAND_IN)
    python.chmod(0o755)
    (tmp_path / "wheels").mkdir()
    (tmp_path / "wheels" / "keras-3-py3-none-any.whl").touch()

    def run(*, failing="(nothing)", hanging="(nothing)", **more):
        environment = {
            **os.environ,
            "PYTHON": str(python),
            "OUT": str(tmp_path / "out"),
            "WHEELS": str(tmp_path / "wheels"),
            "PACK": str(tmp_path / "pack.zip"),
            "CALLS": str(tmp_path / "calls"),
            "WEIGHTS": str(tmp_path / "weights"),
            "FAILING": failing,
            "HANGING": hanging,
            "PART_BYTES": "1000",
            **more,
        }
        return subprocess.Popen(
            [BASH, SCRIPT], env=environment, stdout=subprocess.PIPE, text=True
        )

    return run


@pytest.fixture
def gpu_run(start):
    """Return a function that runs all stages, and returns the verdict on each."""

    def run(*, status=0, **how):
        process = start(**how)
        printed = process.communicate()[0]
        assert process.returncode == status, printed
        return verdicts(printed)

    return run


def verdicts(printed):
    """Return what the table, which must come last, says of each stage."""
    _, table = printed.rsplit("stage    verdict        seconds\n", 1)
    rows = (line.split() for line in table.splitlines())
    return {name: " ".join(words) for name, *words, _ in rows}


def test_every_stage_in_order(gpu_run, tmp_path):
    assert gpu_run() == dict.fromkeys(STAGES, "passed")
    asked = (tmp_path / "calls").read_text().splitlines()
    begins = [
        "-m pip install --quiet --no-index",
        f"tools/pack_data.py unpack {tmp_path / 'pack.zip'}",
        "-m lungcli info",
        "-m pytest -v -m gpu",
        "-m pytest -v -m gpu",
        "benchmarks/training_speed.py --device cuda",
        "benchmarks/time_to_dice.py --data",
        "tools/train_in_time.py tools/final.toml --data",
    ]
    assert len(asked) == len(begins)
    for call, begin in zip(asked, begins, strict=True):
        assert call.startswith(begin)
    tests, proof = asked[3:5]
    assert tests.endswith("tests/unit/nn/test_gpu.py")
    assert proof.endswith("tests/unit/nn/test_resident.py")
    for call in asked[5:]:
        assert call.count("--data") == 2


def test_what_comes_home(gpu_run, tmp_path):
    gpu_run()
    out = tmp_path / "out"
    parts = sorted(out.glob("best.weights.h5.*"))
    rest = {path.name for path in out.iterdir()} - {part.name for part in parts}
    told = {"speed.json", "dice.json", "model.json"}
    assert rest == told | {"log.txt", "history.csv"}
    weights = b"".join(part.read_bytes() for part in parts)
    assert weights == (tmp_path / "weights").read_bytes()
    assert len(parts) == 3
    log = (out / "log.txt").read_text()
    positions = [log.index(f"==== {name}\n") for name in STAGES]
    assert positions == sorted(positions)
    assert verdicts(log) == dict.fromkeys(STAGES, "passed")


@pytest.mark.parametrize(
    ("failing", "failed"),
    [
        pytest.param("pack_data.py", {"setup"}, id="setup"),
        pytest.param("test_resident.py", {"proof"}, id="proof"),
        pytest.param("-m pytest", {"tests", "proof"}, id="both"),
        pytest.param("train_in_time.py", {"final"}, id="final"),
    ],
)
def test_what_fails_stops_nothing_else(gpu_run, tmp_path, failing, failed):
    found = gpu_run(failing=failing, status=1)
    assert found == {
        name: "failed (3)" if name in failed else "passed" for name in STAGES
    }
    assert "no luck" in (tmp_path / "out" / "log.txt").read_text()
    assert (tmp_path / "out" / "model.json").exists() == ("final" not in failed)


def test_what_takes_too_long_is_cut_off(gpu_run, tmp_path):
    found = gpu_run(hanging="time_to_dice.py", status=1, SECONDS_dice="5")
    assert found == {**dict.fromkeys(STAGES, "passed"), "dice": "cut off"}
    assert not (tmp_path / "out" / "dice.json").exists()  # it would be empty


def test_a_stop_ends_the_stage_and_collects(start, tmp_path):
    process = start(hanging="time_to_dice.py")
    calls = tmp_path / "calls"
    while not (calls.exists() and "time_to_dice.py" in calls.read_text()):
        time.sleep(0.05)
    process.terminate()
    printed = process.communicate()[0]
    assert process.returncode == 1
    assert verdicts(printed) == {
        **dict.fromkeys(STAGES, "passed"),
        "dice": "failed (143)",
        "final": "no time left",
    }
    assert (tmp_path / "out" / "log.txt").exists()


def test_no_stage_begins_without_time(gpu_run, tmp_path):
    found = gpu_run(status=1, SECONDS_IN_ALL="18")
    assert found == dict.fromkeys(STAGES, "no time left")
    assert not (tmp_path / "calls").exists()


def test_some_stages_alone(gpu_run):
    assert [*gpu_run(STAGES="proof final")] == ["setup", "proof", "final"]


def test_the_limits_leave_time_for_the_last_stage():
    code = f'set -- --stage true; stage_true() {{ :; }}; WORK=/none; . "{SCRIPT}"; '
    code += "for name in setup tests proof speed dice; do limit_of $name; done"
    printed = subprocess.run(
        [BASH, "-c", code], capture_output=True, text=True, check=True
    ).stdout
    limits = [int(line) for line in printed.split()]
    assert len(limits) == 5
    assert 570 - sum(limits) - 15 >= 60


@pytest.mark.long
def test_the_real_thing_in_small(tmp_path):
    """On phantoms and the processor; TensorFlow is not asked."""
    if importlib.util.find_spec("jax") is None:
        pytest.skip("JAX is not installed")
    patience = {f"SECONDS_{name}": "900" for name in ("IN_ALL", *STAGES)}
    done = subprocess.run(
        [BASH, SCRIPT],
        env={
            **os.environ,
            **patience,
            "DRY_RUN": "1",
            "PYTHON": sys.executable,
            "OUT": str(tmp_path / "out"),
            "BESIDE": "2",
            "XLA_FLAGS": "--xla_backend_optimization_level=0",  # starts soon
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    assert verdicts(done.stdout) == dict.fromkeys(STAGES, "passed")
    out = tmp_path / "out"
    speed, dice = (
        json.loads((out / name).read_text()) for name in ("speed.json", "dice.json")
    )
    assert [*speed["contests"][0]["contestants"]] == ["lungcli"]
    assert [*dice["timings"]] == ["lungcli, cold cache", "lungcli, warm cache"]
    assert len((out / "history.csv").read_text().splitlines()) == 3
    assert len([*out.iterdir()]) == 6
    log = (out / "log.txt").read_text()
    assert "test_so_they_do_on_a_gpu[float32" in log
    assert "float32: moved" in log
