"""`lungcli evaluate`: files, several models, and masks made elsewhere."""

import csv
import json
import shutil
import subprocess
import sys

import numpy as np
import pytest
from invoking import fails, invoke, pixels, table
from PIL import Image

from lungcli.data.prepared import open_prepared
from lungcli.metrics.scores import score_case

SCORES = {"dice", "iou", "sensitivity", "precision", "nsd", "hd95", "assd"}


@pytest.fixture
def here(tmp_path, monkeypatch):
    """An empty current folder."""
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def copied(prepared, here):
    """A copy of the prepared phantoms whose tables may be changed."""
    folder = here / "copied"
    shutil.copytree(prepared, folder)
    return folder


@pytest.fixture
def other_run(run, tmp_path):
    """A second run: the first one, decided by another threshold."""
    folder = tmp_path / "runs" / "other"
    shutil.copytree(run, folder)
    info = json.loads((folder / "model.json").read_text())
    info["threshold"] = 0.2
    (folder / "model.json").write_text(json.dumps(info))
    return folder


def references(prepared, folder):
    """Copy the references of all cases into a folder, called as the cases."""
    folder.mkdir()
    dataset = open_prepared(prepared)
    for case in dataset.cases:
        shutil.copy(dataset.root / case.reference, folder / f"{case.case_id}.png")
    return folder


class TestOneModel:
    def test_all_files_are_written(self, here, prepared, run):
        result = invoke(
            *("evaluate", "--data", prepared, "--model", run, "--split", "all"),
            *("--out", "e", "--figures", "svg", "--figures", "png"),
        )
        names = {path.name for path in (here / "e").iterdir()}
        assert names == {
            *("cases.csv", "summary.json", "report.html", "dice.svg", "dice.png")
        }
        assert "95 % interval" in result.stdout
        assert "cases below Dice 0.9" in result.stdout

    def test_no_report_removes_that_of_an_earlier_call(self, here, prepared, run):
        common = ("evaluate", "--data", prepared, "--model", run, "--out", "e")
        invoke(*common)
        assert (here / "e" / "report.html").is_file()
        invoke(*common, "--no-report")
        assert not (here / "e" / "report.html").exists()

    def test_figures_of_an_earlier_call_do_not_stay(self, here, prepared, run):
        common = ("evaluate", "--data", prepared, "--model", run, "--out", "e")
        invoke(*common, "--no-report", "--figures", "png", "--figures", "svg")
        invoke(*common, "--no-report", "--figures", "pdf")
        assert [path.name for path in (here / "e").glob("dice.*")] == ["dice.pdf"]

    def test_the_summary_has_the_names_that_are_promised(self, here, prepared, run):
        invoke("evaluate", "--data", prepared, "--model", run, "--out", "e")
        summary = json.loads((here / "e" / "summary.json").read_text())
        low, high = summary["dice"]["ci95"]
        assert 0 <= low <= summary["dice"]["mean"] <= high <= 1
        assert 0 <= summary["failure_rate"] <= 1
        for group in (summary, *summary["sources"].values()):
            assert group.keys() >= SCORES
            assert group["hd95"]["mean"] >= group["assd"]["mean"] >= 0
            assert group["hd95"]["unit"] == "px"
            for lung in ("right", "left"):
                assert group[lung].keys() >= SCORES
        assert summary["tolerance"] == "0.5 %"

    def test_the_table_holds_what_the_summary_says(self, here, prepared, run):
        arguments = ("--data", prepared, "--model", run, "--split", "all")
        result = invoke("evaluate", *arguments, "--out", "e", "--json")
        summary = json.loads(result.stdout)
        rows = table(here / "e" / "cases.csv")
        for column, mean in (
            ("dice", summary["dice"]["mean"]),
            ("hd95_px", summary["hd95"]["mean"]),
            ("left_assd_percent", summary["left"]["assd_percent"]["mean"]),
        ):
            found = np.mean([float(row[column]) for row in rows])
            assert found == pytest.approx(mean, abs=1e-5)
        assert {row["hd95_mm"] for row in rows} == {""}

    def test_a_long_name_of_a_source_leaves_the_numbers_whole(self, here, copied, run):
        table_of_cases = copied / "cases.csv"
        text = table_of_cases.read_text()
        name = "hospital of the long name"
        table_of_cases.write_text(text.replace("montgomery", name))
        common = ("evaluate", "--data", copied, "--model", run, "--split", "all")
        result = invoke(*common, "--out", "e")
        dice = json.loads((here / "e" / "summary.json").read_text())["dice"]
        for name in ("mean", "median", "min"):
            assert f"{dice[name]:.4f}" in result.stdout
        assert "…" not in result.stdout

    def test_millimetres_where_the_pixel_size_is_known(self, here, copied, run):
        path = copied / "cases.csv"
        rows = table(path)
        for row in rows:
            row |= {"spacing_row_mm": "2.0", "spacing_column_mm": "2.0"}
        with path.open("w", newline="") as lines:
            writer = csv.DictWriter(lines, fieldnames=list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)
        arguments = ("--data", copied, "--model", run, "--tolerance", "4mm")
        document = json.loads(invoke("evaluate", *arguments, "--json").stdout)
        assert document["hd95"]["unit"] == "mm"
        for row in table(run / "evaluation" / "cases.csv"):
            assert float(row["hd95_mm"]) == pytest.approx(2 * float(row["hd95_px"]))

    def test_a_tolerance_in_mm_needs_a_pixel_size(
        self, here, prepared, run, capsys, monkeypatch
    ):
        arguments = ("--data", prepared, "--model", run, "--tolerance", "2mm")
        line = fails(capsys, monkeypatch, "evaluate", *arguments, "--out", "e")
        assert "pixel size of" in line
        assert "0.5%" in line

    def test_the_failure_threshold_counts(self, here, prepared, run):
        arguments = ("--data", prepared, "--model", run, "--out", "e", "--json")
        all_fail = invoke("evaluate", *arguments, "--failure", 1)
        assert json.loads(all_fail.stdout)["failure_rate"] == 1
        none_fails = invoke("evaluate", *arguments, "--failure", 0)
        assert json.loads(none_fails.stdout)["failure_rate"] == 0

    def test_a_case_counts_once(self, here, prepared, copied, run, capsys, monkeypatch):
        for more in ((), ("--predicted", copied / "references")):
            model = () if more else ("--model", run)
            both = ("--data", prepared, "--data", copied, *model, *more)
            line = fails(capsys, monkeypatch, "evaluate", *both, "--out", "e")
            assert "cases are in two data sets" in line


