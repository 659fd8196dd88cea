"""Label any X-ray files with a trained network."""

import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any, TextIO

from lungcli._version import __version__
from lungcli.anatomy import LUNGS, Structure
from lungcli.checks.gate import GATE_FILES
from lungcli.checks.quality import QUALITY_JSON
from lungcli.data.journal import JOURNAL
from lungcli.model.find import BUNDLED, Announce, find_model, quiet
from lungcli.model.info import ONNX, WEIGHTS, fingerprint, weights_file
from lungcli.model.runs import RUNS
from lungcli.system.locks import locked
from lungcli.system.progress import Progress, silent
from lungcli.system.urls import Url, path_or_url
from lungcli.workflows.predicting.call import Call, OnEntry
from lungcli.workflows.predicting.journal import Journal
from lungcli.workflows.predicting.labelling import LabellerPlan
from lungcli.workflows.predicting.output import OutputFolder, output_folder
from lungcli.workflows.predicting.predictions import Predictions, sum_up
from lungcli.workflows.predicting.record import Entry
from lungcli.workflows.predicting.review_sheet import write_review
from lungcli.workflows.predicting.settings import PredictSettings, Written
from lungcli.workflows.predicting.tables import write_tables
from lungcli.workflows.predicting.tasks import Task, find_tasks
from lungcli.workflows.predicting.workers import choose_workers
from lungcli.workflows.shared.inference import LungModel
from lungcli.workflows.shared.output_folder import check_output
from lungcli.workflows.shared.ray_session import connected


def unheard(entry: Entry) -> None:
    """Tell nobody."""
    del entry


def predict(
    inputs: Sequence[str | Path],
    model: str | Path | None = None,
    *,
    settings: PredictSettings | None = None,
    out: str | Path | Url = Path("masks"),
    stdin: TextIO | None = None,
    runs: Path = RUNS,
    collect: bool = False,
    progress: Progress = silent,
    announce: Announce = quiet,
    on_entry: OnEntry = unheard,
) -> Predictions:
    """Write the lungs of each X-ray on its original pixel grid.

    A file that cannot be read is reported and the rest goes on. What is finished is
    in the journal at once, so a stopped call can be resumed.

    Args:
        inputs: Image files (DICOM too), folders, patterns, zip archives, URLs that
            fsspec knows (`s3://bucket/ward`), or `-` for a list on `stdin`.
        model: As `models.find_model` takes it, but None is the bundled network.
        settings: How, and what is written; None for the defaults.
        out: Output folder, or its URL. Files of a folder keep their place below it.
        stdin: Where `-` reads from; by default the standard input.
        runs: Folder of all runs.
        collect: Whether to return what became of each X-ray, 2 kB for each.
        progress: Told after each file.
        announce: Told if the bundled network was taken unasked, the model draws none of
            the structures asked for besides the lungs, or a GPU is not seen.
        on_entry: Told what became of each file.

    Raises:
        ConfigError: If results to resume were made in another way.
        DatasetError: If an input is missing, or there is no image among them.
        ModelError: If there is no usable model.
        OutputError: If nothing can be written.
        RemoteError: If what a URL names cannot be searched or written.
    """
    settings = settings or PredictSettings()
    out = path_or_url(out)
    check_output(out)
    folder = output_folder(out)
    tasks = find_tasks(inputs, settings.formats, out, stdin or sys.stdin, announce)
    if model is None:
        announce(f"the model that came with lungcli is used (--model {BUNDLED}).")
    found = find_model(BUNDLED if model is None else model, runs=runs)
    plan = LabellerPlan(model=found, settings=settings, out=out)
    share = settings.shard.share(tasks)
    lungs, label_all = choose_workers(plan, share, announce)
    structures = _written(settings, lungs, announce)
    conditions = _conditions(plan, lungs, tasks, structures)
    with (
        # before anything is written: there may be no such cluster
        connected(settings.cluster) if settings.cluster else nullcontext(),
        _opened(folder, share, settings, conditions) as call,
    ):
        try:
            skipped = call.label(label_all, progress, on_entry)
        finally:
            here = call.files.folder
            paths = write_tables(
                here, call.entries, settings.formats, settings.shard, structures
            )
        if settings.review and (sheet := write_review(call.pairs(), here, folder)):
            paths.append(sheet)
        return sum_up(
            call.entries(), out=out, paths=paths, skipped=skipped, collect=collect
        )


@contextmanager
def _opened(
    folder: OutputFolder,
    tasks: Sequence[Task],
    settings: PredictSettings,
    conditions: Mapping[str, Any],
) -> Iterator[Call]:
    """Yield the call with its journal open, which nobody else writes meanwhile."""
    shard = settings.shard
    name = shard.named(JOURNAL)
    open_journal = Journal.resume if settings.resume else Journal.start
    with folder.opened([name] if settings.resume else []) as files:
        path = files.folder / name
        # other parts may write into the folder, but nobody the same files
        alone = locked(files.folder) if shard.is_whole else locked(path, outside=True)
        with alone, open_journal(path, conditions) as journal:
            yield Call(tasks=tasks, shard=shard, journal=journal, files=files)


def _written(
    settings: PredictSettings, lungs: LungModel, announce: Announce
) -> tuple[Structure, ...]:
    """Return what is written; say if more was asked for than there is."""
    if settings.structures == Written.ALL and lungs.structures == LUNGS:
        announce(f"{lungs.name} draws lungs only: --structures all adds nothing.")
    return settings.written(lungs.structures)


def _conditions(
    plan: LabellerPlan,
    lungs: LungModel,
    tasks: Sequence[Task],
    structures: Sequence[Structure],
) -> dict[str, Any]:
    """Return all that the results depend on."""
    settings = plan.settings
    # not said of lungs: nor did earlier versions say it
    others = [] if structures == LUNGS else [each.key for each in structures]
    return {
        "lungcli": __version__,
        "model": plan.model.name,
        "weights": lungs.weights or fingerprint(_network_file(plan.model.root)),
        "checks": [fingerprint(path)[:12] for path in (*GATE_FILES, QUALITY_JSON)],
        "threshold": lungs.threshold,
        "formats": sorted(settings.formats),
        "on_doubt": settings.on_doubt,
        **({"structures": others} if others else {}),
        **settings.shard.conditions([task.stem for task in tasks]),
    }


def _network_file(folder: Path) -> Path:
    """Return the weights or, where only the exported network is there, that."""
    exported = folder / ONNX
    has_weights = (folder / WEIGHTS).is_file()
    return exported if exported.is_file() and not has_weights else weights_file(folder)
