import csv
import hashlib
import json

import numpy as np
import pytest
from PIL import Image
from scipy import ndimage

from lungcli.data.case import Convention, Issue
from lungcli.data.prepared import open_prepared
from lungcli.errors import ConfigError, DatasetError, OutputError
from lungcli.workflows.preparing import prepare as workflow
from lungcli.workflows.preparing.contact_sheet import sample
from lungcli.workflows.preparing.prepare import prepare
from lungcli.workflows.preparing.settings import PrepareSettings


def cxr(seed, height, width):
    noise = np.random.default_rng(seed).normal(size=(height, width))
    smooth = ndimage.gaussian_filter(noise, 3)
    return np.clip(128 + 40 * smooth / smooth.std(), 0, 255).astype(np.uint8)


def lungs(height, width):
    labels = np.zeros((height, width), np.uint8)
    labels[height // 4 : 3 * height // 4, width // 8 : 3 * width // 8] = 1
    labels[height // 4 : 3 * height // 4, 5 * width // 8 : 7 * width // 8] = 2
    return labels


def add(root, name, *, seed=None, shape=(80, 60), mask=True):
    seed = hash_of(f"{root.name}/{name}") if seed is None else seed
    save(root / "images" / f"{name}.png", cxr(seed, *shape))
    if mask:
        save(root / "masks" / f"{name}.png", lungs(*shape))


def save(path, array):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(array).save(path)


def hash_of(text):
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:4])


@pytest.fixture
def source(tmp_path):
    root = tmp_path / "Hospital"
    for index in range(12):
        add(root, f"case{index:02}")
    return root


def run(*sources, out, **settings):
    settings.setdefault("workers", 1)
    settings.setdefault("check", False)  # noise is no chest
    return prepare(sources, settings=PrepareSettings(out=out, **settings))


def bytes_of(folder):
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def rows_of(out):
    with (out / "cases.csv").open() as stream:
        return {row["case_id"]: row for row in csv.DictReader(stream)}


def issues(report):
    return {(f.issue, f.case_id) for f in report.findings}


def test_what_is_written(source, tmp_path):
    out = tmp_path / "prepared"
    report = run(source, out=out, size=64)
    assert all(path.is_file() for path in report.paths)
    assert report.findings == ()
    (counts,) = report.sources
    assert (counts.name, counts.layout) == ("hospital", "folder")
    assert counts.splits == {"train": 8, "val": 2, "test": 2}
    dataset = open_prepared(out)
    case = dataset.cases[0]
    assert case.geometry.side == 64
    assert (dataset.read_reference(case) == lungs(80, 60)).all()
    assert dataset.read_image(case)[:, :8].max() == 0  # padded left and right
    assert dataset.read_image(case)[:, 8:56].any(axis=0).all()


def test_small_images_are_not_enlarged(source, tmp_path):
    run(source, out=tmp_path / "prepared", size=512)
    (case, *_) = open_prepared(tmp_path / "prepared").cases
    assert case.geometry.side == 80


def test_same_bytes_for_any_workers_and_place(source, tmp_path):
    for index in range(12, 20):
        add(source, f"case{index:02}")
    (source / "masks" / "case03.png").unlink()
    save(source / "masks" / "case04.png", lungs(40, 30))
    moved = tmp_path / "elsewhere" / "Hospital"
    run(source, out=tmp_path / "one")
    run(source, out=tmp_path / "two", workers=2)
    moved.parent.mkdir()
    source.rename(moved)
    run(moved, out=tmp_path / "three")
    first = bytes_of(tmp_path / "one")
    assert first == bytes_of(tmp_path / "two")
    assert first == bytes_of(tmp_path / "three")
    assert not any(str(tmp_path).encode() in each for each in first.values())


def test_seed_moves_patients(source, tmp_path):
    run(source, out=tmp_path / "a", seed=1)
    run(source, out=tmp_path / "b", seed=2)
    splits = [
        {name: row["split"] for name, row in rows_of(tmp_path / out).items()}
        for out in "ab"
    ]
    assert splits[0] != splits[1]


