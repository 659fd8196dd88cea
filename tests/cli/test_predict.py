"""`lungcli predict` as a user types it."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import zipfile
from types import SimpleNamespace

import numpy as np
import pydicom
import pytest
from invoking import fails, invoke, pixels, table
from PIL import Image
from pydicom.uid import ComputedRadiographyImageStorage, ExplicitVRLittleEndian

from lungcli.cli.predict import _Teller
from lungcli.phantom import draw_phantom

LUNGCLI = [sys.executable, "-m", "lungcli"]


@pytest.fixture
def here(tmp_path, monkeypatch):
    """An empty current folder."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_of_a_large_archive_the_first_failures_are_told(here, run, monkeypatch):
    monkeypatch.setattr("lungcli.cli.predict._MOST_TOLD", 2)
    (here / "in").mkdir()
    for number in range(4):
        (here / "in" / f"{number}.png").write_bytes(b"no image")
    said = invoke("predict", "in", "--model", run, status=1).stderr
    assert "0.png" in said
    assert "1.png" in said
    assert "2.png" not in said
    assert said.count("further failures are in the table of predictions alone") == 1
    assert len(table(here / "masks" / "predictions.csv")) == 4


def entry(shown, *, doubts=(), error=None):
    """What the teller needs to know of an X-ray."""
    record = SimpleNamespace(error=error, corrected=(), doubts=doubts)
    return SimpleNamespace(shown=shown, record=record)


def test_doubts_leave_room_for_failures(capsys, monkeypatch):
    monkeypatch.setattr("lungcli.cli.predict._MOST_TOLD", 2)
    tell = _Teller()
    for number in range(4):
        tell(entry(f"{number}.png", doubts=("odd",)))
    tell(entry("fine"))
    tell(entry("bad", error="bad.png is broken"))
    said = capsys.readouterr().err
    assert "1.png: odd" in said
    assert "2.png" not in said
    assert said.count("further doubts are in the table") == 1
    assert "bad.png is broken" in said
    assert "fine" not in said


def test_a_model_of_lungs_draws_no_other_structures(here, run):
    Image.fromarray(np.full((90, 150), 90, np.uint8)).save(here / "a.png")
    asked = ("predict", "a.png", "--model", run, "--structures")
    said = invoke(*asked, "all").stderr
    assert said.count("draws lungs only: --structures all adds nothing") == 1
    assert "--structures" not in invoke(*asked, "lungs").stderr
    assert "is not one of 'lungs', 'all'" in invoke(*asked, "heart", status=2).stderr


class TestLabelMaps:
    def test_label_maps_have_the_size_of_their_images(self, here, run):
        (here / "in" / "deep").mkdir(parents=True)
        shapes = {"in/wide.png": (90, 150), "in/deep/tall.jpg": (200, 70)}
        for name, shape in shapes.items():
            Image.fromarray(np.full(shape, 90, np.uint8)).save(here / name)
        invoke("predict", "in", "--model", run, "--overlay")
        for name, shape in shapes.items():
            target = (here / "masks" / name.removeprefix("in/")).with_suffix(".png")
            labels = pixels(target)
            assert labels.shape == shape
            assert set(np.unique(labels)) <= {0, 1, 2}
            assert target.with_name(f"{target.stem}_overlay.png").is_file()

    def test_prediction_agrees_with_evaluation(self, here, prepared, phantoms, run):
        """One path from pixels to labels, whichever command walks it.

        The prepared image was stored smaller, hence the tolerance.
        """
        arguments = ["--data", prepared, "--model", run, "--split", "all", "--out", "s"]
        invoke("evaluate", *arguments)
        invoke("predict", phantoms / "CXR_png", "--model", run)
        for row in table(here / "s" / "cases.csv"):
            predicted = pixels(here / "masks" / f"{row['case_id']}.png")
            for label, side in ((1, "right"), (2, "left")):
                name = f"{row['case_id']}.png"
                reference = pixels(phantoms / "ManualMask" / f"{side}Mask" / name) > 0
                found = predicted == label
                dice = 2 * (found & reference).sum() / (found.sum() + reference.sum())
                assert dice == pytest.approx(float(row[f"{side}_dice"]), abs=0.04)

    def test_an_input_is_never_overwritten(self, here, run, capsys, monkeypatch):
        for name in ("a.png", "a_overlay.png"):
            Image.fromarray(np.zeros((64, 64), np.uint8)).save(here / name)
        before = (here / "a.png").read_bytes()
        arguments = ["predict", "a.png", "--model", run, "--out", "."]
        assert "a.png is an input" in fails(capsys, monkeypatch, *arguments)
        assert (here / "a.png").read_bytes() == before
        both = ["predict", "a.png", "a_overlay.png", "--model", run, "--overlay"]
        assert "several inputs" in fails(capsys, monkeypatch, *both)

    def test_one_bad_file_does_not_stop_the_rest(self, here, run):
        (here / "in").mkdir()
        Image.fromarray(np.zeros((64, 64), np.uint8)).save(here / "in" / "a.png")
        (here / "in" / "b.png").write_text("no image")
        result = invoke("predict", "in", "--model", run, "--json", status=3)
        files = json.loads(result.stdout)["files"]
        assert [bool(entry["error"]) for entry in files] == [False, True]
        assert "b.png" in result.stderr

    def test_all_bad(self, here, run):
        (here / "b.png").write_text("no image")
        invoke("predict", "b.png", "--model", run, status=1)
        (row,) = table(here / "masks" / "predictions.csv")
        assert row["status"] == "failed"
        assert "b.png is not an image" in row["error"]
        assert not (here / "masks" / "b.png").exists()

    def test_images_of_one_stem_do_not_overwrite_each_other(self, here, run):
        (here / "in").mkdir()
        for name in ("a.png", "a.bmp"):
            Image.fromarray(np.zeros((64, 64), np.uint8)).save(here / "in" / name)
        invoke("predict", "in", "--model", run)
        names = sorted(path.name for path in (here / "masks").glob("*.png"))
        assert names == ["a.bmp.png", "a.png.png"]


