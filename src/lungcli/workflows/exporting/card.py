"""The JSON file beside an exported network: all that another program must know."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from lungcli._version import __version__
from lungcli.anatomy import BACKGROUND, LUNGS, Structure, named
from lungcli.model.export_formats import INPUT, OUTPUT, Target
from lungcli.model.find import ModelFolder
from lungcli.model.info import ModelInfo, fingerprint, weights_file
from lungcli.workflows.exporting.parity import Parity

FORMAT_VERSION: Final = 1


def describe(
    found: ModelFolder,
    info: ModelInfo,
    *,
    name: str,
    to: str,
    precision: str,
    parity: Mapping[str, Any],
) -> dict[str, Any]:
    """Return the document.

    No path and no name of a case is in it: it is made to be passed on.

    Args:
        found: The model.
        info: What is known of it.
        name: Of the exported file or folder.
        to: Its format.
        precision: Its precision.
        parity: As `describe_parity` returns it.
    """
    size = info.network.size
    batch = 1 if to == Target.LITERT else None
    structures = named(info.network.structures)
    return {
        "format": FORMAT_VERSION,
        "lungcli": __version__,
        "file": name,
        "to": to,
        "precision": precision,
        "model": {
            "name": Path(found.name).name,
            "weights_sha256": fingerprint(weights_file(found.root)),
            "license": info.license or None,
            "convention": info.convention,
            "architecture": info.network.arch,
            "normalization": info.network.normalization,
        },
        "input": {
            "name": INPUT,
            "shape": [batch, size, size, 1],
            "axes": ["batch", "row", "column", "channel"],
            "dtype": "float32",
            "range": [0, 1],
        },
        "preprocessing": _preprocessing(size),
        "output": {
            "name": OUTPUT,
            "shape": [batch, size, size, len(structures)],
            "axes": ["batch", "row", "column", "channel"],
            "dtype": "float32",
            "range": [0, 1],
            "channels": [_words(each) for each in structures],
        },
        "threshold": info.threshold,
        "postprocessing": _postprocessing(structures[len(LUNGS) :]),
        "labels": {
            str(BACKGROUND): "background",
            **{str(each.label): _words(each) for each in structures},
        },
        "parity": dict(parity),
        "use": "research only; not a medical device",
    }


def _words(structure: Structure) -> str:
    return f"the patient's {structure.name}" if structure.side else structure.name


def describe_parity(
    parity: Parity, *, required: float, kind: str, calibrated_on: int
) -> dict[str, Any]:
    """Return the figures, and what they were measured on."""
    only_lungs = parity.num_structures == len(LUNGS)
    which = "lung that differs more" if only_lungs else "structure that differs most"
    return {
        "dice": {
            "mean": parity.mean_dice,
            "lowest": parity.lowest_dice,
            "required": required,
            "of": "label maps of the exported and the original network, cleaned, on "
            f"the X-ray's own grid; of each X-ray, the {which}",
        },
        "largest_difference_of_probability": parity.largest_difference,
        "inputs": {"kind": kind, "count": parity.num_xrays},
        "calibration": {"kind": kind, "count": calibrated_on}
        if calibrated_on
        else None,
    }


def _preprocessing(size: int) -> list[dict[str, Any]]:
    return [
        {
            "step": "gray",
            "does": "one channel of 8 bits; color by luma 0.299 R + 0.587 G + 0.114 B; "
            "DICOM by its modality and VOI LUT or window; other values of more bits "
            "stretched to 0..255",
        },
        {
            "step": "polarity",
            "does": "MONOCHROME2: air dark, bone bright; MONOCHROME1 is inverted",
            "orientation": "upright, the patient's right on the left of the picture",
        },
        {
            "step": "spread",
            "does": "only if the 0.5th and the 99.5th percentile of the image, without "
            "a sixth at each border, are less than 128 apart: stretch these two, and a "
            "quarter of their distance beyond both, to 0..255, clipped",
            "optional": True,
        },
        {
            "step": "resize",
            "does": "the aspect is kept: height and width times size / max(height, "
            "width), rounded, at least 1",
            "size": size,
            "filter": "triangle, widened when shrinking (antialiased), as Pillow's "
            "Image.resize with Resampling.BILINEAR; rounded to 8 bits",
        },
        {
            "step": "pad",
            "does": "to size × size: top = (size - height) // 2, left = (size - width) "
            "// 2; an odd pixel goes below or right",
            "value": 0,
        },
        {
            "step": "scale",
            "does": "float32, divided; what else becomes of the gray values is in the "
            "network",
            "by": 255,
        },
    ]


def _postprocessing(others: Sequence[Structure]) -> list[dict[str, Any]]:
    """Return the steps, with what they do to other structures than the lungs."""
    likewise = "".join(f"; the {each.name} likewise" for each in others)
    instead = "".join(
        f"; it is {each.name} instead where {each.key} >= threshold and {each.key} > "
        "right + left"
        for each in others
    )
    return [
        {
            "step": "clean",
            "does": "drop parts of a lung smaller than a quarter of its largest, and a "
            f"lung smaller than 2 % of the other; fill holes{likewise}",
            "optional": True,
        },
        {"step": "crop", "does": "cut the padding off the probabilities"},
        {
            "step": "resize",
            "does": "the probabilities, not the labels, to the X-ray's height and "
            "width, in float32",
            "filter": "as in preprocessing",
        },
        {
            "step": "threshold",
            "does": "lung where right + left >= threshold; it is the right lung where "
            f"right >= left, otherwise the left one{instead}",
        },
    ]
