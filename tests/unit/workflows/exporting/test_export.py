"""A network for other programs: what is written, and what refuses to be."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx
import pytest
from PIL import Image

from lungcli.anatomy import STRUCTURES
from lungcli.errors import (
    ConfigError,
    DatasetError,
    ImageError,
    ModelError,
    OutputError,
)
from lungcli.metrics.overlap import dice, overlap_by_lung
from lungcli.model.config import NetworkConfig
from lungcli.model.find import ModelFolder
from lungcli.model.info import WEIGHTS, ModelInfo, fingerprint
from lungcli.model.runs import RunFolder
from lungcli.phantom import draw_phantom
from lungcli.workflows.exporting import export as module
from lungcli.workflows.exporting import trial_xrays
from lungcli.workflows.exporting.card import describe, describe_parity
from lungcli.workflows.exporting.export import REQUIRED_DICE, ExportSettings, export
from lungcli.workflows.exporting.parity import Parity, lowest_dice
from lungcli.workflows.predicting.predict import predict

HOW_TO = Path(__file__).parents[4] / "docs" / "how-to"
KINDS = [
    ("onnx", "float32"),
    ("onnx", "float16"),
    ("onnx", "int8"),
    ("litert", "float32"),
    ("litert", "float16"),
    ("litert", "int8"),
    ("saved-model", "float32"),
    ("saved-model", "float16"),
]
PROGRAMS = {
    "onnx-runtime": ("onnx", "float32"),
    "litert": ("litert", "int8"),
    "tensorflow": ("saved-model", "float32"),
}
# The small run is less sure of itself than a real network.
SMALL = dict.fromkeys(REQUIRED_DICE, 0.9)


@pytest.fixture(scope="module", autouse=True)
def few_xrays():
    """Four phantoms to compare on, six to calibrate with."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(trial_xrays, "NUM_PHANTOMS", 4)
        patch.setattr(trial_xrays, "NUM_CALIBRATION", 6)
        patch.setattr(trial_xrays, "_PHANTOM_SIZE", 160)
        yield


@pytest.fixture(scope="module")
def exported(run, tmp_path_factory):
    """Every kind of export of the run, each made once, when it is asked for."""
    folder = tmp_path_factory.mktemp("exports")
    done = {}

    def of(to, precision):
        if (to, precision) not in done:
            settings = ExportSettings(to=to, precision=precision)
            out = folder / f"{to}-{precision}" / settings.default_name
            with pytest.MonkeyPatch.context() as patch:
                if precision == "int8":
                    patch.setattr(module, "REQUIRED_DICE", SMALL)
                done[to, precision] = export(run, settings=settings, out=out)
        return done[to, precision]

    return of


@pytest.fixture
def chest(tmp_path):
    """An X-ray that is neither square nor of the network's size."""
    image = draw_phantom(3, 160).image[10:140]
    Image.fromarray(image).save(tmp_path / "chest.png")
    return tmp_path / "chest.png"


@pytest.mark.slow
@pytest.mark.parametrize(("to", "precision"), KINDS)
def test_it_draws_the_lungs_of_the_original(exported, to, precision):
    result = exported(to, precision)
    parity = result.card["parity"]
    assert parity["inputs"] == {"kind": "phantoms", "count": 4}
    least = SMALL if precision == "int8" else REQUIRED_DICE
    assert parity["dice"]["lowest"] >= least[precision]
    assert parity["dice"]["mean"] >= parity["dice"]["lowest"]
    assert 0 <= parity["largest_difference_of_probability"] < 0.5
    assert bool(parity["calibration"]) == (precision == "int8")
    assert sorted(p.name for p in result.path.parent.iterdir()) == [
        result.path.name,
        f"{result.path.name}.json",
    ]


