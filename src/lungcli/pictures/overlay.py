"""Label maps drawn on chest X-rays: outlines, tints, common picture sizes."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from lungcli.anatomy import IGNORE, LUNGS, STRUCTURES, Structure
from lungcli.arrays import Gray, LabelMap, Mask, Rgb
from lungcli.masks.labels import threshold_planes
from lungcli.masks.regions import bounding_box
from lungcli.pictures.colours import BLACK, WHITE, Colour

_PIXELS_PER_LINE = 320  # longer side per pixel of line width: 1 at 224, 2 at 512
_HALF = 128  # of 255


def fit_picture(
    image: Gray, label_maps: Sequence[LabelMap | None], side: int
) -> tuple[Gray, list[LabelMap | None]]:
    """Bring an X-ray and its label maps to one picture size, keeping the aspect.

    Args:
        image: CXR, shape `(height, width)`.
        label_maps: Any number of label maps on the same grid; None stays None.
        side: Longer side of the result in pixels.

    Returns:
        The X-ray, smoothed before it is reduced, and the label maps. A reduced pixel
        is lung where lung covers at least half of it, and takes the side that covers
        more; it is another structure, or unknown, where that covers at least half and
        more than lung. Enlarged pixels stay squares.

    Raises:
        ValueError: If a label map has another shape than the image.
    """
    for labels in label_maps:
        check_grid(image, labels)
    scale = side / max(image.shape)
    height, width = (max(1, round(length * scale)) for length in image.shape)
    smooth = Image.Resampling.LANCZOS
    picture = Image.fromarray(image).resize((width, height), smooth, reducing_gap=3.0)
    fitted = [
        None if labels is None else _fit_labels(labels, (width, height))
        for labels in label_maps
    ]
    return np.asarray(picture), fitted


def outline(
    image: Gray,
    labels: LabelMap | None,
    *,
    reference: LabelMap | None = None,
    thickness: int | None = None,
) -> Rgb:
    """Draw the borders of all structures on an X-ray.

    The line is made of the mask's own outermost pixels, so what it encloses,
    including itself, is exactly the mask. The reference lies below: it shows only
    where the two differ.

    Args:
        image: CXR, shape `(height, width)`; not changed.
        labels: Predicted label map of the same shape; None draws none.
        reference: The expert's label map, as a line of black and white dashes that
            shows on air and on bone.
        thickness: Line width in pixels; by default it grows with the picture.

    Returns:
        Picture of shape `(height, width, 3)`.

    Raises:
        ValueError: If a label map has another shape than the image.
    """
    check_grid(image, labels)
    check_grid(image, reference)
    width = line_width(max(image.shape)) if thickness is None else thickness
    picture = to_rgb(image)
    if reference is not None:
        for each in STRUCTURES:
            _draw_dashes(picture, border(reference == each.label, width), 4 * width)
    if labels is not None:
        draw_borders(picture, labels, width)
    return picture


def draw_borders(picture: Rgb, labels: LabelMap, thickness: int) -> None:
    """Draw the borders of all structures into `picture`, each in its colour."""
    for each in STRUCTURES:
        picture[border(labels == each.label, thickness)] = each.colour


def structures_in(*label_maps: LabelMap | None) -> tuple[Structure, ...]:
    """Return what pictures of some label maps tell of: lungs, and what else is there.

    Examples:
        >>> [each.key for each in structures_in(np.array([[0, 3]], np.uint8), None)]
        ['right', 'left', 'heart']
    """
    given = [labels for labels in label_maps if labels is not None]
    others = STRUCTURES[len(LUNGS) :]
    found = [s for s in others if any((each == s.label).any() for each in given)]
    return (*LUNGS, *found)


def border(mask: Mask, thickness: int) -> Mask:
    """Return the mask's own pixels that lie within `thickness` of its outside.

    What lies beyond the image counts as outside. Layers are peeled off by turns
    over 4 and 8 neighbours, which keeps a line equally wide in every direction.

    Examples:
        >>> import numpy as np
        >>> border(np.ones((3, 3), dtype=bool), 1).astype(int)
        array([[1, 1, 1],
               [1, 0, 1],
               [1, 1, 1]])
    """
    line = np.zeros_like(mask)
    if not mask.any():
        return line
    box = bounding_box(mask)
    inner = mask[box]
    for layer in range(thickness):
        inner = _peel(inner, diagonal=layer % 2 == 1)
    line[box] = mask[box] & ~inner
    return line


def tint(picture: Rgb, mask: Mask, colour: Colour, opacity: float) -> None:
    """Blend `colour` into `picture` inside `mask`, in place.

    Args:
        picture: Shape `(height, width, 3)`.
        mask: Shape `(height, width)`.
        colour: Reached exactly at opacity 1.
        opacity: In [0, 1].
    """
    below = picture[mask].astype(np.float32)
    blend = below + opacity * (np.asarray(colour, np.float32) - below)
    picture[mask] = np.rint(blend).astype(np.uint8)


def to_rgb(image: Gray, brightness: float = 1.0) -> Rgb:
    """Return the X-ray as a new picture `(height, width, 3)`, dimmed on demand."""
    levels = np.rint(np.arange(256) * brightness).astype(np.uint8)
    return np.repeat(levels[image][..., None], 3, axis=2)


def line_width(side: int) -> int:
    """Return the width in pixels of a line in a picture of this longer side."""
    return max(1, round(side / _PIXELS_PER_LINE))


def check_grid(image: Gray, labels: LabelMap | None) -> None:
    """Raise ValueError unless the label map lies on the image's pixel grid."""
    if labels is not None and labels.shape != image.shape:
        msg = (
            f"image {image.shape} and label map {labels.shape} must have one shape. "
            "Bring both to the original grid first."
        )
        raise ValueError(msg)


def _draw_dashes(picture: Rgb, line: Mask, length: int) -> None:
    rows, columns = np.nonzero(line)
    dark = (2 * rows + columns) // (2 * length) % 2 == 1
    picture[rows, columns] = np.where(dark[:, None], BLACK, WHITE)


def _fit_labels(labels: LabelMap, size: tuple[int, int]) -> LabelMap:
    channels = [each.label for each in structures_in(labels)]
    if (labels == IGNORE).any():
        channels.append(IGNORE)
    planes = [_coverage(labels == label, size) for label in channels]
    return threshold_planes(planes, threshold=_HALF, channels=channels)


def _coverage(mask: Mask, size: tuple[int, int]) -> NDArray[np.int16]:
    """Return how much of each pixel of the new grid is mask, 0 to 255."""
    picture = Image.fromarray(mask.view(np.uint8) * np.uint8(255))
    resized = picture.resize(size, Image.Resampling.BOX)
    return np.asarray(resized).astype(np.int16)


def _peel(mask: Mask, *, diagonal: bool) -> Mask:
    """Return the mask without the pixels that touch its outside."""
    padded = np.pad(mask, 1)
    rows = padded[:-2] & padded[1:-1] & padded[2:]
    if diagonal:
        return rows[:, :-2] & rows[:, 1:-1] & rows[:, 2:]
    return rows[:, 1:-1] & padded[1:-1, :-2] & padded[1:-1, 2:]
