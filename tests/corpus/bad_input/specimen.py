"""One file of the corpus, and what must become of it."""

from dataclasses import dataclass
from functools import cache
from io import BytesIO

import numpy as np
from PIL import Image

from lungcli.phantom import draw_phantom

HEIGHT, WIDTH = 72, 64
CUTS = tuple(range(0, 100, 5))  # % of a file


@dataclass(frozen=True, kw_only=True)
class Specimen:
    """A file.

    Attributes:
        name: Of the file.
        content: Of the file.
        pixels: What must be read, shape `(height, width)`; None if it must be refused,
            or may be.
        tolerance: Largest mean difference to them, in gray levels of 256.
        says: Regular expression that the refusal must match; empty if reading it is as
            good as refusing it.
    """

    name: str
    content: bytes
    pixels: np.ndarray | None = None
    tolerance: float = 0.0
    says: str = ""


@cache
def phantom():
    """Return an upright gray X-ray, 72 rows by 64 columns, and its label map."""
    drawn = draw_phantom(3, 96)
    box = np.s_[12 : 12 + HEIGHT, 16 : 16 + WIDTH]
    return drawn.image[box], drawn.labels[box]


@cache
def xray():
    """Return the X-ray alone; its last row is not black."""
    return phantom()[0]


def save(image, kind, **options):
    """Return the bytes of an image in a format of Pillow's."""
    if not isinstance(image, Image.Image):
        image = Image.fromarray(image)
    file = BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def cut(name, content, says):
    """Return a file cut off at every 5 %."""
    stem, _, suffix = name.rpartition(".")
    return [
        Specimen(
            name=f"{stem}-cut-{percent:02}.{suffix}",
            content=content[: len(content) * percent // 100],
            says=says if percent else "empty",
        )
        for percent in CUTS
    ]