def test_patients_and_copies_stay_in_one_split(source, tmp_path):
    other = tmp_path / "Other"
    for index in range(12):  # the same X-rays at another size, other names
        array = np.array(Image.open(source / "images" / f"case{index:02}.png"))
        larger = Image.fromarray(array).resize((120, 160), Image.Resampling.BICUBIC)
        save(other / "images" / f"x{index:02}.png", np.array(larger))
        save(other / "masks" / f"x{index:02}.png", lungs(160, 120))
    report = run(source, other, out=tmp_path / "p", val=0.3, test=0.3)
    rows = rows_of(tmp_path / "p")
    for index in range(12):
        assert rows[f"case{index:02}"]["split"] == rows[f"x{index:02}"]["split"]
    assert [f.issue for f in report.findings] == [Issue.NEAR_DUPLICATE] * 12
    assert "never in different splits" in report.findings[0].action


def test_bad_cases_are_findings_and_the_rest_goes_on(source, tmp_path):
    (source / "images" / "case00.png").write_text("not an image")
    save(source / "images" / "case01.png", np.zeros((1, 1), np.uint8))
    save(source / "masks" / "case02.png", lungs(40, 30))
    save(source / "masks" / "case03.png", np.zeros((80, 60), np.uint8))
    (source / "masks" / "case04.png").write_bytes(b"\x89PNG broken")
    (source / "masks" / "case05.png").unlink()
    save(source / "images" / "case07.png", cxr(hash_of("Hospital/case06"), 80, 60))
    report = run(source, out=tmp_path / "p")
    assert issues(report) == {
        (Issue.UNREADABLE, "case00"),
        (Issue.TOO_SMALL, "case01"),
        (Issue.MASK_SIZE, "case02"),
        (Issue.EMPTY_MASK, "case03"),
        (Issue.UNREADABLE, "case04"),
        (Issue.NO_MASK, "case05"),
        (Issue.DUPLICATE, "case07"),
    }
    (counts,) = report.sources
    assert (counts.left_out, counts.no_mask) == (2, 4)
    assert sum(counts.splits.values()) == 6
    rows = rows_of(tmp_path / "p")
    assert rows["case02"]["notes"] == "mask of other size"
    assert rows["case02"]["split"] == rows["case02"]["mask"] == ""
    audit = (tmp_path / "p" / "audit.csv").read_text()
    assert "mask masks/case02.png has 30×40 pixels" in audit


def test_all_unreadable(source, tmp_path):
    for path in (source / "images").iterdir():
        path.write_text("text")
    with pytest.raises(DatasetError, match="none of 12 images can be used; the first"):
        run(source, out=tmp_path / "p")
    assert not (tmp_path / "p").exists()


def test_images_without_any_mask_are_allowed(tmp_path):
    root = tmp_path / "x"
    add(root, "a", mask=False)
    (root / "masks").mkdir()
    report = run(root, out=tmp_path / "p")
    assert report.sources[0].no_mask == 1
    with pytest.raises(DatasetError, match="There are: none"):
        open_prepared(tmp_path / "p").select("train")


def test_split_file(source, tmp_path):
    lines = ["case_id,split", "case00,train", "case01,validation", "gone,test"]
    path = tmp_path / "splits.csv"
    path.write_text("\n".join(lines))
    report = run(source, out=tmp_path / "p", splits=str(path))
    (counts,) = report.sources
    assert counts.splits == {"train": 1, "val": 1, "test": 0}
    assert counts.not_listed == 10
    assert [(f.issue, f.detail) for f in report.findings] == [
        (Issue.NOT_LISTED, "10 cases: case02, case03, case04, …"),
        (Issue.NOT_FOUND, "1 case: gone"),
    ]
    facts = json.loads((tmp_path / "p" / "dataset.json").read_text())
    assert facts["split"] == {"method": "list", "name": "splits.csv"}


def test_split_file_that_tears_a_patient_apart(source, tmp_path):
    table = ["case_id,patient_id", *(f"case{i:02},p{i // 2}" for i in range(12))]
    (source / "cases.csv").write_text("\n".join(table))
    splits = ["case_id,split", "case00,train", "case01,test", "case02,val"]
    splits += [f"case{i:02},train" for i in range(3, 12)]
    path = tmp_path / "splits.csv"
    path.write_text("\n".join(splits))
    report = run(source, out=tmp_path / "p", splits=str(path))
    assert [(f.issue, f.detail) for f in report.findings] == [
        (Issue.PATIENT_LEAK, "patient p0 is in train and test"),
        (Issue.PATIENT_LEAK, "patient p1 is in train and val"),
    ]
    assert rows_of(tmp_path / "p")["case01"]["split"] == "test"


