"""Label any X-ray files with a trained network."""

import sys
from collections import Counter
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, Final, TextIO

from lungcli._version import __version__
from lungcli.checks.gate import GATE_FILES
from lungcli.checks.quality import QUALITY_JSON
from lungcli.data.inputs import Input, find_inputs, output_stems
from lungcli.errors import ConfigError
from lungcli.model.find import BUNDLED, Announce, ModelFolder, find_model, quiet
from lungcli.model.info import ONNX, WEIGHTS, fingerprint, weights_file
from lungcli.model.runs import RUNS
from lungcli.stores.objects import RemoteFile
from lungcli.system.cores import num_cores
from lungcli.system.locks import locked
from lungcli.system.progress import Progress, silent
from lungcli.system.urls import Url, path_or_url
from lungcli.workflows.predicting.batch import TABLE, Batch, OnEntry
from lungcli.workflows.predicting.doubts import ON_DOUBT
from lungcli.workflows.predicting.formats import (
    FORMATS,
    PNG,
    SUFFIXES,
    TABLES,
)
from lungcli.workflows.predicting.journal import Entry, Journal
from lungcli.workflows.predicting.labelling import DOUBTFUL, OK, LabellerPlan
from lungcli.workflows.predicting.output import output_folder
from lungcli.workflows.predicting.review_sheet import REVIEW
from lungcli.workflows.predicting.shards import WHOLE, Shard
from lungcli.workflows.predicting.spreading import in_threads, on_cluster
from lungcli.workflows.predicting.table import STATUSES, entry_document
from lungcli.workflows.shared.inference import LungModel
from lungcli.workflows.shared.output_folder import check_output
from lungcli.workflows.shared.ray_session import check_address, connected

JOURNAL: Final = "predictions.jsonl"
_MOST_THREADS: Final = 16  # each may hold the probabilities of a large film: 160 MB


def unheard(entry: Entry) -> None:
    """Tell nobody."""
    del entry


@dataclass(frozen=True, slots=True, kw_only=True)
class PredictSettings:
    """How X-rays are labelled, and what is written.

    Attributes:
        formats: Names in `FORMATS`.
        on_doubt: `warn`, `fix` or `refuse`.
        engine: `auto`, `onnx` or `keras`.
        review: Whether to draw a sheet of the most doubtful masks.
        resume: Whether to skip what an earlier call has finished.
        shard: Which part of the X-rays to label.
        cluster: Address of a Ray cluster; None works on this machine.

    Raises:
        ConfigError: If a value is impossible.
    """

    formats: tuple[str, ...] = (PNG,)
    on_doubt: str = "warn"
    engine: str = "auto"
    review: bool = False
    resume: bool = False
    shard: Shard = WHOLE
    cluster: str | None = None

    def __post_init__(self) -> None:
        """Reject impossible values before any work."""
        if self.on_doubt not in ON_DOUBT:
            msg = f"--on-doubt {self.on_doubt!r}: choose one of {', '.join(ON_DOUBT)}."
            raise ConfigError(msg)
        if not self.formats or not set(self.formats) <= set(FORMATS):
            msg = f"formats {self.formats}: choose from {', '.join(FORMATS)}."
            raise ConfigError(msg)
        if self.review and PNG not in self.formats:
            msg = "--review draws the label maps: add png to --format."
            raise ConfigError(msg)
        if self.review and not self.shard.is_whole:
            msg = (
                "--review draws the sheet of all X-rays: merge the parts, then repeat "
                "the command with --resume --review and without --shard."
            )
            raise ConfigError(msg)
        if self.cluster is not None:
            check_address(self.cluster)


