"""A trained network for other programs, with proof that it computes the same."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from lungcli.errors import ConfigError, ModelError, OutputError
from lungcli.model.export_formats import SUFFIXES, Precision, Target
from lungcli.model.find import Announce, ModelFolder, find_model, quiet
from lungcli.model.info import (
    MODEL_JSON,
    ONNX,
    WEIGHTS,
    load_info,
    weights_file,
)
from lungcli.model.runs import RUNS
from lungcli.system.files import real_path, whole_file, whole_folder, write_json
from lungcli.system.locks import locked
from lungcli.system.progress import Progress, silent
from lungcli.workflows.exporting.card import describe, describe_parity
from lungcli.workflows.exporting.parity import Parity, compare
from lungcli.workflows.exporting.trial_xrays import TrialXrays, trial_xrays
from lungcli.workflows.shared.inference import LungModel
from lungcli.workflows.shared.output_folder import check_output

# Lowest Dice between the label maps of the original and the exported network.
REQUIRED_DICE: Final[Mapping[str, float]] = {
    Precision.FLOAT32: 0.999,
    Precision.FLOAT16: 0.999,
    Precision.INT8: 0.995,
}
_SAVED_MODEL_FILE: Final = "saved_model.pb"


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportSettings:
    """What to write.

    Attributes:
        to: `onnx`, `saved-model` or `litert`.
        precision: `float32`; `float16`, in which weights are stored; `int8`, in which
            most of the convolutions compute.
        force: Whether to replace an earlier export.

    Raises:
        ConfigError: If a value, or the pair, is impossible.
    """

    to: str
    precision: str = Precision.FLOAT32
    force: bool = False

    def __post_init__(self) -> None:
        """Reject impossible values before any work."""
        if self.to not in SUFFIXES:
            msg = f"--to is {self.to!r}: choose one of {', '.join(SUFFIXES)}."
            raise ConfigError(msg)
        if self.precision not in REQUIRED_DICE:
            names = ", ".join(REQUIRED_DICE)
            msg = f"--precision is {self.precision!r}: choose one of {names}."
            raise ConfigError(msg)
        if self.to == Target.SAVED_MODEL and self.precision == Precision.INT8:
            msg = (
                "a saved-model has float32 or float16. Take --to onnx or --to litert "
                "for int8."
            )
            raise ConfigError(msg)

    @property
    def default_name(self) -> str:
        """What the export is called unless told otherwise."""
        if self.to == Target.SAVED_MODEL:
            return "lungs-saved-model"
        return f"lungs-{self.precision}{SUFFIXES[self.to]}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Exported:
    """What was written.

    Attributes:
        path: The file, or the folder of a SavedModel.
        card_path: The JSON file beside it.
        card: What that holds.
        num_bytes: Size of the file, or of all in the folder.
    """

    path: Path
    card_path: Path
    card: dict[str, Any]
    num_bytes: int

    def to_dict(self) -> dict[str, Any]:
        """Return the result as a JSON document."""
        paths = [str(self.path), str(self.card_path)]
        return {"paths": paths, "bytes": self.num_bytes, **self.card}


def export(
    model: str | Path | None = None,
    *,
    settings: ExportSettings,
    data: Sequence[str] = (),
    out: Path | None = None,
    runs: Path = RUNS,
    progress: Progress = silent,
    announce: Announce = quiet,
) -> Exported:
    """Write a network for another program, and a JSON file that describes it.

    It is compared with the original on X-rays before it gets its name. All or nothing
    is written.

    Args:
        model: As `models.find_model` takes it.
        settings: What to write.
        data: Prepared data sets or X-rays to compare on, and to calibrate with; none
            for phantoms.
        out: File or, of a SavedModel, folder; by default in the run, or here.
        runs: Folder of all runs.
        progress: Told by the long loops.
        announce: Told if the bundled network was taken unasked.

    Raises:
        ConfigError: If the place is not one for an export.
        DatasetError: If an input is missing.
        ImageError: If an input is broken.
        ModelError: If there is no usable model, or the export differs from it.
        OutputError: If the place is taken, or cannot be written.
    """
    found = find_model(model, runs=runs, announce=announce)
    info = load_info(found.root)
    weights_file(found.root)
    path = found.results.root / settings.default_name if out is None else out
    if path.name in {"", ".."}:
        msg = f"--out {path} is no name for an export. Name a file or a new folder."
        raise OutputError(msg)
    card_path = path.with_name(f"{path.name}.json")
    _check_place(path, card_path, found, settings)
    xrays = trial_xrays(
        data,
        info.network.size,
        calibrate=settings.precision == Precision.INT8,
        progress=progress,
    )
    place = whole_folder if settings.to == Target.SAVED_MODEL else whole_file
    with (
        locked(path, outside=True),
        whole_file(card_path) as card_part,
        place(path) as part,
    ):
        _convert(found, part, settings, xrays)
        parity = _compare(found, part, settings, xrays, progress)
        num_bytes = _size(part)
        card = describe(
            found,
            info,
            name=path.name,
            to=settings.to,
            precision=settings.precision,
            parity=_describe(parity, settings, xrays),
        )
        write_json(card_part, card)
    return Exported(path=path, card_path=card_path, card=card, num_bytes=num_bytes)


def _check_place(
    path: Path, card_path: Path, found: ModelFolder, settings: ExportSettings
) -> None:
    """Refuse a place where something else than an export would be lost.

    Raises:
        OutputError: If it is one.
    """
    check_output(path)
    suffix = SUFFIXES[settings.to]
    own = [found.root / name for name in (MODEL_JSON, WEIGHTS, ONNX)]
    taken = [p for p in (path, card_path) if p.exists()]
    another = "Choose another place with --out."
    if suffix and path.suffix != suffix:
        msg = f"{path} does not end in {suffix}. {another}"
    elif {real_path(path), real_path(card_path)} & {real_path(p) for p in own}:
        msg = f"{path} belongs to the model itself. {another}"
    elif any(_is_something_else(p, settings if p == path else None) for p in taken):
        msg = f"{path} or {card_path.name} exists and is no export. {another}"
    elif taken and not settings.force:
        msg = f"{taken[0]} exists. Replace it with --force, or choose another --out."
    else:
        return
    raise OutputError(msg)


def _is_something_else(path: Path, settings: ExportSettings | None) -> bool:
    """Tell whether what is there cannot be an earlier export, or its JSON file."""
    if settings is None or settings.to != Target.SAVED_MODEL:
        return not path.is_file()
    return not (path / _SAVED_MODEL_FILE).is_file()


def _convert(
    found: ModelFolder, part: Path, settings: ExportSettings, xrays: TrialXrays
) -> None:
    from lungcli.nn.exporting import export_network  # noqa: PLC0415 - takes seconds

    export_network(
        found.root,
        part,
        to=settings.to,
        precision=settings.precision,
        images=xrays.calibration,
    )


def _compare(
    found: ModelFolder,
    part: Path,
    settings: ExportSettings,
    xrays: TrialXrays,
    progress: Progress,
) -> Parity:
    """Return how far the export agrees with the network on Keras.

    Raises:
        ModelError: If that is not enough.
    """
    from lungcli.nn.exporting import open_exported  # noqa: PLC0415 - takes seconds
    from lungcli.nn.predictor import KerasPredictor  # noqa: PLC0415 - likewise

    original = KerasPredictor.load(found.root)
    exported = open_exported(part, settings.to, original.info)
    parity = compare(
        LungModel(found.name, original),
        LungModel(str(part), exported),
        xrays.xrays,
        progress=progress,
    )
    required = REQUIRED_DICE[settings.precision]
    if parity.lowest_dice < required:
        msg = (
            f"as {settings.precision} {settings.to} the network draws other lungs: "
            f"Dice {parity.lowest_dice:.4f} against the original on "
            f"{parity.lowest_name}, below {required}. Nothing was written. "
            f"{_remedy(settings)}"
        )
        raise ModelError(msg)
    return parity


def _describe(
    parity: Parity, settings: ExportSettings, xrays: TrialXrays
) -> dict[str, Any]:
    calibration = xrays.calibration
    return describe_parity(
        parity,
        required=REQUIRED_DICE[settings.precision],
        kind=xrays.kind,
        calibrated_on=0 if calibration is None else len(calibration),
    )


def _remedy(settings: ExportSettings) -> str:
    if settings.precision == Precision.INT8:
        return "Take --precision float16, or calibrate with other X-rays (--data)."
    if settings.precision == Precision.FLOAT16:
        return "Take --precision float32."
    return "Report it, and take another --to meanwhile."


def _size(path: Path) -> int:
    files = path.rglob("*") if path.is_dir() else [path]
    return sum(file.stat().st_size for file in files if file.is_file())
