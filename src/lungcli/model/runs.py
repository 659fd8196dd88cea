"""Names inside a run folder, and how to find the right one."""

import csv
import io
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from lungcli._version import __version__
from lungcli.errors import ConfigError, ModelError, OutputError
from lungcli.model.config import BEFORE_SAID, Holdout
from lungcli.system.documents import parse_fields, read_json
from lungcli.system.files import write_json, write_text

RUNS: Final = Path("runs")
LATEST: Final = "latest"
_TRIES: Final = 100  # to be the only one who sets the link
_POINTER: Final = "latest.txt"  # where the system has no symbolic links


@dataclass(frozen=True, slots=True, kw_only=True)
class _StoredData:
    """A prepared data set, as `config.json` names it."""

    path: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _StoredConfig:
    """The document `config.json`."""

    settings: dict[str, Any]
    data: tuple[_StoredData, ...]
    lungcli: str = ""
    division: Holdout = field(default_factory=Holdout)
    batch_size_halved_from: int | None = None


@dataclass(frozen=True, slots=True)
class RunFolder:
    """One training on disk."""

    root: Path

    @property
    def config(self) -> Path:
        """Settings and data sets."""
        return self.root / "config.json"

    @property
    def history(self) -> Path:
        """One row an epoch."""
        return self.root / "history.csv"

    @property
    def curves(self) -> Path:
        """Loss and validation Dice over the epochs."""
        return self.root / "curves.png"

    @property
    def evolution(self) -> Path:
        """How the prediction of three validation cases came about."""
        return self.root / "evolution.gif"

    @property
    def evolution_frames(self) -> Path:
        """Folder of the frames, one an epoch."""
        return self.root / "state" / "evolution"

    @property
    def initial_weights(self) -> Path:
        """Weights that a fine-tuning began with."""
        return self.root / "state" / "initial.weights.h5"

    @property
    def evaluation(self) -> Path:
        """Default folder of `lungcli evaluate`."""
        return self.root / "evaluation"

    @property
    def pictures(self) -> Path:
        """Default folder of `lungcli visualize`."""
        return self.root / "pictures"

    def fold(self, number: int) -> "RunFolder":
        """Return one of the runs, from 1, of which a cross-validation consists."""
        return RunFolder(self.root / f"fold-{number}")


def new_run_folder(name: str, *, runs: Path = RUNS) -> RunFolder:
    """Name a folder after the time and what is trained; do not make it."""
    stamp = datetime.now().astimezone().strftime("%Y%m%d-%H%M%S")
    safe = "".join(c if c.isalnum() or c in "-_+" else "-" for c in name)[:60]
    # a clock that is set back, or two runs in one second, name what is there already
    names = (f"{stamp}-{safe}", *(f"{stamp}-{safe}-{n}" for n in range(2, 1000)))
    free = (name for name in names if not (runs / name).exists())
    return RunFolder(runs / next(free, names[-1]))


def point_latest_to(run: RunFolder, *, runs: Path = RUNS) -> None:
    """Make `runs/latest` mean this run."""
    target = os.path.relpath(run.root.resolve(), runs.resolve())
    link, part = runs / LATEST, runs / f".part-{LATEST}"
    check_latest(runs)
    for _ in range(_TRIES):
        try:
            runs.mkdir(parents=True, exist_ok=True)
            part.unlink(missing_ok=True)
            part.symlink_to(target, target_is_directory=True)
            part.replace(link)
        except (FileExistsError, FileNotFoundError):  # another run does just the same
            continue
        except OSError:  # Windows without the right to make links
            break
        return
    write_text(runs / _POINTER, target)


def check_latest(runs: Path = RUNS) -> None:
    """Refuse a place where `latest` cannot point to a run.

    Raises:
        OutputError: If the folder of all runs is a file, or `latest` a real folder.
    """
    link = runs / LATEST
    if link.is_dir() and not link.is_symlink():
        msg = f"{link} is a folder of its own, not a link to a run. Rename it first."
        raise OutputError(msg)
    if runs.exists() and not runs.is_dir():
        msg = f"{runs} is a file, but runs go into a folder of that name. Rename it."
        raise OutputError(msg)