@pytest.fixture(scope="session")
def chest():
    """A phantom, 160 pixels square."""
    return draw_phantom(3, 160).image


def write_dicom(path, image, **tags):
    """Write a computed radiograph, uncompressed, with bright bones."""
    dataset = pydicom.Dataset()
    dataset.file_meta = pydicom.dataset.FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.SOPClassUID = ComputedRadiographyImageStorage
    dataset.SOPInstanceUID = "1.2.3.4"
    dataset.StudyInstanceUID, dataset.SeriesInstanceUID = "1.2.3", "1.2.3.1"
    dataset.PatientID, dataset.PatientName = "4711", "Muster^Max"
    dataset.Modality, dataset.BodyPartExamined = "CR", "CHEST"
    dataset.Rows, dataset.Columns = image.shape
    dataset.SamplesPerPixel, dataset.PixelRepresentation = 1, 0
    dataset.BitsAllocated = dataset.BitsStored = 8
    dataset.HighBit = 7
    dataset.PhotometricInterpretation = "MONOCHROME2"
    dataset.PixelData = image.tobytes()
    for keyword, value in tags.items():
        setattr(dataset, keyword, value)
    dataset.save_as(path, enforce_file_format=True)


class TestInputs:
    def test_archive_pattern_and_list(self, here, run, chest):
        for name in ("a.png", "b.png", "c.png"):
            Image.fromarray(chest).save(here / name)
        with zipfile.ZipFile(here / "ward.zip", "w") as archive:
            archive.write(here / "a.png", "x/a.png")
        listed = subprocess.run(
            [*LUNGCLI, "predict", "ward.zip", "[ab].png", "-", "--model", str(run)],
            input="c.png\n",
            text=True,
            capture_output=True,
            check=True,
        )
        assert "4 of 4 X-rays labelled" in listed.stdout
        masks = here / "masks"
        written = {p.relative_to(masks).as_posix() for p in masks.rglob("*.png")}
        assert written == {"ward/x/a.png", "a.png", "b.png", "c.png"}

    def test_a_bad_member_names_the_archive(self, here, run, chest):
        Image.fromarray(chest).save(here / "a.png")
        with zipfile.ZipFile(here / "ward.zip", "w") as archive:
            archive.write(here / "a.png", "good.png")
            archive.writestr("bad.png", b"no image")
        result = invoke("predict", "ward.zip", "--model", run, status=3)
        assert "ward.zip/bad.png is not an image" in result.stderr

    def test_an_archive_cannot_write_elsewhere(self, here, run, chest):
        """It is one failure; what was given beside it goes on."""
        Image.fromarray(chest).save(here / "a.png")
        with zipfile.ZipFile(here / "ward.zip", "w") as archive:
            archive.write(here / "a.png", "../evil.png")
        result = invoke("predict", "ward.zip", "a.png", "--model", run, status=3)
        assert "../evil.png" in result.stderr
        assert [path.name for path in here.rglob("*.png")] == ["a.png", "a.png"]


