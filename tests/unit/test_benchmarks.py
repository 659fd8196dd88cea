"""The scripts in `benchmarks/`, without measuring anything."""

import csv
import importlib.util
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
SCRIPTS = (
    "training_speed",
    "time_to_dice",
    "training_choices",
    "memory",
    "million",
    "large_data",
    "thresholds",
    "recipes",
    "limits",
    "leave_one_out",
)

TWIN = """
import json, torch
from torch_networks import ClassicUNet, num_parameters, segmentation_loss
network = ClassicUNet(4, 3)
rows = torch.arange(16.0)
logits = torch.stack([torch.sin(rows[:, None] + k * rows) for k in range(3)])[None]
labels = torch.zeros(1, 16, 16, dtype=torch.int64)
labels[:, 2:9, 1:6], labels[:, 3:8, 9:14] = 1, 2
print(json.dumps({
    "parameters": num_parameters(network),
    "shapes": sorted(sorted(weight.shape) for weight in network.parameters()),
    "output": list(network(torch.zeros(2, 1, 32, 32)).shape),
    "loss": segmentation_loss(logits, labels).item(),
}))
"""


@pytest.fixture(autouse=True)
def _benchmarks_on_path(monkeypatch):
    monkeypatch.syspath_prepend(BENCHMARKS)


def run_python(*arguments):
    path = os.pathsep.join([str(BENCHMARKS), os.environ.get("PYTHONPATH", "")])
    return subprocess.run(
        [sys.executable, *arguments],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": path},
    ).stdout


@pytest.fixture(scope="module")
def twin():
    """What PyTorch says of its side; in a process of its own, away from TensorFlow."""
    if importlib.util.find_spec("torch") is None:
        pytest.skip("PyTorch is not installed (benchmarks/requirements.txt)")
    return json.loads(run_python("-c", TWIN))


@pytest.mark.parametrize("script", SCRIPTS)
def test_help_tells_what_it_measures(script):
    text = run_python(str(BENCHMARKS / f"{script}.py"), "--help")
    assert re.search("Measure|Calculate", text)
    assert "--json" in text


def test_twin_has_the_weights_of_the_classic_unet(twin):
    from lungcli.nn.unet import build_unet

    weights = build_unet(32, filters=4, depth=3).trainable_weights
    assert twin["shapes"] == sorted(sorted(weight.shape) for weight in weights)
    assert twin["parameters"] == 30_787
    assert twin["output"] == [2, 3, 32, 32]


def test_twin_has_the_loss_of_the_trainer(twin):
    import numpy as np
    from keras import ops

    from lungcli.nn.losses import segmentation_loss

    rows = np.arange(16.0, dtype=np.float32)
    logits = np.stack([np.sin(rows[:, None] + k * rows) for k in range(3)], axis=-1)
    lungs = np.zeros((1, 2, 16, 16), np.float32)
    lungs[0, 0, 2:9, 1:6] = lungs[0, 1, 3:8, 9:14] = 1
    loss = ops.mean(segmentation_loss(lungs, logits[None])[0])
    assert twin["loss"] == pytest.approx(float(loss), rel=1e-5)


def test_ratio_compares_within_rounds():
    from spread import ratio

    # the machine was half as fast in the second round: the ratio does not show it
    found = ratio([20.0, 10.0, 22.0], [10.0, 5.0, 10.0])
    assert (found.median, found.low, found.high) == (2.0, 2.0, 2.2)
    assert found.text(1) == "2.0 (2.0-2.2)"


def test_spread_of_one_value_is_that_value():
    from spread import spread

    assert spread([1.25]).text(2) == "1.25"


def test_spread_of_nothing_is_refused():
    from spread import spread

    with pytest.raises(ValueError, match="no values"):
        spread([])


@pytest.mark.parametrize(
    ("reach", "sources", "expected"),
    [
        pytest.param([".975"], ["JSRT"], {"val_dice": 0.975}, id="all"),
        pytest.param(["jsrt=.9"], ["JSRT"], {"val_dice": 0.9}, id="only-source"),
        pytest.param(
            ["JSRT=.98", "Shenzhen=.95"],
            ["JSRT", "Shenzhen"],
            {"val_dice_JSRT": 0.98, "val_dice_Shenzhen": 0.95},
            id="two-sources",
        ),
    ],
)
def test_goals_are_columns_of_the_history(reach, sources, expected):
    from watching import goal_columns

    assert goal_columns(reach, sources) == expected


