"""Random but plausible versions of a CXR, drawn on the device as one layer.

Image and mask are warped by one resampling, so the mask stays glued to the lungs.
No flips: they would swap the sides of heart and lungs. Here the gray values are those
of a file; the network's first layer normalizes them. Every draw depends on (seed,
epoch, step) alone, so a resumed run continues with the draws it would have had.
"""

from typing import Any, Final

import keras
import numpy as np
from keras import ops
from numpy.typing import NDArray

from lungcli.anatomy import ANY_OF, BACKGROUND, LUNG_LABELS
from lungcli.nn.fused import fused
from lungcli.nn.planes import Planes
from lungcli.nn.warping import (
    box,
    coordinates,
    field,
    low_resolution,
    sample_bilinear,
)

ROTATION: Final = 0.19  # radians, about 11 degrees
LOG_SCALE: Final = 0.22  # 0.8 to 1.25
LOG_ASPECT: Final = 0.25  # data sets were squashed to squares, users' images are not
SHEAR: Final = 0.1
SHIFT: Final = 0.1  # of the image's side
BEND: Final = 0.025  # of the image's side, at each knot of the elastic grid
KNOTS: Final = 5  # across; of the elastic grid and of the shading
LOG_GAMMA: Final = 0.5  # 0.6 to 1.65
LOG_CONTRAST: Final = 0.3
BRIGHTNESS: Final = 0.15
SHADING: Final = 0.12  # an uneven exposure
NOISE: Final = 0.05
BLUR: Final = 1.0  # 1 is a copy at a quarter of the resolution, -1 as much sharper
BLUR_SHARE: Final = 0.3  # of the images
LOG_SQUEEZE: Final = 2.8  # down to 16 of 256 levels
SQUEEZE_SHARE: Final = 0.3
COLLIMATION: Final = 0.15  # of the image's side, at each border
COLLIMATION_SHARE: Final = 0.3
DEVICE: Final = 0.3  # of the image's side; the box that hides what is below it
DEVICE_SHARE: Final = 0.25
MARKER: Final = 0.2  # of the image's side; letters and name plates
MARKER_SHARE: Final = 0.3
INVERSION: Final = 0.1  # share of images with inverted polarity
PADDING_SHARE: Final = 0.5  # of the images; what lies around them is exactly black

_DRAWS_PER_EPOCH = 2**20