def test_two_sources_with_the_same_case_id(source, tmp_path):
    other = tmp_path / "Other"
    add(other, "case00", shape=(64, 96))
    run(source, other, out=tmp_path / "p")
    dataset = open_prepared(tmp_path / "p")
    same = {case.source: case for case in dataset.cases if case.case_id == "case00"}
    assert same["hospital"].image == "images/hospital--case00.png"
    assert same["other"].image == "images/other--case00.png"
    assert dataset.read_reference(same["other"]).shape == (64, 96)


def test_landscape(tmp_path):
    root = tmp_path / "x"
    add(root, "a", shape=(300, 600))
    run(root, out=tmp_path / "p", size=128)
    dataset = open_prepared(tmp_path / "p")
    (case,) = dataset.cases
    geometry = case.geometry
    assert (geometry.top, geometry.content_height) == (32, 64)
    image, labels = dataset.read_image(case), dataset.read_mask(case)
    assert image[:32].max() == image[96:].max() == 0
    assert labels[32:96].any()
    assert (dataset.read_reference(case) == lungs(300, 600)).all()


def test_convention_is_recorded(source, tmp_path):
    run(source, out=tmp_path / "a")
    assert open_prepared(tmp_path / "a").convention is Convention.UNKNOWN
    run(source, out=tmp_path / "b", convention=Convention.HEART_INCLUDED)
    assert open_prepared(tmp_path / "b").convention is Convention.HEART_INCLUDED


def test_force_is_needed_and_enough(source, tmp_path):
    out = tmp_path / "p"
    run(source, out=out, seed=1)
    old = bytes_of(out)
    with pytest.raises(DatasetError, match="--force"):
        run(source, out=out, seed=2)
    assert bytes_of(out) == old
    run(source, out=out, seed=2, force=True)
    assert bytes_of(out) != old


def test_a_users_folder_is_never_replaced(source, tmp_path):
    before = bytes_of(tmp_path)
    with pytest.raises(DatasetError, match="no prepared data set, so it is not"):
        run(source, out=source, force=True)
    assert bytes_of(tmp_path) == before


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit, OSError("full")])
def test_interrupted_leaves_the_old_set_whole(source, tmp_path, monkeypatch, error):
    out = tmp_path / "p"
    run(source, out=out, seed=1)
    old, names = bytes_of(out), {path.name for path in tmp_path.iterdir()}

    def broken(*arguments):
        raise error

    monkeypatch.setattr(workflow, "write_contact_sheet", broken)
    expected = OutputError if isinstance(error, OSError) else error
    with pytest.raises(expected):
        run(source, out=out, seed=2, force=True)
    assert bytes_of(out) == old
    assert {path.name for path in tmp_path.iterdir()} == names


@pytest.mark.parametrize("workers", [1, 2])
def test_ctrl_c_ends_the_workers(source, tmp_path, workers):
    for index in range(12, 40):
        add(source, f"case{index:02}")

    def stop(task, done, total):
        if done == 2:
            raise KeyboardInterrupt

    settings = PrepareSettings(out=tmp_path / "p", workers=workers)
    with pytest.raises(KeyboardInterrupt):
        prepare([source], settings=settings, progress=stop)
    assert [path.name for path in tmp_path.iterdir()] == ["Hospital"]


def test_progress(source, tmp_path):
    told = []
    settings = PrepareSettings(out=tmp_path / "p", workers=1)
    prepare([source], settings=settings, progress=lambda *call: told.append(call))
    assert told == [
        *(("prepare", done, 12) for done in range(13)),
        *(("check", done, 12) for done in range(13)),
        ("contact sheet", 0, 1),
        ("contact sheet", 1, 1),
    ]


def test_missing_source_and_broken_split_file(source, tmp_path):
    with pytest.raises(DatasetError, match=r"no folder .*nowhere"):
        run(tmp_path / "nowhere", out=tmp_path / "p")
    with pytest.raises(DatasetError, match="cannot read no-such-file "):
        run(source, out=tmp_path / "p", splits="no-such-file")
    assert not (tmp_path / "p").exists()


