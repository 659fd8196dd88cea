"""Several networks on the same cases: which is better, and where."""

import csv
import io
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain, count
from pathlib import Path
from typing import Any, Final

from lungcli.errors import ConfigError
from lungcli.metrics.comparison import Difference, compare, correct_holm
from lungcli.model.find import ModelFolder, find_model
from lungcli.model.info import load_info
from lungcli.model.runs import RUNS
from lungcli.system.files import csv_cell, write_json, write_text
from lungcli.system.locks import locked
from lungcli.system.progress import Progress, silent
from lungcli.workflows.evaluating.cross_matrix import (
    CrossMatrix,
    build_matrix,
    write_matrix,
)
from lungcli.workflows.evaluating.evaluate import evaluate_selection
from lungcli.workflows.evaluating.outputs import DEFAULT_OUTPUTS, EvaluationOutputs
from lungcli.workflows.evaluating.scoring import DEFAULT_SETTINGS, ScoreSettings
from lungcli.workflows.evaluating.writer import Evaluation
from lungcli.workflows.shared.datasets import Selection, full_name, select_to_score
from lungcli.workflows.shared.output_folder import check_output

FOLDER: Final = Path("comparison")
_NUMBERS: Final = (
    "first",
    "second",
    *("source", "structure", "score", "cases"),
    *(
        "mean_first",
        "mean_second",
        "difference",
        "ci95_low",
        "ci95_high",
        "p",
        "p_holm",
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PairedDifference:
    """How the second of two networks differs from the first in one score.

    Attributes:
        first: Name of a network.
        second: Name of another.
        difference: Of their scores on the same cases.
    """

    first: str
    second: str
    difference: Difference

    def to_dict(self) -> dict[str, Any]:
        """Return one row of a table."""
        found = self.difference
        low, high = found.ci95 or (None, None)
        values = (
            *(self.first, self.second, found.source, found.structure, found.score),
            *(found.cases, found.mean_first, found.mean_second),
            *(found.mean, low, high, found.p, found.p_holm),
        )
        return dict(zip(_NUMBERS, values, strict=True))


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Several networks on the same cases.

    Attributes:
        evaluations: Of each network, by its name.
        differences: Of each network from the first one.
        matrix: Networks by sources.
        paths: The files that compare; each evaluation has its own.
    """

    evaluations: Mapping[str, Evaluation]
    differences: tuple[PairedDifference, ...]
    matrix: CrossMatrix
    paths: tuple[Path, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON document."""
        return {
            "models": {
                name: evaluation.summary
                for name, evaluation in self.evaluations.items()
            },
            "differences": [row.to_dict() for row in self.differences],
            "matrix": self.matrix.to_dict(),
        }


def compare_models(
    data: Sequence[Path],
    models: Sequence[str],
    *,
    settings: ScoreSettings = DEFAULT_SETTINGS,
    outputs: EvaluationOutputs = DEFAULT_OUTPUTS,
    split: str = "test",
    out: Path | None = None,
    runs: Path = RUNS,
    any_convention: bool = False,
    progress: Progress = silent,
) -> Comparison:
    """Score several networks on the same cases, and compare each with the first.

    Args:
        data: Folders of prepared data sets.
        models: At least two, as `models.find_model` takes them.
        settings: How to score.
        outputs: Which files each evaluation writes besides its numbers.
        split: `train`, `val`, `test` or `all`.
        out: Folder of the results, by default `comparison`; each network's own go
            into a folder of its name in it.
        runs: Folder of all runs.
        any_convention: Whether to score across mask conventions.
        progress: Told after each case.

    Raises:
        ConfigError: If fewer than two networks are named, or one twice.
        DatasetError: If a data set is missing or the split has no cases.
        ModelError: If one of them is no usable model.
        OutputError: If the results cannot be written.
    """
    found = _find_all(models, runs)
    selection = select_to_score(data, split)
    folder = out or FOLDER
    check_output(folder)
    with locked(folder):
        evaluations = {
            name: evaluate_selection(
                model,
                selection,
                folder=folder / name,
                split=split,
                settings=settings,
                outputs=outputs,
                any_convention=any_convention,
                progress=progress,
            )
            for name, model in found.items()
        }
        trained_on = {
            name: _trained_on(model, selection) for name, model in found.items()
        }
        return write_comparison(
            folder,
            evaluations,
            build_matrix(evaluations, trained_on),
            seed=settings.seed,
            figures=outputs.figures,
        )


def write_comparison(
    folder: Path,
    evaluations: Mapping[str, Evaluation],
    matrix: CrossMatrix,
    *,
    seed: int,
    figures: Sequence[str],
) -> Comparison:
    """Compare each network with the first, and write the files that say so.

    Args:
        folder: Where.
        evaluations: By the name of the network; at least two.
        matrix: Of these.
        seed: Of intervals and tests.
        figures: Formats of the figure besides PNG.

    Raises:
        OutputError: If a file cannot be written.
    """
    table, document = folder / "comparison.csv", folder / "comparison.json"
    comparison = Comparison(
        evaluations=evaluations,
        differences=_compare_with_first(evaluations, seed),
        matrix=matrix,
        paths=(table, document, *write_matrix(matrix, folder, figures=figures)),
    )
    write_text(table, _to_csv(comparison.differences))
    write_json(document, comparison.to_dict())
    return comparison


def _find_all(models: Sequence[str], runs: Path) -> dict[str, ModelFolder]:
    """Return each network under a short name: that of its folder."""
    found = [find_model(model, runs=runs) for model in models]
    twice = [
        name for name, times in Counter(f.name for f in found).items() if times > 1
    ]
    if twice or len(found) < 2:
        what = f"{twice[0]} is named twice" if twice else "one model is named"
        msg = f"{what}: there is nothing to compare. Name different ones with --model."
        raise ConfigError(msg)
    named: dict[str, ModelFolder] = {}
    for model in found:
        short = Path(model.name).name
        names = chain([short], (f"{short}-{number}" for number in count(2)))
        named[next(name for name in names if name not in named)] = model
    return named


def _trained_on(model: ModelFolder, selection: Selection) -> Counter[str]:
    """Count, by source, the cases that a network was trained on."""
    known = load_info(model.root).cases_trained_on
    return Counter(
        case.source for _, case in selection.cases if full_name(case) in known
    )


def _compare_with_first(
    evaluations: Mapping[str, Evaluation], seed: int
) -> tuple[PairedDifference, ...]:
    (first, reference), *others = evaluations.items()
    pairs = [
        PairedDifference(first=first, second=second, difference=difference)
        for second, evaluation in others
        for difference in compare(reference.cases, evaluation.cases, seed=seed)
    ]
    # all that is tested in one call is one family
    corrected = correct_holm([pair.difference.p for pair in pairs])
    return tuple(
        replace(pair, difference=replace(pair.difference, p_holm=p_holm))
        for pair, p_holm in zip(pairs, corrected, strict=True)
    )


def _to_csv(differences: Sequence[PairedDifference]) -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, fieldnames=_NUMBERS)
    writer.writeheader()
    for row in differences:
        writer.writerow({name: csv_cell(v) for name, v in row.to_dict().items()})
    return text.getvalue()
