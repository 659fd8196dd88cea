"""Three structures from end to end: drawn, prepared, learned, scored, predicted."""

import csv
import json

import numpy as np
import pytest
from PIL import Image

import lungcli
from lungcli.anatomy import HEART
from lungcli.phantom import write_structures
from lungcli.workflows.cross_validating.cross_validation import score_out_of_fold

pytestmark = pytest.mark.slow

FORMATS = ("png", "nifti", "rle", "coco", "npz", "overlay", "csv")


@pytest.fixture(scope="module")
def session(tmp_path_factory):
    """Return a folder with phantoms, a run that knows hearts, and its scores.

    Half of the phantoms have no masks of the heart: for them it may be anywhere.
    """
    root = tmp_path_factory.mktemp("hearts")
    write_structures(root / "with", count=12, size=128, workers=1)
    lungcli.write_montgomery(root / "without", count=12, seed=5, size=128, workers=1)
    for name in ("with", "without"):
        settings = lungcli.PrepareSettings(
            out=root / f"prepared-{name}", size=64, workers=1
        )
        lungcli.prepare([root / name], settings=settings)
    config = lungcli.TrainConfig(
        structures="lungs,heart", size=64, filters=8, depth=2, epochs=24, batch_size=4
    )
    data = [root / "prepared-with", root / "prepared-without"]
    trained = lungcli.train(data, config, run=root / "run", runs=root / "runs")
    scored = lungcli.evaluate(
        data, root / "run", split="all", out=root / "scores", runs=root / "runs"
    )
    return root, trained, scored


def test_prepared_data_say_what_their_masks_know(session):
    root, *_ = session
    for name, known in (("with", "exact"), ("without", "absent")):
        facts = json.loads((root / f"prepared-{name}" / "dataset.json").read_text())
        (source,) = facts["sources"]
        assert source["structures"] == {
            "right": "exact",
            "left": "exact",
            "heart": known,
        }


def test_the_heart_is_learned_beside_a_source_that_does_not_know_it(session):
    root, trained, _ = session
    assert trained.history[-1]["val_dice_heart"] > 0.5
    summary = json.loads((root / "scores" / "summary.json").read_text())
    assert summary["dice"]["mean"] > 0.8
    assert summary["heart"]["dice"]["mean"] > 0.6
    sources = summary["sources"]
    assert "heart" in sources["with"]
    assert all("heart" not in each for name, each in sources.items() if name != "with")
    model = json.loads((root / "run" / "model.json").read_text())
    assert model["network"]["structures"] == ["right", "left", "heart"]
    assert "Heart Dice" in (root / "scores" / "report.html").read_text(encoding="utf-8")


def test_every_format_has_the_heart_on_request(session):
    root, *_ = session
    settings = lungcli.PredictSettings(formats=FORMATS, structures="all")
    out = root / "all"
    lungcli.predict(
        [root / "with" / "images"], root / "run", settings=settings, out=out
    )
    stem = "phantom0001"
    labels = np.asarray(Image.open(out / f"{stem}.png"))
    assert set(np.unique(labels)) == {0, 1, 2, HEART.label}
    with np.load(out / f"{stem}.npz") as arrays:
        assert arrays["probabilities"].shape == (*labels.shape, 3)
    coco = json.loads((out / "coco.json").read_text())
    assert "heart" in {each["name"] for each in coco["categories"]}
    ids = [each["id"] for each in coco["annotations"]]
    assert len(set(ids)) == len(ids) == 3 * len(coco["images"])
    with (out / "measures.csv").open(newline="") as file:
        row = next(csv.DictReader(file))
    assert int(row["heart.area_px"]) == np.count_nonzero(labels == HEART.label)


def test_unasked_there_are_only_lungs_but_the_heart_is_measured(session):
    root, *_ = session
    settings = lungcli.PredictSettings(formats=("png", "csv"))
    out = root / "lungs"
    lungcli.predict(
        [root / "with" / "images"], root / "run", settings=settings, out=out
    )
    labels = np.asarray(Image.open(out / "phantom0001.png"))
    assert set(np.unique(labels)) == {0, 1, 2}
    with (out / "measures.csv").open(newline="") as file:
        assert int(next(csv.DictReader(file))["heart.area_px"]) > 0