class Augment(keras.Layer):
    """Warp a CXR and its label map together, then change the gray values.

    Args:
        strength: Factor on every range and share; 1 is as wide as above, 0 changes
            nothing. The box of a device has the same sizes at any strength.
        seed: Same seed and epoch, same draws.
        planes: What becomes of the label maps.
    """

    def __init__(
        self,
        *,
        strength: float = 1.0,
        seed: int = 0,
        planes: Planes | None = None,
        **kwargs: Any,
    ) -> None:
        # bfloat16 pixel coordinates would be too coarse
        super().__init__(dtype="float32", **kwargs)
        self.strength = strength
        self.seed = seed
        self.planes = planes or Planes()
        self.generator = keras.random.SeedGenerator(seed)

    def begin_epoch(self, epoch: int) -> None:
        """Jump to the draws of an epoch, counted from 0."""
        counter = (epoch * _DRAWS_PER_EPOCH) % 2**31
        self.generator.state.assign([self.seed, counter])

    def call(self, pair: dict[str, Any]) -> dict[str, Any]:
        """Return the pair, changed.

        Args:
            pair: `image`, float32 `(batch, side, side, 1)` in [0, 1], and `mask`, the
                label map, uint8 of the same shape.

        Returns:
            `image` of the same shape and range, and `planes`: the share of each
            structure in each pixel, float32 `(batch, planes, side, side)`. Where
            there was no image there is no structure, and the image is black before
            its gray values are changed.
        """
        image, labels = pair["image"], pair["mask"]
        if self.strength == 0:
            return {"image": image, "planes": self.planes.split(labels)}
        draws = self._draw(ops.shape(image)[0], image.shape[1])
        image = _redraw(_refocus(image, draws["blur"]), draws)
        warped = [self._warp(labels, label, draws) for label in self.planes.wanted]
        return {"image": image, "planes": ops.stack(warped, axis=1)}

    def _warp(self, labels: Any, label: int, draws: dict[str, Any]) -> Any:
        plane = self.planes.of(labels, label)
        if label == BACKGROUND:  # which is what lies around the image, too
            return 1.0 - _warp_mask(1.0 - plane, draws)
        return _warp_mask(plane, draws)

    def _draw(self, batch: Any, side: int) -> dict[str, Any]:
        """Draw all that is random; the rest is arithmetic.

        The noise is one pattern for the batch, of another strength and sign in each
        image: a pattern each would cost as much as all the rest.
        """
        one, grid = (batch, 1, 1), (batch, KNOTS, KNOTS)
        pattern = keras.random.normal((1, side, side), seed=self.generator)
        return {
            "angle": self._spread(one, ROTATION),
            "scale": self._spread(one, LOG_SCALE),
            "aspect": self._spread(one, LOG_ASPECT / 2),
            "shear": self._spread(one, SHEAR),
            "shift": self._spread((2, *one), SHIFT * side),
            "bend": self._spread((2, *grid), BEND * side),
            "margins": ops.abs(self._spread((4, *one), COLLIMATION))
            * self._chosen((4, *one), 0.5 / self.strength)
            * self._chosen(one, COLLIMATION_SHARE),
            "borders": keras.random.uniform((4, *one), seed=self.generator),
            "blur": self._spread(one, BLUR) * self._chosen(one, BLUR_SHARE),
            "gamma": ops.exp(self._spread(one, LOG_GAMMA)),
            "contrast": ops.exp(self._spread(one, LOG_CONTRAST)),
            "brightness": self._spread(one, BRIGHTNESS),
            "shading": self._spread(grid, SHADING),
            "inverted": self._chosen(one, INVERSION),
            "noise": pattern * self._spread(one, NOISE),
            "squeeze": ops.exp(
                -ops.abs(self._spread(one, LOG_SQUEEZE))
                * self._chosen(one, SQUEEZE_SHARE)
            ),
            "darkest": keras.random.uniform(one, seed=self.generator),
            "device": keras.random.uniform((5, *one), seed=self.generator),
            "hidden": self._chosen(one, DEVICE_SHARE),
            "marker": keras.random.uniform((5, *one), seed=self.generator),
            "marked": self._chosen(one, MARKER_SHARE),
            "padded": self._chosen(one, PADDING_SHARE),
        }

    def _spread(self, shape: tuple[Any, ...], reach: float) -> Any:
        """Draw numbers around 0."""
        reach *= self.strength
        return keras.random.uniform(shape, -reach, reach, seed=self.generator)

    def _chosen(self, shape: tuple[Any, ...], share: float) -> Any:
        """Draw 1 for a share of the images, 0 for the others."""
        draws = keras.random.uniform(shape, seed=self.generator)
        return ops.cast(draws < share * self.strength, "float32")


@fused
def _refocus(image: Any, blur: Any) -> Any:
    """Blur some images towards a lower resolution, and sharpen others."""
    image = image[..., 0]
    return image + blur * (low_resolution(image) - image)


@fused
def _redraw(image: Any, draws: dict[str, Any]) -> Any:
    """Warp the image, change its gray values, and lay over it what is no anatomy.

    What is laid over comes last: a marker at full white stays at full white, however
    dark the chest beside it has become.
    """
    side = image.shape[1]
    rows, columns = coordinates(side, draws)
    image = _recolour(sample_bilinear(image, rows, columns), draws)
    image = draws["darkest"] * (1.0 - draws["squeeze"]) + draws["squeeze"] * image
    image = _hide(image, draws["device"], DEVICE, draws["hidden"])
    image = _hide(image, draws["marker"], MARKER, draws["marked"])
    image = _frame(image, draws)
    return (image * (1.0 - draws["padded"] * _outside(rows, columns, side)))[..., None]


@fused
def _warp_mask(mask: Any, draws: dict[str, Any]) -> Any:
    """Warp and crop a plane `(batch, side, side)`; labels must not be interpolated."""
    side = mask.shape[1]
    mask = ops.cast(mask, "float32")
    return sample_bilinear(mask, *coordinates(side, draws)) * _window(side, draws)


