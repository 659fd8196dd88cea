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

if TYPE_CHECKING:
    from lungcli.config import TrainConfig
    from lungcli.data.phantom import draw_phantom, write_montgomery
    from lungcli.data.xray import read_xray
    from lungcli.errors import LungcliError
    from lungcli.workflows.evaluate import evaluate
    from lungcli.workflows.export import ExportSettings, export
    from lungcli.workflows.inference import LungModel, load_model
    from lungcli.workflows.merge import merge
    from lungcli.workflows.predict import PredictSettings, predict
    from lungcli.workflows.prepare import PrepareSettings, prepare
    from lungcli.workflows.scoring import ScoreSettings
    from lungcli.workflows.train import resume, train
    from lungcli.workflows.training_report import TrainEvents
    from lungcli.workflows.visualize import PictureSettings, visualize

__version__ = "0.1.0"

__all__ = [
    "ExportSettings",
    "LungModel",
    "LungcliError",
    "PictureSettings",
    "PredictSettings",
    "PrepareSettings",
    "ScoreSettings",
    "TrainConfig",
    "TrainEvents",
    "draw_phantom",
    "evaluate",
    "export",
    "load_model",
    "merge",
    "predict",
    "prepare",
    "read_xray",
    "resume",
    "train",
    "visualize",
    "write_montgomery",
]

_MODULES = {
    "ExportSettings": "workflows.export",
    "LungModel": "workflows.inference",
    "LungcliError": "errors",
    "PictureSettings": "workflows.visualize",
    "PredictSettings": "workflows.predict",
    "PrepareSettings": "workflows.prepare",
    "ScoreSettings": "workflows.scoring",
    "TrainConfig": "config",
    "TrainEvents": "workflows.training_report",
    "draw_phantom": "data.phantom",
    "evaluate": "workflows.evaluate",
    "export": "workflows.export",
    "load_model": "workflows.inference",
    "merge": "workflows.merge",
    "predict": "workflows.predict",
    "prepare": "workflows.prepare",
    "read_xray": "data.xray",
    "resume": "workflows.train",
    "train": "workflows.train",
    "visualize": "workflows.visualize",
    "write_montgomery": "data.phantom",
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
