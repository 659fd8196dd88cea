"""A short session on real X-rays: does the real thing learn?"""

import pytest
from typer.testing import CliRunner

from lungcli.cli.app import app
from lungcli.model.config import TrainConfig
from lungcli.workflows.drawing.visualize import PictureSettings, visualize
from lungcli.workflows.evaluating.evaluate import evaluate
from lungcli.workflows.preparing.prepare import prepare
from lungcli.workflows.preparing.settings import PrepareSettings
from lungcli.workflows.shared.sampling import Sample
from lungcli.workflows.training.train import train


@pytest.mark.data
@pytest.mark.slow
def test_montgomery_in_a_minute(real_data, tmp_path):
    """Small and short; the measured recipe is in docs/benchmarks.md."""
    out = tmp_path / "prepared"
    settings = PrepareSettings(out=out, size=256, splits="gaal2020")
    prepare([real_data / "MontgomerySet"], settings=settings)
    config = TrainConfig(size=128, epochs=10, batch_size=4, learning_rate=4e-3)
    trained = train([out], config, run=tmp_path / "run", runs=tmp_path / "runs")
    assert trained.best_dice > 0.93
    scores = evaluate([out], tmp_path / "run", split="val")
    assert scores.summary["dice"]["mean"] > 0.93
    assert scores.summary["right"]["dice"]["mean"] > 0.9
    assert scores.summary["left"]["dice"]["mean"] > 0.9
    paths = visualize(
        [out],
        tmp_path / "run",
        settings=PictureSettings(films=("all",), sample=Sample(worst=3), side=128),
        split="val",
    )
    assert [path.name for path in paths] == ["output.gif"]


@pytest.mark.data
def test_no_mask_cases_are_drawn(real_data, run, tmp_path):
    source = real_data / "ChinaSet_AllFiles"
    out = tmp_path / "prepared"
    prepare([source], settings=PrepareSettings(out=out, size=64))
    arguments = ["visualize", "--data", str(out), "--model", str(run), "--png"]
    options = ["--split", "no-mask", "--case", "CHNCXR_0025_0", "--side", "64"]
    place = ["--out", str(tmp_path / "p"), "--any-convention"]
    result = CliRunner().invoke(app, [*arguments, *options, *place])
    assert result.exit_code == 0, result.output
    assert (tmp_path / "p" / "overlays" / "CHNCXR_0025_0.png").is_file()
