"""Small reports without a model: invented scores, one-pixel pictures."""

import io
import math

from PIL import Image

from lungcli.report.content import CasePictures, Report, ReportCase

NAN = math.nan
OVERLAPS = ("dice", "iou", "sensitivity", "precision", "nsd", "area_difference")
DISTANCES = tuple(
    f"{n}_{u}" for n in ("hd95", "hd", "assd") for u in ("mm", "px", "percent")
)


def encoded(kind):
    file = io.BytesIO()
    Image.new("L", (3, 2)).save(file, kind)
    return file.getvalue()


def pictures(xray=True):
    png = encoded("PNG")
    return CasePictures(
        width=3,
        height=2,
        xray=encoded("WEBP") if xray else None,
        predicted=png,
        gold=png,
        difference=png,
    )


def scores(dice=0.95, distance=2.5):
    one = dict.fromkeys(OVERLAPS, dice) | dict.fromkeys(DISTANCES, distance)
    return {structure: dict(one) for structure in ("lungs", "right", "left")}


def case(case_id="a", *, source="s", **changes):
    values = {
        "name": f"{source}/{case_id}",
        "source": source,
        "case_id": case_id,
        "patient_id": "P1",
        "split": "test",
        "scores": scores(),
        "facts": {"Split": "test"},
        "pictures": pictures(),
    }
    return ReportCase(**values | changes)


def block(mean=0.95, **changes):
    numbers = {
        "mean": mean,
        "ci95": [0.9, 0.98],
        "sd": 0.01,
        "median": 0.96,
        "p5": 0.9,
        "p95": 0.99,
        "min": 0.5,
        "max": 0.99,
        "worst": "a",
        "worst_source": "s",
        "undefined": 0,
    }
    return numbers | changes


def summary(**changes):
    group = {
        "cases": 2,
        "patients": 1,
        "failure_rate": 0.5,
        "failures": ["s/a"],
        **{name: block() for name in OVERLAPS},
        **{name: block(2.5, unit="mm") for name in ("hd", "hd95", "assd")},
        "hd95_percent": block(0.4),
        "right": {"dice": block(0.97)},
        "left": {"dice": block(0.93)},
    }
    return {
        **group,
        "failure_dice": 0.9,
        "model": "runs/one",
        "split": "test",
        "data": ["montgomery"],
        "notes": [],
        "sources": {"s": group},
        **changes,
    }


def report(**changes):
    return Report(**{"title": "A report", "summary": summary()} | changes)
