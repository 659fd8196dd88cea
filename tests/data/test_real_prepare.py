import time

import pytest

from lungcli.data.case import Issue
from lungcli.data.prepared import open_prepared
from lungcli.workflows.preparing.prepare import prepare
from lungcli.workflows.preparing.settings import PrepareSettings

pytestmark = pytest.mark.data


@pytest.fixture
def run(real_data, tmp_path):
    def run(*names, **settings):
        started = time.perf_counter()
        report = prepare(
            [real_data / name for name in names],
            settings=PrepareSettings(out=tmp_path / "prepared", **settings),
        )
        print(f"{'+'.join(names)}: {time.perf_counter() - started:.1f} s")  # noqa: T201
        return report, open_prepared(tmp_path / "prepared")

    return run


def test_three_sets_with_the_published_split(run):
    sets = ("MontgomerySet", "ChinaSet_AllFiles", "JSRT")
    report, dataset = run(*sets, splits="gaal2020")
    counts = {source.name: source for source in report.sources}
    assert counts["montgomery"].splits == {"train": 96, "val": 14, "test": 0}
    assert counts["shenzhen"].splits == {"train": 396, "val": 56, "test": 0}
    assert counts["jsrt"].splits == {"train": 172, "val": 25, "test": 0}
    assert counts["shenzhen"].no_mask == 96
    assert sum(source.left_out + source.not_listed for source in report.sources) == 0
    assert len(dataset.cases) == 855
    issues = [finding.issue for finding in report.findings]
    assert issues.count(Issue.NO_MASK) == 96
    assert issues.count(Issue.NOT_FOUND) == 3
    # Every exposure is another one: no two of these X-rays may look like copies.
    assert set(issues) == {Issue.NO_MASK, Issue.NOT_FOUND, Issue.STRAY_BLOBS}


def test_copies_among_the_covid_images(run):
    report, dataset = run("covid-v7")
    pairs = {
        (finding.case_id, finding.detail.split(" of ")[1].split()[0])
        for finding in report.findings
        if finding.issue in (Issue.DUPLICATE, Issue.NEAR_DUPLICATE)
    }
    assert pairs == {  # seen to be the same exposures
        ("covid1676554", "covid1676553"),
        ("covid1676588", "covid1676519"),
        ("covid1676687", "covid1676447"),
        ("covid1676688", "covid1676448"),
        ("covid1676689", "covid1676449"),
        ("covid1676690", "covid1676450"),
    }
    splits = {case.case_id: case.split for case in dataset.cases}
    assert all(splits[first] == splits[second] for first, second in pairs)


@pytest.mark.parametrize(("name", "count"), [("wingspan", 131), ("jsrt-scr", 197)])
def test_hearts_are_found_by_themselves(run, name, count):
    report, dataset = run(name, size=128)
    (source,) = report.sources
    assert (source.layout, source.no_mask) == ("structures", 0)
    assert set(dataset.knowledge(name).values()) == {"exact"}
    assert len(dataset.cases) == count
    assert {finding.issue for finding in report.findings} <= {
        Issue.OVERLAP,
        Issue.FEW_LEVELS,  # five of JSRT lie between 197 and 255
    }
    assert len(report.notes) == (name == "jsrt-scr")  # its clavicles
    for case in dataset.cases[:5]:
        assert (dataset.read_reference(case) == 3).mean() > 0.02