class TestFormats:
    def test_all_of_them_in_one_pass(self, here, run, chest):
        Image.fromarray(chest).save(here / "a.png")
        write_dicom(here / "b.dcm", chest, PixelSpacing=[0.5, 0.25])
        every = "png,nifti,dicom-seg,rle,coco,npz,overlay,csv"
        invoke("predict", "a.png", "b.dcm", "--model", run, "--format", every)
        names = {path.name for path in (here / "masks").iterdir()}
        of_each = {".png", ".nii.gz", ".npz", "_overlay.png"}
        assert names == {
            *(f"{stem}{suffix}" for stem in "ab" for suffix in of_each),
            "b_seg.dcm",
            *("rle.csv", "coco.json", "measures.csv"),
            *("predictions.csv", "predictions.jsonl"),
        }
        labels = pixels(here / "masks" / "b.png")
        with np.load(here / "masks" / "b.npz") as arrays:
            np.testing.assert_array_equal(arrays["labels"], labels)
            assert arrays["probabilities"].shape == (*labels.shape, 2)
            assert arrays["spacing_mm"].tolist() == [0.5, 0.25]
        coco = json.loads((here / "masks" / "coco.json").read_text())
        areas = {1: int((labels == 1).sum()), 2: int((labels == 2).sum())}
        second = [part for part in coco["annotations"] if part["image_id"] == 2]
        assert {part["category_id"]: part["area"] for part in second} == areas
        measured = table(here / "masks" / "measures.csv")[1]
        assert float(measured["right.area_mm2"]) == pytest.approx(areas[1] * 0.125)
        first, dicom = table(here / "masks" / "predictions.csv")
        assert "no DICOM-SEG" in first["notes"]
        assert dicom["spacing_source"] == "PixelSpacing"

    def test_a_turned_image_has_the_measures_of_the_upright_one(self, here, run):
        image = draw_phantom(3, 320).image[:, 20:300]
        turned = np.ascontiguousarray(np.rot90(image, 1))
        write_dicom(
            here / "up.dcm",
            np.ascontiguousarray(image),
            PatientOrientation=["L", "F"],
            PixelSpacing=[0.5, 0.25],
        )
        write_dicom(
            here / "turned.dcm",
            turned,
            PatientOrientation=["F", "R"],
            PixelSpacing=[0.25, 0.5],
        )
        both = ["predict", "up.dcm", "turned.dcm", "--model", run, "--format", "csv"]
        invoke(*both)
        upright, sideways = table(here / "masks" / "measures.csv")
        lengths = [name for name in upright if "_mm" in name]
        assert [upright[name] for name in lengths] == [
            sideways[name] for name in lengths
        ]
        assert upright["right.width_px"] == sideways["right.height_px"]

    def test_two_runs_write_the_same_bytes(self, here, run, chest):
        write_dicom(here / "b.dcm", chest)
        every = "png,nifti,dicom-seg,rle,coco,npz,csv"
        for out in ("one", "two"):
            invoke("predict", "b.dcm", "--model", run, "--format", every, "--out", out)
        for path in (here / "one").iterdir():
            if "predictions" not in path.name:  # they tell the seconds
                assert path.read_bytes() == (here / "two" / path.name).read_bytes()

    def test_a_segmentation_of_what_is_not_dicom(self, here, run, chest):
        Image.fromarray(chest).save(here / "a.png")
        only = ["predict", "a.png", "--model", run, "--format", "dicom-seg"]
        assert "a.png is not DICOM" in invoke(*only, status=1).stderr

    def test_an_unknown_one_names_the_known(self, here):
        result = invoke("predict", "a.png", "--format", "png,tiff", status=2)
        assert "'tiff' is none of png, nifti" in " ".join(result.stderr.split())

    def test_no_identity_but_in_the_segmentation(self, here, run, chest):
        write_dicom(here / "b.dcm", chest)
        every = "png,nifti,rle,coco,npz,overlay,csv"
        result = invoke("predict", "b.dcm", "--model", run, "--format", every)
        said = [path.read_bytes() for path in (here / "masks").iterdir()]
        for text in (*said, result.output.encode()):
            assert b"Muster" not in text
            assert b"4711" not in text


