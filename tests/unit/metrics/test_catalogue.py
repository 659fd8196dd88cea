"""The table of metrics: a new row shows everywhere, and the docs have them all."""

import csv
import json
import re
from pathlib import Path

import numpy as np
import pytest

from lungcli.cli.score_tables import print_comparison, print_summary
from lungcli.metrics import catalogue
from lungcli.metrics.catalogue import METRICS, UNITS, Metric, Reach
from lungcli.metrics.scores import CaseFacts, score_case
from lungcli.workflows.evaluating.compare import write_comparison
from lungcli.workflows.evaluating.cross_matrix import build_matrix
from lungcli.workflows.evaluating.outputs import EvaluationOutputs
from lungcli.workflows.evaluating.scoring import Scored, ScoreSettings, Shown
from lungcli.workflows.evaluating.writer import EvaluationWriter

ROOT = Path(__file__).parents[3]
EXTRA = Metric(
    name="extra",
    label="Drawn in vain",
    on_terminal="In vain",
    best="low",
    reach=Reach.GROUPS,
    of_counts=lambda counts: counts.extra / 100,
)
NEAREST = Metric(
    name="nearest",
    label="Nearest",
    best="low",
    reach=Reach.SOURCES,
    of_distances=lambda distances: float(np.concatenate(distances).min()),
)


@pytest.fixture
def longer_table(monkeypatch):
    monkeypatch.setattr(catalogue, "METRICS", (*METRICS, EXTRA, NEAREST))


def evaluate(folder, rows_too_many):
    """Score cases in which one row of 10 pixels more is drawn than there is, or two."""
    reference = np.zeros((20, 20), np.uint8)
    reference[5:15, 2:7], reference[5:15, 12:17] = 1, 2
    with EvaluationWriter(folder, ScoreSettings(), EvaluationOutputs()) as writer:
        for number in range(4):
            predicted = reference.copy()
            predicted[15 : 15 + rows_too_many + number] = reference[14]
            facts = CaseFacts(
                source="clinic",
                case_id=f"{number}",
                patient_id=f"{number}",
                height=20,
                width=20,
                spacing_mm=(0.5, 0.5),
                groups={"sex": "F"},
            )
            scores = score_case(facts, reference, predicted)
            writer.add(Scored(scores, "test", Shown(None, predicted, reference)))
        return writer.write(about={"model": "m", "split": "test", "data": []})


@pytest.mark.usefixtures("longer_table")
class TestANewRow:
    def test_has_its_columns(self, tmp_path):
        evaluate(tmp_path, 1)
        with (tmp_path / "cases.csv").open(newline="") as lines:
            rows = list(csv.DictReader(lines))
        assert [row["extra"] for row in rows] == ["0.1", "0.2", "0.3", "0.4"]
        assert [row["right_extra"] for row in rows] == ["0.05", "0.1", "0.15", "0.2"]
        assert {f"left_nearest_{unit}" for unit in UNITS} <= rows[0].keys()

    def test_is_summarized_with_the_highest_as_the_worst(self, tmp_path):
        summary = evaluate(tmp_path, 1).summary
        assert summary["extra"]["mean"] == pytest.approx(0.25)
        assert (summary["extra"]["worst"], summary["dice"]["worst"]) == ("3", "3")
        assert summary["nearest"]["unit"] == "mm"
        assert "nearest_percent" in summary["left"]
        assert "extra" in summary["mean_over_sources"]["right"]
        assert "extra" in summary["subgroups"]["sex"]["F"]

    def test_stands_in_the_table_of_the_terminal(self, tmp_path, capsys):
        print_summary(evaluate(tmp_path, 1).summary)
        lines = capsys.readouterr().out.splitlines()
        (place,) = (n for n, line in enumerate(lines) if "In vain" in line)
        assert lines[place].split("│")[-2].strip() == "0.4000"  # the worst
        assert "right lung" in lines[place + 1]
        assert any("Nearest mm" in line for line in lines)

    def test_stands_in_the_report(self, tmp_path):
        evaluate(tmp_path, 1)
        page = (tmp_path / "report.html").read_text("utf-8")
        assert "<h2>Drawn in vain, mean</h2>" in page
        heading = '<th scope="col">Drawn in vain</th>'
        assert page.count(heading) == 3  # by source, by lung, by sex
        document = json.loads(re.search(r'id="document">(.*?)</script>', page, re.S)[1])
        columns = {column["label"]: column["worst"] for column in document["columns"]}
        assert (columns["Drawn in vain"], columns["Dice"]) == ("high", "low")
        assert columns["Nearest, mm"] == "high"
        assert {"Drawn in vain", "Nearest"} <= set(document["labels"])
        place = list(columns).index("Drawn in vain")
        assert document["rows"][0]["cells"][place] == 0.4

    def test_is_compared(self, tmp_path, capsys):
        ours = {name: evaluate(tmp_path / name, n) for n, name in enumerate("ab", 1)}
        matrix = build_matrix(ours, {"a": {}, "b": {}})
        print_comparison(write_comparison(tmp_path, ours, matrix, seed=0, figures=()))
        assert re.search(r"In vain +│ +\+0.1000", capsys.readouterr().out)
        for name in ("comparison.csv", "matrix.csv"):
            with (tmp_path / name).open(newline="") as lines:
                assert "extra" in {row["score"] for row in csv.DictReader(lines)}


def test_what_is_better():
    best = {metric.name: metric for metric in METRICS}
    assert best["dice"].goodness(0.9) > best["dice"].goodness(0.8)
    assert best["hd95"].goodness(2.0) > best["hd95"].goodness(3.0)
    area = best["area_difference"]
    assert area.goodness(0.0) > area.goodness(-0.1) > area.goodness(0.2)


def test_each_row_measures_one_thing():
    for metric in METRICS:
        functions = (metric.of_counts, metric.of_contours, metric.of_distances)
        assert sum(function is not None for function in functions) == 1
    assert len(set(catalogue.score_names())) == len(catalogue.score_names())


def test_the_docs_have_each_row_with_label_unit_and_best():
    rows = {}
    for line in (ROOT / "docs" / "metrics.md").read_text("utf-8").splitlines():
        if found := re.match(r"\| `(\w+)` \| (.*) \|$", line):
            rows.setdefault(found[1], re.split(r" (?<!\\)\| ", found[2]))
    units = ", ".join(UNITS.values())
    for metric in METRICS:
        label, unit, _, values, _ = rows[metric.name]
        assert (label, unit) == (metric.label, units if metric.is_distance else "–")
        assert re.search(r"\*\*(\d)\*\*", values)[1] == str(int(metric.best == "high"))
