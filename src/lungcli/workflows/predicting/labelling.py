"""One X-ray, from its file to everything that is written about it."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath
from typing import Any

from lungcli.anatomy import Structure
from lungcli.checks.gate import Gate
from lungcli.checks.quality import QualityModel
from lungcli.data.inputs import Input
from lungcli.data.read_xray import read_xray
from lungcli.data.restoring import from_square
from lungcli.data.xray import Xray
from lungcli.errors import ImageError, LungcliError, OutputError, RemoteError
from lungcli.model.find import Announce, ModelFolder, quiet
from lungcli.outputs.labelled import LabelledXray
from lungcli.system.urls import Url
from lungcli.workflows.predicting.doubts import Correction, Examined, examine
from lungcli.workflows.predicting.formats import DICOM_SEG, NPZ, output_names
from lungcli.workflows.predicting.looking import Look, Looks, View, look, look_again
from lungcli.workflows.predicting.output import output_folder
from lungcli.workflows.predicting.record import Entry, Film, Finding, Record, Status
from lungcli.workflows.predicting.settings import PredictSettings
from lungcli.workflows.predicting.writing import (
    contributions,
    load_libraries,
    write_files,
)
from lungcli.workflows.shared.inference import LungModel, load_model


@dataclass(frozen=True, slots=True, kw_only=True)
class LabellerPlan:
    """All that it takes to make a labeller; small, and the same on any machine.

    Attributes:
        model: The network's folder.
        settings: How, and what is written.
        out: The output folder, or its URL.
    """

    model: ModelFolder
    settings: PredictSettings
    out: Path | Url

    def load(
        self, *, threads: int | None = None, announce: Announce = quiet
    ) -> "Labeller":
        """Load everything.

        Args:
            threads: How many compute one call of the network.
            announce: Told if the quick engine cannot be taken.

        Raises:
            ModelError: If the model cannot be used.
        """
        settings = self.settings
        lungs = load_model(
            self.model, engine=settings.engine, threads=threads, announce=announce
        )
        load_libraries(settings.formats)
        return Labeller(
            lungs=lungs,
            gate=Gate.load(),
            quality=QualityModel.load(),
            structures=settings.written(lungs.structures),
            on_doubt=settings.on_doubt,
            formats=settings.formats,
            out=self.out,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of one X-ray, in the words of `Entry` and `Record`."""

    status: Status
    film: Film | None = None
    finding: Finding | None = None
    tables: dict[str, dict[str, Any]] = field(default_factory=dict)
    outputs: dict[str, int] = field(default_factory=dict)
    error: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Labeller:
    """Everything that is loaded once; several threads may share it.

    Attributes:
        lungs: The network.
        gate: Judges what an image looks like.
        quality: Judges a mask.
        structures: Which of those that the network draws are written.
        on_doubt: An `OnDoubt`.
        formats: What is written.
        out: The output folder, or its URL.
    """

    lungs: LungModel
    gate: Gate
    quality: QualityModel
    structures: tuple[Structure, ...]
    on_doubt: str
    formats: Sequence[str]
    out: Path | Url

    def label(self, item: Input, stem: PurePosixPath) -> Entry:
        """Label one X-ray and write its files; a failure is an entry too.

        What an earlier call wrote of an X-ray that has no mask now is removed: nobody
        must take it for this call's.

        Args:
            item: The X-ray.
            stem: Its outputs' name below the output folder, without suffixes.

        Raises:
            OutputError: If nothing can be written, which all others would suffer too.
        """
        begun = time.perf_counter()
        state = item.state()
        try:
            outcome = self._label(item, stem)
        except OutputError:
            raise
        except Exception as error:  # of a library, too: the other X-rays must go on
            outcome = Outcome(status=Status.FAILED, error=_reason(item, error))
        if not outcome.outputs:
            outcome = replace(outcome, error=self._clear(stem, outcome.error))
        return Entry(
            stem=str(stem),
            shown=item.shown,
            status=outcome.status,
            state=state,
            outputs=outcome.outputs,
            record=Record(
                name=str(item.name),
                seconds=round(time.perf_counter() - begun, 4),
                film=outcome.film,
                finding=outcome.finding,
                tables=outcome.tables,
                error=outcome.error,
            ),
        )

    def _label(self, item: Input, stem: PurePosixPath) -> Outcome:
        """Read, examine, look, look again, restore, write, describe."""
        with item.local() as path:
            xray = read_xray(path)
            self._check_writable(item, xray)
            examined = examine(xray, self.gate, on_doubt=self.on_doubt)
            if examined.refused:
                return _refusal(item, xray, examined)
            looks = self._look(xray, examined.correction)
            drawn = self._restore(xray, looks.last, item, path)
            labelled = drawn.only(self.structures)
            tables = contributions(labelled, self.formats, drawn=drawn)
            outputs = self._write(labelled, stem)
        doubts = (*examined.doubts, *looks.doubts)
        return Outcome(
            status=Status.DOUBTFUL if doubts else Status.OK,
            film=_describe(
                xray,
                corrected=looks.last.view.words,
                doubts=doubts,
                notes=self._unwritten(labelled),
            ),
            finding=Finding(
                lungs=looks.last.found, quality=round(looks.last.quality, 4)
            ),
            tables=tables,
            outputs=outputs,
        )

    def _check_writable(self, item: Input, xray: Xray) -> None:
        if set(self.formats) == {DICOM_SEG} and not xray.is_dicom:
            msg = (
                f"{item.shown} is not DICOM, and a DICOM segmentation refers to one. "
                "Add another --format, such as png."
            )
            raise ImageError(msg)

    def _look(self, xray: Xray, correction: Correction) -> Looks:
        """Look at it as corrected, and again where a lung is missing."""
        view = View(correction=correction)
        first = look(self.lungs, self.quality, xray.pixels, view)
        upright = xray.quarter_turns is not None
        last = look_again(self.lungs, self.quality, xray.pixels, first, upright=upright)
        return Looks(first=first, last=last)

    def _restore(self, xray: Xray, seen: Look, item: Input, path: Path) -> LabelledXray:
        """Return all that the network draws, on the stored grid."""
        correction = seen.view.correction
        probabilities = None
        if NPZ in self.formats:
            upright = from_square(seen.raw, seen.geometry)
            probabilities = correction.undo_probabilities(upright)
        return LabelledXray(
            name=item.name,
            image=xray.pixels,
            labels=correction.undo(self.lungs.restore(seen.cleaned, seen.geometry)),
            structures=self.lungs.structures,
            probabilities=probabilities,
            spacing_mm=xray.spacing_mm,
            quarter_turns=correction.quarter_turns,
            dicom=path if xray.is_dicom else None,
        )

    def _unwritten(self, labelled: LabelledXray) -> tuple[str, ...]:
        if DICOM_SEG in self.formats and labelled.dicom is None:
            return ("no DICOM-SEG: the input is not DICOM",)
        return ()

    def _write(self, labelled: LabelledXray, stem: PurePosixPath) -> dict[str, int]:
        """Return the bytes of each file written, by its name."""
        with output_folder(self.out).writing(stem) as stems:
            sizes = write_files(labelled, stems, self.formats, model=self.lungs.name)
        return {f"{stem}{suffix}": size for suffix, size in sizes.items()}

    def _clear(self, stem: PurePosixPath, error: str | None) -> str | None:
        """Remove what an earlier call wrote, or add that it may still be there."""
        try:
            output_folder(self.out).remove(output_names(str(stem), self.formats))
        except RemoteError:
            said = error or f"{self.out / stem} has no mask now."
            return f"{said} A mask of an earlier call may still be there."
        return error


