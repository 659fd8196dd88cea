"""Pictures of what a trained network predicts: films, overlays, sheets, heat maps."""

import dataclasses
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryFile
from typing import Final

from lungcli.arrays import Rgb
from lungcli.data.geometry import resize_square
from lungcli.data.restoring import from_square
from lungcli.errors import ConfigError
from lungcli.model.find import Announce, find_model, quiet
from lungcli.model.runs import RUNS
from lungcli.pictures.film import FILM_SUFFIXES, check_film, write_film, write_png
from lungcli.pictures.heat_map import draw_heat_map
from lungcli.pictures.panels import PanelCase, draw_frame, draw_overlay
from lungcli.pictures.views import PANELS
from lungcli.system.locks import locked
from lungcli.system.progress import Progress, silent
from lungcli.system.spool import Spool
from lungcli.workflows.drawing.films import FILE_NAMES, Film
from lungcli.workflows.drawing.panel_cases import (
    panel_cases,
    picture_names,
    worst_cases,
)
from lungcli.workflows.drawing.sheets import write_sheets
from lungcli.workflows.drawing.uncertainty import find_doubt
from lungcli.workflows.shared.datasets import DatasetCase, open_all
from lungcli.workflows.shared.inference import LungModel, load_model
from lungcli.workflows.shared.output_folder import check_output
from lungcli.workflows.shared.sampling import Sample, find_cases

