"""The gate: is this an upright frontal CXR with bright bones, by its pixels alone?"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, Self

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from lungcli.arrays import Gray
from lungcli.errors import ModelError
from lungcli.model.onnx_session import open_session

if TYPE_CHECKING:
    import onnxruntime

GATE_ONNX: Final = "gate.onnx"
GATE_JSON: Final = "gate.json"
SIDE: Final = 64  # pixels; what the network sees
_MODEL: Final = Path(__file__).parents[1] / "models" / "gate"
GATE_FILES: Final = (_MODEL / GATE_ONNX, _MODEL / GATE_JSON)  # all it depends on
_WINDOW: Final = (1.0, 99.0)  # percentiles that become black and white


@dataclass(frozen=True, slots=True, kw_only=True)
class Thresholds:
    """How probable each claim must be before it is made.

    Attributes:
        turned: For a quarter turn other than none.
        inverted: For dark bones.
        mirrored: For the heart on the wrong side.
        other: For anything but a frontal chest: one minus the chest's probability.
    """

    turned: float
    inverted: float
    mirrored: float
    other: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Appearance:
    """What an image looks like; a claim is made only where the gate is sure.

    No claim but `frontal_chest` is made of what is no frontal chest. Probabilities
    are the network's, before any threshold.

    Attributes:
        quarter_turns: Counter-clockwise turns (`numpy.rot90`) that set it upright.
        inverted: Bones are dark.
        mirrored: The heart is on the wrong side once upright: a swapped side or
            dextrocardia, which pixels cannot tell apart.
        frontal_chest: False only where it surely is none.
        turn_probabilities: Of 0, 1, 2 and 3 quarter turns; they add up to 1.
        inverted_probability: In [0, 1].
        mirrored_probability: In [0, 1].
        chest_probability: In [0, 1].
    """

    quarter_turns: int
    inverted: bool
    mirrored: bool
    frontal_chest: bool
    turn_probabilities: tuple[float, float, float, float]
    inverted_probability: float
    mirrored_probability: float
    chest_probability: float


class Gate:
    """A tiny network with four answers, and how sure it must be of each.

    Safe to share between threads.
    """

    def __init__(
        self, session: "onnxruntime.InferenceSession", thresholds: Thresholds
    ) -> None:
        self._session = session
        self._input = session.get_inputs()[0].name
        self._thresholds = thresholds

    @classmethod
    def load(cls, folder: Path = _MODEL) -> Self:
        """Open the gate that comes with the package, or another one.

        Args:
            folder: Holds `gate.onnx` and `gate.json`.

        Raises:
            ModelError: If one of them is missing or broken.
        """
        thresholds = _thresholds(folder / GATE_JSON)
        return cls(open_session(folder / GATE_ONNX, threads=1), thresholds)

    def look(self, pixels: Gray) -> Appearance:
        """Say what an image looks like.

        Args:
            pixels: CXR of any size and aspect, shape `(height, width)`.
        """
        return judge(self.answer(shrink(pixels)), self._thresholds)

    def answer(self, thumbnail: Gray) -> NDArray[np.float32]:
        """Return the logits of a thumbnail from `shrink`, shape `(7,)`."""
        batch = eight_views(standardize(thumbnail))
        (logits,) = self._session.run(None, {self._input: batch})
        return join_views(logits)


def shrink(pixels: Gray) -> Gray:
    """Squash an image to the network's square, antialiased.

    The aspect goes: it tells little, and the square needs no padding, whose black is
    white on an inverted image.

    Args:
        pixels: Shape `(height, width)`.

    Returns:
        Shape `(64, 64)`.
    """
    image = Image.fromarray(pixels)
    smooth = Image.Resampling.BILINEAR  # a triangle, widened when shrinking
    return np.asarray(image.resize((SIDE, SIDE), smooth, reducing_gap=2.0))


def standardize(thumbnail: Gray) -> NDArray[np.float32]:
    """Stretch the gray levels to [0, 1]: exposure tells nothing.

    Inverting commutes with it. A constant image becomes 0.

    Args:
        thumbnail: Shape `(64, 64)`.

    Returns:
        Same shape.
    """
    low, high = np.percentile(thumbnail, _WINDOW)
    scale = 1.0 / (high - low) if high > low else 0.0
    stretched = (thumbnail.astype(np.float32) - np.float32(low)) * np.float32(scale)
    return np.asarray(np.clip(stretched, 0.0, 1.0), dtype=np.float32)


def eight_views(image: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return what one may see of a film: four turns, then the four of its back.

    Args:
        image: Shape `(64, 64)`.

    Returns:
        Shape `(8, 64, 64, 1)`.
    """
    sides = (image, np.fliplr(image))
    views = [np.rot90(side, turns) for side in sides for turns in range(4)]
    return np.stack(views)[..., None]


def join_views(logits: NDArray[np.float32]) -> NDArray[np.float32]:
    """Average what the network says of the eight views of one image.

    Whoever turns or mirrors the image then turns or mirrors the answer, exactly: no
    way to lie is found more readily than another.

    Args:
        logits: Of `eight_views`, shape `(8, 7)`: four quarter turns that set it
            upright, inverted, mirrored, frontal chest.

    Returns:
        Shape `(7,)`, of the image as it came.

    References:
        Cohen and Welling (2016), Group equivariant convolutional networks,
        https://arxiv.org/abs/1602.07576 (the group p4m)
    """
    front, back = logits[:4], logits[4:]
    turns = [np.roll(row[:4], turned) for turned, row in enumerate(front)]
    # from behind, a film turned one way is turned the other way
    turns += [np.roll(row[:4], turned)[[0, 3, 2, 1]] for turned, row in enumerate(back)]
    inverted, _, chest = logits[:, 4:].mean(axis=0)
    mirrored = (front[:, 5].mean() - back[:, 5].mean()) / 2
    rest = np.array([inverted, mirrored, chest], np.float32)
    return np.concatenate([np.mean(turns, axis=0), rest])


def judge(logits: NDArray[np.float32], thresholds: Thresholds) -> Appearance:
    """Turn logits into claims.

    Args:
        logits: From `join_views`.
        thresholds: How probable each claim must be.
    """
    weights = np.exp(logits[:4] - logits[:4].max())
    turns = [float(value) for value in weights / weights.sum()]
    inverted, mirrored, chest = (float(value) for value in _sigmoid(logits[4:]))
    frontal = 1.0 - chest < thresholds.other
    likeliest = int(np.argmax(turns))
    sure = frontal and turns[likeliest] >= thresholds.turned
    return Appearance(
        quarter_turns=likeliest if sure else 0,
        inverted=frontal and inverted >= thresholds.inverted,
        mirrored=frontal and mirrored >= thresholds.mirrored,
        frontal_chest=frontal,
        turn_probabilities=(turns[0], turns[1], turns[2], turns[3]),
        inverted_probability=inverted,
        mirrored_probability=mirrored,
        chest_probability=chest,
    )


def _thresholds(path: Path) -> Thresholds:
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        return Thresholds(**document["thresholds"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        msg = (
            f"cannot read the gate's thresholds {path} ({type(error).__name__}: "
            f"{error}). Install lungcli again."
        )
        raise ModelError(msg) from error


def _sigmoid(logits: NDArray[np.float32]) -> NDArray[np.float64]:
    return 1.0 / (1.0 + np.exp(-logits.astype(np.float64)))
