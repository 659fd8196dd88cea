"""Parts of the X-ray that cannot be seen."""

import math
from typing import Final

import numpy as np
from numpy.random import Generator

from lungcli.arrays import LEFT, RIGHT
from lungcli.masks.regions import bounding_box
from lungcli.perturbations.intensity import squeeze
from lungcli.perturbations.sample import Sample

METAL = 255  # a generator or a plate with text absorbs everything
SQUEEZED: Final = (30, 110)  # black and white below a marker, as a hospital's were


def occlude(sample: Sample, percent: float, rng: Generator) -> Sample:
    """Lay a white box over a lung; the reference keeps the lung below it.

    A radiologist outlines the lung behind a pacemaker, too. A larger box covers the
    smaller one of the same draws.

    Args:
        sample: What is changed; as it was where it has no lung.
        percent: Height and width of the box in percent of those of the lung's
            bounding box: 100 hides the lung.
        rng: Draws the lung and where on it the box lies.
    """
    lungs = [lung for lung in (RIGHT, LEFT) if (sample.labels == lung).any()]
    if not lungs:
        return sample
    lung = lungs[int(rng.integers(len(lungs)))]
    image = sample.image.copy()
    rows, columns = (
        _part(span, percent / 100, rng.random())
        for span in bounding_box(sample.labels == lung)
    )
    image[rows, columns] = METAL
    return sample._replace(image=image)


def add_marker(sample: Sample, percent: float, rng: Generator) -> Sample:
    """Burn a white plate into a corner of a chest that is squeezed into dark grays.

    As where the scale of gray values was made for the plate: it alone is white, and
    black to white of the chest become `SQUEEZED`, whatever the plate's size. The
    reference keeps the lung below it. A larger plate covers the smaller one of the
    same draws.

    Args:
        sample: What is changed.
        percent: Area of the plate in percent of the image's. It has the proportions
            of the image: 25 covers half of its height and half of its width.
        rng: Draws the corner.
    """
    image = squeeze(sample.image, *SQUEEZED)
    corner = rng.integers(2, size=2)  # low or high end of the rows, and the columns
    rows, columns = (
        _part(slice(0, length), math.sqrt(percent / 100), int(end))
        for length, end in zip(image.shape, corner, strict=True)
    )
    image[rows, columns] = METAL
    return sample._replace(image=image)


def collimate(sample: Sample, percent: float, rng: Generator) -> Sample:
    """Close the collimator: a black border, outside of which nothing was exposed.

    The lungs are cut at the border: what is not in the picture cannot be segmented,
    and is no longer in the reference.

    Args:
        sample: What is changed.
        percent: Width of the border in percent: of the height above and below, of the
            width left and right.
        rng: Not used.
    """
    del rng
    margins = [(length, round(length * percent / 100)) for length in sample.image.shape]
    inner = tuple(slice(margin, length - margin) for length, margin in margins)
    image, labels = np.zeros_like(sample.image), np.zeros_like(sample.labels)
    image[inner], labels[inner] = sample.image[inner], sample.labels[inner]
    return Sample(image, labels)


def _part(span: slice, share: float, place: float) -> slice:
    """Return a share of a span, at `place` in [0, 1] from its low to its high end."""
    length = span.stop - span.start
    low = span.start + length * place * (1 - share)
    return slice(round(low), round(low + length * share))
