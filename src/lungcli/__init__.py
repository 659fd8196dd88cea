"""Lung segmentation in chest X-rays with a U-Net.

The command `lungcli` is the way in for people. This is the way in for programs: each
command is a function, with the same defaults, and `load_model` gives a network that
labels arrays. Nothing is imported before it is used, so `import lungcli` is quick.

    >>> import lungcli
    >>> lungs = lungcli.load_model("bundled")
    >>> xray = lungcli.draw_phantom(seed=1, size=256).image
    >>> lungs.label_image(xray).shape
    (256, 256)
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from lungcli._version import __version__

if TYPE_CHECKING:
    from lungcli.data.read_xray import read_xray
    from lungcli.errors import LungcliError
    from lungcli.model.config import TrainConfig
    from lungcli.phantom import draw_phantom, write_montgomery, write_structures
    from lungcli.workflows.cross_validating.cross_validation import cross_validate
    from lungcli.workflows.demo import demo
    from lungcli.workflows.drawing.visualize import PictureSettings, visualize
    from lungcli.workflows.evaluating.compare import compare_models
    from lungcli.workflows.evaluating.evaluate import evaluate
    from lungcli.workflows.evaluating.evaluate_masks import evaluate_masks
    from lungcli.workflows.evaluating.outputs import EvaluationOutputs
    from lungcli.workflows.evaluating.scoring import ScoreSettings
    from lungcli.workflows.exporting.export import ExportSettings, export
    from lungcli.workflows.info import info
    from lungcli.workflows.merging.merge import merge
    from lungcli.workflows.predicting.predict import predict
    from lungcli.workflows.predicting.settings import PredictSettings
    from lungcli.workflows.preparing.prepare import prepare
    from lungcli.workflows.preparing.settings import PrepareSettings
    from lungcli.workflows.previewing.augment_preview import augment_preview
    from lungcli.workflows.shared.inference import LungModel, load_model
    from lungcli.workflows.stressing.stress import StressSettings, stress
    from lungcli.workflows.training.events import TrainEvents
    from lungcli.workflows.training.train import resume, train

__all__ = [
    "EvaluationOutputs",
    "ExportSettings",
    "LungModel",
    "LungcliError",
    "PictureSettings",
    "PredictSettings",
    "PrepareSettings",
    "ScoreSettings",
    "StressSettings",
    "TrainConfig",
    "TrainEvents",
    "__version__",
    "augment_preview",
    "compare_models",
    "cross_validate",
    "demo",
    "draw_phantom",
    "evaluate",
    "evaluate_masks",
    "export",
    "info",
    "load_model",
    "merge",
    "predict",
    "prepare",
    "read_xray",
    "resume",
    "stress",
    "train",
    "visualize",
    "write_montgomery",
    "write_structures",
]

_MODULES = {
    "ExportSettings": "workflows.exporting.export",
    "LungModel": "workflows.shared.inference",
    "LungcliError": "errors",
    "EvaluationOutputs": "workflows.evaluating.outputs",
    "PictureSettings": "workflows.drawing.visualize",
    "PredictSettings": "workflows.predicting.settings",
    "PrepareSettings": "workflows.preparing.settings",
    "ScoreSettings": "workflows.evaluating.scoring",
    "StressSettings": "workflows.stressing.stress",
    "TrainConfig": "model.config",
    "TrainEvents": "workflows.training.events",
    "augment_preview": "workflows.previewing.augment_preview",
    "compare_models": "workflows.evaluating.compare",
    "cross_validate": "workflows.cross_validating.cross_validation",
    "demo": "workflows.demo",
    "draw_phantom": "phantom",
    "evaluate": "workflows.evaluating.evaluate",
    "evaluate_masks": "workflows.evaluating.evaluate_masks",
    "export": "workflows.exporting.export",
    "info": "workflows.info",
    "load_model": "workflows.shared.inference",
    "merge": "workflows.merging.merge",
    "predict": "workflows.predicting.predict",
    "prepare": "workflows.preparing.prepare",
    "read_xray": "data.read_xray",
    "resume": "workflows.training.train",
    "stress": "workflows.stressing.stress",
    "train": "workflows.training.train",
    "visualize": "workflows.drawing.visualize",
    "write_montgomery": "phantom",
    "write_structures": "phantom",
}


def __getattr__(name: str) -> Any:
    """Import what is used, when it is used (PEP 562)."""
    if name not in _MODULES:
        msg = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(msg)
    value = getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
    globals()[name] = value  # from now on without a detour
    return value


def __dir__() -> list[str]:
    """Show what is not imported yet, too."""
    return sorted({*globals(), *__all__})
