"""Put the network of a run into the package, for Keras and for ONNX, in half precision.

    python tools/bundle.py runs/final            # into src/lungcli/models/lungs
    python tools/bundle.py runs/small tiny       # --model bundled-tiny

Nothing is replaced unless the written network labels phantoms as the run does.
"""

from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import h5py
import numpy as np
import typer

from lungcli.arrays import LabelMap
from lungcli.errors import LungcliError, ModelError
from lungcli.metrics.overlap import dice, overlap_by_lung
from lungcli.model.find import ModelFolder
from lungcli.model.info import (
    MODEL_JSON,
    ONNX,
    WEIGHTS,
    ModelInfo,
    load_info,
    save_info,
    weights_file,
)
from lungcli.model.runs import RunFolder
from lungcli.nn.onnx_export import export_onnx
from lungcli.nn.onnx_precision import halve_onnx, to_half
from lungcli.phantom import Phantom, draw_phantom
from lungcli.system.files import whole_folder
from lungcli.workflows.shared.inference import load_model

MODELS = Path(__file__).parents[1] / "src" / "lungcli" / "models"
LICENSE = "CC-BY-NC-SA-4.0"
NUM_PHANTOMS = 20
PHANTOM_SIZE = 512  # pixels
LOWEST_AGREEMENT = 0.9995  # Dice of the labels before and after, of the worse lung


def bundle(
    run: Annotated[Path, typer.Argument(help="Run folder of 'lungcli train'.")],
    name: Annotated[str, typer.Argument(help="Folder in the models.")] = "lungs",
    threshold: Annotated[
        float | None,
        typer.Option(help="Probability that counts as lung.", show_default="the run's"),
    ] = None,
    models: Annotated[Path, typer.Option(help="Folder of all models.")] = MODELS,
) -> None:
    """Write model.json and the weights in half precision, and check them."""
    try:
        info = replace(load_info(run), license=LICENSE)
        if threshold is not None:
            info = replace(info, threshold=threshold)
        with whole_folder(models / name) as part:
            save_info(part, info)
            halve(weights_file(run), part / WEIGHTS)
            export_onnx(part)
            halve_onnx(part / ONNX)
            report = compare(run, part, info)
    except LungcliError as error:
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(1) from error
    typer.echo(report)
    for file in (MODEL_JSON, WEIGHTS, ONNX):
        path = models / name / file
        typer.echo(f"{path}: {path.stat().st_size / 1e6:.2f} MB")
    total = sum(path.stat().st_size for path in models.rglob("*") if path.is_file())
    typer.echo(f"everything in {models}: {total / 1e6:.2f} MB")


def halve(source: Path, target: Path) -> None:
    """Copy weights; kernels become float16.

    Vectors stay as they are: they weigh nothing, and the variances of batch
    normalization can leave the range of float16.

    Raises:
        ModelError: If a kernel does.
    """
    with h5py.File(source) as full, h5py.File(target, "w") as half:

        def copy(path: str, item: h5py.Group | h5py.Dataset) -> None:
            if isinstance(item, h5py.Group):
                copied: Any = half.require_group(path)
            elif item.ndim > 1:
                # not packed: lungcli unpacks nothing from a file of weights
                copied = half.create_dataset(path, data=to_half(source, path, item[()]))
            else:
                copied = half.create_dataset(path, data=item[()])
            copied.attrs.update(item.attrs)

        half.attrs.update(full.attrs)
        full.visititems(copy)


def compare(run: Path, written: Path, info: ModelInfo) -> str:
    """Return how well the written networks agree with the run, and are right.

    Raises:
        ModelError: If they disagree.
    """
    phantoms = [draw_phantom(seed, PHANTOM_SIZE) for seed in range(NUM_PHANTOMS)]
    before = _label(run, "keras", info, phantoms)
    agreement = 1.0
    for engine in ("keras", "onnx"):
        after = _label(written, engine, info, phantoms)
        agreement = min(agreement, *map(_lower_dice, before, after))
    if agreement < LOWEST_AGREEMENT:
        msg = (
            f"half precision changes the labels that {run / WEIGHTS} gives a phantom: "
            f"Dice {agreement:.6f}, below {LOWEST_AGREEMENT}. Train it for more "
            "epochs, or choose another run."
        )
        raise ModelError(msg)
    truth = [
        dice(overlap_by_lung(phantom.labels, labels)["lungs"])
        for phantom, labels in zip(phantoms, after, strict=True)
    ]
    return (
        f"{len(phantoms)} phantoms: lowest Dice against the run {agreement:.6f}, "
        f"against the truth {min(truth):.4f}, mean {np.mean(truth):.4f}"
    )


def _label(
    folder: Path, engine: str, info: ModelInfo, phantoms: list[Phantom]
) -> list[LabelMap]:
    model = load_model(
        ModelFolder(name=str(folder), root=folder, results=RunFolder(folder)),
        engine=engine,
    )
    model.predictor.info = info  # with the new threshold
    return [model.label_image(phantom.image) for phantom in phantoms]


def _lower_dice(one: LabelMap, other: LabelMap) -> float:
    """Return the Dice of the lung in which two label maps differ more."""
    counts = overlap_by_lung(one, other)
    scores = [dice(counts[side]) for side in ("right", "left")]
    return min(1.0 if np.isnan(score) else score for score in scores)  # both empty


if __name__ == "__main__":
    typer.run(bundle)
