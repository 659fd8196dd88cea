"""Pictures of what a trained network predicts: films and overlays."""

import pickle
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from lungcli.data.geometry import content_of, labels_to_square
from lungcli.data.prepared import PreparedDataset
from lungcli.errors import ConfigError, DatasetError
from lungcli.metrics.overlap import dice, iou, overlap
from lungcli.metrics.summary import worst_first_key
from lungcli.pictures.film import write_gif, write_png
from lungcli.pictures.overlay import fit_picture, outline
from lungcli.pictures.panels import PanelCase, draw_frame
from lungcli.pictures.views import PANELS
from lungcli.progress import Progress, silent
from lungcli.runs import RUNS
from lungcli.workflows.datasets import DatasetCase, check_output, open_all, select
from lungcli.workflows.evaluate import score_all
from lungcli.workflows.inference import LungModel, load_model
from lungcli.workflows.models import Announce, find_model, quiet

NO_MASK: Final = "no-mask"  # the cases that nobody has drawn on
FILMS: Final = {
    "all": "output.gif",
    "predicted": "predicted.gif",
    "gold": "gold_std.gif",
    "difference": "diff.gif",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class PictureSettings:
    """What to draw.

    Attributes:
        films: Which of `FILMS` to write; empty for none.
        overlays: Whether to write one PNG a case, with outlines.
        worst: Draw only so many cases, those with the lowest Dice first; 0 draws
            all in the order of the data set.
        cases: Draw only cases of these names; empty draws all.
        side: Width and height of a panel, or longer side of an overlay, in pixels.
        fps: Frames a second of the films.
    """

    films: tuple[str, ...] = tuple(FILMS)
    overlays: bool = False
    worst: int = 0
    cases: tuple[str, ...] = ()
    side: int = 512
    fps: float = 10.0

    def __post_init__(self) -> None:
        """Reject impossible values once, here."""
        unknown = sorted(set(self.films) - set(FILMS))
        if unknown:
            msg = f"panels {', '.join(unknown)}: choose from {', '.join(FILMS)}."
            raise ConfigError(msg)
        if not (self.films or self.overlays):
            msg = "nothing to draw. Use --gif, --png or both."
            raise ConfigError(msg)


def visualize(
    data: Sequence[Path],
    model: str | Path | None = None,
    *,
    settings: PictureSettings,
    split: str = "test",
    out: Path | None = None,
    runs: Path = RUNS,
    any_convention: bool = False,
    progress: Progress = silent,
    announce: Announce = quiet,
) -> tuple[Path, ...]:
    """Draw what a network predicts, beside what experts drew.

    Args:
        data: Folders of prepared data sets.
        model: As `models.find_model` takes it; None is the latest run, else the
            bundled network.
        settings: What to draw.
        split: `train`, `val`, `test`, `all`, or `no-mask`.
        out: Folder of the pictures; by default `pictures` in the run folder (in the
            current folder for the bundled network).
        runs: Folder of all runs.
        any_convention: Whether to compare across mask conventions.
        progress: Told after each case.
        announce: Told if the bundled network was taken unasked.

    Returns:
        The files, films first.

    Raises:
        DatasetError: If a data set is missing, or no case is left to draw.
        ModelError: If there is no usable model.
        OutputError: If a picture cannot be written.
    """
    cases = _choose(open_all(data), split, settings.cases)
    films = _films(settings.films, cases)
    found = find_model(model, runs=runs, announce=announce)
    lungs = load_model(found)
    lungs.check_convention(cases, any_convention=any_convention)
    if settings.worst:
        cases = _worst(lungs, cases, settings.worst, progress)
    folder = out or found.results.pictures
    check_output(folder)
    names = _overlay_names(cases)
    overlays = []
    with TemporaryDirectory() as temporary:
        spool = _Spool(Path(temporary))
        progress("predict", 0, len(cases))
        for number, panel in enumerate(_panels(lungs, cases)):
            spool.add(panel)
            if settings.overlays:
                path = folder / "overlays" / names[number]
                overlays.append(_write_overlay(panel, path, settings.side))
            progress("predict", number + 1, len(cases))
        written: list[Path] = []
        for name, panels in films.items():
            progress("films", len(written), len(films))
            frames = (
                draw_frame(panel, side=settings.side, panels=panels) for panel in spool
            )
            written.append(write_gif(frames, folder / name, fps=settings.fps))
        progress("films", len(written), len(films))
    return (*written, *overlays)


def _films(
    wanted: Sequence[str], cases: Sequence[DatasetCase]
) -> dict[str, Sequence[str]]:
    """Return the films to write, each with its panels.

    Where nobody drew a reference there is nothing to show but X-ray and Predicted.
    """
    if any(case.has_mask for _, case in cases):
        return {FILMS[name]: PANELS if name == "all" else (name,) for name in wanted}
    bare = {"all": ("predicted", "gold"), "predicted": ("predicted",)}
    return {FILMS[name]: bare[name] for name in wanted if name in bare}


def _choose(
    datasets: Sequence[PreparedDataset], split: str, names: Sequence[str]
) -> list[DatasetCase]:
    if split == NO_MASK:
        chosen = [(d, case) for d in datasets for case in d.cases if not case.has_mask]
        if not chosen:
            msg = (
                f"every case of {', '.join(str(d.root) for d in datasets)} has a mask."
            )
            raise DatasetError(msg)
    else:
        chosen = list(select(datasets, split).cases)
    if names:
        missing = sorted(set(names) - {case.case_id for _, case in chosen})
        if missing:
            msg = f"no case {', '.join(missing)} in split '{split}'. Try --split all."
            raise DatasetError(msg)
        chosen = [owned for owned in chosen if owned[1].case_id in names]
    return chosen


def _worst(
    lungs: LungModel, cases: Sequence[DatasetCase], num_cases: int, progress: Progress
) -> list[DatasetCase]:
    with_mask = [owned for owned in cases if owned[1].has_mask]
    if not with_mask:
        msg = "these cases have no masks, so none is the worst. Leave out --worst."
        raise ConfigError(msg)
    scores = score_all(lungs, with_mask, progress=progress)
    pairs = zip(scores, with_mask, strict=True)
    ordered = sorted(pairs, key=lambda pair: worst_first_key(pair[0]))
    return [owned for _, owned in ordered[:num_cases]]


def _panels(lungs: LungModel, cases: Sequence[DatasetCase]) -> Iterator[PanelCase]:
    """Yield each case at its stored size, with the scores of its original one."""
    for (dataset, case), predicted in zip(cases, lungs.label_cases(cases), strict=True):
        reference, counts = None, None
        if case.has_mask:
            reference = content_of(dataset.read_mask(case), case.geometry)
            counts = overlap(dataset.read_reference(case) > 0, predicted > 0)
        square = labels_to_square(predicted, case.geometry)
        yield PanelCase(
            title=case.case_id,
            image=content_of(dataset.read_image(case), case.geometry),
            predicted=content_of(square, case.geometry),
            reference=reference,
            dice=None if counts is None else dice(counts),
            iou=None if counts is None else iou(counts),
        )


class _Spool:
    """Cases on disk between the network and the films, so that memory stays flat."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._paths: list[Path] = []

    def add(self, panel: PanelCase) -> None:
        path = self._folder / f"{len(self._paths)}.pickle"
        path.write_bytes(pickle.dumps(panel))
        self._paths.append(path)

    def __iter__(self) -> Iterator[PanelCase]:
        for path in self._paths:
            panel: PanelCase = pickle.loads(path.read_bytes())  # noqa: S301 - our own
            yield panel


def _write_overlay(panel: PanelCase, path: Path, side: int) -> Path:
    image, (predicted, reference) = fit_picture(
        panel.image, (panel.predicted, panel.reference), side
    )
    return write_png(outline(image, predicted, reference=reference), path)


def _overlay_names(cases: Sequence[DatasetCase]) -> list[str]:
    """Name the overlays after the stored images; numbered where two sets agree."""
    names: list[str] = []
    for _, case in cases:
        stem = Path(case.image).stem
        numbered = (f"{stem}-{number}.png" for number in count(2))
        free = (name for name in chain([f"{stem}.png"], numbered) if name not in names)
        names.append(next(free))
    return names
