"""`prepare` on a hospital's own DICOM files: what is kept, and what is not."""

import csv
import stat
from pathlib import Path

import numpy as np
import pytest
from dicom_files import SECRET, make_dataset, to_bytes
from PIL import Image
from pydicom.uid import generate_uid

from lungcli.data.case import Issue
from lungcli.data.prepared import open_prepared
from lungcli.errors import ConfigError, DatasetError
from lungcli.phantom import draw_phantom
from lungcli.workflows.predicting.predict import predict
from lungcli.workflows.predicting.settings import PredictSettings
from lungcli.workflows.preparing.prepare import prepare
from lungcli.workflows.preparing.settings import PrepareSettings

SIDE = 64
NUM_PATIENTS, EACH = 6, 2


def add(root, name, seed, **tags):
    phantom = draw_phantom(seed=seed, size=SIDE)
    pixels = phantom.image.astype(np.uint16) * 16
    tags = {"PatientID": f"{SECRET}-{seed}", "PixelSpacing": [0.5, 0.25]} | tags
    dataset = make_dataset(pixels, **tags)
    dataset.SOPInstanceUID = generate_uid(entropy_srcs=[name, str(seed)])
    for folder in ("images", "masks"):
        (root / folder).mkdir(parents=True, exist_ok=True)
    (root / "images" / name).write_bytes(to_bytes(dataset))
    stem = name.removesuffix(".dcm")
    Image.fromarray(phantom.labels).save(root / "masks" / f"{stem}.png")
    return phantom


@pytest.fixture
def hospital(tmp_path):
    root = tmp_path / "hospital"
    for patient in range(NUM_PATIENTS):
        for image in range(EACH):
            add(
                root,
                f"DOE-{patient}-{image}.dcm",
                100 * image + patient,
                PatientID=f"{SECRET}-{patient}",
                PatientAge="045Y",
                PatientSex="F",
                ViewPosition="PA",
            )
    return root


def run(*sources, out, **settings):
    settings = {"workers": 1, "size": SIDE} | settings
    return prepare(sources, settings=PrepareSettings(out=out, **settings))


def rows_of(out):
    with (out / "cases.csv").open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_what_is_kept(hospital, tmp_path):
    run(hospital, out=tmp_path / "p")
    rows = rows_of(tmp_path / "p")
    assert len(rows) == NUM_PATIENTS * EACH
    assert {(r["age"], r["sex"], r["view"]) for r in rows} == {("45", "F", "PA")}
    assert {(r["spacing_row_mm"], r["spacing_column_mm"]) for r in rows} == {
        ("0.5", "0.25")
    }
    assert all(float(row["window_high"]) > 255 for row in rows)


def test_patients_stay_together(hospital, tmp_path):
    run(hospital, out=tmp_path / "p", val=0.3, test=0.3)
    splits: dict[str, set[str]] = {}
    for row in rows_of(tmp_path / "p"):
        splits.setdefault(row["patient_id"], set()).add(row["split"])
    assert len(splits) == NUM_PATIENTS
    assert all(len(each) == 1 for each in splits.values())


def test_no_name_is_in_any_byte(hospital, tmp_path):
    """Not of a patient, of a file, nor a UID; not in what the audit says either."""
    add(hospital, "DOE-side.dcm", 50, ViewPosition="LL")
    (hospital / "images" / "DOE-bad.dcm").write_bytes(
        (hospital / "images" / "DOE-0-0.dcm").read_bytes()[:-400]
    )
    (hospital / "images" / "DOE-0-1.png").write_bytes(b"no image")
    Image.fromarray(np.zeros((9, 9), np.uint8)).save(hospital / "masks/DOE-odd.png")
    report = run(hospital, out=tmp_path / "p")
    seen = {finding.issue for finding in report.findings}
    assert {Issue.DOUBTFUL, Issue.UNREADABLE, Issue.AMBIGUOUS, Issue.NO_IMAGE} <= seen
    for path in (tmp_path / "p").rglob("*"):
        assert "DOE" not in path.name
        content = path.read_bytes() if path.is_file() else b""
        assert b"DOE" not in content, path
        assert b"1.2.826.0.1.3680043" not in content, path


def test_files_of_other_formats_keep_their_names(hospital, tmp_path):
    (hospital / "images" / "ward.png").write_bytes(b"no image")
    run(hospital, out=tmp_path / "p")
    audit = (tmp_path / "p" / "audit.csv").read_text(encoding="utf-8")
    assert "images/ward.png" in audit


def test_the_user_can_tell_who_is_who(hospital, tmp_path):
    report = run(hospital, out=tmp_path / "p")
    names = tmp_path / "p.names.csv"
    with names.open(encoding="utf-8") as file:
        told = {row["case_id"]: Path(row["image"]) for row in csv.DictReader(file)}
    assert set(told) == {row["case_id"] for row in rows_of(tmp_path / "p")}
    assert all(path.name.startswith("DOE") for path in told.values())
    assert any(str(names) in note for note in report.notes)
    for path in (names, tmp_path / "p.salt"):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_one_salt_one_name(hospital, tmp_path):
    def ids(out, **settings):
        run(hospital, out=tmp_path / out, **settings)
        return {(r["case_id"], r["patient_id"]) for r in rows_of(tmp_path / out)}

    first = ids("p")
    assert ids("p", force=True) == first
    assert ids("q", salt_file=tmp_path / "p.salt") == first
    assert not ids("r") & first


def test_keep_names(hospital, tmp_path):
    run(hospital, out=tmp_path / "p", keep_names=True)
    rows = rows_of(tmp_path / "p")
    assert rows[0]["case_id"] == "DOE-0-0"
    assert SECRET not in rows[0]["patient_id"]
    assert not (tmp_path / "p.names.csv").exists()


