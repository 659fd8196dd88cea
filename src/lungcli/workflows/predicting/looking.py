"""What the network finds in an X-ray, and a second look where it misses a lung."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from lungcli.anatomy import LUNGS
from lungcli.arrays import Gray, LabelMap, Probabilities
from lungcli.checks.quality import QualityModel
from lungcli.data.geometry import Geometry
from lungcli.masks.labels import threshold_labels
from lungcli.workflows.predicting.doubts import Correction
from lungcli.workflows.shared.inference import LungModel

_BOTH: Final = "both"
_NONE: Final = "none"
_LOW_QUALITY: Final = 0.9  # a predicted Dice below is a doubt


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """A way to show an X-ray to the network.

    Attributes:
        correction: How it is turned, mirrored and inverted.
        equalized: Whether contrast is evened out, place by place.
    """

    correction: Correction
    equalized: bool = False

    def apply(self, stored: Gray) -> Gray:
        """Return the image as it is shown."""
        upright = self.correction.apply(stored)
        return _equalize(upright) if self.equalized else upright

    @property
    def words(self) -> tuple[str, ...]:
        """What was changed, for a table."""
        return (*self.correction.words, *(["equalized"] if self.equalized else []))


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What the network found.

    Attributes:
        view: How it saw the X-ray.
        square: The X-ray on the network's grid.
        geometry: How it lies in there.
        raw: Probabilities on that grid, shape `(s, s, structures)`.
        cleaned: The same, without specks and holes.
        quality: Predicted Dice, in [0, 1].
        found: Which lungs: `both`, `right`, `left` or `none`.
    """

    view: View
    square: Gray
    geometry: Geometry
    raw: Probabilities
    cleaned: Probabilities
    quality: float
    found: str

    @property
    def is_good(self) -> bool:
        """Whether nothing speaks against its mask."""
        return self.found == _BOTH and self.quality >= _LOW_QUALITY


@dataclass(frozen=True, slots=True, kw_only=True)
class Looks:
    """The first look, and the one to believe.

    Attributes:
        first: As the X-ray was corrected.
        last: A later one that saw what the first missed, or the first.
    """

    first: Look
    last: Look

    @property
    def doubts(self) -> tuple[str, ...]:
        """What a person should check of the mask."""
        if self.first.is_good:
            return ()
        if self.first.found == _BOTH:
            score = self.first.quality
            return (f"the mask may be wrong: quality score {score:.2f}",)
        if self.first.found == _NONE:
            missing = "no lung was found"
        else:
            missing = f"only the {self.first.found} lung was found"
        if self.last is self.first:
            return (missing,)
        changes = ", ".join(self.last.view.words)
        return (f"{missing} before the X-ray was {changes}",)


def look(lungs: LungModel, quality: QualityModel, stored: Gray, view: View) -> Look:
    """Show an X-ray to the network, in one way.

    Args:
        lungs: The network.
        quality: Judges its mask.
        stored: The X-ray as its file has it.
        view: How it is shown.
    """
    square, geometry = lungs.to_square(view.apply(stored))
    raw = lungs.infer(square)
    cleaned = lungs.clean(raw)
    labels = threshold_labels(
        cleaned, threshold=lungs.threshold, channels=lungs.channels
    )
    return Look(
        view=view,
        square=square,
        geometry=geometry,
        raw=raw,
        cleaned=cleaned,
        quality=quality.score(square, raw, labels),
        found=which_lungs(labels),
    )


def look_again(
    lungs: LungModel,
    quality: QualityModel,
    stored: Gray,
    first: Look,
    *,
    upright: bool,
) -> Look:
    """Look once more, in other ways, where a lung is missing.

    Another view is believed only if it shows both lungs and a mask without doubts;
    of several the best.

    Args:
        lungs: The network.
        quality: Judges its masks.
        stored: The X-ray as its file has it.
        first: The first look.
        upright: Whether it is known which way is up, so that turning is wrong.

    Returns:
        The best look, or `first`.
    """
    if first.found == _BOTH:
        return first
    views = other_views(first.view, upright=upright)
    others = (look(lungs, quality, stored, view) for view in views)
    return max((o for o in others if o.is_good), key=_quality, default=first)


def other_views(view: View, *, upright: bool) -> Iterator[View]:
    """Yield what else may be tried: equalized, inverted, turned, and both."""
    own = view.correction
    yield replace(view, equalized=True)
    for turns in range(1 if upright else 4):
        turned = replace(own, quarter_turns=(own.quarter_turns + turns) % 4)
        if turns:
            yield View(correction=turned)
        yield View(correction=replace(turned, inverted=not own.inverted))


def which_lungs(labels: LabelMap) -> str:
    """Name the lungs that a label map holds: `both`, `right`, `left` or `none`."""
    found = [lung.key for lung in LUNGS if (labels == lung.label).any()]
    return _BOTH if len(found) == len(LUNGS) else "".join(found) or _NONE


def _quality(look: Look) -> float:
    return look.quality


def _equalize(image: Gray) -> Gray:
    """Even out the contrast, place by place.

    References:
        Zuiderveld (1994), Contrast limited adaptive histogram equalization,
        Graphics Gems IV, https://doi.org/10.1016/B978-0-12-336156-4.50061-6
    """
    from skimage.exposure import equalize_adapthist  # noqa: PLC0415 - takes 0.2 s

    even: Gray = np.rint(255 * equalize_adapthist(image, clip_limit=0.02)).astype("u1")
    return even
