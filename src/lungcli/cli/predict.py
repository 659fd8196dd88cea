"""`lungcli predict`: X-ray files in, label maps and tables out."""

from collections import Counter
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from lungcli.cli.options import AsJson, Cluster, ModelOfPredict
from lungcli.cli.output import (
    out,
    print_error,
    print_json,
    print_note,
    print_paths,
)
from lungcli.cli.progress import progress_bars
from lungcli.errors import ConfigError
from lungcli.model.engine import Engine
from lungcli.workflows.predicting.formats import OVERLAY, parse_formats
from lungcli.workflows.predicting.settings import OnDoubt, PredictSettings, Written
from lungcli.workflows.predicting.shards import Shard

if TYPE_CHECKING:
    from lungcli.workflows.predicting.predictions import Predictions
    from lungcli.workflows.predicting.record import Entry

_SOME_FAILED = 3
_ALL_FAILED = 1
_INTERRUPTED = 130
_Parsed = TypeVar("_Parsed")
_MOST_TOLD = 100  # failures, and doubts, that stderr tells


def predict(
    inputs: Annotated[
        list[str],
        typer.Argument(
            metavar="INPUT...",
            help="Image or DICOM files, folders, patterns, zip archives, URLs as "
            "s3://; - reads a list from stdin.",
        ),
    ],
    model: ModelOfPredict = None,
    out_folder: Annotated[
        str,
        typer.Option(
            "--out",
            "-o",
            metavar="FOLDER",
            help="Folder of all that is written; its URL, too.",
        ),
    ] = "masks",
    formats: Annotated[
        str,
        typer.Option(
            "--format",
            "-f",
            metavar="LIST",
            help="One or more, with commas: png, nifti, dicom-seg, rle, coco, npz, "
            "overlay, csv.",
        ),
    ] = "png",
    overlay: Annotated[
        bool, typer.Option("--overlay", help="The same as adding overlay to --format.")
    ] = False,
    structures: Annotated[
        Written,
        typer.Option(
            help="What is written: lungs, or all that the model draws, such as hearts."
        ),
    ] = Written.LUNGS,
    on_doubt: Annotated[
        OnDoubt,
        typer.Option(
            help="What becomes of X-rays that look turned, inverted or like no chest.",
        ),
    ] = OnDoubt.WARN,
    review: Annotated[
        bool,
        typer.Option("--review", help="Draw review.png: the doubtful masks first."),
    ] = False,
    resume: Annotated[
        bool, typer.Option("--resume", help="Skip what an earlier call finished.")
    ] = False,
    engine: Annotated[
        Engine, typer.Option(help="What runs the network; auto is quick.")
    ] = Engine.AUTO,
    shard: Annotated[
        str,
        typer.Option(
            metavar="I/N",
            help="Label the I-th of N equal parts only; 'lungcli merge' joins them.",
            show_default="all",
        ),
    ] = "1/1",
    cluster: Cluster = None,
    as_json: AsJson = False,
) -> None:
    """Write the lung masks of any X-rays; needs no training and no prepared data.

    Label maps are gray PNGs of the image's own size: 0 background, 1 the patient's
    right lung, 2 left, 3 heart if asked for (nearly black to the eye: --overlay is for
    people). predictions.csv says what became of each file.
    """
    from lungcli.workflows.predicting import predict as workflow

    wanted = _parsed("--format", parse_formats, formats)
    part = _parsed("--shard", Shard.parse, shard)
    if overlay and OVERLAY not in wanted:
        wanted = (*wanted, OVERLAY)
    settings = PredictSettings(
        formats=wanted,
        structures=structures,
        on_doubt=on_doubt,
        engine=engine,
        review=review,
        resume=resume,
        shard=part,
        cluster=cluster,
    )
    try:
        with progress_bars() as progress:
            predictions = workflow.predict(
                inputs,
                model,
                settings=settings,
                out=out_folder,
                collect=as_json,
                progress=progress,
                announce=print_note,
                on_entry=_Teller(),
            )
    except KeyboardInterrupt:
        print_note("stopped. Go on with the same command and --resume.")
        raise typer.Exit(_INTERRUPTED) from None
    if as_json:
        print_json(predictions.to_dict())
    else:
        show_predictions(predictions)
    exit_by_labels(predictions)


def _parsed(option: str, parse: Callable[[str], _Parsed], text: str) -> _Parsed:
    """Read the value of an option.

    Raises:
        BadParameter: If it is none, with the name of the option.
    """
    try:
        return parse(text)
    except ConfigError as error:
        raise typer.BadParameter(str(error), param_hint=option) from error


def exit_by_labels(predictions: "Predictions") -> None:
    """End with the exit status that tells whether all X-rays were labelled."""
    if predictions.total > predictions.labelled:
        raise typer.Exit(_SOME_FAILED if predictions.labelled else _ALL_FAILED)


class _Teller:
    """Tell of failures and of doubts; of a large archive, the first of each only."""

    def __init__(self) -> None:
        self._told: Counter[str] = Counter()

    def __call__(self, entry: "Entry") -> None:
        record = entry.record
        if record.error:
            kind = "failures"
        elif record.corrected or record.doubts:
            kind = "doubts"
        else:
            return
        self._told[kind] += 1
        if self._told[kind] <= _MOST_TOLD:
            _tell(entry)
        elif self._told[kind] == _MOST_TOLD + 1:
            print_note(f"further {kind} are in the table of predictions alone.")


def _tell(entry: "Entry") -> None:
    record = entry.record
    if record.error:
        print_error(record.error)
        return
    if record.corrected:
        print_note(f"{entry.shown}: was {', '.join(record.corrected)}.")
    if record.doubts:
        print_note(f"{entry.shown}: {'; '.join(record.doubts)}.")


def show_predictions(predictions: "Predictions") -> None:
    """Print what became of the X-rays, and where it is."""
    said = [f"{predictions.labelled} of {predictions.total} X-rays labelled"]
    counts = (
        (predictions.skipped, "by an earlier call"),
        (predictions.corrected, "corrected"),
        (predictions.doubtful, "doubtful"),
    )
    said += [f"{count} {what}" for count, what in counts if count]
    out.print(", ".join(said), highlight=False)
    print_paths(out, [predictions.out, *predictions.paths])
