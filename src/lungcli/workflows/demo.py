"""The whole main job on phantoms: nothing to download, nothing to prepare."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from lungcli import __version__
from lungcli.config import TrainConfig
from lungcli.data.phantom import write_montgomery
from lungcli.errors import ConfigError
from lungcli.files import write_json
from lungcli.progress import Progress, silent
from lungcli.workflows.augment_preview import augment_preview
from lungcli.workflows.evaluate import Evaluation, evaluate
from lungcli.workflows.prepare import PrepareReport, PrepareSettings, prepare
from lungcli.workflows.train import TrainEvents, TrainResult, train
from lungcli.workflows.visualize import PictureSettings, visualize

MARKER: Final = "demo.json"
NUM_PHANTOMS: Final = 60
PHANTOM_SIZE: Final = 512  # pixels
TRAINING: Final = TrainConfig(size=128, epochs=30, learning_rate=4e-3)


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoResult:
    """What each step left.

    Attributes:
        prepared: Of `prepare`.
        trained: Of `train`.
        evaluation: Of `evaluate`.
        pictures: Of `augment-preview` and `visualize`.
    """

    prepared: PrepareReport
    trained: TrainResult
    evaluation: Evaluation
    pictures: tuple[Path, ...]

    @property
    def to_open(self) -> tuple[Path, ...]:
        """The files that a person should open, in the order of the steps."""
        return (
            self.prepared.out / "contact-sheet.png",
            self.trained.run.curves,
            self.trained.run.evolution,
            *self.pictures,
            *self.evaluation.paths,
        )


def demo(
    out: Path = Path("demo"),
    *,
    seed: int = 0,
    config: TrainConfig = TRAINING,
    num_phantoms: int = NUM_PHANTOMS,
    progress: Progress = silent,
    events: TrainEvents | None = None,
    announce: Callable[[str], None] = lambda step: None,
) -> DemoResult:
    """Draw phantoms, then prepare, train, evaluate and visualize them.

    Args:
        out: Folder of everything.
        seed: Of the phantoms.
        config: Settings of the training.
        num_phantoms: How many to draw.
        progress: Told by each long loop.
        events: Told by the training.
        announce: Told the command line of each step before it begins.

    Raises:
        ConfigError: If the folder holds something else than a demo.
        OutputError: If it cannot be written.
    """
    _claim(out)
    source, prepared, runs = out / "phantoms", out / "prepared", out / "runs"
    announce(f"{num_phantoms} phantoms -> {source}")
    write_montgomery(
        source, count=num_phantoms, seed=seed, size=PHANTOM_SIZE, progress=progress
    )
    announce(f"lungcli prepare {source} --out {prepared}")
    settings = PrepareSettings(out=prepared, size=PHANTOM_SIZE, force=True)
    report = prepare([source], settings=settings, progress=progress)
    announce(f"lungcli augment-preview --data {prepared} --out {out}")
    pictures = augment_preview([prepared], out=out)
    announce(f"lungcli train --data {prepared} --epochs {config.epochs}")
    trained = train([prepared], config, runs=runs, events=events)
    run = trained.run.root
    announce(f"lungcli evaluate --data {prepared} --model {run}")
    scores = out / "evaluation"
    evaluation = evaluate([prepared], run, out=scores, progress=progress)
    announce(f"lungcli visualize --gif --png --data {prepared} --model {run}")
    pictures += visualize(
        [prepared],
        run,
        settings=PictureSettings(overlays=True, fps=2),
        out=out / "pictures",
        progress=progress,
    )
    return DemoResult(
        prepared=report, trained=trained, evaluation=evaluation, pictures=pictures
    )


def _claim(out: Path) -> None:
    """Mark a new or empty folder as a demo's; refuse somebody's own."""
    try:
        taken = out.exists() and not (out / MARKER).is_file() and any(out.iterdir())
    except NotADirectoryError:
        taken = True
    if taken:
        msg = f"{out} exists and is no demo. Choose another folder with --out."
        raise ConfigError(msg)
    write_json(out / MARKER, {"lungcli": __version__})
