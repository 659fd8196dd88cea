"""Which structure somebody means by the name of a folder or the end of a file's."""

import re
from typing import Final

from lungcli.anatomy import BY_KEY, LUNGS, STRUCTURES

BOTH: Final = "lungs"
"""Stands for both lungs in one mask, which no structure of the table does."""

_NO_LETTERS: Final = re.compile(r"[^a-z]+")


def _spellings() -> dict[str, str]:
    spellings = dict.fromkeys(("lung", "lungs"), BOTH)
    for each in STRUCTURES:
        words = each.name.split()
        for name in (each.key, "".join(words), "".join(reversed(words))):
            spellings[name] = each.key
    return spellings


_SPELLINGS: Final = _spellings()


def meant_structure(name: str) -> str | None:
    """Return the key of a structure, or `BOTH`; None if it is none of these.

    Examples:
        >>> [meant_structure(n) for n in ("right lung", "Lung-Left", "heart_mask")]
        ['right', 'left', 'heart']
        >>> meant_structure("lungs"), meant_structure("left_clavicle")
        ('lungs', None)
    """
    letters = _NO_LETTERS.sub("", name.lower())
    return _SPELLINGS.get(re.sub(r"masks?$", "", letters))


def has_lungs(keys: set[str]) -> bool:
    """Tell whether masks of these make a lung."""
    return bool(keys & {BOTH, *(lung.key for lung in LUNGS)})


def left_alone(names: set[str]) -> tuple[str, ...]:
    """Return the note about masks of structures that lungcli does not draw."""
    if not names:
        return ()
    known = ", ".join(each.name for each in BY_KEY.values())
    told = ", ".join(sorted(names))
    return (f"{told}: masks left alone, since lungcli knows {known} only.",)
