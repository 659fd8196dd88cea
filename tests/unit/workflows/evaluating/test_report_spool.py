"""From scored cases to the page."""

import json
import re

import numpy as np
import pytest

from lungcli.anatomy import HEART, IGNORE, LUNGS
from lungcli.metrics.scores import CaseFacts, score_case
from lungcli.metrics.summary import summarize
from lungcli.phantom import draw_phantom
from lungcli.report.content import Report
from lungcli.workflows.evaluating.report_spool import ReportSpool


def scored(case_id, reference, predicted, spacing_mm=(0.5, 0.25), structures=LUNGS):
    height, width = reference.shape
    facts = CaseFacts(
        source="s",
        case_id=case_id,
        patient_id="P1",
        height=height,
        width=width,
        spacing_mm=spacing_mm,
        groups={"sex": "F", "view": ""},
    )
    return score_case(facts, reference, predicted, structures=structures)


@pytest.fixture
def phantom():
    return draw_phantom(4, 96)


def rows_of(page):
    source = page.read_text("utf-8")
    found = re.search(r'id="document">(.*?)</script>', source, re.DOTALL)
    return {row["name"]: row for row in json.loads(found[1])["rows"]}


def test_cases_reach_the_page(phantom, tmp_path):
    swapped = np.array([0, 2, 1], np.uint8)[phantom.labels]
    one_lung = np.where(phantom.labels == 2, 0, phantom.labels).astype(np.uint8)
    nothing = np.zeros_like(phantom.labels)
    pairs = {
        "good": (phantom.labels, phantom.labels),
        "swapped": (phantom.labels, swapped),
        "missed": (phantom.labels, one_lung),
        "empty": (nothing, nothing),
    }
    cases = []
    with ReportSpool() as spool:
        for name, (reference, predicted) in pairs.items():
            cases.append(scored(name, reference, predicted))
            image = None if name == "empty" else phantom.image
            spool.add(
                cases[-1],
                split="test",
                image=image,
                predicted=predicted,
                reference=reference,
            )
        page = spool.write(tmp_path, Report(title="t", summary=summarize(cases)))
    assert page == tmp_path / "report.html"
    rows = rows_of(page)
    flags = {name: row["flags"] for name, row in rows.items()}
    assert flags["s/good"] == []
    assert flags["s/swapped"] == ["sides swapped"]
    assert flags["s/missed"] == ["Dice below 0.9", "left lung missed"]
    assert flags["s/empty"] == ["undefined"]
    assert rows["s/good"]["facts"] == {
        "Source": "s",
        "Patient": "P1",
        "Split": "test",
        "Size": "96 × 96 px",
        "Pixel size": "0.5 × 0.25 mm",
        "Sex": "F",
    }


def test_pixel_size_unknown_and_no_split(phantom, tmp_path):
    case = scored("a", phantom.labels, phantom.labels, spacing_mm=None)
    with ReportSpool() as spool:
        spool.add(
            case,
            split="",
            image=phantom.image,
            predicted=phantom.labels,
            reference=phantom.labels,
        )
        facts = rows_of(spool.write(tmp_path, Report(title="t", summary={})))["s/a"][
            "facts"
        ]
    assert facts["Pixel size"] == "unknown"
    assert "Split" not in facts


def page_of(phantom, folder, labels, structures):
    case = scored("a", labels, labels, structures=structures)
    with ReportSpool() as spool:
        spool.add(
            case, split="", image=phantom.image, predicted=labels, reference=labels
        )
        return spool.write(folder, Report(title="t", summary=summarize([case])))


def test_a_heart_reaches_the_page(phantom, tmp_path):
    plain = page_of(phantom, tmp_path, phantom.labels, LUNGS).read_text("utf-8")
    assert "</i>heart" not in plain
    assert "Ignored" not in plain
    labels = phantom.labels.copy()
    labels[40:60, 40:60] = HEART.label
    labels[:2, :2] = IGNORE
    page = page_of(phantom, tmp_path, labels, (*LUNGS, HEART))
    source = page.read_text("utf-8")
    for shown in (
        '<i class="swatch right-lung"></i>right lung',
        '<i class="swatch heart"></i>heart',
        '<th scope="col">Heart</th>',
        "Heart Dice",
        "By structure",
    ):
        assert shown in source
    row = rows_of(page)["s/a"]
    assert row["details"]["heart"][0] == "1.000"
    assert row["facts"]["Ignored"] == "4 px"


def test_a_heart_that_is_drawn_but_not_scored_has_its_colour_explained(
    phantom, tmp_path
):
    labels = phantom.labels.copy()
    labels[40:60, 40:60] = HEART.label
    source = page_of(phantom, tmp_path, labels, LUNGS).read_text("utf-8")
    assert '<i class="swatch heart"></i>heart' in source
    assert "Heart Dice" not in source


def test_a_case_without_the_heart_of_others_has_dashes(phantom, tmp_path):
    labels = phantom.labels.copy()
    labels[40:60, 40:60] = HEART.label
    cases = [
        scored("a", labels, labels, structures=(*LUNGS, HEART)),
        scored("b", phantom.labels, phantom.labels),
    ]
    with ReportSpool() as spool:
        for case in cases:
            spool.add(case, split="", image=None, predicted=labels, reference=labels)
        page = spool.write(tmp_path, Report(title="t", summary=summarize(cases)))
    details = {name: row["details"] for name, row in rows_of(page).items()}
    assert list(details["s/a"]) == list(details["s/b"])
    assert set(details["s/b"]["heart"]) == {"–"}
