"""The scripts that train and measure the gate, without a long training."""

import importlib
import sys
from pathlib import Path

import numpy as np
import pytest

from lungcli.checks.gate import SIDE, Thresholds

TOOLS = Path(__file__).parents[3] / "tools"
EVEN = Thresholds(turned=0.9, inverted=0.9, mirrored=0.9, other=0.9)
UPRIGHT = [9, 0, 0, 0, -9, -9, 9]
MODULES = (
    "gate_drawings", "gate_material", "gate_measure", "gate_network", "gate_variation",
    "train_gate",
)  # fmt: skip


@pytest.fixture(scope="module")
def tools():
    """The modules by name; they import each other as scripts in one folder do."""
    sys.path.insert(0, str(TOOLS))
    try:
        yield {name: importlib.import_module(name) for name in MODULES}
    finally:
        sys.path.remove(str(TOOLS))
        for name in MODULES:
            sys.modules.pop(name, None)


def chest(tools, name, patient, level=100):
    return tools["gate_material"].Chest(
        source=name,
        patient_id=patient,
        thumbnail=np.full((128, 128), level, np.uint8),
    )


def asked(tools, rows, *, pose=None, how="as published"):
    measure, variation = tools["gate_measure"], tools["gate_variation"]
    return measure.Asked(
        how=how,
        name="jsrt",
        pose=pose or variation.UPRIGHT,
        logits=np.array(rows, np.float32),
        thresholds=EVEN,
    )


def test_patients_are_dealt_whole(tools):
    chests = [chest(tools, "covid", f"patient {index // 3}") for index in range(30)]
    parts = tools["train_gate"].deal(chests, 4)
    patients = [{each.patient_id for each in part} for part in parts]
    assert sum(map(len, parts)) == 30
    assert sum(map(len, patients)) == len(set().union(*patients)) == 10


def test_putting_and_the_answer_agree(tools):
    picture = np.arange(9, dtype=np.uint8).reshape(3, 3)
    pose = tools["gate_variation"].Pose(turned=1, inverted=True, mirrored=True)
    put = tools["gate_variation"].put(picture, pose)
    answer = tools["gate_network"]._answer(pose)
    back = 255 - np.rot90(put, int(np.argmax(answer[:4])))
    np.testing.assert_array_equal(np.fliplr(back), picture)
    assert answer[4:].tolist() == [1, 1, 1]


def test_every_kind_is_a_picture_and_the_same_for_a_seed(tools):
    chests = [chest(tools, "jsrt", str(level), level) for level in range(0, 250, 50)]
    material = tools["gate_material"]
    kinds = material.known_kinds(chests) | material.unknown_kinds(chests)
    assert not set(material.known_kinds(chests)) & set(material.unknown_kinds(chests))
    for draw in kinds.values():
        one, two = (draw(np.random.default_rng(3)) for _ in range(2))
        assert one.shape == (material.SIDE, material.SIDE)
        assert one.dtype == np.uint8
        np.testing.assert_array_equal(one, two)


def test_a_pool_holds_chests_and_others(tools):
    chests = [chest(tools, "jsrt", str(index)) for index in range(10)]
    network = tools["gate_network"]
    kinds = {"noise": tools["gate_drawings"].noise}
    pool = network.draw_pool(chests, kinds, 2, np.random.default_rng(0))
    assert pool.images.shape == (34, SIDE, SIDE, 1)
    assert pool.answers[:, 6].sum() == 20
    assert (pool.answers.sum(axis=1) == 0).sum() == 14


def test_only_a_chest_is_asked_how_it_lies(tools):
    loss = tools["gate_network"].loss
    truth = np.zeros((2, 7), np.float32)
    truth[1, [1, 4, 6]] = 1
    logits = np.zeros((2, 7), np.float32)
    logits[0, :6] = 50  # of no chest: all the same
    values = np.asarray(loss(truth, logits))
    expected = [np.log(2), np.log(4) + 3 * np.log(2)]
    np.testing.assert_allclose(values, expected, rtol=1e-5)


def test_false_alarms_by_hand(tools):
    turned = [0, 9, 0, 0, -9, 9, 9]
    other = [9, 0, 0, 0, 9, 9, -9]
    rows = [UPRIGHT, UPRIGHT, turned, other]
    both = [asked(tools, rows, how=how) for how in ("as published", "varied")]
    table = tools["gate_measure"].false_alarms(both)["as published"]
    assert table["jsrt"] == table["all"]
    assert table["all"] == {
        "images": 4, "turned": 0.25, "inverted": 0.0, "mirrored": 0.25,
        "other": 0.25, "any": 0.5,
    }  # fmt: skip


def test_found_by_hand(tools):
    inverted = tools["gate_variation"].Pose(inverted=True)
    rows = [[9, 0, 0, 0, 9, -9, 9], UPRIGHT, [0, 9, 0, 0, 9, -9, 9]]
    everything = [
        asked(tools, rows, pose=pose, how=how)
        for pose in tools["gate_measure"].POSES
        for how in ("as published", "varied")
    ]
    table = tools["gate_measure"].found(everything)["as published"]
    assert inverted in tools["gate_measure"].POSES
    assert table["inverted"] == table["turned and inverted"] == 0.3333
    assert table["upright"] == table["turned"] == 0.3333
    assert table["mirrored"] == 0.0


def ramp(tools, highest, how):
    """A thousand upright chests, more and more like inverted ones."""
    logits = np.linspace(-9, highest, 1000)
    rows = [[*UPRIGHT[:4], logit, -9, 9] for logit in logits]
    return asked(tools, rows, how=how), 1 / (1 + np.exp(-logits))


@pytest.mark.parametrize(
    ("highest_clean", "highest_varied", "claimed_clean", "claimed_varied"),
    [(4, 0, 2, 0), (0, 3, 0, 10)],
)
def test_thresholds_follow_the_strongest_false_alarms(
    tools, highest_clean, highest_varied, claimed_clean, claimed_varied
):
    clean, probable_clean = ramp(tools, highest_clean, "as published")
    varied, probable_varied = ramp(tools, highest_varied, "varied")
    chosen = tools["gate_measure"].choose_thresholds([clean, varied])
    assert chosen.turned == chosen.mirrored == chosen.other == 0.8  # the lowest
    assert (probable_clean >= chosen.inverted).sum() == claimed_clean
    assert (probable_varied >= chosen.inverted).sum() == claimed_varied


def test_a_fold_is_judged_by_the_others(tools):
    folds = [
        [ramp(tools, highest, how)[0] for how in ("as published", "varied")]
        for highest in (0, 4)
    ]
    strict, lax = tools["gate_measure"].judge_folds(folds)[1:3]
    assert strict.thresholds.inverted > 0.95
    assert lax.thresholds.inverted == 0.8


def test_variation_keeps_the_size_and_the_seed(tools):
    variation = tools["gate_variation"]
    picture = np.random.default_rng(0).integers(0, 256, (128, 128)).astype(np.uint8)
    for seed in range(20):
        pose = variation.draw_pose(np.random.default_rng(seed))
        one, two = (
            variation.vary(picture, pose, np.random.default_rng(seed)) for _ in range(2)
        )
        assert one.shape == (SIDE, SIDE)
        np.testing.assert_array_equal(one, two)
