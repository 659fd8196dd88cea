"""What lungcli draws: one row for each structure, read by everything else.

Nothing else says that the right lung is 1, or counts how many structures there are. A
label map holds the `label` of each pixel; what overlaps has no place in it (see
docs/architecture.md). Imports nothing heavy: the command line reads it.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, NamedTuple


class Code(NamedTuple):
    """A concept of SNOMED CT, as DICOM names it."""

    value: str
    meaning: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Structure:
    """One structure of the chest.

    Attributes:
        key: Its name in files, tables and options.
        label: Of its pixels in label maps, 1 to 254.
        name: For people.
        side: Of the patient: `right`, `left`, or empty for what lies in the middle.
        mark: What pictures write on it; empty for nothing.
        colour: Red, green and blue of its outline, each 0 to 255; Okabe and Ito's,
            which are told apart with any colour vision.
        code: What it is.
        laterality: Which one of two; None where there is one.
        mirror: Key of the structure that it is in a mirrored image.
    """

    key: str
    label: int
    name: str
    side: str = ""
    mark: str = ""
    colour: tuple[int, int, int]
    code: Code
    laterality: Code | None = None
    mirror: str


BACKGROUND: Final = 0
ANY_OF: Final = 128
"""From here on a value in a training mask is a set: see `any_of`."""
IGNORE: Final = 255
"""In prepared masks: nobody says what lies here. As a set, everything."""

_LUNG: Final = Code("39607008", "Lung")
RIGHT_LUNG: Final = Structure(
    key="right",
    label=1,
    name="right lung",
    side="right",
    mark="R",
    colour=(86, 180, 233),  # sky blue
    code=_LUNG,
    laterality=Code("24028007", "Right"),
    mirror="left",
)
LEFT_LUNG: Final = Structure(
    key="left",
    label=2,
    name="left lung",
    side="left",
    mark="L",
    colour=(230, 159, 0),  # orange
    code=_LUNG,
    laterality=Code("7771000", "Left"),
    mirror="right",
)
HEART: Final = Structure(
    key="heart",
    label=3,
    name="heart",
    colour=(204, 121, 167),  # reddish purple
    code=Code("80891009", "Heart"),
    mirror="heart",
)

LUNGS: Final = (RIGHT_LUNG, LEFT_LUNG)
STRUCTURES: Final = (*LUNGS, HEART)
"""All of them, in the order of their labels."""

BY_KEY: Final = {structure.key: structure for structure in STRUCTURES}
BY_LABEL: Final = {structure.label: structure for structure in STRUCTURES}
LUNG_LABELS: Final = tuple(lung.label for lung in LUNGS)


class Knowledge(StrEnum):
    """What the masks of a source know of a structure."""

    EXACT = "exact"  # its pixels are those drawn, and no others
    ABSENT = "absent"  # not annotated: it may be anywhere
    WITH_HEART = "with-heart"  # lungs and the heart's shadow are drawn as one
    UNDECLARED = "undeclared"  # nobody said; trained as exact


def any_of(*labels: int) -> int:
    """Return the value of a training mask's pixel that is one of several structures.

    A mask that one network learns from tells of each pixel what it may be. Below
    `ANY_OF` that is one label, as in every label map. From there on it is a set: bit n
    stands for the structure with label n, bit 0 for the background.

    Examples:
        >>> any_of(BACKGROUND, HEART.label)
        137
    """
    return ANY_OF + sum(1 << label for label in set(labels))


def named(keys: Iterable[str]) -> tuple[Structure, ...]:
    """Return the structures of some keys, in the order of the table.

    Raises:
        KeyError: If there is no such structure.

    Examples:
        >>> [each.label for each in named(["heart", "left"])]
        [2, 3]
    """
    wanted = {BY_KEY[key].key for key in keys}
    return tuple(each for each in STRUCTURES if each.key in wanted)
