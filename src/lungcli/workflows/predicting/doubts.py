"""How an X-ray must be turned before the network looks, and what is doubtful of it.

What the tags of a DICOM file say is a fact and is always heeded. What only the pixels
suggest is a doubt, and the user decides what becomes of it.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from lungcli.arrays import Gray, LabelMap, Probabilities
from lungcli.checks.gate import Appearance, Gate
from lungcli.data.levels import levels_of_middle, spread_levels
from lungcli.data.xray import Xray
from lungcli.workflows.predicting.settings import OnDoubt

_TURNS: Final = ("", "90° counter-clockwise", "180°", "90° clockwise")
_LEAST_CONTRAST: Final = 12  # gray values; of 16, nearly all are that far apart


@dataclass(frozen=True, slots=True, kw_only=True)
class Correction:
    """How the stored pixels become an upright CXR with bright bones.

    Attributes:
        quarter_turns: Counter-clockwise, as `numpy.rot90` counts; 0 to 3.
        mirrored: Whether right and left are exchanged after turning.
        inverted: Whether black and white are exchanged.
    """

    quarter_turns: int = 0
    mirrored: bool = False
    inverted: bool = False

    def apply(self, stored: Gray) -> Gray:
        """Return the upright image."""
        image = np.rot90(stored, self.quarter_turns)
        if self.mirrored:
            image = image[:, ::-1]
        return np.ascontiguousarray(255 - image if self.inverted else image)

    def undo(self, upright: LabelMap) -> LabelMap:
        """Return labels of the upright image on the stored grid."""
        labels: LabelMap = self._undo(upright)
        return labels

    def undo_probabilities(self, upright: Probabilities) -> Probabilities:
        """Return probabilities of the upright image on the stored grid."""
        probabilities: Probabilities = self._undo(upright)
        return probabilities

    def _undo(self, upright: np.ndarray) -> np.ndarray:
        turned = upright[:, ::-1] if self.mirrored else upright
        return np.ascontiguousarray(np.rot90(turned, -self.quarter_turns))

    @property
    def words(self) -> tuple[str, ...]:
        """What was corrected, for a table."""
        said = (
            (self.quarter_turns > 0, f"turned {_TURNS[self.quarter_turns]}"),
            (self.mirrored, "mirrored"),
            (self.inverted, "inverted"),
        )
        return tuple(words for applies, words in said if applies)


@dataclass(frozen=True, slots=True, kw_only=True)
class Examined:
    """One X-ray before the network sees it.

    Attributes:
        correction: What to apply.
        doubts: What a person should check.
        refused: Whether the user wants no mask of it.
    """

    correction: Correction
    doubts: tuple[str, ...]
    refused: bool


def examine(xray: Xray, gate: Gate, *, on_doubt: str) -> Examined:
    """Decide how an X-ray is to be seen.

    Args:
        xray: As decoded.
        gate: Judges the pixels.
        on_doubt: An `OnDoubt`.
    """
    tags = Correction(
        quarter_turns=xray.quarter_turns or 0, mirrored=bool(xray.mirrored)
    )
    seen = gate.look(tags.apply(spread_levels(xray.pixels)))
    fixed = on_doubt == OnDoubt.FIX
    correction = _with_pixels(tags, seen) if fixed else tags
    doubts = (
        *xray.doubts,
        *_of_contrast(xray.pixels),
        *_of_pixels(seen, sides_known=xray.mirrored is not None, fixed=fixed),
    )
    return Examined(
        correction=correction,
        doubts=doubts,
        refused=on_doubt == OnDoubt.REFUSE and bool(doubts),
    )


def _with_pixels(tags: Correction, seen: Appearance) -> Correction:
    """Add what the pixels say to what the tags said."""
    # Mirroring comes after turning, and turns the other way round through a mirror.
    turns = -seen.quarter_turns if tags.mirrored else seen.quarter_turns
    return Correction(
        quarter_turns=(tags.quarter_turns + turns) % 4,
        mirrored=tags.mirrored,
        inverted=seen.inverted,
    )


def _of_pixels(seen: Appearance, *, sides_known: bool, fixed: bool) -> list[str]:
    """Say what is left to doubt; what was corrected is no doubt any more."""
    if not seen.frontal_chest:
        return ["does not look like a frontal chest X-ray"]
    doubts = []
    if seen.quarter_turns and not fixed:
        turn = _TURNS[seen.quarter_turns]
        doubts.append(f"looks turned: {turn} would set it upright")
    if seen.inverted and not fixed:
        doubts.append("looks inverted: bones are dark")
    if seen.mirrored and not sides_known:
        doubts.append("looks mirrored, or is dextrocardia: the sides may be exchanged")
    return doubts


def _of_contrast(pixels: Gray) -> list[str]:
    low, high = levels_of_middle(pixels)
    if high - low >= _LEAST_CONTRAST:
        return []
    return [f"low contrast: the middle has gray values {low} to {high} only"]
