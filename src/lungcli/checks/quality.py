"""A score for each mask that predicts its Dice, without a reference."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final, Self

import numpy as np
from numpy.typing import NDArray

from lungcli.arrays import Gray, LabelMap, Probabilities
from lungcli.checks.lung_shape import LungShapes
from lungcli.checks.quality_features import (
    FEATURES,
    SmallView,
    quality_features,
    shrink,
)
from lungcli.errors import ModelError

QUALITY_JSON: Final = Path(__file__).parents[1] / "models" / "quality" / "quality.json"
_MARGIN: Final = 0.005  # from 0 and 1, where the logit is infinite

Vector = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Term:
    """What one feature adds to the logit of the predicted Dice.

    Attributes:
        feature: One of `FEATURES`.
        low: The lowest value that was learned from; below, nothing more is added.
        high: The highest.
        mean: Of the values learned from.
        scale: Their standard deviation.
        coefficient: Change of the logit by one standard deviation.
    """

    feature: str
    low: float
    high: float
    mean: float
    scale: float
    coefficient: float

    def contribution(self, value: float) -> float:
        """Return what is added to the logit for one value of the feature."""
        known = min(max(value, self.low), self.high)
        return self.coefficient * (known - self.mean) / self.scale


@dataclass(frozen=True, slots=True, kw_only=True)
class QualityModel:
    """A logistic curve over a weighted sum of features.

    Attributes:
        shapes: What lungs look like.
        terms: One for each of `FEATURES`, in that order.
        intercept: The logit where every feature has its mean.
    """

    shapes: LungShapes
    terms: tuple[Term, ...]
    intercept: float

    @classmethod
    def load(cls, path: Path = QUALITY_JSON) -> Self:
        """Read the model that comes with the package, or another one.

        Raises:
            ModelError: If it is missing, broken or made for other features.
        """
        try:
            return cls.from_dict(json.loads(path.read_text(encoding="utf-8")))
        except (OSError, ValueError, KeyError, TypeError) as error:
            msg = (
                f"cannot read the quality model {path} ({type(error).__name__}: "
                f"{error}). Install lungcli again."
            )
            raise ModelError(msg) from error

    def score(
        self, square: Gray, probabilities: Probabilities, labels: LabelMap
    ) -> float:
        """Predict the Dice of a mask, both lungs together.

        Args:
            square: CXR as the network looked at it, shape `(s, s)`, any s.
            probabilities: The network's output, before any clean-up, shape
                `(s, s, structures)`.
            labels: The label map made of it, after clean-up, shape `(s, s)`.

        Returns:
            In [0, 1]; 0 for a mask of less than 1 % of the square.
        """
        return self.score_view(shrink(square, probabilities, labels))

    def score_view(self, view: SmallView) -> float:
        """Do the same on the small grid."""
        features = quality_features(view, self.shapes)
        return 0.0 if features is None else self.predict(features)

    def predict(self, features: Vector) -> float:
        """Return the Dice predicted from the features of a mask, in `FEATURES`."""
        contributions = map(Term.contribution, self.terms, features.tolist())
        logit = np.array(self.intercept + sum(contributions))
        return float(dice_of_logit(logit))

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON document."""
        return {
            "terms": [asdict(term) for term in self.terms],
            "intercept": self.intercept,
            "shapes": self.shapes.to_dict(),
        }

    @classmethod
    def from_dict(cls, document: Mapping[str, Any]) -> Self:
        """Read what `to_dict` wrote.

        Raises:
            ValueError: If it was made for other features.
            KeyError: If something is missing; TypeError if something is no number.
        """
        terms = tuple(Term(**term) for term in document["terms"])
        if tuple(term.feature for term in terms) != FEATURES:
            msg = f"its terms are not {', '.join(FEATURES)}"
            raise ValueError(msg)
        return cls(
            shapes=LungShapes.from_dict(document["shapes"]),
            terms=terms,
            intercept=float(document["intercept"]),
        )


def logit_of_dice(dice: Vector) -> Vector:
    """Return the logit, finite for a Dice of 0 and of 1 too."""
    inner = np.clip(dice, _MARGIN, 1 - _MARGIN)
    return np.log(inner / (1 - inner))


def dice_of_logit(logit: Vector) -> Vector:
    """Return the Dice in [0, 1] of a logit."""
    return 1 / (1 + np.exp(-logit))