@pytest.mark.parametrize(
    "settings", [{"size": 8}, {"workers": -1}, {"val": 0.6, "test": 0.6}]
)
def test_impossible_settings(settings):
    with pytest.raises(ConfigError, match="must"):
        PrepareSettings(**settings)


def test_contact_sheet_spreads_over_sources(source, tmp_path):
    other = tmp_path / "Other"
    for index in range(3):
        add(other, f"other{index}", mask=index > 0)
    run(source, other, out=tmp_path / "p")
    cases = open_prepared(tmp_path / "p").cases
    chosen = sample(cases, 6)
    assert [case.source for case in chosen] == ["hospital"] * 3 + ["other"] * 3
    assert all(case.has_mask for case in sample(cases, 4))
    assert sample(cases, 48) == list(cases)


class TestStructures:
    """What the masks of each source know of each structure."""

    def test_every_source_says_what_it_knows(self, source, tmp_path):
        run(source, out=tmp_path / "prepared")
        (entry,) = json.loads((tmp_path / "prepared/dataset.json").read_text())[
            "sources"
        ]
        known = {"right": "undeclared", "left": "undeclared", "heart": "absent"}
        assert entry["structures"] == known
        assert open_prepared(tmp_path / "prepared").knowledge("hospital") == known

    def test_who_prepares_may_declare_it(self, source, tmp_path):
        out = tmp_path / "prepared"
        run(source, out=out, convention=Convention.HEART_INCLUDED)
        known = open_prepared(out).knowledge("hospital")
        assert known["right"] == known["left"] == "with-heart"

    def test_hearts_and_what_to_ignore_are_kept(self, tmp_path):
        root = tmp_path / "Hospital"
        for index in range(4):
            add(root, f"case{index}")
            save(root / "masks" / f"case{index}.png", with_heart(80, 60))
        report = run(root, out=tmp_path / "prepared", size=64)
        dataset = open_prepared(tmp_path / "prepared")
        assert report.findings == ()
        assert dataset.knowledge("hospital")["heart"] == "exact"
        for case in dataset.cases:
            assert (dataset.read_reference(case) == with_heart(80, 60)).all()
            assert set(np.unique(dataset.read_mask(case))) == {0, 1, 2, 3, 255}

    def test_a_mask_without_heart_among_those_with_one(self, tmp_path):
        root, out = tmp_path / "Hospital", tmp_path / "prepared"
        for index in range(4):
            add(root, f"case{index}")
            if index:
                save(root / "masks" / f"case{index}.png", with_heart(80, 60))
        report = run(root, out=out)
        assert issues(report) == {(Issue.NO_MASK, "case0")}
        assert "no heart in the mask" in report.findings[0].detail
        first, *others = open_prepared(out).cases
        assert not first.has_mask
        assert all(case.has_mask for case in others)
        for name in ("masks", "references"):
            assert len(list((out / name).iterdir())) == 3


def with_heart(height, width):
    labels = lungs(height, width)
    labels[height // 2 : 3 * height // 4, 3 * width // 8 : 6 * width // 8] = 3
    labels[: height // 8] = 255
    return labels


def test_lungs_that_overlap_the_heart_are_counted(tmp_path):
    root = tmp_path / "Ward"
    drawn = lungs(80, 60)
    for index in range(3):
        save(root / "images" / f"{index}.png", cxr(index, 80, 60))
        for name, label in (("right_lung", 1), ("left_lung", 2)):
            mask = (drawn == label).astype(np.uint8) * 255
            save(root / "masks" / name / f"{index}.png", mask)
        heart = np.zeros((80, 60), np.uint8)
        heart[40:60, 20:40] = 255  # two columns of the right lung, three of the left
        save(root / "masks/heart" / f"{index}.png", heart)
    save(root / "masks/aorta/0.png", drawn)
    report = run(root, out=tmp_path / "prepared")
    assert {f.detail for f in report.findings} == {
        "100 pixels are drawn as lung and as heart"
    }
    assert issues(report) == {(Issue.OVERLAP, name) for name in "012"}
    assert report.convention is Convention.HEART_EXCLUDED
    (note,) = report.notes
    assert note.startswith("ward: aorta: masks left alone")


def test_a_pattern_stands_for_a_layout():
    with pytest.raises(ConfigError, match="leave out --layout folder"):
        PrepareSettings(mask_pattern="{stem}_m.png", layout="folder")