class TestDoubts:
    @pytest.fixture
    def turned(self, here):
        """A chest on its side, large enough to be looked at."""
        image = draw_phantom(3, 320).image
        Image.fromarray(np.ascontiguousarray(np.rot90(image, 1))).save(here / "t.png")

    def row(self, here):
        (row,) = table(here / "masks" / "predictions.csv")
        return row

    def test_warn(self, here, turned, run):
        result = invoke("predict", "t.png", "--model", run)
        assert "note: t.png: looks turned: 90° clockwise" in result.stderr
        assert "1 doubtful" in result.stdout
        assert self.row(here)["status"] == "doubtful"

    def test_fix_labels_the_upright_image_on_the_stored_grid(self, here, turned, run):
        upright = draw_phantom(3, 320).image
        Image.fromarray(upright).save(here / "u.png")
        invoke("predict", "u.png", "--model", run, "--out", "upright")
        result = invoke("predict", "t.png", "--model", run, "--on-doubt", "fix")
        assert "was turned 90° clockwise" in result.stderr
        assert "1 corrected" in result.stdout
        expected = np.rot90(pixels(here / "upright" / "u.png"), 1)
        np.testing.assert_array_equal(pixels(here / "masks" / "t.png"), expected)
        assert self.row(here)["corrected"] == "turned 90° clockwise"

    def test_refuse(self, here, turned, run):
        arguments = ["predict", "t.png", "--model", run, "--on-doubt", "refuse"]
        assert "t.png was refused" in invoke(*arguments, status=1).stderr
        assert not (here / "masks" / "t.png").exists()
        assert self.row(here)["status"] == "refused"

    def test_tags_are_heeded_without_asking(self, here, run):
        """A file that says how it lies gives the same lungs as the upright one."""
        image = draw_phantom(3, 320).image
        write_dicom(here / "up.dcm", image, PatientOrientation=["L", "F"])
        write_dicom(
            here / "mirrored.dcm",
            np.ascontiguousarray(image[:, ::-1]),
            PatientOrientation=["R", "F"],
        )
        invoke("predict", "up.dcm", "mirrored.dcm", "--model", run)
        upright, mirrored = (
            pixels(here / "masks" / f"{name}.png") for name in ("up", "mirrored")
        )
        np.testing.assert_array_equal(mirrored, upright[:, ::-1])

    def test_a_lateral_view_is_doubtful(self, here, run, chest):
        write_dicom(here / "l.dcm", chest, ViewPosition="LL")
        result = invoke("predict", "l.dcm", "--model", run)
        assert "l.dcm: no frontal view (LL)" in result.stderr

    def test_an_unknown_choice(self, here):
        invoke("predict", "a.png", "--on-doubt", "guess", status=2)


class TestResume:
    def test_only_what_is_missing_is_done(self, here, run, chest):
        (here / "in").mkdir()
        for name in ("a.png", "b.png", "c.png"):
            Image.fromarray(chest).save(here / "in" / name)
        common = ["predict", "in", "--model", run, "--format", "png,rle"]
        invoke(*common)
        kept = (here / "masks" / "a.png").stat().st_mtime_ns
        (here / "masks" / "b.png").unlink()
        Image.fromarray(chest[::-1].copy()).save(here / "in" / "c.png")
        os.utime(here / "in" / "c.png", ns=(1, 1))
        result = invoke(*common, "--resume")
        assert "3 of 3 X-rays labelled" in result.stdout
        assert "1 by an earlier call" in result.stdout
        assert (here / "masks" / "a.png").stat().st_mtime_ns == kept
        assert (here / "masks" / "b.png").is_file()
        assert len(table(here / "masks" / "rle.csv")) == 3

    def test_other_settings_are_refused(self, here, run, chest, capsys, monkeypatch):
        Image.fromarray(chest).save(here / "a.png")
        invoke("predict", "a.png", "--model", run)
        arguments = ["predict", "a.png", "--model", run, "--resume", "--overlay"]
        assert "formats was" in fails(capsys, monkeypatch, *arguments)

    def test_another_gate_is_another_setting(
        self, here, run, chest, capsys, monkeypatch
    ):
        Image.fromarray(chest).save(here / "a.png")
        invoke("predict", "a.png", "--model", run)
        (here / "other.json").write_text("{}")
        other = (here / "other.json",)
        monkeypatch.setattr("lungcli.workflows.predicting.predict.GATE_FILES", other)
        arguments = ["predict", "a.png", "--model", run, "--resume"]
        assert "checks was" in fails(capsys, monkeypatch, *arguments)

    @pytest.mark.slow
    @pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
    def test_a_stopped_call_goes_on(self, here, run, chest, number):
        (here / "in").mkdir()
        for index in range(300):
            Image.fromarray(chest).save(here / "in" / f"{index:03}.png")
        command = [*LUNGCLI, "predict", "in", "--model", str(run)]
        running = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
        while not list(here.glob("masks/0*.png")) and running.poll() is None:
            time.sleep(0.01)
        running.send_signal(number)
        _, stderr = running.communicate()
        expected = {signal.SIGINT: 130, signal.SIGTERM: 143, signal.SIGKILL: -9}
        assert running.returncode == expected[number], stderr
        assert "Traceback" not in stderr
        for path in here.glob("masks/[!.]*.png"):
            assert pixels(path).shape == chest.shape  # whole, or under another name
        again = invoke("predict", "in", "--model", run, "--resume")
        assert "300 of 300 X-rays labelled" in again.stdout
        assert len(table(here / "masks" / "predictions.csv")) == 300
        assert len(list(here.glob("masks/*.png"))) == 300


