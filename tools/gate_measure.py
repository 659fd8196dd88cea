"""What the gate says of pictures that it has not learned from."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Final

import numpy as np
from gate_drawings import Draw
from gate_material import Chest, squash
from gate_variation import UPRIGHT, Pose, put, reduce_to_gate, vary

from lungcli.arrays import Gray
from lungcli.checks.gate import Appearance, Thresholds, judge

Ask = Callable[[Sequence[Gray]], np.ndarray]  # pictures to logits, shape (n, 7)
CLEAN: Final = "as published"
VARIED: Final = "varied"
DRAWN: Final = "drawn"
FILE: Final = "file"
NUM_VARIED: Final = 2  # versions of each chest
NUM_DRAWN: Final = 100  # pictures of each kind in each fold
FALSE_ALARMS: Final = {CLEAN: 0.002, VARIED: 0.01}  # at most, of each claim
LOWEST: Final = 0.8  # a claim is never made below
HIGHEST: Final = 0.9999
_ANY: Final = Thresholds(turned=1, inverted=1, mirrored=1, other=1)
POSES: Final = tuple(
    Pose(inverted=inverted, mirrored=mirrored)
    for inverted in (False, True)
    for mirrored in (False, True)
)  # quarter turns need no pictures: the answer turns with them


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What a network said of some pictures of one kind.

    Attributes:
        how: `CLEAN` or `VARIED` for chests, `DRAWN` or `FILE` for the others.
        name: Source of the chests, kind or file name of the others.
        pose: How the chests were put.
        logits: Shape `(n, 7)`.
        thresholds: To judge them by.
    """

    how: str
    name: str
    pose: Pose = UPRIGHT
    logits: np.ndarray
    thresholds: Thresholds = _ANY


def ask_about_chests(
    ask: Ask, chests: Sequence[Chest], rng: np.random.Generator
) -> Iterable[Asked]:
    """Ask about chests in four poses, as they are and varied."""
    for source in sorted({chest.source for chest in chests}):
        thumbnails = [each.thumbnail for each in chests if each.source == source]
        for pose in POSES:
            clean = [reduce_to_gate(put(each, pose)) for each in thumbnails]
            varied = [vary(each, pose, rng) for each in thumbnails * NUM_VARIED]
            yield Asked(how=CLEAN, name=source, pose=pose, logits=ask(clean))
            yield Asked(how=VARIED, name=source, pose=pose, logits=ask(varied))


def ask_about_others(
    ask: Ask,
    kinds: Mapping[str, Draw],
    files: Mapping[str, Gray],
    rng: np.random.Generator,
) -> Iterable[Asked]:
    """Ask about pictures that are no frontal chest."""
    for kind, draw in kinds.items():
        drawn = [reduce_to_gate(draw(rng)) for _ in range(NUM_DRAWN)]
        yield Asked(how=DRAWN, name=kind, logits=ask(drawn))
    for name, pixels in files.items():
        logits = ask([reduce_to_gate(squash(pixels))])
        yield Asked(how=FILE, name=name, logits=logits)


def choose_thresholds(asked: Sequence[Asked]) -> Thresholds:
    """Return the thresholds that upright chests pass with `FALSE_ALARMS` at most.

    Args:
        asked: Of chests that the network had not seen.
    """
    needed = [
        np.quantile(_strengths(asked, how), 1 - share, axis=0)
        for how, share in FALSE_ALARMS.items()
    ]
    chosen = np.ceil(np.clip(np.max(needed, axis=0), LOWEST, HIGHEST) * 1e4) / 1e4
    return Thresholds(**dict(zip(asdict(_ANY), chosen.tolist(), strict=True)))


def judge_folds(folds: Sequence[Sequence[Asked]]) -> list[Asked]:
    """Judge what was asked in each fold by thresholds chosen on the others."""
    judged = []
    for index, fold in enumerate(folds):
        others = [*folds[:index], *folds[index + 1 :]]
        thresholds = choose_thresholds([each for other in others for each in other])
        judged += [replace(each, thresholds=thresholds) for each in fold]
    return judged


