import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from lungcli.data.case import AuditFinding, Convention, Issue
from lungcli.data.geometry import fit_square
from lungcli.data.prepared import (
    AUDIT_CSV,
    CASES_CSV,
    DATASET_JSON,
    PreparedCase,
    open_prepared,
)
from lungcli.data.prepared_writer import (
    DatasetFacts,
    join_fingerprints,
    write_audit,
    write_cases,
    write_facts,
)
from lungcli.errors import DatasetError, ImageError

FACTS = DatasetFacts(
    name="a+b",
    size=64,
    seed=3,
    split={"method": "patient"},
    convention=Convention.HEART_EXCLUDED,
    sources=[{"name": "a"}, {"name": "b"}],
    fingerprint="00ff",
)

LABELS = np.zeros((64, 64), np.uint8)
LABELS[20:40, 10:20] = 1


def prepared_case(case_id, split="train", *, mask=True, **changes):
    case = PreparedCase(
        case_id=case_id,
        patient_id=f"p{case_id}",
        source="a",
        split=split if mask else "",
        image=f"images/{case_id}.png",
        mask=f"masks/{case_id}.png" if mask else "",
        reference=f"references/{case_id}.png" if mask else "",
        geometry=fit_square(60, 80, 64),
        spacing_mm=None,
        sides="given" if mask else "",
        window_low=0.0,
        window_high=255.0,
        finding="normal, so to say",
        sex="F",
        age="31",
        view="PA",
        notes="palette; stray blobs",
    )
    return dataclasses.replace(case, **changes)


@pytest.fixture
def root(tmp_path):
    cases = [
        prepared_case("1", spacing_mm=(0.0875, 0.1)),
        prepared_case("2", "val", window_low=4095.0, window_high=12.5),
        prepared_case("3", mask=False),
    ]
    for case in cases:
        square = np.full((64, 64), 10 * int(case.case_id), np.uint8)
        write_png(tmp_path / case.image, square)
        if case.has_mask:
            write_png(tmp_path / case.mask, LABELS)
            write_png(tmp_path / case.reference, np.ones((60, 80), np.uint8))
    write_cases(tmp_path, cases)
    write_facts(tmp_path, FACTS, cases)
    return tmp_path


def write_png(path, array):
    path.parent.mkdir(exist_ok=True)
    Image.fromarray(array).save(path)


def test_round_trip(root):
    dataset = open_prepared(root)
    assert (dataset.name, dataset.size, dataset.fingerprint) == ("a+b", 64, "00ff")
    assert dataset.convention is Convention.HEART_EXCLUDED
    assert dataset.cases == (
        prepared_case("1", spacing_mm=(0.0875, 0.1)),
        prepared_case("2", "val", window_low=4095.0, window_high=12.5),
        prepared_case("3", mask=False),
    )


def test_columns_are_the_documented_ones(root):
    header = (root / CASES_CSV).read_text().splitlines()[0]
    assert header == (
        "case_id,patient_id,source,split,image,mask,reference,original_height,"
        "original_width,side,top,left,content_height,content_width,spacing_row_mm,"
        "spacing_column_mm,sides,window_low,window_high,finding,sex,age,view,ctr,notes"
    )


def test_facts_hold_counts_and_no_path(root):
    facts = json.loads((root / DATASET_JSON).read_text())
    assert facts["format_version"] == 1
    assert facts["counts"] == {"cases": 3, "train": 1, "val": 1, "test": 0}
    assert str(root) not in (root / DATASET_JSON).read_text()


def test_select(root):
    dataset = open_prepared(root)
    assert [case.case_id for case in dataset.select("val")] == ["2"]
    assert [case.case_id for case in dataset.select("all")] == ["1", "2"]


@pytest.mark.parametrize("split", ["test", "", "no-such"])
def test_empty_split_names_those_there_are(root, split):
    with pytest.raises(DatasetError, match=r"train \(1\), val \(1\), all \(2\)"):
        open_prepared(root).select(split)


def test_read_one_case(root):
    dataset = open_prepared(root)
    case = dataset.cases[0]
    assert dataset.read_image(case).tolist() == np.full((64, 64), 10).tolist()
    assert (dataset.read_mask(case) == LABELS).all()
    assert dataset.read_reference(case).shape == (60, 80)


@pytest.mark.parametrize("side", [64, 32, 96])
def test_read_pair_of_any_size(root, side):
    dataset = open_prepared(root)
    image, labels = dataset.read_pair(dataset.cases[0], side)
    assert image.shape == labels.shape == (side, side)
    assert image.dtype == labels.dtype == np.uint8
    assert image[0, 0] == 10
    assert set(np.unique(labels)) <= {0, 1}
    assert labels.any()


def test_case_without_mask(root):
    dataset = open_prepared(root)
    with pytest.raises(ImageError, match="case 3 of a has no mask"):
        dataset.read_mask(dataset.cases[2])