def _reason(item: Input, error: Exception) -> str:
    if isinstance(error, RemoteError):
        return f"{error} Then go on with --resume."
    if isinstance(error, LungcliError):
        return str(error)
    if isinstance(error, MemoryError):
        return f"{item.shown} is too large for the memory. Make it smaller."
    if isinstance(error, OSError):  # gone while it was read, or a share that broke off
        return f"cannot read {item.shown} ({error.strerror}). Try it again."
    kind = type(error).__name__  # its text may quote a header: not shown
    return f"{item.shown} cannot be labelled ({kind}). Report it, or leave it out."


def _refusal(item: Input, xray: Xray, examined: Examined) -> Outcome:
    why = "; ".join(examined.doubts)
    return Outcome(
        status=Status.REFUSED,
        film=_describe(
            xray, corrected=examined.correction.words, doubts=examined.doubts
        ),
        error=f"{item.shown} was refused: {why}. Leave it out, or label it with "
        "--on-doubt warn.",
    )


def _describe(
    xray: Xray,
    *,
    corrected: tuple[str, ...],
    doubts: tuple[str, ...],
    notes: tuple[str, ...] = (),
) -> Film:
    height, width = xray.pixels.shape
    return Film(
        height=height,
        width=width,
        spacing_mm=xray.spacing_mm,
        spacing_source=xray.spacing_source,
        corrected=corrected,
        doubts=doubts,
        notes=(*xray.notes, *notes),
    )