@pytest.mark.slow
@pytest.mark.parametrize("to", ["onnx", "litert", "saved-model"])
def test_less_precision_takes_fewer_bytes(exported, to):
    sizes = [
        exported(to, precision).num_bytes for kind, precision in KINDS if kind == to
    ]
    assert all(size < 0.9 * sizes[0] for size in sizes[1:])  # overhead is half of it


@pytest.mark.slow
def test_the_card_says_all_that_a_program_must_know(exported, run):
    result = exported("onnx", "float32")
    card = json.loads(result.card_path.read_text(encoding="utf-8"))
    assert card == result.card
    assert card["input"]["name"] == "image"
    assert card["input"]["shape"] == [None, 64, 64, 1]
    assert card["output"]["shape"] == [None, 64, 64, 2]
    assert card["output"]["channels"][0] == "the patient's right lung"
    steps = [step["step"] for step in card["preprocessing"]]
    assert steps == ["gray", "polarity", "spread", "resize", "pad", "scale"]
    steps = [step["step"] for step in card["postprocessing"]]
    assert steps == ["clean", "crop", "resize", "threshold"]
    assert card["labels"]["2"] == "the patient's left lung"
    assert card["threshold"] == 0.5
    weights = fingerprint(run / "best.weights.h5")
    assert card["model"]["weights_sha256"] == weights
    assert card["model"]["name"] == "fixture"  # not the path
    assert card["model"]["convention"]
    assert str(run.parent) not in result.card_path.read_text(encoding="utf-8")


@pytest.mark.slow
def test_one_xray_a_call_in_litert(exported):
    assert exported("litert", "float32").card["input"]["shape"] == [1, 64, 64, 1]


@pytest.mark.slow
def test_eight_bits_are_in_the_middle_of_the_network(exported):
    graph = onnx.load(exported("onnx", "int8").path).graph
    onnx.checker.check_model(onnx.load(exported("onnx", "int8").path))
    scaled = {
        node.output[0] for node in graph.node if node.op_type == "DequantizeLinear"
    }
    convolutions = [n for n in graph.node if n.op_type in ("Conv", "ConvTranspose")]
    in_8_bits = [node.input[1] in scaled for node in convolutions]
    assert not any(in_8_bits[:6] + in_8_bits[-4:])
    assert all(in_8_bits[6:-4])
    assert len(in_8_bits) > 10


@pytest.mark.slow
@pytest.mark.parametrize("program", PROGRAMS)
def test_the_program_in_the_docs_needs_no_lungcli(program, chest):
    """With the network that the page exports; the small one leaves specks to clean."""
    to, precision = PROGRAMS[program]
    settings = ExportSettings(to=to, precision=precision)
    result = export(
        "bundled", settings=settings, out=chest.with_name(settings.default_name)
    )
    page = (HOW_TO / f"use-the-network-in-{program}.md").read_text(encoding="utf-8")
    (code,) = re.findall(r"```python\n(.*?)```", page, flags=re.DOTALL)
    assert result.path.name in code
    (chest.parent / "program.py").write_text(
        "import sys\nsys.modules['lungcli'] = None\n" + code, encoding="utf-8"
    )
    subprocess.run([sys.executable, "program.py"], cwd=chest.parent, check=True)
    predict([chest], "bundled", out=chest.parent / "masks")
    expected = np.array(Image.open(chest.parent / "masks" / "chest.png"))
    found = np.array(Image.open(chest.parent / "lungs.png"))
    assert found.shape == expected.shape == (130, 160)
    for counts in overlap_by_lung(expected, found).values():
        assert dice(counts) >= 0.98


