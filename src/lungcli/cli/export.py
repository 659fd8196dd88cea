"""`lungcli export`: a model in, the same network for another program out."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lungcli.cli.options import AsJson, Model
from lungcli.cli.output import out, print_json, print_note, print_paths
from lungcli.cli.progress import progress_bars
from lungcli.model.export_formats import Precision, Target

if TYPE_CHECKING:
    from lungcli.workflows.exporting.export import Exported


def export(
    to: Annotated[
        Target,
        typer.Option(
            help="ONNX Runtime and others; TensorFlow and its server; LiteRT on phones."
        ),
    ],
    precision: Annotated[
        Precision,
        typer.Option(
            help="float16 is half as large; int8 a quarter, and computes in 8 bits."
        ),
    ] = Precision.FLOAT32,
    model: Model = None,
    data: Annotated[
        list[str] | None,
        typer.Option(
            "--data",
            "-d",
            metavar="PATH",
            help="Prepared data set or X-rays to compare on, and to calibrate int8 "
            "with; repeat it for several.",
            show_default="phantoms",
        ),
    ] = None,
    out_path: Annotated[
        Path | None,
        typer.Option(
            "--out",
            "-o",
            help="File, or the folder of a saved-model.",
            show_default="lungs-<precision>.onnx, .tflite or lungs-saved-model in the "
            "run folder, or here if bundled",
            readable=False,
        ),
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Replace an earlier export.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Write a network for another program, with all that it must know beside it.

    The masks of the exported network are compared with the original's first. A JSON
    file of the same name says how to prepare an X-ray and what to make of the result.
    """
    from lungcli.workflows.exporting import export as workflow  # takes a moment

    settings = workflow.ExportSettings(to=to, precision=precision, force=force)
    with progress_bars() as progress:
        exported = workflow.export(
            model,
            settings=settings,
            data=tuple(data or ()),
            out=out_path,
            progress=progress,
            announce=print_note,
        )
    if as_json:
        print_json(exported.to_dict())
    else:
        _show(exported)


def _show(exported: "Exported") -> None:
    parity = exported.card["parity"]
    scores, inputs = parity["dice"], parity["inputs"]
    out.print(
        f"{exported.num_bytes / 1e6:.1f} MB; Dice against the original: lowest "
        f"{scores['lowest']:.4f}, mean {scores['mean']:.4f} ({inputs['count']} X-rays: "
        f"{inputs['kind']})",
        highlight=False,
        markup=False,
        soft_wrap=True,
    )
    print_paths(out, [exported.path, exported.card_path])
