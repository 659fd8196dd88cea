"""What a user says that the values of masks mean: `--labels 127=right,255=left`."""

from typing import Final

from lungcli.anatomy import BACKGROUND, BY_KEY, IGNORE, LUNG_LABELS
from lungcli.data.structure_names import BOTH
from lungcli.errors import ConfigError

_MEANINGS: Final = (BOTH, *BY_KEY, "background", "ignore")


def parse_labels(text: str) -> dict[float, str]:
    """Return what a user says that the values of masks mean.

    Args:
        text: As `127=right,255=left` or `#ff0000=lungs`.

    Raises:
        ConfigError: If it is no such list, or names what lungcli does not know.

    Examples:
        >>> parse_labels("#ff0000=right, 128 = ignore")
        {16711680: 'right', 128.0: 'ignore'}
    """
    said: dict[float, str] = {}
    for part in text.split(","):
        value, _, meaning = (each.strip().lower() for each in part.partition("="))
        if meaning not in _MEANINGS:
            msg = (
                f"--labels {text}: {part.strip()!r} says nothing. Write VALUE=MEANING, "
                f"a number or #rrggbb and one of {', '.join(_MEANINGS)}."
            )
            raise ConfigError(msg)
        try:
            said[int(value[1:], 16) if value.startswith("#") else float(value)] = (
                meaning
            )
        except ValueError as error:
            msg = f"--labels {text}: {value!r} is no number and no colour #rrggbb."
            raise ConfigError(msg) from error
    return said


def label_said(meaning: str) -> int:
    """Return the label of a meaning; of both lungs that of the first."""
    special = {"background": BACKGROUND, "ignore": IGNORE, BOTH: LUNG_LABELS[0]}
    return special[meaning] if meaning in special else BY_KEY[meaning].label


def spelled(value: float, has_colours: bool) -> str:
    """Return a value as `--labels` takes it: a number, or a colour `#rrggbb`."""
    return f"#{int(value):06x}" if has_colours else f"{value:g}"