def test_goal_of_an_unknown_source_names_those_there_are():
    from watching import goal_columns

    with pytest.raises(ValueError, match=r"no source 'Oslo'. There are: JSRT"):
        goal_columns(["Oslo=.9"], ["JSRT"])


def test_training_is_timed_to_the_first_epoch_that_reaches_all_goals(tmp_path):
    from watching import time_training

    run = tmp_path / "run"
    fake = write_fake_training(tmp_path, run, dice=[0.5, 0.8, 0.7, 0.9, 0.9])
    timing = time_training(
        fake, run=run, goals={"val_dice": 0.8}, env=dict(os.environ), cwd=tmp_path
    )
    assert timing.epochs == 2
    assert timing.best == 0.8
    assert timing.seconds is not None
    assert 0 <= timing.start_s <= timing.seconds


def test_training_that_misses_the_goal_has_no_time(tmp_path):
    from watching import time_training

    run = tmp_path / "run"
    fake = write_fake_training(tmp_path, run, dice=[0.5, 0.6])
    timing = time_training(
        fake, run=run, goals={"val_dice": 0.8}, env=dict(os.environ), cwd=tmp_path
    )
    assert timing.seconds is None
    assert (timing.epochs, timing.best) == (2, 0.6)


def test_training_that_takes_too_long_has_missed(tmp_path):
    from watching import time_training

    run = tmp_path / "run"
    fake = write_fake_training(tmp_path, run, dice=[0.5] * 1000)
    timing = time_training(
        fake,
        run=run,
        goals={"val_dice": 0.8},
        env=dict(os.environ),
        cwd=tmp_path,
        limit=1,
    )
    assert timing.seconds is None
    assert timing.epochs < 1000


def test_all_turns_share_the_limit(monkeypatch):
    import time_to_dice as script

    given = []

    def train_once(plan, options, folder, name, limit):
        given.append(limit)

    monkeypatch.setattr(script, "train_once", train_once)
    plan = script.Plan(
        data=(), goals={}, backend=script.Backend.JAX, options={"lungcli": []}
    )
    found = script.run_turns(plan, rounds=1, limit=9)
    assert [*found] == ["lungcli, cold cache", "lungcli, warm cache"]
    assert 9 >= given[0] > given[1] > 0


def test_only_those_named_race(monkeypatch, tmp_path):
    import training_speed as script
    from entries import Track

    def race(entries, *, rounds):
        names = [entry.contestant.name for entry in entries]
        facts = {name: {"parameters": 7} for name in names}
        return SimpleNamespace(rates=names, facts=facts)

    monkeypatch.setattr(script, "race", race)
    track = Track(pairs=tmp_path / "pairs.npz", device="cpu", rounds=1)
    sizes = script.Sizes(size=64, filters=4, batch_size=2, steps=1)
    only = {"default/lungcli", "lungcli, no augmentation", "PyTorch compiled"}
    networks = (script.Network.DEFAULT, script.Network.CLASSIC)
    found = [
        script.measure(track, network, script.Precision.FLOAT32, sizes, only).rates
        for network in networks
    ]
    alone = "lungcli, no augmentation"
    assert found == [["lungcli", alone], [alone, "PyTorch compiled"]]


