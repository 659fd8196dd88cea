"""Learn what a mask's features say of its Dice, and measure it on other patients."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from quality_material import AS_IT_IS, Sample
from scipy import stats

from lungcli.checks.lung_shape import LungShapes
from lungcli.checks.quality import QualityModel, Term, Vector, logit_of_dice
from lungcli.checks.quality_features import FEATURES, quality_features

COMPONENTS: Final = 15  # of the shapes; they explain four fifths of the variance
PARTS: Final = 5  # of the patients; each is scored by what the others taught
WEIGHT_AS_IT_IS: Final = 3.0  # there are more stressed masks than real ones
RIDGE: Final = 1e-3  # of the features' own variance
WORST: Final = 0.05  # share of the masks that should be found
LOWEST: Final = 0.10  # share of the scores among which they are looked for


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """How well scores predict Dice.

    Attributes:
        masks: How many.
        pearson: Correlation.
        spearman: Of the ranks.
        error: Mean absolute difference.
        bias: Mean of the score minus the Dice.
        worst: How many masks are the worst.
        found: How many of them have one of the lowest scores.
    """

    masks: int
    pearson: float
    spearman: float
    error: float
    bias: float
    worst: int
    found: int


def learn(samples: Sequence[Sample]) -> QualityModel:
    """Fit shapes, and by ridge regression the weight of each feature."""
    references = {sample.case: sample.reference for sample in samples}
    shapes = LungShapes.learn(np.stack([*references.values()]), components=COMPONENTS)
    taught = [
        (features, sample.dice, WEIGHT_AS_IT_IS if sample.stress == AS_IT_IS else 1.0)
        for sample in samples
        for features in [quality_features(sample.view, shapes)]
        if features is not None
    ]
    values, dice, weights = (np.array(column) for column in zip(*taught, strict=True))
    mean = np.average(values, axis=0, weights=weights)
    scale = np.sqrt(np.average((values - mean) ** 2, axis=0, weights=weights))
    logit = logit_of_dice(dice)
    intercept = float(np.average(logit, weights=weights))
    slopes = _ridge((values - mean) / scale, logit - intercept, weights)
    columns = {
        "low": values.min(axis=0),
        "high": values.max(axis=0),
        "mean": mean,
        "scale": scale,
        "coefficient": slopes,
    }
    terms = [
        Term(
            feature=feature,
            **{name: float(column[i]) for name, column in columns.items()},
        )
        for i, feature in enumerate(FEATURES)
    ]
    return QualityModel(shapes=shapes, terms=tuple(terms), intercept=intercept)


def score_others(
    samples: Sequence[Sample], others: Sequence[Sample] = ()
) -> tuple[Vector, Vector]:
    """Score each mask by a model that was taught by other patients only.

    Args:
        samples: What teaches.
        others: Masks by another network, of the same patients or not.

    Returns:
        Scores of `samples` and of `others`.
    """
    own, foreign = np.empty(len(samples)), np.empty(len(others))
    for part in range(PARTS):
        model = learn([sample for sample in samples if _part(sample) != part])
        for scores, masks in ((own, samples), (foreign, others)):
            for index, sample in enumerate(masks):
                if _part(sample) == part:
                    scores[index] = model.score_view(sample.view)
    return own, foreign


def measure(scores: Vector, dice: Vector) -> Figures:
    """Compare scores with the Dice of the same masks."""
    worst = max(1, round(WORST * len(dice)))
    lowest = np.argsort(scores, kind="stable")[: max(1, round(LOWEST * len(dice)))]
    return Figures(
        masks=len(dice),
        pearson=float(stats.pearsonr(scores, dice).statistic),
        spearman=float(stats.spearmanr(scores, dice).statistic),
        error=float(np.abs(scores - dice).mean()),
        bias=float((scores - dice).mean()),
        worst=worst,
        found=len({*np.argsort(dice, kind="stable")[:worst]} & {*lowest}),
    )


def _part(sample: Sample) -> int:
    """Return the part of a patient; a hash, so that it is the same for any run."""
    name = "/".join(("quality", *sample.patient))
    return int(hashlib.sha256(name.encode()).hexdigest(), 16) % PARTS


def _ridge(values: Vector, targets: Vector, weights: Vector) -> Vector:
    weighted = values * (weights / weights.sum())[:, None]
    penalty = RIDGE * np.eye(values.shape[1])
    slopes: Vector = np.linalg.solve(
        weighted.T @ values + penalty, weighted.T @ targets
    )
    return slopes
