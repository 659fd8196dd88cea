"""Tables with one line for each X-ray."""

import csv
import os

import pytest

from lungcli.workflows.predicting.record import Entry, Film, Finding, Record, Status
from lungcli.workflows.predicting.tables import write_table, write_tables

FILM = Film(
    height=2,
    width=3,
    spacing_mm=(0.5, 0.25),
    spacing_source="PixelSpacing",
    corrected=("mirrored",),
    doubts=("odd", "dark"),
    notes=(),
)


def entry(stem="a", *, status=Status.OK, outputs=(), **known):
    record = Record(name=f"{stem}.png", seconds=0.5, **known)
    return Entry(
        stem=stem,
        shown=f"in/{stem}.png",
        status=status,
        outputs=dict.fromkeys(outputs, 1),
        record=record,
    )


def rows(path):
    with path.open(encoding="utf-8", newline="") as text:
        return list(csv.reader(text))


class TestWriteTable:
    def test_in_the_order_given(self, tmp_path):
        table = tmp_path / "predictions.csv"
        write_table(
            table,
            ["file", "seconds"],
            [entry("b"), entry("a")],
            lambda each: [each.shown, each.record.seconds],
        )
        assert rows(table) == [
            ["file", "seconds"],
            ["in/b.png", "0.5"],
            ["in/a.png", "0.5"],
        ]

    def test_an_error_leaves_the_old_table(self, tmp_path):
        table = tmp_path / "predictions.csv"
        table.write_text("old")
        with pytest.raises(ZeroDivisionError):
            write_table(table, ["x"], [entry()], lambda _: [1 / 0])
        assert table.read_text() == "old"
        assert list(tmp_path.iterdir()) == [table]

    def test_formulas_and_odd_names(self, tmp_path):
        table = tmp_path / "predictions.csv"
        name = os.fsdecode(b'=a,"\xe9"\n.png')
        write_table(table, ["x"], [entry(name)], lambda each: [each.stem])
        assert rows(table)[1] == ['\'=a,"\\udce9"\\n.png']


def test_predictions_hold_what_is_known(tmp_path):
    found = [
        entry("f", status=Status.FAILED, error="broken"),
        entry("r", status=Status.REFUSED, film=FILM, error="refused"),
        entry(
            "ok",
            film=FILM,
            finding=Finding(lungs="both", quality=0.97),
            outputs=("ok.png", "ok.npz"),
        ),
    ]
    (path,) = write_tables(tmp_path, lambda: iter(found), ["png", "npz"])
    assert path.read_text().splitlines() == [
        "file,name,status,lungs,quality,seconds,corrected,doubts,notes,height,width,"
        "spacing_row_mm,spacing_column_mm,spacing_source,outputs,error",
        "in/f.png,f.png,failed,,,0.5,,,,,,,,,,broken",
        "in/r.png,r.png,refused,,,0.5,mirrored,odd; dark,,2,3,0.5,0.25,PixelSpacing,,"
        "refused",
        "in/ok.png,ok.png,ok,both,0.97,0.5,mirrored,odd; dark,,2,3,0.5,0.25,"
        "PixelSpacing,ok.png; ok.npz,",
    ]


def test_only_what_contributes_is_in_the_tables_of_formats(tmp_path):
    rle = {"left_lung": "1 2", "right_lung": "", "height": 2, "width": 3}
    found = [
        entry("f", status=Status.FAILED, error="broken"),
        entry("a", tables={"rle": {"image_id": "a.png", **rle}}),
    ]
    paths = write_tables(tmp_path, lambda: iter(found), ["rle"])
    assert [path.name for path in paths] == ["predictions.csv", "rle.csv"]
    assert rows(paths[1])[1:] == [["a.png", "1 2", "", "2", "3"]]