def test_short_salt(hospital, tmp_path):
    salt = tmp_path / "s"
    salt.write_text("abc\n")
    with pytest.raises(DatasetError, match="too few for a salt"):
        run(hospital, out=tmp_path / "p", salt_file=salt)


def test_a_url_has_no_place_for_a_salt(hospital):
    with pytest.raises(ConfigError, match="--salt-file"):
        run(hospital, out="memory://salt/p")


def test_a_list_names_files_or_ids(hospital, tmp_path):
    run(hospital, out=tmp_path / "p")
    case_id = rows_of(tmp_path / "p")[0]["case_id"]
    table = tmp_path / "s.csv"
    table.write_text(f"case_id,split\nDOE-1-0.dcm,test\n{case_id},val\n")
    run(
        hospital,
        out=tmp_path / "q",
        splits=str(table),
        salt_file=tmp_path / "p.salt",
    )
    splits = [row["split"] for row in rows_of(tmp_path / "q") if row["split"]]
    assert sorted(splits) == ["test", "val"]


def test_copies_of_one_file_are_two_cases(hospital, tmp_path):
    image = hospital / "images" / "DOE-0-0.dcm"
    (hospital / "images" / "copy.dcm").write_bytes(image.read_bytes())
    run(hospital, out=tmp_path / "p")
    ids = {row["case_id"] for row in rows_of(tmp_path / "p")}
    assert len(ids) == NUM_PATIENTS * EACH + 1


@pytest.mark.parametrize(
    "orientation", [["L", "F"], ["H", "L"], ["F", "R"], ["R", "F"]]
)
def test_turned_with_its_mask(tmp_path, orientation):
    """The mask lies on the stored grid, as `predict` writes it."""
    root = tmp_path / "turned"
    phantom = add(root, "a.dcm", 1)
    turns = {"H": 1, "F": 3}.get(orientation[0], 0)
    mirrored = orientation[0] == "R"
    stored = phantom.image[:, ::-1] if mirrored else phantom.image
    labels = phantom.labels[:, ::-1] if mirrored else phantom.labels
    stored, labels = np.rot90(stored, -turns), np.rot90(labels, -turns)
    pixels = np.ascontiguousarray(stored).astype(np.uint16) * 16
    dataset = make_dataset(
        pixels, PatientOrientation=orientation, PixelSpacing=[0.5, 0.25]
    )
    (root / "images" / "a.dcm").write_bytes(to_bytes(dataset))
    Image.fromarray(np.ascontiguousarray(labels)).save(root / "masks" / "a.png")
    run(root, out=tmp_path / "p", val=0, test=0)
    prepared = open_prepared(tmp_path / "p")
    (case,) = prepared.cases
    np.testing.assert_array_equal(prepared.read_reference(case), phantom.labels)
    assert (
        np.corrcoef(prepared.read_image(case).ravel(), phantom.image.ravel())[0, 1]
        > 0.99
    )
    assert case.spacing_mm == ((0.25, 0.5) if turns else (0.5, 0.25))


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["png", "nifti", "dicom-seg", "rle"])
def test_masks_of_predict_fit(hospital, tmp_path, kind):
    """What `predict` writes for DICOM files is read back beside them."""
    masks = tmp_path / "hospital" / "masks"
    for path in masks.iterdir():
        path.unlink()
    masks.rmdir()
    settings = PredictSettings(formats=(kind,))
    predict([str(hospital / "images")], out=masks, settings=settings)
    predict([str(hospital / "images")], out=tmp_path / "png")
    run(hospital, out=tmp_path / "p", unreviewed=True)
    prepared = open_prepared(tmp_path / "p")
    with (tmp_path / "p.names.csv").open(encoding="utf-8") as file:
        stems = {r["case_id"]: Path(r["image"]).stem for r in csv.DictReader(file)}
    assert len(prepared.cases) == NUM_PATIENTS * EACH
    for case in prepared.cases:
        written = np.asarray(
            Image.open(tmp_path / "png" / f"{stems[case.case_id]}.png")
        )
        if case.has_mask:
            np.testing.assert_array_equal(prepared.read_reference(case), written)
    assert any(case.has_mask for case in prepared.cases)


def test_files_without_a_suffix(tmp_path):
    root = tmp_path / "export"
    for index, name in enumerate(("IM0001", "1.2.840.10008.5.77")):
        add(root, name, index)
    run(root, out=tmp_path / "p", val=0, test=0, keep_names=True)
    cases = open_prepared(tmp_path / "p").cases
    assert {case.case_id for case in cases} == {"IM0001", "1.2.840.10008.5.77"}
    assert all(case.has_mask for case in cases)


def test_old_age_is_one_group(tmp_path):
    root = tmp_path / "old"
    add(root, "a.dcm", 1, PatientAge="097Y")
    add(root, "b.dcm", 2, PatientBirthDate="19500615", StudyDate="20200614")
    add(root, "c.dcm", 3, PatientAge="018M")
    run(root, out=tmp_path / "p", val=0, test=0, keep_names=True)
    ages = {row["case_id"]: row["age"] for row in rows_of(tmp_path / "p")}
    assert ages == {"a": "90", "b": "69", "c": "1.5"}


def test_writing_in_the_pixels_is_told(tmp_path):
    root = tmp_path / "burnt"
    add(root, "a.dcm", 1, BurnedInAnnotation="YES")
    report = run(root, out=tmp_path / "p", val=0, test=0)
    assert [f.issue for f in report.findings] == [Issue.DOUBTFUL]
    assert "BurnedInAnnotation" in report.findings[0].detail
