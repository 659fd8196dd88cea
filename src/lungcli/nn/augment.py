"""Random but plausible versions of a CXR, drawn on the device as one layer.

Image and mask are warped by one resampling, so the mask stays glued to the lungs.
No flips: they would swap the sides of heart and lungs. Every draw depends on (seed,
epoch, step) alone, so a resumed run continues with the draws it would have had.
"""

from typing import Any, Final

import keras
import numpy as np
from keras import ops
from numpy.typing import NDArray

from lungcli.arrays import LEFT, RIGHT

ROTATION: Final = 0.19  # radians, about 11 degrees
LOG_SCALE: Final = 0.22  # 0.8 to 1.25
LOG_ASPECT: Final = 0.12  # squashed copies of data sets are common
SHEAR: Final = 0.1
SHIFT: Final = 0.1  # of the image's side
BEND: Final = 0.02  # of the image's side, at each knot of the elastic grid
BEND_KNOTS: Final = 5
LOG_GAMMA: Final = 0.47  # 0.63 to 1.6
CONTRAST: Final = 0.25
BRIGHTNESS: Final = 0.12
NOISE: Final = 0.04
INVERSION: Final = 0.05  # share of images with inverted polarity

_DRAWS_PER_EPOCH = 2**20


class Augment(keras.Layer):
    """Warp `{"image", "mask"}` together, then change the image's gray values.

    Args:
        strength: Factor on every range; 1 is the training recipe, 0 changes nothing.
        seed: Same seed and epoch, same draws.
    """

    def __init__(self, *, strength: float = 1.0, seed: int = 0, **kwargs: Any) -> None:
        # bfloat16 pixel coordinates would be too coarse
        super().__init__(dtype="float32", **kwargs)
        self.strength = strength
        self.seed = seed
        self.generator = keras.random.SeedGenerator(seed)

    def begin_epoch(self, epoch: int) -> None:
        """Jump to the draws of an epoch, counted from 0."""
        counter = (epoch * _DRAWS_PER_EPOCH) % 2**31
        self.generator.state.assign([self.seed, counter])

    def call(self, pair: dict[str, Any]) -> dict[str, Any]:
        """Return the pair, changed.

        Args:
            pair: `image`, float32 `(batch, side, side, 1)` in [0, 1], and `mask`,
                float32 `(batch, side, side, channels)`; one channel per structure,
                since labels must not be interpolated.

        Returns:
            The same keys, shapes and ranges. Outside the image the mask is 0 and the
            image black before its gray values are changed.
        """
        image, mask = pair["image"], pair["mask"]
        if self.strength == 0:
            return {"image": image, "mask": mask}
        both = ops.concatenate([image, mask], axis=-1)
        rows, columns = self._coordinates(ops.shape(image)[0], image.shape[1])
        warped = sample_bilinear(both, rows, columns)
        return {"image": self._recolour(warped[..., :1]), "mask": warped[..., 1:]}

    def _uniform(self, shape: tuple[Any, ...], reach: float) -> Any:
        reach *= self.strength
        return keras.random.uniform(shape, -reach, reach, seed=self.generator)

    def _coordinates(self, batch: Any, side: int) -> tuple[Any, Any]:
        """Return the source row and column of each output pixel, in pixels."""
        per_image = (batch, 1, 1)
        angle = self._uniform(per_image, ROTATION)
        scale = self._uniform(per_image, LOG_SCALE)
        aspect = self._uniform(per_image, LOG_ASPECT) / 2.0
        shear = self._uniform(per_image, SHEAR)
        shift = self._uniform((2, batch, 1, 1), SHIFT * side)
        bend = ops.image.resize(
            self._uniform((batch, BEND_KNOTS, BEND_KNOTS, 2), BEND * side),
            (side, side),
            interpolation="bicubic",
            data_format="channels_last",
        )
        centre = (side - 1) / 2.0
        axis = ops.arange(side, dtype="float32") - centre
        y = axis[None, :, None] * ops.exp(-scale - aspect)
        x = axis[None, None, :] * ops.exp(-scale + aspect) + shear * y
        rows = ops.cos(angle) * y + ops.sin(angle) * x + shift[0] + bend[..., 0]
        columns = ops.cos(angle) * x - ops.sin(angle) * y + shift[1] + bend[..., 1]
        return rows + centre, columns + centre

    def _recolour(self, image: Any) -> Any:
        per_image = (ops.shape(image)[0], 1, 1, 1)
        image = ops.power(
            ops.clip(image, 1e-4, 1.0), ops.exp(self._uniform(per_image, LOG_GAMMA))
        )
        contrast = 1.0 + self._uniform(per_image, CONTRAST)
        brightness = 0.5 + self._uniform(per_image, BRIGHTNESS)
        image = (image - 0.5) * contrast + brightness
        inverted = keras.random.uniform(per_image, seed=self.generator)
        image = ops.where(inverted < INVERSION * self.strength, 1.0 - image, image)
        noise = keras.random.normal(ops.shape(image), seed=self.generator)
        image = image + noise * ops.abs(self._uniform(per_image, NOISE))
        return ops.clip(image, 0.0, 1.0)


def sample_bilinear(pixels: Any, rows: Any, columns: Any) -> Any:
    """Read images between their pixels.

    Args:
        pixels: float32 `(batch, height, width, channels)`.
        rows: Where to read, in pixels, float32 `(batch, height, width)`; pixel
            centres are whole numbers.
        columns: The same, across.

    Returns:
        float32 `(batch, height, width, channels)`; 0 outside.
    """
    height, width = pixels.shape[1:3]
    top, left = ops.floor(rows), ops.floor(columns)
    down, right = (rows - top)[..., None], (columns - left)[..., None]

    def at(row: Any, column: Any) -> Any:
        inside = (row >= 0) & (row < height) & (column >= 0) & (column < width)
        row = ops.cast(ops.clip(row, 0, height - 1), "int32")
        column = ops.cast(ops.clip(column, 0, width - 1), "int32")
        first = ops.arange(ops.shape(pixels)[0], dtype="int32") * (height * width)
        flat = ops.reshape(pixels, (-1, pixels.shape[-1]))
        values = ops.take(flat, first[:, None, None] + row * width + column, axis=0)
        return values * ops.cast(inside, "float32")[..., None]

    upper = at(top, left) * (1.0 - right) + at(top, left + 1) * right
    lower = at(top + 1, left) * (1.0 - right) + at(top + 1, left + 1) * right
    return upper * (1.0 - down) + lower * down


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
    layer = Augment(strength=strength, seed=seed)
    batch = {
        "image": np.repeat(image[None, ..., None] / np.float32(255), draws, axis=0),
        "mask": np.repeat(one_hot(labels[None, ..., None]), draws, axis=0),
    }
    drawn = layer(batch)
    images = ops.convert_to_numpy(drawn["image"])[..., 0]
    lungs = ops.convert_to_numpy(drawn["mask"])
    background = 1.0 - lungs.sum(axis=-1, keepdims=True)
    classes = np.concatenate([background, lungs], axis=-1)
    return (
        np.rint(images * 255).astype(np.uint8),
        classes.argmax(axis=-1).astype(np.uint8),
    )


def one_hot(labels: Any) -> Any:
    """Turn a label map `(..., 1)` into float32 lungs `(..., 2)`: right, left."""
    lungs = np.array([RIGHT, LEFT], dtype=np.int32)
    return ops.cast(ops.equal(ops.cast(labels, "int32"), lungs), "float32")
