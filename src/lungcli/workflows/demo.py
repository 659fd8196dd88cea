"""The whole main job on phantoms: nothing to download, nothing to prepare."""

import shlex
from collections.abc import Callable
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Final

from lungcli._version import __version__
from lungcli.errors import ConfigError
from lungcli.model.config import TrainConfig
from lungcli.phantom import write_montgomery
from lungcli.system.files import write_json
from lungcli.system.progress import Progress, silent
from lungcli.workflows.drawing.visualize import PictureSettings, visualize
from lungcli.workflows.evaluating.evaluate import evaluate
from lungcli.workflows.evaluating.writer import Evaluation
from lungcli.workflows.preparing.prepare import prepare
from lungcli.workflows.preparing.settings import PrepareSettings
from lungcli.workflows.preparing.totals import PrepareReport
from lungcli.workflows.previewing.augment_preview import augment_preview
from lungcli.workflows.training.events import TrainEvents, TrainResult
from lungcli.workflows.training.train import train

MARKER: Final = "demo.json"
NUM_PHANTOMS: Final = 60
PHANTOM_SIZE: Final = 512  # pixels
TRAINING: Final = TrainConfig(epochs=30, batch_size=4)


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
            Path(str(self.prepared.out)) / "contact-sheet.png",
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
    source, prepared, run = out / "phantoms", out / "prepared", _new_run(out)
    announce(f"drawing {num_phantoms} phantoms into {source}")
    write_montgomery(
        source, count=num_phantoms, seed=seed, size=PHANTOM_SIZE, progress=progress
    )
    announce(shlex.join(["lungcli", "prepare", f"{source}", "--out", f"{prepared}"]))
    settings = PrepareSettings(out=prepared, force=True)
    report = prepare([source], settings=settings, progress=progress)
    data = ["--data", f"{prepared}"]
    announce(shlex.join(["lungcli", "augment-preview", *data, "--out", f"{out}"]))
    pictures = augment_preview([prepared], out=out)
    announce(
        shlex.join(["lungcli", "train", *data, *_flags(config), "--run", f"{run}"])
    )
    trained = train([prepared], config, run=run, runs=run.parent, events=events)
    if trained.interrupted:
        raise KeyboardInterrupt  # it was meant for the whole demo
    model = [*data, "--model", f"{run}"]
    announce(shlex.join(["lungcli", "evaluate", *model]))
    evaluation = evaluate([prepared], run, progress=progress)
    announce(
        shlex.join(["lungcli", "visualize", "--gif", "--png", "--fps", "2", *model])
    )
    pictures += visualize(
        [prepared],
        run,
        settings=PictureSettings(overlays=True, fps=2),
        progress=progress,
    )
    return DemoResult(
        prepared=report, trained=trained, evaluation=evaluation, pictures=pictures
    )


def _new_run(out: Path) -> Path:
    """Name a run folder that is not there yet: a demo may be repeated."""
    names = (out / "runs" / f"demo-{number}" for number in count(1))
    return next(path for path in names if not path.exists())


def _flags(config: TrainConfig) -> list[str]:
    """Return the options that make `lungcli train` do the same."""
    default = TrainConfig().to_dict()
    changed = {k: v for k, v in config.to_dict().items() if v != default[k]}
    return [
        text
        for name, value in changed.items()
        for text in (f"--{name.replace('_', '-')}", f"{value}")
    ]


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
