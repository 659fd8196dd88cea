"""Draw polygons and strokes of the patient's frame into arrays of thickness."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw
from scipy import ndimage

from lungcli.phantom.curves import Points, normals

Field = NDArray[np.float32]  # (size, size), one value per pixel of the picture

_SUPERSAMPLING = 2  # hard edges at pixel level give a drawing away


@dataclass(frozen=True, slots=True, kw_only=True)
class Placement:
    """Where the patient stands before the detector: an affine map to the picture.

    Attributes:
        scale: Factors of x and y; they differ as in images squashed to a square.
        angle: Rotation in radians, clockwise in the picture.
        shift: Added last, in sides of the picture.
    """

    scale: tuple[float, float]
    angle: float
    shift: tuple[float, float]

    def to_picture(self, points: Points) -> Points:
        """Map points of the patient's frame to the picture, [0, 1] inside it."""
        x = points[:, 0] * self.scale[0]
        y = (points[:, 1] - 0.5) * self.scale[1]
        cosine, sine = np.cos(self.angle), np.sin(self.angle)
        turned = np.stack([cosine * x - sine * y, sine * x + cosine * y], axis=1)
        return np.asarray(turned + 0.5 + np.asarray(self.shift))

    @property
    def mean_scale(self) -> float:
        """The factor by which widths grow."""
        return 0.5 * (self.scale[0] + self.scale[1])


class Canvas:
    """An empty field to draw on; later shapes replace earlier ones.

    Args:
        size: Side of the picture in pixels.
        placement: How the patient's frame lies in it.
        mode: Pillow's; "F" for values of any size, "L" for 0 to 255.
    """

    def __init__(self, size: int, placement: Placement, mode: str = "F") -> None:
        self._placement = placement
        self._side = size * _SUPERSAMPLING
        self._image = Image.new(mode, (self._side, self._side))
        self._draw = ImageDraw.Draw(self._image)

    def polygon(self, points: Points, value: float = 1.0) -> None:
        """Fill a closed polygon."""
        corners = self._pixels(points)
        self._draw.polygon([tuple(corner) for corner in corners], fill=value)

    def line(self, points: Points, width: float, value: float) -> None:
        """Draw a line; one thinner than a pixel becomes as much fainter."""
        wanted = width * self._placement.mean_scale * self._side
        drawn = max(1, round(wanted))
        self._draw.line(
            [tuple(point) for point in self._pixels(points)],
            fill=value * min(1.0, wanted / drawn),
            width=drawn,
            joint="curve" if drawn > 2 else None,
        )

    def ribbon(
        self,
        points: Points,
        widths: NDArray[np.float64],
        values: NDArray[np.float64],
    ) -> None:
        """Draw a band whose width and value change along it, as `(n,)` arrays."""
        offset = 0.5 * widths[:, None] * normals(points)
        above, below = self._pixels(points - offset), self._pixels(points + offset)
        for i in range(len(points) - 1):
            quad = (above[i], above[i + 1], below[i + 1], below[i])
            self._draw.polygon(
                [tuple(corner) for corner in quad],
                fill=float(0.5 * (values[i] + values[i + 1])),
            )

    def field(self) -> Field:
        """Return what was drawn, antialiased."""
        return np.array(self._image.reduce(_SUPERSAMPLING), dtype=np.float32)

    def _pixels(self, points: Points) -> Points:
        # Pillow's coordinates name pixel centres, ours the pixels' corners.
        return self._placement.to_picture(points) * self._side - 0.5


def blur(field: Field, sigma: float) -> Field:
    """Return a Gaussian blur; `sigma` is in sides of the picture.

    A wide one is computed on a smaller copy, in a fraction of the time.
    """
    pixels = sigma * len(field)
    step = max(1, int(pixels / 1.5))
    small = ndimage.gaussian_filter(
        field[::step, ::step], pixels / step, mode="nearest", truncate=3.0
    )
    return enlarge(np.asarray(small, dtype=np.float32), step, len(field))


def enlarge(small: Field, step: int, size: int) -> Field:
    """Return the field of `size` of which `small` is every `step`-th row and column.

    Linear interpolation between them; beyond the last one it stays constant.
    """
    if step == 1:
        return small
    at = np.arange(size) / step
    low = np.minimum(at.astype(int), len(small) - 1)
    high = np.minimum(low + 1, len(small) - 1)
    share = (at - low).astype(np.float32)
    rows = small[low] * (1 - share[:, None]) + small[high] * share[:, None]
    return np.asarray(rows[:, low] * (1 - share) + rows[:, high] * share)
