"""`import lungcli`: quick, complete, and the same functions as the workflows'."""

import importlib
import json
import subprocess
import sys

import numpy as np
import pytest

import lungcli
from lungcli.errors import ModelError
from lungcli.workflows.evaluating import evaluate
from lungcli.workflows.predicting import predict
from lungcli.workflows.preparing import prepare
from lungcli.workflows.shared import inference
from lungcli.workflows.training import train


def modules_after(code):
    """Return what a fresh Python has imported after some code."""
    program = f"import sys, json\n{code}\nprint(json.dumps(sorted(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    return set(json.loads(done.stdout))


def test_the_import_brings_nothing_else():
    ours = modules_after("import lungcli") - modules_after("")
    ours -= modules_after("import importlib, typing")
    assert ours == {"lungcli", "lungcli._version"}


def test_a_name_brings_what_it_needs_and_no_more():
    found = modules_after("import lungcli; lungcli.load_model('bundled')")
    assert "lungcli.workflows.shared.inference" in found
    assert not {"tensorflow", "keras", "typer", "rich"} & found


def test_the_workflows_themselves():
    assert lungcli.predict is predict.predict
    assert lungcli.prepare is prepare.prepare
    assert lungcli.train is train.train
    assert lungcli.evaluate is evaluate.evaluate
    assert lungcli.load_model is inference.load_model


@pytest.mark.parametrize("name", lungcli._MODULES)
def test_every_name_is_there_and_documented(name):
    found = getattr(lungcli, name)
    module = importlib.import_module(f"lungcli.{lungcli._MODULES[name]}")
    assert found is getattr(module, name)
    assert found.__doc__
    assert name in dir(lungcli)


def test_the_lists_agree():
    assert sorted([*lungcli._MODULES, "__version__"]) == sorted(lungcli.__all__)


def test_another_name_is_an_error():
    with pytest.raises(AttributeError, match="has no attribute 'segment'"):
        _ = lungcli.segment


def test_a_model_by_name_labels_an_array():
    phantom = lungcli.draw_phantom(seed=7, size=200)
    labels = lungcli.load_model("bundled").label_image(phantom.image)
    assert labels.dtype == np.uint8
    shared = ((labels > 0) & (phantom.labels > 0)).sum()
    assert 2 * shared / ((labels > 0).sum() + (phantom.labels > 0).sum()) > 0.85


def test_a_model_that_is_not_there():
    with pytest.raises(ModelError, match="nowhere"):
        lungcli.load_model("nowhere")