def false_alarms(asked: Sequence[Asked]) -> dict[str, dict[str, dict[str, float]]]:
    """Return the share of upright chests with each claim, by treatment and source."""
    table: dict[str, dict[str, dict[str, float]]] = {}
    for how in (CLEAN, VARIED):
        chests = _upright_chests(asked, how)
        names = [*sorted({each.name for each in chests}), "all"]
        table[how] = {
            name: _alarms(
                [
                    look
                    for each in chests
                    if name in {each.name, "all"}
                    for look in _appearances(each)
                ]
            )
            for name in names
        }
    return table


def found(asked: Sequence[Asked]) -> dict[str, dict[str, float]]:
    """Return the share of chests that would be set right, by treatment and pose.

    Turns and polarity must be claimed as they are and, of a mirrored chest, that it
    is; a false claim to be mirrored is counted by `false_alarms` only.
    """
    table: dict[str, dict[str, float]] = {}
    for how in (CLEAN, VARIED):
        row = table.setdefault(how, {})
        for turned in (0, 1):
            for pose in POSES:
                chests = [
                    each for each in asked if (each.how, each.pose) == (how, pose)
                ]
                hits = [
                    _right(look, pose, turned)
                    for each in chests
                    for look in _appearances(each, turned)
                ]
                row[_name(pose, turned)] = round(float(np.mean(hits)), 4)
    return table


def refused(asked: Sequence[Asked]) -> dict[str, dict[str, float]]:
    """Return the share of other pictures that were found to be none, by kind."""
    table: dict[str, dict[str, list[bool]]] = {DRAWN: {}, FILE: {}}
    for each in asked:
        if each.how in table:
            looks = _appearances(each)
            row = table[each.how].setdefault(each.name, [])
            row += [not look.frontal_chest for look in looks]
    return {
        how: {name: round(float(np.mean(hits)), 4) for name, hits in row.items()}
        for how, row in table.items()
    }


def _upright_chests(asked: Sequence[Asked], how: str) -> list[Asked]:
    return [each for each in asked if (each.how, each.pose) == (how, UPRIGHT)]


def _strengths(asked: Sequence[Asked], how: str) -> list[tuple[float, ...]]:
    """Return how probable each false claim of upright chests was."""
    return [
        (max(look.turn_probabilities[1:]), look.inverted_probability,
         look.mirrored_probability, 1.0 - look.chest_probability)
        for each in _upright_chests(asked, how)
        for look in _appearances(each)
    ]  # fmt: skip


def _appearances(asked: Asked, turned: int = 0) -> list[Appearance]:
    """Judge pictures as if they had been turned by so many quarters more."""
    logits = asked.logits.copy()
    logits[:, :4] = np.roll(logits[:, :4], -turned, axis=1)
    return [judge(row, asked.thresholds) for row in logits]


def _alarms(looks: Sequence[Appearance]) -> dict[str, float]:
    claims = np.array(
        [
            (look.quarter_turns != 0, look.inverted, look.mirrored,
             not look.frontal_chest)
            for look in looks
        ]
    )  # fmt: skip
    shares = dict(zip(asdict(_ANY), claims.mean(axis=0).tolist(), strict=True))
    shares["any"] = float(claims.any(axis=1).mean())
    return {
        "images": len(looks),
        **{name: round(share, 4) for name, share in shares.items()},
    }


def _right(look: Appearance, pose: Pose, turned: int) -> bool:
    lies = (look.quarter_turns, look.inverted) == (-turned % 4, pose.inverted)
    return look.frontal_chest and lies and (look.mirrored or not pose.mirrored)


def _name(pose: Pose, turned: int) -> str:
    words = ["turned"] * turned + ["inverted"] * pose.inverted
    return " and ".join(words + ["mirrored"] * pose.mirrored) or "upright"