class TestSeveralModels:
    def test_two_are_compared_on_the_same_cases(self, here, prepared, run, other_run):
        models = ("--model", run, "--model", other_run)
        result = invoke(
            *("evaluate", "--data", prepared, *models, "--split", "all", "--no-report"),
        )
        folder = here / "comparison"
        assert {path.name for path in folder.iterdir()} == {
            *("fixture", "other", "comparison.csv", "comparison.json"),
            *("matrix.csv", "matrix.tex", "matrix.png"),
        }
        first = table(folder / "fixture" / "cases.csv")
        second = table(folder / "other" / "cases.csv")
        by_hand = np.mean(
            [
                float(b["dice"]) - float(a["dice"])
                for a, b in zip(first, second, strict=True)
            ]
        )
        row = table(folder / "comparison.csv")[0]
        assert (row["structure"], row["score"]) == ("lungs", "dice")
        assert float(row["difference"]) == pytest.approx(by_hand, abs=1e-5)
        assert float(row["p_holm"]) >= float(row["p"]) > 0
        assert "other minus fixture" in result.stdout

    def test_what_a_model_was_trained_on_is_marked(
        self, here, prepared, run, other_run
    ):
        models = ("--model", run, "--model", other_run)
        arguments = ("--data", prepared, *models, "--split", "train", "--no-report")
        result = invoke("evaluate", *arguments, "--out", "c")
        assert "* trained on some of these cases" in result.stdout
        assert "fixture: the model was trained on 8 of these 8" in result.stderr
        assert r"$\dagger$ trained on" in (here / "c" / "matrix.tex").read_text()
        assert {row["trained_on"] for row in table(here / "c" / "matrix.csv")} == {"8"}

    def test_one_json_document(self, here, prepared, run, other_run):
        models = ("--model", run, "--model", other_run)
        result = invoke("evaluate", "--data", prepared, *models, "--json")
        document = json.loads(result.stdout)
        assert document.keys() == {"models", "differences", "matrix"}
        assert list(document["models"]) == ["fixture", "other"]

    def test_a_model_twice_is_refused(self, here, prepared, run, capsys, monkeypatch):
        models = ("--model", run, "--model", f"{run}/../{run.name}")
        line = fails(capsys, monkeypatch, "evaluate", "--data", prepared, *models)
        assert "named twice" in line