class TestReview:
    def test_the_doubtful_come_first(self, here, run, chest):
        Image.fromarray(chest).save(here / "a.png")
        write_dicom(here / "z.dcm", chest, ViewPosition="LL")
        invoke("predict", "a.png", "z.dcm", "--model", run, "--review")
        assert pixels(here / "masks" / "review.png").ndim == 3

    def test_it_needs_the_label_maps(self, here, run, capsys, monkeypatch):
        arguments = ["predict", "a.png", "--review", "--format", "csv"]
        assert "add png" in fails(capsys, monkeypatch, *arguments)


class TestEngines:
    def test_both_give_the_same_labels(self, here, run):
        Image.fromarray(draw_phantom(3, 320).image).save(here / "a.png")
        for engine in ("onnx", "keras"):
            invoke("predict", "a.png", "-m", run, "--engine", engine, "-o", engine)
        one, other = (pixels(here / name / "a.png") for name in ("onnx", "keras"))
        assert one.any()
        assert np.mean(one != other) < 1e-4

    def test_a_run_without_an_export_still_predicts(self, here, run, chest):
        shutil.copytree(run, here / "old")
        (here / "old" / "model.onnx").unlink()
        Image.fromarray(chest).save(here / "a.png")
        result = invoke("predict", "a.png", "--model", "old")
        assert "Keras predicts" in result.stderr
        assert (here / "masks" / "a.png").is_file()

    def test_a_model_without_its_weights_predicts_by_its_export(self, here, run, chest):
        shutil.copytree(run, here / "small")
        (here / "small" / "best.weights.h5").unlink()
        Image.fromarray(chest).save(here / "a.png")
        arguments = ["predict", "a.png", "--model", "./small"]
        invoke(*arguments)
        invoke(*arguments, "--resume")
        assert (here / "masks" / "a.png").is_file()

    @pytest.mark.parametrize("bundled", [True, False])
    def test_nothing_slow_is_imported(self, here, run, chest, bundled):
        """`onnx` looks into a network that did not come with lungcli: 0.2 s."""
        model, expected = ("bundled", "[]") if bundled else (str(run), "['onnx']")
        Image.fromarray(chest).save(here / "a.png")
        code = (
            "import atexit, sys\n"
            "from lungcli.cli.app import main\n"
            "slow = {'tensorflow', 'keras', 'jax', 'scipy', 'skimage', 'pydicom',"
            " 'imageio', 'highdicom', 'nibabel', 'onnx'}\n"
            "atexit.register(lambda: print(sorted(slow & set(sys.modules))))\n"
            f"sys.argv = ['lungcli', 'predict', 'a.png', '--model', {model!r}]\n"
            "main()\n"
        )
        done = subprocess.run(
            [sys.executable, "-c", code], check=True, capture_output=True, text=True
        )
        assert done.stdout.splitlines()[-1] == expected

    def test_no_socket_is_opened(self, here, run, chest, monkeypatch):
        def refuse(*_, **__):
            pytest.fail("predict opened a socket")

        Image.fromarray(chest).save(here / "a.png")
        write_dicom(here / "b.dcm", chest)
        monkeypatch.setattr(socket, "socket", refuse)
        monkeypatch.setattr(socket, "create_connection", refuse)
        every = "png,nifti,dicom-seg,rle,coco,npz,overlay,csv"
        invoke("predict", "a.png", "b.dcm", "--model", run, "--format", every)