@pytest.mark.slow
def test_a_request_as_tensorflow_serving_takes_it(exported, tmp_path):
    """Rows are stacked into a batch; one named output is the answer itself."""
    result = exported("saved-model", "float32")
    page = (HOW_TO / "tensorflow-serving.md").read_text(encoding="utf-8")
    request, response = map(
        json.loads, re.findall(r"```json\n(.*?)```", page, re.DOTALL)
    )
    square = np.round(np.random.default_rng(0).random((64, 64, 1)), 4).tolist()
    request["instances"] = [{**request["instances"][0], "image": square}] * 2
    (tmp_path / "request.json").write_text(json.dumps(request))
    code = (
        "import json, sys\n"
        "sys.modules['lungcli'] = sys.modules['keras'] = None\n"
        "import tensorflow as tf\n"
        "request = json.load(open(sys.argv[2]))\n"
        "served = tf.saved_model.load(sys.argv[1])\n"
        "call = served.signatures[request['signature_name']]\n"
        "rows = request['instances']\n"
        "batch = {k: tf.constant([row[k] for row in rows]) for k in rows[0]}\n"
        "(answer,) = call(**batch).values()\n"
        "json.dump({'predictions': answer.numpy().tolist()}, open(sys.argv[3], 'w'))\n"
    )
    answer = tmp_path / "answer.json"
    arguments = [str(result.path), str(tmp_path / "request.json"), str(answer)]
    subprocess.run([sys.executable, "-c", code, *arguments], check=True)
    predictions = json.loads(answer.read_text())["predictions"]
    assert np.shape(predictions) == (2, 64, 64, 2)
    assert np.shape(response["predictions"]) == (1, 2, 2, 2)
    np.testing.assert_allclose(predictions[0], predictions[1], atol=1e-6)


@pytest.mark.long
def test_where_keras_runs_on_jax(run, tmp_path):
    out = tmp_path / "lungs.tflite"
    code = (
        "import sys\n"
        "from pathlib import Path\n"
        "from lungcli.workflows.exporting import trial_xrays\n"
        "from lungcli.workflows.exporting.export import ExportSettings, export\n"
        "trial_xrays.NUM_PHANTOMS, trial_xrays._PHANTOM_SIZE = 1, 160\n"
        "settings = ExportSettings(to='litert', precision='float16')\n"
        "export(sys.argv[1], settings=settings, out=Path(sys.argv[2]))\n"
    )
    environment = {**os.environ, "KERAS_BACKEND": "jax"}
    subprocess.run(
        [sys.executable, "-c", code, str(run), str(out)], check=True, env=environment
    )
    card = json.loads(Path(f"{out}.json").read_text())
    assert card["parity"]["dice"]["lowest"] >= 0.999


ONNX32 = ExportSettings(to="onnx")


@pytest.mark.slow
def test_what_computes_something_else_is_not_handed_out(run, tmp_path, monkeypatch):
    from lungcli.nn import exporting

    real = exporting.export_onnx

    def tampered(folder, path):
        real(folder, path)
        model = onnx.load(path)
        for tensor in model.graph.initializer:
            weights = onnx.numpy_helper.to_array(tensor)
            if weights.ndim > 1 and weights.dtype == np.float32:
                changed = onnx.numpy_helper.from_array(0.7 * weights, tensor.name)
                tensor.CopyFrom(changed)
        onnx.save(model, path)

    monkeypatch.setattr(exporting, "export_onnx", tampered)
    message = r"draws other lungs: Dice 0\.\d+ .* on phantom \d, below 0\.999\. Nothing"
    with pytest.raises(ModelError, match=message):
        export(run, settings=ONNX32, out=tmp_path / "a.onnx")
    assert not list(tmp_path.iterdir())


@pytest.mark.slow
def test_a_prepared_data_set_to_compare_on(run, prepared, tmp_path):
    out = tmp_path / "a.onnx"
    result = export(run, settings=ONNX32, data=[str(prepared)], out=out)
    inputs = result.card["parity"]["inputs"]
    assert inputs["kind"].startswith("val split of ")
    assert inputs["count"] == 2