def find_run(path: Path | None, *, runs: Path = RUNS) -> RunFolder:
    """Return the run folder that a user means.

    Args:
        path: A run folder, its name inside `runs`, or None for the latest.
        runs: Folder of all runs.

    Raises:
        ModelError: If there is no such folder.
    """
    wanted = path if path is not None else runs / LATEST
    candidates = [wanted, runs / wanted]
    if wanted in (runs / LATEST, Path(LATEST)):
        pointer = runs / _POINTER
        if pointer.is_file():
            candidates.append(runs / pointer.read_text(encoding="utf-8").strip())
    for candidate in candidates:
        if candidate.is_symlink() and candidate.is_dir():
            # the run by its own name, not as "latest"
            return RunFolder(candidate.parent / candidate.readlink())
        if candidate.is_dir():
            return RunFolder(candidate)
    msg = f"no trained model in {wanted}. Run 'lungcli train' first, or name a run."
    raise ModelError(msg)


def write_history(run: RunFolder, rows: Sequence[Mapping[str, float]]) -> None:
    """Write one row an epoch; the columns are those of the first row."""
    text = io.StringIO()
    writer = csv.DictWriter(text, fieldnames=list(rows[0]), extrasaction="ignore")
    writer.writeheader()
    writer.writerows({**row, "epoch": int(row["epoch"])} for row in rows)
    write_text(run.history, text.getvalue(), durable=True)


def read_history(run: RunFolder, *, epochs: int) -> list[dict[str, float]]:
    """Return the rows of the first epochs.

    Raises:
        ModelError: If the file is broken or has fewer rows.
    """
    if not epochs:
        return []
    try:
        rows = _parse_history(run)
    except (OSError, TypeError, ValueError) as error:
        msg = f"cannot read {run.history} ({error}). Restore it, or start a new run."
        raise ModelError(msg) from error
    if [row.get("epoch") for row in rows[:epochs]] != list(range(1, epochs + 1)):
        msg = (
            f"{run.history} does not hold the {epochs} epochs that the state of the "
            "run has. Restore it, or start a new run."
        )
        raise ModelError(msg)
    return rows[:epochs]


def rows_of_history(run: RunFolder) -> list[dict[str, float]]:
    """Return the rows to show to people; none where there is no readable history."""
    try:
        return _parse_history(run)
    except (OSError, TypeError, ValueError):
        return []


def _parse_history(run: RunFolder) -> list[dict[str, float]]:
    with run.history.open(encoding="utf-8", newline="") as lines:
        return [
            {name: float(value) for name, value in row.items()}
            for row in csv.DictReader(lines)
        ]


def write_config(
    run: RunFolder,
    *,
    settings: Mapping[str, Any],
    data: Mapping[Path, str],
    holdout: Holdout,
    halved_from: int | None = None,
) -> None:
    """Write what it takes to begin the run again.

    Args:
        run: The run.
        settings: As JSON knows them.
        data: Folder of each prepared data set, and its name.
        holdout: Which cases do not train.
        halved_from: The batch size that was too large for the device; None keeps what
            the file says of it.
    """
    before = halved_from or _halved_from(run)
    document = {
        "lungcli": __version__,
        "settings": dict(settings),
        **({"batch_size_halved_from": before} if before else {}),
        "division": asdict(holdout),
        "data": [
            {"path": str(path.resolve()), "name": name} for path, name in data.items()
        ],
    }
    write_json(run.config, document, durable=True)


def _halved_from(run: RunFolder) -> int | None:
    try:
        return _read_stored(run).batch_size_halved_from
    except (ConfigError, OSError, ValueError):
        return None


def _read_stored(run: RunFolder) -> _StoredConfig:
    return parse_fields(_StoredConfig, read_json(run.config))


def read_config(run: RunFolder) -> tuple[dict[str, Any], list[Path], Holdout]:
    """Return the settings, the folders of the prepared data, and which cases train.

    Raises:
        ModelError: If it is missing or broken.
    """
    try:
        stored = _read_stored(run)
    except (ConfigError, OSError, ValueError) as error:
        msg = (
            f"cannot resume {run.root}: {run.config} is missing or broken "
            f"({type(error).__name__}: {error}). Restore it, or start a new run."
        )
        raise ModelError(msg) from error
    paths = [Path(entry.path) for entry in stored.data]
    return BEFORE_SAID | stored.settings, paths, stored.division
