"""Every perturbation with its levels, from harmless to absurd."""

import difflib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from numpy.random import Generator

from lungcli.errors import ConfigError
from lungcli.perturbations.hiding import add_marker, collimate, occlude
from lungcli.perturbations.intensity import (
    add_noise,
    blur,
    clip_to_window,
    compress,
    gamma,
    invert,
    lower_contrast,
    lower_resolution,
)
from lungcli.perturbations.sample import Sample
from lungcli.perturbations.spatial import rotate, scale, shift

Change = Callable[[Sample, float, Generator], Sample]


@dataclass(frozen=True, slots=True, kw_only=True)
class Perturbation:
    """One thing that may be wrong with an X-ray.

    Attributes:
        name: What the user calls it.
        unit: Of the levels, as it stands behind the number.
        of: What is counted in it; stands behind the unit.
        levels: In the order of a drawing's axis; strength grows away from `neutral`.
        neutral: The level, one of `levels`, that changes nothing.
        ratio: Whether equal factors, not equal differences, are equal steps.
        names: Of the levels, where there is nothing between two of them.
        change: What a level other than the neutral one does.
    """

    name: str
    unit: str
    of: str = ""
    levels: tuple[float, ...]
    neutral: float
    ratio: bool = False
    names: tuple[str, ...] = ()
    change: Change

    def apply(self, sample: Sample, level: float, rng: Generator) -> Sample:
        """Return the sample at a level; the neutral one returns `sample` itself."""
        return sample if level == self.neutral else self.change(sample, level, rng)

    @property
    def measure(self) -> str:
        """What a level counts."""
        return f"{self.unit} {self.of}".strip()

    def text(self, level: float) -> str:
        """Return a level with its unit, or its name.

        Examples:
            >>> find_perturbations(["rotation"])[0].text(-15.0)
            '-15°'
        """
        if self.names:
            return self.names[self.levels.index(level)]
        number = f"{level:.3g}" if abs(level) < 10 else f"{level:.0f}"
        return f"{number}{self.unit}"


PERTURBATIONS: Final = (
    Perturbation(
        name="rotation",
        unit="°",
        of="counter-clockwise",
        levels=(-60, -45, -30, -15, 0, 15, 30, 45, 60),
        neutral=0,
        change=rotate,
    ),
    Perturbation(
        name="scale",
        unit="×",
        of="its size",
        levels=(0.25, 0.35, 0.5, 0.7, 1, 1.4, 2, 2.8, 4),
        neutral=1,
        ratio=True,
        change=scale,
    ),
    Perturbation(
        name="shift",
        unit="%",
        of="of the longer side",
        levels=(0, 5, 10, 15, 20, 30, 40, 60),
        neutral=0,
        change=shift,
    ),
    Perturbation(
        name="gamma",
        unit="",
        of="exponent",
        levels=(0.1, 0.25, 0.5, 1, 2, 4, 10),
        neutral=1,
        ratio=True,
        change=gamma,
    ),
    Perturbation(
        name="contrast",
        unit="",
        of="gray levels of 256",
        levels=(256, 128, 64, 32, 16, 8, 4),
        neutral=256,
        ratio=True,
        change=lower_contrast,
    ),
    Perturbation(
        name="window",
        unit="%",
        of="of the gray range lost",
        levels=(0, 10, 20, 40, 60, 80, 90, 95),
        neutral=0,
        change=clip_to_window,
    ),
    Perturbation(
        name="inversion",
        unit="",
        levels=(0, 1),
        neutral=0,
        names=("as it is", "inverted"),
        change=invert,
    ),
    Perturbation(
        name="noise",
        unit="%",
        of="of the gray range, SD",
        levels=(0, 5, 10, 15, 20, 30, 40, 80),
        neutral=0,
        change=add_noise,
    ),
    Perturbation(
        name="blur",
        unit="%",
        of="of the longer side, SD",
        levels=(0, 0.5, 1, 1.5, 2, 3, 4, 8),
        neutral=0,
        change=blur,
    ),
    Perturbation(
        name="jpeg",
        unit="",
        of="quality; 100: none",
        levels=(100, 75, 50, 25, 10, 5, 1),
        neutral=100,
        change=compress,
    ),
    Perturbation(
        name="resolution",
        unit="×",
        of="coarser",
        levels=(1, 2, 4, 8, 12, 16, 32, 64),
        neutral=1,
        ratio=True,
        change=lower_resolution,
    ),
    Perturbation(
        name="occlusion",
        unit="%",
        of="of a lung's sides",
        levels=(0, 20, 40, 60, 80, 100),
        neutral=0,
        change=occlude,
    ),
    Perturbation(
        name="marker",
        unit="%",
        of="of the image, chest squeezed",
        levels=(0, 0.1, 0.5, 1, 2, 5, 10, 25),
        neutral=0,
        change=add_marker,
    ),
    Perturbation(
        name="collimation",
        unit="%",
        of="of each side",
        levels=(0, 5, 10, 15, 20, 25, 30, 40),
        neutral=0,
        change=collimate,
    ),
)


def find_perturbations(names: Sequence[str]) -> tuple[Perturbation, ...]:
    """Return the perturbations of these names, in the catalogue's order.

    Args:
        names: Any number, each as often as you like; none means all.

    Raises:
        ConfigError: If there is none of a name.
    """
    known = [perturbation.name for perturbation in PERTURBATIONS]
    unknown = sorted(set(names) - set(known))
    if unknown:
        close = difflib.get_close_matches(unknown[0], known, n=1)
        meant = f" Did you mean {close[0]}?" if close else ""
        msg = (
            f"no perturbation is called {', '.join(unknown)}.{meant} "
            f"Choose from {', '.join(known)}."
        )
        raise ConfigError(msg)
    return tuple(p for p in PERTURBATIONS if not names or p.name in names)