class TestMasks:
    def test_perfect_masks_score_1(self, here, prepared):
        masks = references(prepared, here / "masks")
        arguments = ("--predicted", masks, "--data", prepared, "--split", "all")
        document = json.loads(invoke("evaluate", *arguments, "--json").stdout)
        assert document["dice"]["min"] == 1
        assert document["hd95"]["max"] == 0
        assert document["cases"] == 12
        assert (here / "evaluation" / "masks" / "report.html").is_file()

    def test_masks_of_predict_against_a_folder(self, here, prepared, run):
        dataset = open_prepared(prepared)
        (here / "xrays").mkdir()
        for case in dataset.cases:
            shutil.copy(prepared / case.image, here / "xrays" / f"{case.case_id}.png")
        invoke("predict", "xrays", "--model", run, "--out", "theirs")
        shutil.copy(here / "theirs" / f"{case.case_id}.png", here / "theirs" / "x.png")
        (here / "drawn").mkdir()
        for case in dataset.cases:
            shutil.copy(prepared / case.mask, here / "drawn" / f"{case.case_id}.png")
        folders = ("--predicted", "theirs", "--reference", "drawn", "--images", "xrays")
        document = json.loads(invoke("evaluate", *folders, "--json").stdout)
        assert document["cases"] == 12
        assert document["dice"]["mean"] > 0.8
        assert any("belong to no case" in note for note in document["notes"])

    def test_missing_and_unusable_masks_are_named(self, here, prepared):
        masks = references(prepared, here / "masks")
        missing, resized, broken, *_ = sorted(masks.iterdir())
        missing.unlink()
        Image.fromarray(pixels(resized)[:50, :50]).save(resized)
        broken.write_bytes(broken.read_bytes()[:100])
        arguments = ("--predicted", masks, "--data", prepared, "--split", "all")
        result = invoke("evaluate", *arguments, "--json", status=3)
        document = json.loads(result.stdout)
        assert document["cases"] == 9
        assert [name.rpartition("/")[2] for name in document["missing"]] == [
            missing.stem
        ]
        assert "50×50 pixels" in document["failed"][0]
        assert str(broken) in document["failed"][1]
        assert result.stderr.count("error: ") == 2

    def test_a_case_too_large_for_the_memory_stops_no_other(
        self, here, prepared, monkeypatch
    ):
        largest = open_prepared(prepared).cases[3].case_id

        def score(facts, *masks):
            if facts.case_id == largest:
                raise MemoryError
            return score_case(facts, *masks)

        monkeypatch.setattr("lungcli.workflows.evaluating.mask_cases.score_case", score)
        masks = references(prepared, here / "masks")
        arguments = ("--predicted", masks, "--data", prepared, "--split", "all")
        result = invoke("evaluate", *arguments, "--json", status=3)
        (failed,) = json.loads(result.stdout)["failed"]
        assert largest in failed
        assert "too large for the memory" in failed

    def test_what_has_no_mean_is_said_by_case(self, here):
        both = np.zeros((60, 80), np.uint8)
        both[10:50, 8:30], both[10:50, 50:72] = 1, 2
        right = both * (both == 1)
        empty = np.zeros_like(both)
        drawn = {"good": both, "missed": both, "left": both, "none": empty}
        found = {"good": both, "missed": empty, "left": right, "none": empty}
        for folder, masks in (("drawn", drawn), ("found", found)):
            (here / folder).mkdir()
            for name, labels in masks.items():
                Image.fromarray(labels).save(here / folder / f"{name}.png")
        folders = ("--predicted", "found", "--reference", "drawn", "--no-report")
        lines = invoke("evaluate", *folders).stdout.splitlines()
        assert any(
            line.startswith("2 of 3 cases below Dice 0.9 (66.7%") for line in lines
        )
        (missed,) = (line for line in lines if "in one mask alone" in line)
        assert missed.startswith("2 cases with lungs in one mask alone")
        assert missed.endswith("drawn/left (left); drawn/missed (lungs, right, left)")
        (undefined,) = (line for line in lines if "in neither mask" in line)
        assert undefined.startswith("1 case with lungs in neither mask")
        assert sum("HD95 %" in line for line in lines) == 1  # beside pixels

    def test_a_broken_xray_costs_no_scores(self, here):
        for name in ("drawn", "xrays"):
            (here / name).mkdir()
        Image.fromarray(np.eye(40, dtype=np.uint8)).save(here / "drawn" / "a.png")
        (here / "xrays" / "a.png").write_bytes(b"no picture")
        folders = ("--predicted", "drawn", "--reference", "drawn", "--images", "xrays")
        document = json.loads(invoke("evaluate", *folders, "--json").stdout)
        assert (document["cases"], document["failed"]) == (1, [])

    def test_results_do_not_go_among_the_masks(
        self, here, prepared, capsys, monkeypatch
    ):
        """`cases.csv` in there may be the user's table of patients."""
        drawn = references(prepared, here / "drawn")
        (drawn / "cases.csv").write_text("case_id,patient_id\n")
        folders = ("--predicted", drawn, "--reference", drawn, "--out", drawn)
        line = fails(capsys, monkeypatch, "evaluate", *folders)
        assert "drawn holds what is to be scored. Choose another --out." in line
        assert (drawn / "cases.csv").read_text() == "case_id,patient_id\n"

    def test_two_references_do_not_share_a_mask(self, here, prepared):
        drawn = references(prepared, here / "drawn")
        first, second, *_ = sorted(drawn.iterdir())
        for name, path in (("a", first), ("b", second)):
            (here / "ref" / name).mkdir(parents=True)
            shutil.copy(path, here / "ref" / name / "1.png")
        (here / "theirs" / "a").mkdir(parents=True)
        shutil.copy(first, here / "theirs" / "a" / "1.png")
        folders = ("--predicted", "theirs", "--reference", "ref", "--no-report")
        document = json.loads(invoke("evaluate", *folders, "--json", status=3).stdout)
        assert (document["cases"], document["missing"]) == (1, ["b/1"])
        assert document["dice"]["mean"] == 1

    def test_nothing_in_common_is_an_error(self, here, prepared, capsys, monkeypatch):
        (here / "masks").mkdir()
        Image.fromarray(np.zeros((9, 9), np.uint8)).save(here / "masks" / "else.png")
        arguments = ("--predicted", "masks", "--data", prepared)
        line = fails(capsys, monkeypatch, "evaluate", *arguments)
        assert "Rename the masks" in line

    def test_a_table_may_state_the_pixel_size(self, here, prepared):
        drawn = references(prepared, here / "drawn")
        rows = [f"{path.stem},0.5,0.5" for path in sorted(drawn.iterdir())]
        header = "case_id,spacing_row_mm,spacing_column_mm"
        (drawn / "cases.csv").write_text("\n".join([header, *rows]))
        folders = ("--predicted", drawn, "--reference", drawn, "--tolerance", "1mm")
        document = json.loads(
            invoke("evaluate", *folders, "--no-report", "--out", "e", "--json").stdout
        )
        assert document["hd95"]["unit"] == "mm"
        rows[0] = rows[0].replace("0.5,0.5", "0.5,wide")
        (drawn / "cases.csv").write_text("\n".join([header, *rows]))
        again = invoke("evaluate", *folders, "--out", "e", "--no-report", status=3)
        assert "cases.csv says its pixels are 0.5 by wide mm" in again.stderr

    def test_patients_of_a_table_are_kept_together(self, here, prepared):
        drawn = references(prepared, here / "drawn")
        rows = [f"{path.stem},somebody" for path in drawn.iterdir()]
        (drawn / "cases.csv").write_text("\n".join(["case_id,patient_id", *rows]))
        folders = ("--predicted", drawn, "--reference", drawn)
        document = json.loads(invoke("evaluate", *folders, "--json").stdout)
        assert document["patients"] == 1
        assert document["dice"]["ci95"] is None


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--predicted", "m", "--model", "r"], "leave out --model"),
        (["--reference", "r"], "needs --predicted"),
        (["--predicted", "m", "--reference", "r", "--data", "d"], "leave one out"),
        (["--predicted", "m", "--images", "i"], "belongs to --reference"),
        (["--predicted", "m", "--reference", "r", "--split", "val"], "has no splits"),
        (["--tolerance", "2km"], "not a number with unit"),
    ],
)
def test_contradictions_are_usage_errors(arguments, message):
    result = invoke("evaluate", *arguments, status=2)
    assert message in " ".join(result.stderr.replace("│", " ").split())


def test_the_real_command(prepared, run, tmp_path):
    masks = references(prepared, tmp_path / "masks")
    done = subprocess.run(
        [
            *(sys.executable, "-m", "lungcli", "evaluate", "--json", "--no-report"),
            *("--predicted", str(masks), "--data", str(prepared), "--out", "e"),
        ],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert json.loads(done.stdout)["dice"]["mean"] == 1
    assert (tmp_path / "e" / "cases.csv").is_file()


def test_urls_are_for_predict_and_prepare(here, prepared, run, capsys, monkeypatch):
    command = ("evaluate", "--model", run, "--data")
    line = fails(capsys, monkeypatch, *command, "s3://bucket/prepared")
    assert "download s3://bucket/prepared first" in line
    line = fails(capsys, monkeypatch, *command, prepared, "--out", "s3://bucket/o")
    assert "nothing but predict and prepare writes to URLs, as s3://bucket/o" in line
    assert not list(here.iterdir())
