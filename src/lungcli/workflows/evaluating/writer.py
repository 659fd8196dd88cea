"""The files of an evaluation: scores of each case, summary, figures and report."""

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from lungcli._version import __version__
from lungcli.data.case import CaseKey
from lungcli.metrics.scores import CaseScores
from lungcli.metrics.summary import summarize
from lungcli.report.content import Report
from lungcli.report.page import check_report_folder, remove_report
from lungcli.system.files import Cell, make_folder, remove_file, write_json
from lungcli.system.locks import locked
from lungcli.workflows.evaluating.cases_csv import CASES_CSV, row_of, write_cases
from lungcli.workflows.evaluating.outputs import EvaluationOutputs, FigureFormat
from lungcli.workflows.evaluating.report_spool import ReportSpool
from lungcli.workflows.evaluating.scoring import Scored, ScoreSettings
from lungcli.workflows.shared.output_folder import check_output

SUMMARY_JSON: Final = "summary.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """Scores, and where they were written.

    Attributes:
        cases: Scores of each case.
        summary: As `metrics.summary.summarize`, with the model, split and data.
        paths: The files.
        notes: What the user should know before trusting the scores.
    """

    cases: tuple[CaseScores, ...]
    summary: dict[str, Any]
    paths: tuple[Path, ...]
    notes: tuple[str, ...]


class EvaluationWriter:
    """Takes case after case, then writes all files into one folder.

    Use it in a `with` block: pictures wait in a temporary folder until the end.

    Args:
        folder: Where the files go; made at once, not after the work.
        settings: How the cases are scored.
        outputs: Which files to write.

    Raises:
        OutputError: If the folder cannot be made, belongs to a data set, is in use, or
            has a folder `report/` that is not lungcli's.
    """

    def __init__(
        self, folder: Path, settings: ScoreSettings, outputs: EvaluationOutputs
    ) -> None:
        check_output(folder)
        if outputs.report:
            check_report_folder(folder)
        make_folder(folder)
        self._folder = folder
        self._settings = settings
        self._outputs = outputs
        self._scores: list[CaseScores] = []
        self._rows: list[dict[str, Cell]] = []
        self._stack = ExitStack()
        self._spool: ReportSpool | None = None

    def __enter__(self) -> Self:
        """Keep others out, and make room for the pictures of the report."""
        self._stack.enter_context(locked(self._folder))
        if self._outputs.report:
            self._spool = self._stack.enter_context(ReportSpool())
        else:
            remove_report(self._folder)  # it would show other scores
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Remove what is temporary."""
        self._stack.close()

    def add(self, scored: Scored, columns: Mapping[str, Cell] | None = None) -> None:
        """Take one case.

        Args:
            scored: Its scores and what a picture of it shows.
            columns: Further columns of `cases.csv`.
        """
        self._scores.append(scored.scores)
        self._rows.append(row_of(scored, columns or {}))
        if self._spool is not None:
            shown = scored.shown
            self._spool.add(
                scored.scores,
                split=scored.split,
                image=shown.image,
                predicted=shown.predicted,
                reference=shown.reference,
            )

    def write(
        self,
        *,
        about: Mapping[str, Any],
        notes: Sequence[str] = (),
        history: Sequence[Mapping[str, float]] = (),
        order: Sequence[CaseKey] = (),
    ) -> Evaluation:
        """Summarize the cases and write all files.

        Args:
            about: What the summary begins with: at least `model`, `split`, `data`.
            notes: What the user should know before trusting the scores.
            history: Rows of the run's `history.csv`, for the report.
            order: Of the rows of `cases.csv`; by default as they were added.

        Raises:
            OutputError: If a file cannot be written.
        """
        settings = self._settings
        if order:
            self._sort(order)
        summary = {
            "lungcli": __version__,
            **about,
            "notes": list(notes),
            "tolerance": str(settings.tolerance),
            "seed": settings.seed,
            **summarize(
                self._scores,
                failure_dice=settings.failure_dice,
                seed=settings.seed,
            ),
        }
        self._remove_earlier()
        write_cases(self._folder / CASES_CSV, self._rows)
        paths = [self._folder / CASES_CSV, self._folder / SUMMARY_JSON]
        paths += self._draw_figures()
        paths += self._write_report(summary, history)
        write_json(self._folder / SUMMARY_JSON, summary)
        return Evaluation(
            cases=tuple(self._scores),
            summary=summary,
            paths=tuple(paths),
            notes=tuple(notes),
        )

    def _sort(self, order: Sequence[CaseKey]) -> None:
        place = {key: number for number, key in enumerate(order)}
        both = sorted(
            zip(self._scores, self._rows, strict=True),
            key=lambda pair: place[pair[0].source, pair[0].case_id],
        )
        self._scores = [scores for scores, _ in both]
        self._rows = [row for _, row in both]

    def _remove_earlier(self) -> None:
        """Remove what an earlier evaluation left and this one may not replace.

        The summary goes first and comes last: where it is, all files belong together.
        """
        if not (self._folder / SUMMARY_JSON).is_file():
            return
        remove_file(self._folder / SUMMARY_JSON)
        for suffix in FigureFormat:
            remove_file(self._folder / f"dice.{suffix}")

    def _draw_figures(self) -> list[Path]:
        if not self._outputs.figures:
            return []
        # Matplotlib takes half a second to import
        from lungcli.pictures.figures.distribution import (  # noqa: PLC0415
            draw_distribution,
        )
        from lungcli.pictures.figures.theme import save_figure  # noqa: PLC0415

        values: dict[str, list[float]] = {}
        for case in self._scores:
            values.setdefault(case.source, []).append(case.dice)
        figure = draw_distribution(values, failure=self._settings.failure_dice)
        paths = [self._folder / f"dice.{suffix}" for suffix in self._outputs.figures]
        for path in paths:
            save_figure(figure, path)
        return paths

    def _write_report(
        self, summary: Mapping[str, Any], history: Sequence[Mapping[str, float]]
    ) -> list[Path]:
        if self._spool is None:
            return []
        # reports are passed on: where the model lies is nobody's business
        name = Path(summary["model"]).name
        report = Report(title=name, summary={**summary, "model": name}, history=history)
        return [self._spool.write(self._folder, report)]
