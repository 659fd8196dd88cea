"""A report of phantoms, and a real browser to look at it."""

import shutil
from dataclasses import dataclass, field

import numpy as np
import pytest

from lungcli.metrics.scores import CaseFacts, score_case
from lungcli.metrics.summary import summarize
from lungcli.phantom import draw_phantom
from lungcli.report.content import Report
from lungcli.report.page import write_report
from lungcli.workflows.evaluating.report_spool import ReportSpool

HOSTILE = "<img src=x onerror=alert(1)>"
_BROWSERS = ("chromium", "chromium-browser", "google-chrome")
_ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
_SIZES = {"clinic": (96, 96), "harbour": (80, 120)}


@dataclass
class Visit:
    """A page, and what it did besides showing itself."""

    page: object
    messages: list = field(default_factory=list)
    requests: list = field(default_factory=list)

    def shown_layers(self):
        images = self.page.locator("#layers img")
        return [image.get_attribute("class") for image in images.all()]

    def names(self):
        return self.page.locator("#rows th a").all_text_contents()

    def until(self, condition):
        """Wait; the page's policy does not let Playwright's own waiting run."""
        for _ in range(200):
            if self.page.evaluate(condition):
                return
            self.page.wait_for_timeout(25)
        pytest.fail(f"never came true: {condition}")

    def open(self, locator):
        """Click; the viewer comes when the browser has told of the new address."""
        locator.click()
        self.until("document.querySelector('dialog').open")

    def scale(self):
        matrix = self.page.locator("#layers").evaluate(
            "element => new DOMMatrix(getComputedStyle(element).transform)"
        )
        return matrix["a"], matrix["e"], matrix["f"]


@pytest.fixture(scope="module")
def browser():
    api = pytest.importorskip("playwright.sync_api", reason="playwright is missing")
    path = next(filter(None, map(shutil.which, _BROWSERS)), None)
    if path is None:
        pytest.skip(f"none of {', '.join(_BROWSERS)} is installed")
    with api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=_ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def visit(browser):
    """Open an address in a fresh window; at the end, nothing may have gone wrong."""
    visits = []

    def visit(address, **window):
        context = browser.new_context(**window)
        context.set_default_timeout(5000)
        one = Visit(context.new_page())
        visits.append((context, one))
        one.page.on("console", lambda message: one.messages.append(message.text))
        one.page.on("pageerror", lambda error: one.messages.append(str(error)))
        one.page.on("dialog", lambda dialog: one.messages.append(dialog.message))
        one.page.on("request", lambda request: one.requests.append(request.url))
        one.page.goto(address)
        return one

    yield visit
    for context, one in visits:
        context.close()
        assert one.messages == []


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    """The report of the eight cases in `_CHANGES`, which stand worst first."""
    folder = tmp_path_factory.mktemp("report")
    with ReportSpool() as spool:
        scores = _score_all(spool)
        history = [{"epoch": k, "loss": 1 / k, "val_dice": 1 - 0.1 / k} for k in (1, 2)]
        notes = ["trained on 2 of these cases"]
        summary = {"model": "bundled", "notes": notes, **summarize(scores)}
        report = Report(title="Phantoms", summary=summary, history=history)
        return spool.write(folder, report).as_uri()


@pytest.fixture(scope="module")
def folder_report(tmp_path_factory):
    """The same pictures beside the page."""
    folder = tmp_path_factory.mktemp("folder")
    with ReportSpool() as spool:
        report = Report(title="Phantoms", summary=summarize(_score_all(spool)))
        return write_report(folder, report, spool.cases, inline_bytes=0)


def _miss_left(labels):
    return np.where(labels == 2, 0, labels)


def _mirror(labels):
    return np.array([0, 2, 1])[_cut(20)(labels)]


def _cut(rows):
    return lambda labels: np.where(np.arange(len(labels))[:, None] < rows, 0, labels)


_CHANGES = [  # case name, source, what the prediction does wrong
    ("left-missed", "clinic", _miss_left),
    ("cut-40", "harbour", _cut(38)),
    ("cut-30", "clinic", _cut(30)),
    (HOSTILE, "clinic", _cut(26)),
    ("cut-20", "harbour", _cut(22)),
    ("mirrored", "harbour", _mirror),
    ("no-xray", "clinic", lambda labels: labels),
    ("empty", "clinic", np.zeros_like),
]


def _score_all(spool):
    scores = []
    for number, (case_id, source, change) in enumerate(_CHANGES):
        height, width = _SIZES[source]
        phantom = draw_phantom(number, max(height, width))
        image, labels = phantom.image[:height], phantom.labels[:height]
        reference = np.zeros_like(labels) if case_id == "empty" else labels
        predicted = change(labels).astype(np.uint8)
        facts = CaseFacts(
            source=source,
            case_id=case_id,
            patient_id=f"P{number}",
            height=height,
            width=width,
            spacing_mm=None,
            groups={},
        )
        scores.append(score_case(facts, reference, predicted))
        spool.add(
            scores[-1],
            split="test",
            image=None if case_id == "no-xray" else image,
            predicted=predicted,
            reference=reference,
        )
    return scores