@dataclass(frozen=True, slots=True, kw_only=True)
class Predictions:
    """What became of all X-rays.

    Attributes:
        counts: X-rays by status: `ok`, `doubtful`, `refused`, `failed`.
        skipped: How many of them were finished by an earlier call.
        paths: The tables and the sheet.
        out: The output folder.
        corrected: How many were turned, mirrored or inverted for the network.
        entries: One an X-ray, in the order of the inputs, without what they
            contributed to tables; empty unless it was asked for.
    """

    counts: Counter[str]
    skipped: int
    corrected: int
    paths: tuple[Path | Url, ...]
    out: Path | Url
    entries: tuple[Entry, ...]

    @property
    def total(self) -> int:
        """Number of X-rays."""
        return self.counts.total()

    @property
    def labelled(self) -> int:
        """Number of X-rays with a label map."""
        return self.counts[OK] + self.counts[DOUBTFUL]

    @property
    def doubtful(self) -> int:
        """How many of these a person should look at."""
        return self.counts[DOUBTFUL]

    def to_dict(self) -> dict[str, Any]:
        """Return the result as a JSON document, with one entry a file."""
        return {
            "counts": {status: self.counts[status] for status in STATUSES},
            "skipped": self.skipped,
            "corrected": self.corrected,
            "paths": [str(path) for path in self.paths],
            "files": [entry_document(entry, self.out) for entry in self.entries],
        }


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
        announce: Told if the bundled network was taken unasked, or a GPU is not seen.
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
    items, stems = _find(inputs, settings.formats, out, stdin or sys.stdin)
    if model is None:
        announce(f"the model that came with lungcli is used (--model {BUNDLED}).")
    plan = LabellerPlan(
        model=find_model(BUNDLED if model is None else model, runs=runs),
        engine=settings.engine,
        on_doubt=settings.on_doubt,
        formats=settings.formats,
        out=out,
    )
    shard, all_stems = settings.shard, stems
    items, stems = shard.share(items), shard.share(stems)
    num_threads = _num_threads(items, out)
    # many X-rays at a time, one core each; or all cores for the only one
    labeller = plan.load(threads=1 if num_threads > 1 else None, announce=announce)
    if settings.cluster is None and labeller.lungs.unseen_gpu:  # its workers use none
        announce(labeller.lungs.unseen_gpu)
    label_all = (
        in_threads(labeller, num_threads)
        if settings.cluster is None
        else on_cluster(settings.cluster, plan)
    )
    open_journal = Journal.resume if settings.resume else Journal.start
    conditions = _conditions(plan.model, labeller.lungs, settings)
    conditions |= shard.conditions(all_stems)
    name = shard.named(JOURNAL)
    with (
        # before anything is written: there may be no such cluster
        connected(settings.cluster) if settings.cluster else nullcontext(),
        folder.opened([name] if settings.resume else []) as files,
        _alone(files.folder / name, shard),
        open_journal(files.folder / name, conditions) as journal,
    ):
        batch = Batch(items, stems, journal, settings.formats, shard, files)
        try:
            batch.run(label_all, progress, on_entry)
        finally:
            paths = batch.write_tables()
        if settings.review:
            paths += batch.draw_review(folder)
        return Predictions(
            counts=batch.counts,
            skipped=batch.skipped,
            corrected=batch.corrected,
            paths=tuple(out / path.name for path in paths),
            out=out,
            entries=tuple(batch.light_entries()) if collect else (),
        )


def _find(
    inputs: Sequence[str | Path], formats: Sequence[str], out: Path | Url, stdin: TextIO
) -> tuple[tuple[Input, ...], tuple[PurePosixPath, ...]]:
    """Return the X-rays, and what the outputs of each are called."""
    items = find_inputs([str(given) for given in inputs], stdin=stdin, out=out)
    suffixes = [SUFFIXES[name] for name in formats if name in SUFFIXES]
    return items, output_stems(items, out=out, suffixes=suffixes, taken=_own_files())


def _alone(journal: Path, shard: Shard) -> AbstractContextManager[None]:
    """Keep out who would write the same files: other parts may."""
    return locked(journal.parent) if shard.is_whole else locked(journal, outside=True)


def _num_threads(items: Sequence[Input], out: Path | Url) -> int:
    # who fetches or stores an X-ray waits for the network, and another one computes
    remote = isinstance(out, Url) or any(isinstance(i.path, RemoteFile) for i in items)
    return max(1, min(len(items), (1 + remote) * num_cores(), _MOST_THREADS))


def _conditions(
    found: ModelFolder, lungs: LungModel, settings: PredictSettings
) -> dict[str, Any]:
    """Return all that the results depend on, besides the X-rays."""
    return {
        "lungcli": __version__,
        "model": found.name,
        "weights": lungs.weights or fingerprint(_network_file(found.root)),
        "checks": [fingerprint(path)[:12] for path in (*GATE_FILES, QUALITY_JSON)],
        "threshold": lungs.threshold,
        "formats": sorted(settings.formats),
        "on_doubt": settings.on_doubt,
    }


def _network_file(folder: Path) -> Path:
    """Return the weights or, where only the exported network is there, that."""
    exported = folder / ONNX
    has_weights = (folder / WEIGHTS).is_file()
    return exported if exported.is_file() and not has_weights else weights_file(folder)


def _own_files() -> tuple[str, ...]:
    return (JOURNAL, TABLE, REVIEW, *TABLES.values())