class TestInputs:
    def test_splits_of_a_prepared_data_set(self, prepared):
        found = trial_xrays.trial_xrays([str(prepared)], 64, calibrate=True)
        assert len(found.xrays) == 2
        assert found.calibration.shape == (6, 64, 64, 1)
        assert found.calibration.dtype == np.uint8

    def test_every_second_xray_calibrates(self, phantoms):
        folder = str(phantoms / "CXR_png")
        found = trial_xrays.trial_xrays([folder], 64, calibrate=True)
        assert found.kind == "X-rays"
        assert (len(found.xrays), len(found.calibration)) == (6, 6)
        alone = trial_xrays.trial_xrays([folder], 64, calibrate=False)
        assert (len(alone.xrays), alone.calibration) == (12, None)

    def test_one_xray_does_both(self, chest):
        found = trial_xrays.trial_xrays([str(chest)], 64, calibrate=True)
        assert found.xrays[0].geometry.height == 130
        np.testing.assert_array_equal(
            found.calibration[0, ..., 0], found.xrays[0].square
        )

    def test_phantoms_that_calibrate_are_others(self):
        found = trial_xrays.trial_xrays([], 64, calibrate=True)
        assert (len(found.xrays), len(found.calibration)) == (4, 6)
        squares = [xray.square for xray in found.xrays]
        assert not any((found.calibration[0, ..., 0] == s).all() for s in squares)

    def test_a_broken_xray(self, tmp_path):
        (tmp_path / "a.png").write_bytes(b"no image")
        with pytest.raises(ImageError, match=r"a\.png"):
            trial_xrays.trial_xrays([str(tmp_path / "a.png")], 64, calibrate=False)

    def test_a_missing_one(self, tmp_path):
        with pytest.raises(DatasetError, match="gone"):
            trial_xrays.trial_xrays([str(tmp_path / "gone")], 64, calibrate=False)

    def test_no_more_than_asked_for_and_evenly_spread(self):
        assert trial_xrays.spread(range(10), 3) == [0, 3, 6]
        assert trial_xrays.spread(range(2), 3) == [0, 1]
        assert trial_xrays.spread([], 3) == []


class TestLowestDice:
    def test_the_lung_that_differs_more(self):
        one = np.array([[1, 1, 0, 2, 2]], np.uint8)
        other = np.array([[1, 1, 0, 2, 0]], np.uint8)
        assert lowest_dice(one, other) == pytest.approx(2 / 3)

    def test_a_lung_that_only_one_has(self):
        assert lowest_dice(np.array([[1, 2]], "u1"), np.array([[1, 0]], "u1")) == 0

    def test_a_heart_counts_where_it_is_drawn(self):
        one = np.array([[1, 1, 2, 2, 3, 3]], np.uint8)
        other = np.array([[1, 1, 2, 2, 3, 0]], np.uint8)
        assert lowest_dice(one, other, STRUCTURES) == pytest.approx(2 / 3)
        assert lowest_dice(one, other) == 1

    def test_no_lung_at_all_is_undefined(self):
        assert np.isnan(lowest_dice(np.zeros((2, 2), "u1"), np.zeros((2, 2), "u1")))


class TestCard:
    @pytest.fixture
    def card(self, tmp_path):
        def card(*structures):
            network = NetworkConfig(structures=("right", "left", *structures))
            info = ModelInfo(network=network, convention="heart-excluded")
            (tmp_path / WEIGHTS).touch()
            found = ModelFolder(name="m", root=tmp_path, results=RunFolder(tmp_path))
            parity = Parity(
                num_structures=2 + len(structures),
                num_xrays=1,
                mean_dice=1.0,
                lowest_dice=1.0,
                lowest_name="a",
                largest_difference=0.0,
            )
            described = describe_parity(
                parity, required=0.9, kind="phantoms", calibrated_on=0
            )
            facts = {"name": "m.onnx", "to": "onnx", "precision": "float32"}
            return describe(found, info, **facts, parity=described)

        return card

    def test_it_names_the_channels_and_labels_of_the_model(self, card):
        heart = card("heart")
        assert heart["output"]["shape"] == [None, 256, 256, 3]
        sides = ["the patient's right lung", "the patient's left lung"]
        assert heart["output"]["channels"] == [*sides, "heart"]
        assert heart["labels"]["3"] == "heart"
        clean, *_, threshold = heart["postprocessing"]
        assert clean["does"].endswith("fill holes; the heart likewise")
        assert "heart instead where heart >= threshold" in threshold["does"]
        assert heart["parity"]["dice"]["of"].endswith("the structure that differs most")

    def test_of_lungs_it_says_no_more(self, card):
        assert "heart" not in json.dumps(card(), default=str).replace(
            "heart-excluded", ""
        )
        assert card()["output"]["shape"] == [None, 256, 256, 2]


