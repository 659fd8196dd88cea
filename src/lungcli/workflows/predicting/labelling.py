"""One X-ray, from its file to everything that is written about it."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, Final

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
from lungcli.workflows.predicting.formats import (
    DICOM_SEG,
    NPZ,
    contributions,
    load_libraries,
    output_names,
    write_files,
)
from lungcli.workflows.predicting.journal import FAILED, Entry
from lungcli.workflows.predicting.looking import (
    BOTH,
    LOW_QUALITY,
    NONE,
    Look,
    View,
    look,
    look_again,
)
from lungcli.workflows.predicting.output import output_folder
from lungcli.workflows.shared.inference import LungModel, load_model

OK: Final = "ok"
DOUBTFUL: Final = "doubtful"
REFUSED: Final = "refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class LabellerPlan:
    """All that it takes to make a labeller; small, and the same on any machine.

    Attributes:
        model: The network's folder.
        engine: As `load_model` takes it.
        on_doubt: One of `doubts.ON_DOUBT`.
        formats: What is written.
        out: The output folder, or its URL.
    """

    model: ModelFolder
    engine: str
    on_doubt: str
    formats: tuple[str, ...]
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
        lungs = load_model(
            self.model, engine=self.engine, threads=threads, announce=announce
        )
        load_libraries(self.formats)
        return Labeller(
            lungs=lungs,
            gate=Gate.load(),
            quality=QualityModel.load(),
            on_doubt=self.on_doubt,
            formats=self.formats,
            out=self.out,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Labeller:
    """Everything that is loaded once; several threads may share it.

    Attributes:
        lungs: The network.
        gate: Judges what an image looks like.
        quality: Judges a mask.
        on_doubt: One of `doubts.ON_DOUBT`.
        formats: What is written.
        out: The output folder, or its URL.
    """

    lungs: LungModel
    gate: Gate
    quality: QualityModel
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
            status, outputs, record = self._label(item, str(stem))
        except OutputError:
            raise
        except Exception as error:  # of a library, too: the other X-rays must go on
            status, outputs, record = FAILED, {}, {"error": _reason(item, error)}
        if not outputs:
            self._clear(stem, record)
        seconds = round(time.perf_counter() - begun, 4)
        record |= {"name": str(item.name), "seconds": seconds}
        return Entry(
            stem=str(stem),
            shown=item.shown,
            status=status,
            state=state,
            outputs=outputs,
            record=record,
        )

    def _label(
        self, item: Input, stem: str
    ) -> tuple[str, dict[str, int], dict[str, Any]]:
        with item.local() as path:
            xray = read_xray(path)
            self._check_writable(item, xray)
            examined = examine(xray, self.gate, on_doubt=self.on_doubt)
            record = _describe(xray, examined)
            if examined.refused:
                why = "; ".join(examined.doubts)
                record["error"] = (
                    f"{item.shown} was refused: {why}. Leave it out, or label it with "
                    "--on-doubt warn."
                )
                return REFUSED, {}, record
            looks = self._look(xray, examined.correction)
            labelled = self._restore(xray, looks[-1], item, path)
            record |= contributions(labelled, self.formats)
            record |= _describe_mask(looks)
            record["doubts"] += _doubts_of_mask(looks)
            if DICOM_SEG in self.formats and labelled.dicom is None:
                record["notes"] += ["no DICOM-SEG: the input is not DICOM"]
            with output_folder(self.out).writing(PurePosixPath(stem)) as stems:
                sizes = write_files(
                    labelled, stems, self.formats, model=self.lungs.name
                )
        outputs = {f"{stem}{suffix}": size for suffix, size in sizes.items()}
        return DOUBTFUL if record["doubts"] else OK, outputs, record

    def _clear(self, stem: PurePosixPath, record: dict[str, Any]) -> None:
        """Remove what an earlier call wrote, or say that it may still be there."""
        try:
            output_folder(self.out).remove(output_names(str(stem), self.formats))
        except RemoteError:
            said = record.get("error") or f"{self.out / stem} has no mask now."
            record["error"] = f"{said} A mask of an earlier call may still be there."

    def _check_writable(self, item: Input, xray: Xray) -> None:
        if set(self.formats) == {DICOM_SEG} and not xray.is_dicom:
            msg = (
                f"{item.shown} is not DICOM, and a DICOM segmentation refers to one. "
                "Add another --format, such as png."
            )
            raise ImageError(msg)

    def _look(self, xray: Xray, correction: Correction) -> tuple[Look, ...]:
        """Return the first look, and the second where it saw what the first missed."""
        view = View(correction=correction)
        first = look(self.lungs, self.quality, xray.pixels, view)
        upright = xray.quarter_turns is not None
        again = look_again(
            self.lungs, self.quality, xray.pixels, first, upright=upright
        )
        return (first,) if again is first else (first, again)

    def _restore(self, xray: Xray, seen: Look, item: Input, path: Path) -> LabelledXray:
        """Return the lungs on the stored grid."""
        correction = seen.view.correction
        probabilities = None
        if NPZ in self.formats:
            upright = from_square(seen.raw, seen.geometry)
            probabilities = correction.undo_probabilities(upright)
        return LabelledXray(
            name=item.name,
            image=xray.pixels,
            labels=correction.undo(self.lungs.restore(seen.cleaned, seen.geometry)),
            probabilities=probabilities,
            spacing_mm=xray.spacing_mm,
            quarter_turns=correction.quarter_turns,
            dicom=path if xray.is_dicom else None,
        )


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


def _describe_mask(looks: Sequence[Look]) -> dict[str, Any]:
    last = looks[-1]
    return {
        "lungs": last.found,
        "quality": round(last.quality, 4),
        "corrected": list(last.view.words),
    }


def _doubts_of_mask(looks: Sequence[Look]) -> list[str]:
    first, last = looks[0], looks[-1]
    if first.found == NONE:
        missing = "no lung was found"
    elif first.found != BOTH:
        missing = f"only the {first.found} lung was found"
    elif first.quality < LOW_QUALITY:
        return [f"the mask may be wrong: quality score {first.quality:.2f}"]
    else:
        return []
    if last is first:
        return [missing]
    return [f"{missing} before the X-ray was {', '.join(last.view.words)}"]


def _describe(xray: Xray, examined: Examined) -> dict[str, Any]:
    height, width = xray.pixels.shape
    return {
        "height": height,
        "width": width,
        "spacing_mm": xray.spacing_mm and list(xray.spacing_mm),
        "spacing_source": xray.spacing_source,
        "corrected": list(examined.correction.words),  # unless looked at again
        "doubts": list(examined.doubts),
        "notes": list(xray.notes),
    }
