"""Names, links and folders that real disks hold and no layout foresees."""

import csv
import json
import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from scipy import ndimage

from lungcli.data.case import Convention, Issue
from lungcli.data.prepared import open_prepared
from lungcli.errors import DatasetError
from lungcli.workflows.preparing.prepare import prepare
from lungcli.workflows.preparing.settings import PrepareSettings


def cxr(seed, shape=(80, 60)):
    noise = np.random.default_rng(seed).normal(size=shape)
    smooth = ndimage.gaussian_filter(noise, 3)
    return np.clip(128 + 40 * smooth / smooth.std(), 0, 255).astype(np.uint8)


def lungs(shape=(80, 60)):
    mask = np.zeros(shape, np.uint8)
    mask[20:60, 8:24] = mask[20:60, 36:52] = 255
    return mask


def save(path, array):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(array).save(path)
    return path


def add(root, *names, first_seed=0):
    for seed, name in enumerate(names, start=first_seed):
        save(root / "images" / f"{name}.png", cxr(seed))
        save(root / "masks" / f"{name}.png", lungs())
    return root


def run(*sources, out, **settings):
    settings = {"workers": 1, "check": False} | settings
    return prepare(sources, settings=PrepareSettings(out=out, **settings))


def audit(out):
    with (out / "audit.csv").open(encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


def test_case_ids_stay_as_they_are(tmp_path):
    run(add(tmp_path / "set", "A", "a"), out=tmp_path / "p")
    cases = open_prepared(tmp_path / "p").cases
    assert [case.case_id for case in cases] == ["A", "a"]
    assert [case.image for case in cases] == ["images/A.png", "images/a-2.png"]


def test_names_that_are_not_utf8_are_findings(tmp_path):
    root = add(tmp_path / os.fsdecode(b"h\xf6pital"), "good")
    odd = os.fsdecode(b"caf\xe9.png")
    save(root / "images" / odd, cxr(1))
    report = run(root, out=tmp_path / "p")
    assert [(f.issue, f.case_id) for f in report.findings] == [
        (Issue.UNREADABLE, r"caf\udce9")
    ]
    (row,) = audit(tmp_path / "p")
    assert row["path"] == r"images/caf\udce9.png"
    (case,) = open_prepared(tmp_path / "p").cases
    assert (case.case_id, case.source) == ("good", r"h\udcf6pital")


def test_a_link_to_itself_is_a_finding(tmp_path):
    root = add(tmp_path / "set", "good")
    (root / "images" / "loop.png").symlink_to("loop.png")
    report = run(root, out=tmp_path / "p")
    assert (Issue.UNREADABLE, "loop") in {(f.issue, f.case_id) for f in report.findings}
    assert len(open_prepared(tmp_path / "p").cases) == 1


def test_a_pipe_named_png_is_a_finding(tmp_path):
    root = add(tmp_path / "set", "good")
    os.mkfifo(root / "images" / "pipe.png")
    report = run(root, out=tmp_path / "p")
    finding = next(f for f in report.findings if f.issue == Issue.UNREADABLE)
    assert "is not a file" in finding.detail


def test_audit_paths_from_a_short_relative_root(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    root = add(Path("s"), "good", "x")
    save(root / "masks" / "x.png", lungs((40, 30)))
    run(root, out=Path("p"))
    (row,) = audit(Path("p"))
    assert row["path"] == "masks/x.png"
    assert row["detail"].startswith(
        "mask masks/x.png has 30×40 pixels, its image images/x.png 60×80."
    )


def make_shenzhen(place):
    for seed, name in enumerate(("CHNCXR_0001_0", "CHNCXR_0002_0")):
        save(place / "ChinaSet_AllFiles" / "CXR_png" / f"{name}.png", cxr(seed))
        save(place / "mask" / f"{name}_mask.png", lungs())
    save(place / "mask" / "CHNCXR_0002_0_mask.png", lungs((40, 30)))
    return place / "ChinaSet_AllFiles"


def test_audit_is_the_same_wherever_masks_beside_the_root_lie(tmp_path, monkeypatch):
    first = make_shenzhen(tmp_path / "here")
    second = make_shenzhen(tmp_path / "far" / "away")
    run(first, out=tmp_path / "a")
    monkeypatch.chdir(second)
    run(Path(), out=tmp_path / "b")
    monkeypatch.chdir(second.parent)
    run(Path(second.name), out=tmp_path / "c")
    (row,) = audit(tmp_path / "a")
    assert row["path"] == "../mask/CHNCXR_0002_0_mask.png"
    assert "mask ../mask/CHNCXR_0002_0_mask.png has 30×40" in row["detail"]
    assert audit(tmp_path / "b") == audit(tmp_path / "c") == [row]


def test_another_readers_masks_on_linked_images_are_kept(tmp_path):
    first = add(tmp_path / "one", "x", "y")
    second = tmp_path / "two"
    (second / "images").mkdir(parents=True)
    for name in ("x", "y"):
        (second / "images" / f"{name}.png").symlink_to(first / "images" / f"{name}.png")
        save(second / "masks" / f"{name}.png", lungs()[::-1])
    report = run(first, second, out=tmp_path / "p")
    assert [source.name for source in report.sources] == ["one", "two"]
    assert [f.issue for f in report.findings] == [Issue.DUPLICATE] * 2


def test_two_sources_of_one_name_below_one_folder(tmp_path):
    add(tmp_path / "mix" / "a" / "set", "x")
    add(tmp_path / "mix" / "b" / "set", "x", first_seed=5)
    report = run(tmp_path / "mix", out=tmp_path / "p")
    assert [source.name for source in report.sources] == ["set", "set-2"]


def test_an_empty_sibling_is_a_finding(tmp_path):
    add(tmp_path / "mix" / "good", "x")
    for name in ("images", "masks"):
        (tmp_path / "mix" / "old" / name).mkdir(parents=True)
    report = run(
        tmp_path / "mix", out=tmp_path / "p", convention=Convention.HEART_EXCLUDED
    )
    assert [source.name for source in report.sources] == ["good"]
    (finding,) = report.findings
    assert (finding.issue, finding.action) == (Issue.UNUSABLE, "left out")
    assert finding.detail.startswith("no images in ")
    (row,) = audit(tmp_path / "p")
    assert (row["source"], row["path"]) == ("old", ".")
    assert row["detail"].startswith("no images in images.")
    facts = json.loads((tmp_path / "p" / "dataset.json").read_text())
    assert facts["name"] == "good"


def test_nothing_but_empty_folders_is_an_error(tmp_path):
    for name in ("images", "masks"):
        (tmp_path / "mix" / "old" / name).mkdir(parents=True)
    with pytest.raises(DatasetError, match=r"no images in .*mix/old/images"):
        run(tmp_path / "mix", out=tmp_path / "p")


def test_two_files_for_one_image_or_mask_are_a_finding(tmp_path):
    root = add(tmp_path / "set", "a", "b")
    save(root / "images" / "a.bmp", cxr(7))
    save(root / "masks" / "b_mask.png", lungs())
    report = run(root, out=tmp_path / "p")
    assert [(f.issue, f.case_id, f.path.name) for f in report.findings] == [
        (Issue.AMBIGUOUS, "a", "a.png"),
        (Issue.AMBIGUOUS, "b", "b_mask.png"),
    ]
    assert [case.has_mask for case in open_prepared(tmp_path / "p").cases] == [True] * 2


def test_a_mask_of_nearly_everything_is_a_finding(tmp_path):
    root = add(tmp_path / "set", "a", "b")
    full = np.full_like(lungs(), 255)
    full[:4] = 0
    save(root / "masks" / "b.png", full)
    report = run(root, out=tmp_path / "p")
    issues = [(f.issue, f.case_id) for f in report.findings]
    assert (Issue.LARGE_MASK, "b") in issues


def test_a_foreign_dataset_json_is_never_replaced(tmp_path):
    root = add(tmp_path / "set", "a")
    out = tmp_path / "Dataset001_Lungs"
    out.mkdir()
    (out / "dataset.json").write_text('{"labels": {"background": 0, "lung": 1}}')
    with pytest.raises(DatasetError, match="no prepared data set, so it is not"):
        run(root, out=out, force=True)
    assert [path.name for path in out.iterdir()] == ["dataset.json"]


def test_out_may_be_a_link(tmp_path):
    root = add(tmp_path / "set", "a")
    (tmp_path / "big disk").mkdir()
    out = tmp_path / "prepared"
    out.symlink_to("big disk")
    for force in (False, True):
        run(root, out=out, force=force)
        assert out.is_symlink()
        assert (tmp_path / "big disk" / "cases.csv").is_file()
    names = {path.name for path in tmp_path.iterdir()}
    assert names == {"set", "big disk", "prepared"}