class TestRefusals:
    @pytest.mark.parametrize(
        ("settings", "message"),
        [
            ({"to": "caffe"}, "--to is 'caffe'"),
            ({"to": "onnx", "precision": "int4"}, "--precision is 'int4'"),
            (
                {"to": "saved-model", "precision": "int8"},
                "Take --to onnx or --to litert for int8",
            ),
        ],
    )
    def test_settings(self, settings, message):
        with pytest.raises(ConfigError, match=message):
            ExportSettings(**settings)

    def test_a_model_that_is_not_there(self, tmp_path):
        with pytest.raises(ModelError, match="no trained model in"):
            export(tmp_path / "gone", settings=ONNX32)

    @pytest.mark.parametrize(
        ("name", "message"),
        [
            ("a.png", r"does not end in \.onnx"),
            ("there.onnx", r"exists\. Replace it with --force"),
            ("folder.onnx", "exists and is no export"),
        ],
    )
    def test_a_place_for_something_else(self, run, tmp_path, name, message):
        (tmp_path / "there.onnx").touch()
        (tmp_path / "folder.onnx").mkdir()
        with pytest.raises(OutputError, match=message):
            export(run, settings=ONNX32, out=tmp_path / name)

    @pytest.mark.parametrize("place", [".", "/", ".."])
    def test_no_name_at_all(self, run, place):
        with pytest.raises(OutputError, match="is no name for an export"):
            export(run, settings=ONNX32, out=Path(place))

    @pytest.mark.slow
    def test_no_network_without_its_card(self, run, tmp_path, monkeypatch):
        def full(path, document):
            del document
            msg = f"{path}: no space"
            raise OutputError(msg)

        monkeypatch.setattr("lungcli.workflows.exporting.export.write_json", full)
        with pytest.raises(OutputError, match="no space"):
            export(run, settings=ONNX32, out=tmp_path / "a.onnx")
        assert not list(tmp_path.glob("*a.onnx*"))

    def test_the_model_itself(self, run):
        settings = ExportSettings(to="onnx", force=True)
        with pytest.raises(OutputError, match="belongs to the model itself"):
            export(run, settings=settings, out=run / "model.onnx")

    def test_force_replaces_no_folder_but_a_saved_model(self, run, tmp_path):
        (tmp_path / "home").mkdir()
        (tmp_path / "home" / "thesis.tex").touch()
        settings = ExportSettings(to="saved-model", force=True)
        with pytest.raises(OutputError, match="exists and is no export"):
            export(run, settings=settings, out=tmp_path / "home")
        assert (tmp_path / "home" / "thesis.tex").exists()

    @pytest.mark.slow
    def test_a_network_that_finds_nothing_proves_nothing(self, run, tmp_path):
        black = tmp_path / "black.png"
        Image.fromarray(np.zeros((100, 100), np.uint8)).save(black)
        with pytest.raises(ModelError, match="finds no lung in any of 1 X-rays"):
            export(run, settings=ONNX32, data=[str(black)], out=tmp_path / "a.onnx")
        assert sorted(p.name for p in tmp_path.iterdir()) == ["black.png"]