_LOOKS_LIKE_A_FILE: Final = re.compile(r"\.[a-z][a-z0-9]{1,4}", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class PictureSettings:
    """What to draw.

    Attributes:
        films: Which of `Film` to write; empty for none.
        overlays: Whether to write one PNG a case, with outlines.
        grid: Whether to write contact sheets with outlines, the lowest Dice first.
        uncertainty: Whether to write one heat map of doubt a case.
        sample: Which cases.
        side: Width and height of a panel, or longer side of an overlay, in pixels;
            tiles of a sheet are half as large.
        fps: Frames a second of the films.
    """

    films: tuple[str, ...] = tuple(Film)
    overlays: bool = False
    grid: bool = False
    uncertainty: bool = False
    sample: Sample = field(default_factory=Sample)
    side: int = 512
    fps: float = 1.0

    def __post_init__(self) -> None:
        """Reject impossible values once, here."""
        unknown = sorted(set(self.films) - set(Film))
        if unknown:
            msg = f"panels {', '.join(unknown)}: choose from {', '.join(Film)}."
            raise ConfigError(msg)
        if not 0 < self.fps < math.inf:
            msg = f"fps is {self.fps}: it must be a number above 0."
            raise ConfigError(msg)
        if not (self.films or self.needs_folder):
            msg = "nothing to draw. Use --gif, --png, --grid or --uncertainty."
            raise ConfigError(msg)

    @property
    def needs_folder(self) -> bool:
        """Whether other pictures than films are wanted."""
        return self.overlays or self.grid or self.uncertainty


def visualize(
    data: Sequence[str | Path],
    model: str | Path | None = None,
    *,
    settings: PictureSettings | None = None,
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
        settings: What to draw; None for a film.
        split: `train`, `val`, `test`, `all`, or `no-mask`.
        out: Folder of the pictures, or a file for one film; by default the folder
            `pictures` in the run folder (in the current folder for the bundled
            network).
        runs: Folder of all runs.
        any_convention: Whether to compare across mask conventions.
        progress: Told after each case.
        announce: Told if the bundled network was taken unasked, and what to know before
            trusting the pictures.

    Returns:
        The files: films, sheets, then the pictures of single cases.

    Raises:
        ConfigError: If the settings or the name of the film cannot be.
        DatasetError: If a data set is missing, or no case is left to draw.
        ModelError: If there is no usable model.
        OutputError: If a picture cannot be written.
    """
    settings = settings or PictureSettings()
    _check_file(out, settings)
    cases = find_cases(open_all(data), split, settings.sample, announce=announce)
    films = _films(settings.films, cases)
    found = find_model(model, runs=runs, announce=announce)
    lungs = load_model(found)
    lungs.check_convention(cases, any_convention=any_convention)
    for note in lungs.notes_on(cases):
        announce(note)
    folder = out or found.results.pictures
    is_film = names_a_film(out)
    check_output(folder.parent if is_film else folder)
    with locked(folder, outside=is_film), TemporaryFile() as waiting:
        if settings.sample.worst:
            cases = worst_cases(lungs, cases, settings.sample.worst, progress)
        spool: Spool[PanelCase] = Spool(waiting)
        single: list[Path] = []
        names = picture_names(cases)
        progress("predict", 0, len(cases))
        for panel, case, name in zip(
            panel_cases(lungs, cases), cases, names, strict=True
        ):
            spool.append(panel)
            single += _draw_single(
                lungs, case, panel, name, folder=folder, settings=settings
            )
            progress("predict", len(spool), len(cases))
        paths = {
            folder if is_film else folder / FILE_NAMES[name]: panels
            for name, panels in films.items()
        }
        written = _write_films(paths, spool, settings, progress)
        if settings.grid:
            written += write_sheets(spool, folder, split=split, side=settings.side // 2)
    return (*written, *single)


def names_a_film(out: Path | None) -> bool:
    """Tell whether `--out` names a file: one film instead of a folder of pictures."""
    return (
        out is not None
        and not out.is_dir()
        and _LOOKS_LIKE_A_FILE.fullmatch(out.suffix) is not None
    )


def _check_file(out: Path | None, settings: PictureSettings) -> None:
    """Refuse a film that cannot be written, before any work is done."""
    if out is None or not names_a_film(out):
        return
    if out.suffix.lower() not in FILM_SUFFIXES:
        msg = (
            f"--out {out}: lungcli writes no films in the format {out.suffix}. Take "
            f"one of {', '.join(FILM_SUFFIXES)}, or the name of a folder (one with a "
            "dot must be there already)."
        )
        raise ConfigError(msg)
    check_film(out)
    if settings.needs_folder or len(settings.films) != 1:
        msg = (
            f"--out {out} is one film. Choose its --panels, one, and leave out --png, "
            "--grid and --uncertainty; or name a folder."
        )
        raise ConfigError(msg)


def _films(
    wanted: Sequence[str], cases: Sequence[DatasetCase]
) -> dict[str, Sequence[str]]:
    """Return the panels of each film.

    Where nobody drew a reference there is nothing to show but X-ray and Predicted.
    """
    panels: dict[str, Sequence[str]] = {
        name: PANELS if name == Film.ALL else (name,) for name in wanted
    }
    if not any(case.has_mask for _, case in cases):
        bare: Mapping[str, Sequence[str]] = {
            Film.ALL: (Film.PREDICTED, Film.GOLD),
            Film.PREDICTED: (Film.PREDICTED,),
        }
        panels = {name: bare[name] for name in wanted if name in bare}
        if wanted and not panels:
            msg = "nobody drew on these cases: of the --panels, take all or predicted."
            raise ConfigError(msg)
    return panels


def _draw_single(
    lungs: LungModel,
    owned: DatasetCase,
    panel: PanelCase,
    name: str,
    *,
    folder: Path,
    settings: PictureSettings,
) -> list[Path]:
    """Write the pictures that show one case alone."""
    written = []
    if settings.overlays:
        picture = draw_overlay(panel, side=settings.side)
        written.append(write_png(picture, folder / "overlays" / name))
    if settings.uncertainty:
        dataset, case = owned
        square = resize_square(dataset.read_image(case), lungs.size)
        height, width = panel.image.shape
        stored = dataclasses.replace(case.geometry, height=height, width=width)
        doubt = from_square(find_doubt(lungs, square), stored)
        picture = draw_heat_map(panel, doubt, side=settings.side)
        written.append(write_png(picture, folder / "uncertainty" / name))
    return written


def _write_films(
    films: Mapping[Path, Sequence[str]],
    cases: Sequence[PanelCase],
    settings: PictureSettings,
    progress: Progress,
) -> list[Path]:
    total = len(films) * len(cases)
    progress("films", 0, total)

    def frames(panels: Sequence[str], done: int) -> Iterator[Rgb]:
        for number, case in enumerate(cases, start=1):
            place = (number, len(cases))
            yield draw_frame(case, side=settings.side, panels=panels, place=place)
            progress("films", done + number, total)

    return [
        write_film(frames(panels, number * len(cases)), path, fps=settings.fps)
        for number, (path, panels) in enumerate(films.items())
    ]