def test_an_unknown_contestant_is_refused():
    script = str(BENCHMARKS / "training_speed.py")
    found = subprocess.run(
        [sys.executable, script, "--only", "Oslo"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert found.returncode == 1
    assert found.stderr.startswith("error: --only 'Oslo': there are MONAI compiled,")


def test_training_that_fails_is_reported_with_its_last_words(tmp_path):
    from watching import TrainingError, time_training

    failing = [sys.executable, "-c", "raise SystemExit('error: no data')"]
    with pytest.raises(TrainingError, match="error: no data"):
        time_training(
            failing,
            run=tmp_path / "run",
            goals={"val_dice": 0.8},
            env=dict(os.environ),
            cwd=tmp_path,
        )


def write_fake_training(folder, run, *, dice):
    """A program that leaves the files of a training, an epoch every 50 ms."""
    finished = folder / "history.csv"
    with finished.open("w", encoding="utf-8", newline="") as lines:
        csv.writer(lines).writerows([("epoch", "val_dice"), *enumerate(dice, 1)])
    script = folder / "fake.py"
    script.write_text(
        "import os, pathlib, time\n"
        f"run, rows = pathlib.Path({str(run)!r}), open({str(finished)!r}).readlines()\n"
        "run.mkdir()\n"
        "(run / 'config.json').write_text('{}')\n"
        "for epoch in range(2, len(rows) + 1):\n"
        "    time.sleep(0.05)\n"
        "    (run / 'part').write_text(''.join(rows[:epoch]))\n"
        "    os.replace(run / 'part', run / 'history.csv')\n",
        encoding="utf-8",
    )
    return [sys.executable, str(script)]


def test_memory_of_a_command_is_its_peak(tmp_path):
    from memory import peak_of

    small, large = (
        peak_of([sys.executable, "-c", f"bytearray({size})"], cwd=tmp_path)
        for size in (1, 200 * 2**20)
    )
    assert 150 < large.resident - small.resident < 250


def test_memory_of_a_failing_command_is_refused(tmp_path):
    from memory import CommandError, peak_of

    failing = [sys.executable, "-c", "raise SystemExit('error: no data')"]
    with pytest.raises(CommandError, match="error: no data"):
        peak_of(failing, cwd=tmp_path)


@pytest.mark.long
def test_training_choices_in_small():
    script = str(BENCHMARKS / "training_choices.py")
    sizes = ["--size", "64", "--batch-size", "2", "--steps", "2", "--rounds", "2"]
    document = json.loads(run_python(script, "--device", "cpu", *sizes, "--json"))
    (contest,) = document["contests"]
    rates = [one["images_per_s"] for one in contest["contestants"].values()]
    assert [len(of_one) for of_one in rates] == [2, 2, 2]
    assert all(rate > 0 for of_one in rates for rate in of_one)
    for ratio in contest["ratios"]:
        assert ratio["of"] == "lungcli"
        assert ratio["low"] <= ratio["median"] <= ratio["high"]
    rivals = {ratio["to"] for ratio in contest["ratios"]}
    assert rivals == {"no augmentation", "no oneDNN"}
    assert contest["skipped"] == {}


def test_a_million_by_hand(tmp_path):
    """0.2 core seconds an X-ray, 0.12 of them without the network."""
    stages = {"threads": 2, "whole": {"median": 0.1}, "network": {"median": 0.04}}
    (tmp_path / "stages.json").write_text(json.dumps(stages))
    options = ("--images", "72000", "--cpu-price", "2", "--gpu-price", "3", "--json")
    script = str(BENCHMARKS / "million.py")
    told = json.loads(run_python(script, str(tmp_path / "stages.json"), *options))
    one, sixteen = told["1 × 16 cores"], told["16 × 16 cores"]
    assert one["hours"] == pytest.approx(0.25)
    assert one["price"] == pytest.approx(0.5)
    assert sixteen["hours"] == pytest.approx(0.25 / 16)
    assert sixteen["price"] == pytest.approx(0.5)
    gpu = told["16 cores and a GPU"]
    assert gpu["hours"] == pytest.approx(0.15)
    assert gpu["price"] == pytest.approx(0.45)
    assert gpu["network_a_second"] == pytest.approx(16 / 0.12)
    assert one["memory_mb"] == pytest.approx(186 + 1.4 * 72)


def write_out_of_fold(run, dice_of):
    from recipes import SCORES

    folder = run / "evaluation"
    folder.mkdir(parents=True)
    prefixes = ("", "right_", "left_")
    names = [prefix + name for prefix in prefixes for name in SCORES]
    with (folder / "cases.csv").open("w", newline="") as stream:
        writer = csv.writer(stream)
        facts = ["source", "case_id", "patient_id", "height", "width"]
        writer.writerow([*facts, "spacing_row_mm", "spacing_column_mm", *names])
        for case, dice in dice_of.items():
            scores = [dice if name.endswith("dice") else "" for name in names]
            writer.writerow(["rays", case, case, 8, 8, "", "", *scores])


def test_recipes_are_compared_case_by_case(tmp_path):
    write_out_of_fold(tmp_path / "a", {"x": 0.90, "y": 0.80, "z": 0.70})
    # in another order, and with a case that the other has not scored
    write_out_of_fold(tmp_path / "b", {"w": 0.10, "z": 0.76, "y": 0.84, "x": 0.92})

    printed = run_python(
        str(BENCHMARKS / "recipes.py"),
        *map(str, (tmp_path / "a", tmp_path / "b")),
        "--json",
    )

    lungs, right, left = json.loads(printed)["differences"]
    assert (lungs["structure"], lungs["score"], lungs["cases"]) == ("lungs", "dice", 3)
    assert lungs["mean_first"] == pytest.approx(0.80)
    assert lungs["mean"] == pytest.approx(0.04)  # of 0.02, 0.04 and 0.06
    low, high = lungs["ci95"]
    assert low < 0.04 < high
    assert low >= 0.02 - 1e-9
    assert high <= 0.06 + 1e-9
    assert right["mean"] == left["mean"] == pytest.approx(0.04)


@pytest.mark.parametrize(("script", "runs"), [("recipes", "ab"), ("limits", "a")])
def test_runs_without_scores_are_named(tmp_path, script, runs):
    found = subprocess.run(
        [
            sys.executable,
            str(BENCHMARKS / f"{script}.py"),
            *(str(tmp_path / run) for run in runs),
        ],
        capture_output=True,
        text=True,
        check=False,
    )

    assert found.returncode == 1
    assert str(tmp_path / "a") in found.stderr
    assert "Traceback" not in found.stderr


def test_limits_by_hand():
    """A square of 10×10: its outline is moved by a pixel, and it lacks a corner."""
    import numpy as np

    from limits import MOVES, limits_of

    reference = np.zeros((32, 32), bool)
    reference[8:18, 8:18] = True
    predicted = reference.copy()
    predicted[8:12, 8:12] = False  # 16 pixels; 9 of them deeper than 1, 4 than 2
    found = limits_of(reference, predicted, 32)
    assert found.out == pytest.approx(200 / (100 + 140))  # corners stay out
    assert found.into == pytest.approx(2 * 64 / (100 + 64))
    assert found.shrunk == 1
    assert found.forgiven == pytest.approx((2 * 91 / 191, 2 * 96 / 196))
    assert found.moved[MOVES.index(0)] == pytest.approx(2 * 84 / 184)
    assert found.moved[MOVES.index(-1)] < found.moved[MOVES.index(0)]


def test_limits_of_a_smaller_side():
    import numpy as np

    from limits import shrink

    rows, columns = np.mgrid[:60, :100]
    disc = (rows - 30) ** 2 + (columns - 50) ** 2 < 20**2
    lost = [np.mean(shrink(disc, side) != disc) for side in (100, 25)]
    assert lost[0] == 0 < lost[1] < 0.03


def test_each_source_is_left_out_of_the_training_that_scores_it(tmp_path, monkeypatch):
    import leave_one_out

    dice = {"a": [0.95, 0.89], "b": [0.8, 0.0, 1.0]}
    calls = []

    def lungcli(folder, command, *arguments):
        calls.append((command, [str(argument) for argument in arguments]))
        if command == "evaluate":
            scores = Path(arguments[arguments.index("--out") + 1])
            scores.mkdir()
            rows = "".join(f"{value}\n" for value in dice[arguments[1].name])
            (scores / "cases.csv").write_text(f"dice\n{rows}")

    monkeypatch.setattr(leave_one_out, "_lungcli", lungcli)
    sources = [tmp_path / "a", tmp_path / "b"]
    results = [
        leave_one_out.leave_out(own, [other], ["--epochs", "2"], seed=4)
        for own, other in (sources, sources[::-1])
    ]
    trained = [arguments for command, arguments in calls if command == "train"]
    assert [arguments[1] for arguments in trained] == [str(sources[1]), str(sources[0])]
    assert all(a[-4:] == ["--seed", "4", "--epochs", "2"] for a in trained)
    a, b = results
    assert (a.source, a.cases, a.low, a.missed) == ("a", 2, 1, 0)
    assert (b.mean, b.worst, b.low, b.missed) == (pytest.approx(0.6), 0.0, 2, 1)