def test_not_prepared(tmp_path):
    with pytest.raises(DatasetError, match=r"dataset.json is missing.*lungcli prepare"):
        open_prepared(tmp_path)


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        pytest.param(DATASET_JSON, "{", "dataset.json is damaged", id="json"),
        pytest.param(DATASET_JSON, "[]", "dataset.json is damaged", id="no object"),
        pytest.param(
            DATASET_JSON, '{"format_version": 1}', "damaged .KeyError", id="keys"
        ),
        pytest.param(
            DATASET_JSON,
            '{"format_version": 2, "fingerprint": ""}',
            "has format version 2.* with --force",
            id="version",
        ),
        pytest.param(
            DATASET_JSON,
            '{"labels": {}}',
            "damaged .KeyError.* with another --out",
            id="nnU-Net's",
        ),
        pytest.param(
            CASES_CSV,
            "case_id\nx\n",
            "cases.csv is damaged .* with --force",
            id="columns",
        ),
    ],
)
def test_damaged_tables(root, name, text, message):
    (root / name).write_text(text)
    with pytest.raises(DatasetError, match=message):
        open_prepared(root)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        pytest.param(None, "cannot read .*1.png", id="missing"),
        pytest.param(b"", "cannot read .*1.png", id="empty"),
        pytest.param(np.zeros((9, 9), np.uint8), r"shape \(9, 9\)", id="size"),
        pytest.param(np.zeros((64, 64, 3), np.uint8), "is RGB", id="colour"),
    ],
)
def test_broken_files_are_named(root, content, message):
    path = root / "images" / "1.png"
    path.unlink()
    if isinstance(content, bytes):
        path.write_bytes(content)
    elif content is not None:
        write_png(path, content)
    dataset = open_prepared(root)
    with pytest.raises(ImageError, match=message):
        dataset.read_pair(dataset.select("train")[0], 32)


def test_truncated_file_is_named(root):
    path = root / "masks" / "1.png"
    path.write_bytes(path.read_bytes()[:60])
    dataset = open_prepared(root)
    with pytest.raises(ImageError, match=r"cannot read .*masks/1.png"):
        dataset.read_mask(dataset.cases[0])


def test_audit_paths_are_relative_to_the_source(tmp_path):
    finding = AuditFinding(
        issue=Issue.MASK_SIZE,
        source="a",
        case_id="1",
        path=Path("/data/a/masks/1.png"),
        detail="mask /data/a/masks/1.png is small",
        action="left out",
    )
    write_audit(tmp_path, [finding], {"a": Path("/data/a")})
    assert (tmp_path / AUDIT_CSV).read_text() == (
        "issue,source,case_id,path,detail,action\n"
        "mask of other size,a,1,masks/1.png,mask masks/1.png is small,left out\n"
    )


def test_audit_without_findings_has_its_header(tmp_path):
    write_audit(tmp_path, [], {})
    assert (tmp_path / AUDIT_CSV).read_text() == (
        "issue,source,case_id,path,detail,action\n"
    )


def test_fingerprint_depends_on_every_case_and_their_order():
    both = join_fingerprints(["aa", "bb"])
    assert len({both, join_fingerprints(["bb", "aa"]), join_fingerprints(["aa"])}) == 3


@pytest.mark.parametrize(
    ("convention", "lungs"),
    [
        ("heart-excluded", "exact"),
        ("heart-included", "with-heart"),
        ("unknown", "undeclared"),
    ],
)
def test_an_older_data_set_knows_by_its_convention(root, convention, lungs):
    facts = json.loads((root / DATASET_JSON).read_text())
    (root / DATASET_JSON).write_text(json.dumps({**facts, "convention": convention}))
    known = {"right": lungs, "left": lungs, "heart": "absent"}
    assert open_prepared(root).knowledge("a") == known
    assert open_prepared(root).knowledge("nobody's") == known


def test_a_source_of_an_older_mixture_knows_by_its_own(root):
    facts = json.loads((root / DATASET_JSON).read_text())
    facts["convention"] = "unknown"
    facts["sources"][1]["convention"] = "heart-excluded"
    (root / DATASET_JSON).write_text(json.dumps(facts))
    dataset = open_prepared(root)
    assert [dataset.knowledge(name)["left"] for name in "ab"] == ["undeclared", "exact"]


@pytest.mark.parametrize("sources", [["a"], [{}], 3, [{"name": "a", "structures": 1}]])
def test_damaged_sources(root, sources):
    facts = json.loads((root / DATASET_JSON).read_text())
    (root / DATASET_JSON).write_text(json.dumps({**facts, "sources": sources}))
    with pytest.raises(DatasetError, match="is damaged"):
        open_prepared(root)


def test_labels_of_no_structure(root):
    dataset = open_prepared(root)
    write_png(root / "masks/1.png", np.where(LABELS, 4, 255).astype(np.uint8))
    with pytest.raises(ImageError, match="holds the label 4, which is of no structure"):
        dataset.read_mask(dataset.cases[0])