def _outside(rows: Any, columns: Any, side: int) -> Any:
    """Return 1 where there was no image, 0 where it comes from."""
    inside = (rows > -1) & (rows < side) & (columns > -1) & (columns < side)
    return 1.0 - ops.cast(inside, "float32")


def _window(side: int, draws: dict[str, Any]) -> Any:
    """Return 0 on the borders that collimator or apron leave, 1 inside."""
    top, bottom, left, right = (draws["margins"][border] for border in range(4))
    return box(side, top, 1.0 - bottom, left, 1.0 - right)


def _frame(image: Any, draws: dict[str, Any]) -> Any:
    """Lay the borders over the image, each of one gray value."""
    side, margins = image.shape[1], draws["margins"]
    gray = [_extreme(draws["borders"][border]) for border in range(4)]
    for border, inner in enumerate(
        (
            box(side, margins[0], 2.0, -1.0, 2.0),
            box(side, -1.0, 1.0 - margins[1], -1.0, 2.0),
            box(side, -1.0, 2.0, margins[2], 2.0),
            box(side, -1.0, 2.0, -1.0, 1.0 - margins[3]),
        )
    ):
        image = inner * image + (1.0 - inner) * gray[border]
    return image


def _extreme(draw: Any) -> Any:
    """Turn a number in [0, 1] into a gray value: black, white, or between; as often."""
    return ops.clip(3.0 * draw - 1.0, 0.0, 1.0)


def _recolour(image: Any, draws: dict[str, Any]) -> Any:
    image = ops.exp(draws["gamma"] * ops.log(ops.clip(image, 1e-4, 1.0)))
    image = (image - 0.5) * draws["contrast"] + 0.5 + draws["brightness"]
    image += field(draws["shading"], image.shape[1])
    image += draws["inverted"] * (1.0 - 2.0 * image)
    return ops.clip(image + draws["noise"], 0.0, 1.0)


def _hide(image: Any, draw: Any, largest: float, chosen: Any) -> Any:
    """Lay a box of one gray value over some images, as a device or a plate would lie.

    Args:
        image: `(batch, side, side)`.
        draw: Height, width, row, column and gray value, in [0, 1], `(5, batch, 1, 1)`.
        largest: Side of the box, in shares of the image's.
        chosen: 1 for the images that get one, `(batch, 1, 1)`.
    """
    height, width, y, x = (draw[number] for number in range(4))
    height, width = height * largest, width * largest
    top, left = y * (1.0 - height), x * (1.0 - width)
    covered = box(image.shape[1], top, top + height, left, left + width)
    return image + covered * chosen * (_extreme(draw[4]) - image)


def draw_augmented(
    image: NDArray[np.uint8],
    labels: NDArray[np.uint8],
    *,
    draws: int,
    strength: float = 1.0,
    seed: int = 0,
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Draw versions of one CXR as training would see them.

    Args:
        image: CXR, uint8 `(side, side)`.
        labels: Label map of the same shape.
        draws: Number of versions.
        strength: As in `Augment`.
        seed: As in `Augment`.

    Returns:
        Images and label maps, each uint8 `(draws, side, side)`.
    """
    shown = {*LUNG_LABELS, *np.unique(labels[labels < ANY_OF]).tolist()} - {BACKGROUND}
    planes = Planes(labels=tuple(sorted(shown)))
    layer = Augment(strength=strength, seed=seed, planes=planes)
    batch = {
        "image": np.repeat(image[None, ..., None] / np.float32(255), draws, axis=0),
        "mask": np.repeat(labels[None, ..., None], draws, axis=0),
    }
    drawn = layer(batch)
    images = ops.convert_to_numpy(drawn["image"])[..., 0]
    shares = ops.convert_to_numpy(drawn["planes"])
    background = 1.0 - shares.sum(axis=1, keepdims=True)
    likeliest = np.concatenate([background, shares], axis=1).argmax(axis=1)
    names = np.array([BACKGROUND, *planes.labels], np.uint8)
    return np.rint(images * 255).astype(np.uint8), names[likeliest]
