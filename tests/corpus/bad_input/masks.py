"""Masks: every usual encoding of the same two lungs, and what is none."""

from dataclasses import dataclass
from functools import cache

import numpy as np
from PIL import Image, ImageFilter

from bad_input import pngs
from bad_input.specimen import phantom, save

PALETTE = bytes([0, 0, 0, 255, 0, 0, 0, 0, 255])


@dataclass(frozen=True, kw_only=True)
class MaskSpecimen:
    """A mask file.

    Attributes:
        name: Of the file.
        content: Of the file.
        labels: Label map that must be read; None if it must be refused.
        most_wrong: Pixels that may have another label.
        says: Regular expression that the refusal must match.
    """

    name: str
    content: bytes
    labels: np.ndarray | None = None
    most_wrong: int = 0
    says: str = ""


@cache
def specimens():
    """Return all mask files."""
    return [*valid(), *damaged()]


def valid():
    """Return what must be read as the phantom's lungs."""
    labels = phantom()[1]
    lung = (labels > 0).astype(np.uint8)
    palette = Image.fromarray(labels)
    palette.putpalette(PALETTE)
    coloured = np.zeros((*labels.shape, 3), np.uint8)
    coloured[labels == 1] = (255, 0, 0)
    coloured[labels == 2] = (0, 0, 255)
    alpha = np.dstack([np.full((*labels.shape, 3), 255, np.uint8), lung * 255])
    soft = Image.fromarray(lung * 255).filter(ImageFilter.BoxBlur(1))
    files = {
        "0-1": lung,
        "0-255": lung * 255,
        "0-128": lung * 128,
        "16-bit": lung.astype(np.uint16) * 65_535,
        "labels": labels,
        "palette": palette,
        "rgb": np.dstack([lung * 255] * 3),
        "colours": coloured,
        "alpha": alpha,
        "1-bit": Image.fromarray(lung * 255).convert("1", dither=Image.Dither.NONE),
        "empty": lung * 0,
        "anti-aliased": soft,
    }
    found = [
        MaskSpecimen(
            name=f"mask-{name}.png",
            content=save(image, "PNG"),
            labels=labels * (name != "empty"),
            most_wrong=40 if name == "anti-aliased" else 0,
        )
        for name, image in files.items()
    ]
    swapped = np.array([0, 2, 1], np.uint8)[labels]
    as_tiff = save((lung / 1).astype(np.float32), "TIFF")
    as_gif = save(lung * 255, "GIF")
    return [
        *found,
        MaskSpecimen(
            name="mask-swapped.png", content=save(swapped, "PNG"), labels=swapped
        ),
        MaskSpecimen(name="mask-float.tif", content=as_tiff, labels=labels),
        MaskSpecimen(name="mask.gif", content=as_gif, labels=labels),
    ]


def damaged():
    """Return what must be refused, or has no lungs in it that can be told."""
    labels = phantom()[1]
    five = labels + np.uint8(3) * (labels > 0)
    noise = np.random.default_rng(0).integers(0, 2, (2000, 2000), np.uint8) * 255
    files = {
        "full": (save(np.full(labels.shape, 255, np.uint8), "PNG"), ""),
        "organs": (save(five, "PNG"), "labels from 0 to 5"),
        "noise": (save(noise, "PNG"), ""),
        "dots": (save(np.kron(np.ones((700, 700)), DOT).astype(np.uint8), "PNG"), ""),
        "stripe": (_stripe(), ""),
        "bomb": (pngs.hostile()[0].content, "more pixels"),
        "tiny-but-large": (pngs.hostile()[4].content, "cut off"),
        "text": (b"no mask", "not an image"),
        "nothing": (b"", "empty"),
    }
    return [
        MaskSpecimen(name=f"mask-{name}.png", content=content, says=says)
        for name, (content, says) in files.items()
    ]


DOT = np.array([[255, 0], [0, 0]])


def _stripe():
    """Return a mask of 40 columns and 300,000 rows: one lung, or half of one?"""
    lines = np.zeros((300_000, 40), np.uint8)
    lines[:, 10:30] = 255
    return save(lines, "PNG")