def test_overlays_outline_the_heart(session):
    root, *_ = session
    settings = lungcli.PictureSettings(films=(), overlays=True)
    paths = lungcli.visualize(
        [root / "prepared-with"],
        root / "run",
        settings=settings,
        split="all",
        out=root / "pictures",
    )
    pictures = [np.asarray(Image.open(path).convert("RGB")) for path in paths]
    assert len(pictures) == 12
    assert all((picture == HEART.colour).all(axis=-1).any() for picture in pictures)


def masks_of(root, structures):
    settings = lungcli.PredictSettings(formats=("nifti",), structures=structures)
    out = root / f"nifti-{structures}"
    lungcli.predict(
        [root / "with" / "images"], root / "run", settings=settings, out=out
    )
    return out


def test_masks_of_other_tools_are_scored_with_their_hearts(session):
    root, *_ = session
    data = [root / "prepared-with", root / "prepared-without"]
    own = json.loads((root / "scores" / "summary.json").read_text())
    with_hearts = lungcli.evaluate_masks(
        masks_of(root, "all"), data=data, split="all", out=root / "scores-all"
    )
    scored = json.loads((root / "scores-all" / "summary.json").read_text())
    wanted = own["sources"]["with"]["heart"]["dice"]["mean"]
    # labelled at the size of the files here, at that of the prepared images there
    assert scored["heart"]["dice"]["mean"] == pytest.approx(wanted, abs=0.1)
    assert not any("no mask shows" in note for note in with_hearts.evaluation.notes)


def test_masks_without_hearts_are_scored_by_their_lungs(session):
    root, *_ = session
    found = lungcli.evaluate_masks(
        masks_of(root, "lungs"),
        data=[root / "prepared-with"],
        split="all",
        out=root / "scores-lungs",
    )
    assert any("no mask shows it" in note for note in found.evaluation.notes)
    scored = json.loads((root / "scores-lungs" / "summary.json").read_text())
    assert "heart" not in scored


def test_a_missed_heart_counts_where_another_was_drawn(session, tmp_path):
    """Folders of label maps alone: one of three hearts is missing."""
    for number in range(3):
        labels = np.zeros((64, 64), np.uint8)
        labels[10:50, 5:20], labels[10:50, 45:60], labels[30:50, 22:43] = 1, 2, 3
        for folder in ("reference", "drawn"):
            (tmp_path / folder).mkdir(exist_ok=True)
        Image.fromarray(labels).save(tmp_path / "reference" / f"{number}.png")
        labels[labels == HEART.label] = 0 if number == 0 else HEART.label
        Image.fromarray(labels).save(tmp_path / "drawn" / f"{number}.png")
    lungcli.evaluate_masks(
        tmp_path / "drawn", reference=tmp_path / "reference", out=tmp_path / "scores"
    )
    scored = json.loads((tmp_path / "scores" / "summary.json").read_text())
    assert scored["heart"]["dice"]["mean"] == pytest.approx(2 / 3)
    assert scored["dice"]["mean"] == 1


def test_a_training_with_hearts_goes_on(session, tmp_path):
    root, *_ = session
    config = lungcli.TrainConfig(
        structures="lungs,heart", size=64, filters=4, depth=2, epochs=1, batch_size=4
    )
    data = [root / "prepared-with", root / "prepared-without"]
    lungcli.train(data, config, run=tmp_path / "run", runs=tmp_path)
    again = lungcli.resume(tmp_path / "run", epochs=2, runs=tmp_path)
    assert len(again.history) == 2
    assert all("val_dice_heart" in row for row in again.history)


def test_folds_score_hearts_out_of_fold(session, tmp_path):
    root, *_ = session
    config = lungcli.TrainConfig(
        structures="lungs,heart", size=64, filters=4, depth=2, epochs=1, batch_size=4
    )
    crossed = lungcli.cross_validate(
        [root / "prepared-with"], config, folds=2, run=tmp_path / "folds"
    )
    score_out_of_fold(crossed)
    (path,) = (tmp_path / "folds").rglob("summary.json")
    assert "heart" in json.loads(path.read_text())
