"""The cross matrix: what a paper would print."""

import csv

import numpy as np
import pytest

from lungcli.metrics.scores import CaseFacts, score_case
from lungcli.metrics.summary import summarize
from lungcli.workflows.evaluating.cross_matrix import (
    build_matrix,
    to_latex,
    write_matrix,
)
from lungcli.workflows.evaluating.writer import Evaluation


def scores(source, number, missing):
    """A case of 100 lung pixels of which the first rows are missed."""
    reference = np.zeros((20, 20), np.uint8)
    reference[5:15, 2:7], reference[5:15, 12:17] = 1, 2
    predicted = reference.copy()
    predicted[5 : 5 + missing] = 0
    facts = CaseFacts(
        source=source,
        case_id=f"{number}",
        patient_id=f"{number}",
        height=20,
        width=20,
        spacing_mm=None,
        groups={},
    )
    return score_case(facts, reference, predicted)


def evaluation(missing):
    cases = tuple(
        scores(source, number, missing)
        for source in ("a_1", "b")
        for number in range(3)
    )
    return Evaluation(cases=cases, summary=summarize(cases), paths=(), notes=())


@pytest.fixture
def matrix():
    evaluations = {"good & new": evaluation(1), "bad_one": evaluation(4)}
    trained_on = {"good & new": {"b": 2}, "bad_one": {}}
    return build_matrix(evaluations, trained_on)


def test_rows_are_models_and_columns_sources(matrix):
    assert matrix.models == ("good & new", "bad_one")
    assert matrix.sources == ("a_1", "b")
    # 10 of 100 pixels missed: 2*90 / (100 + 90)
    assert matrix.cells[0][0].mean("dice") == pytest.approx(180 / 190)
    assert matrix.cells[1][1].mean("dice") == pytest.approx(120 / 160)


def test_latex_holds_numbers_marks_and_escaped_names(matrix):
    lines = to_latex(matrix).splitlines()
    assert r"model & a\_1 & b \\" in lines
    (good,) = (line for line in lines if line.startswith("good"))
    (bad,) = (line for line in lines if line.startswith("bad"))
    assert good == (
        r"good \& new & \textbf{0.9474} (0.947--0.947) & "
        r"0.9474$^\dagger$ (0.947--0.947) \\"
    )
    # what was trained on the cases is not the best: the other one is
    assert bad == (
        r"bad\_one & 0.7500 (0.750--0.750) & \textbf{0.7500} (0.750--0.750) \\"
    )
    assert sum("dagger" in line for line in lines) == 2  # the cell and the footnote


def test_a_backslash_in_a_name_runs_nothing(matrix):
    evaluations = {r"\input{/etc/passwd}$": evaluation(1), "b": evaluation(2)}
    latex = to_latex(build_matrix(evaluations, {name: {} for name in evaluations}))
    assert r"\textbackslash{}input\{/etc/passwd\}\$" in latex
    assert r"\input" not in latex


def test_the_table_has_a_row_for_each_cell_and_score(matrix, tmp_path):
    paths = write_matrix(matrix, tmp_path, figures=["svg"])
    assert [path.name for path in paths] == [
        *("matrix.csv", "matrix.tex", "matrix.png", "matrix.svg")
    ]
    with paths[0].open(newline="") as lines:
        rows = list(csv.DictReader(lines))
    assert len(rows) == 2 * 2 * 5
    first = rows[0]
    assert (first["model"], first["source"], first["score"]) == (
        *("good & new", "a_1", "dice"),
    )
    assert float(first["mean"]) == pytest.approx(180 / 190)
    assert {row["trained_on"] for row in rows if row["source"] == "b"} == {"0", "2"}
