"""The journal of `lungcli predict`: which X-ray each mask of a folder is of.

Light to import: `predict` itself writes it under this name.
"""

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from lungcli.errors import DatasetError
from lungcli.system.documents import parse_json

JOURNAL: Final = "predictions.jsonl"
"""What `lungcli predict` leaves in the folder of its masks."""
REVIEW: Final = "review.png"
"""What `--review` leaves beside it."""
_START, _END = JOURNAL.split(".")[0], ".jsonl"
_JOURNALS: Final = f"{_START}*{_END}"  # those of `--shard`, too
_MASKED: Final = frozenset({"ok", "doubtful"})  # what a journal says of an X-ray


def journals_in(folder: Path) -> list[Path]:
    """Return the journals of `predict` in a folder: one, or one of each `--shard`."""
    return sorted(folder.glob(_JOURNALS))


def is_journal(name: str) -> bool:
    """Tell a journal by its name."""
    return name.startswith(_START) and name.endswith(_END)


def written_by(path: Path) -> set[str]:
    """Return the pictures that the journal's call wrote, below its folder.

    Raises:
        DatasetError: If the journal cannot be read.
    """
    written = {REVIEW}
    for entry in _entries(path):
        written.update(map(str, entry.get("outputs") or ()))
    return written


def _entries(path: Path) -> Iterator[dict[str, Any]]:
    """Yield the lines of a journal; damaged ones are passed over."""
    try:
        with path.open("rb") as file:
            for line in file:
                with suppress(ValueError):
                    yield parse_json(line)
    except OSError as error:
        msg = f"cannot read {path}: {error.strerror}. Check its permissions."
        raise DatasetError(msg) from error


def read_journal(path: Path) -> Iterator[tuple[str, str]]:
    """Yield the X-rays that a journal gives a mask of: the mask's place and the file.

    Lines that are damaged are passed over; of several of one X-ray the last counts.

    Raises:
        DatasetError: If the journal cannot be read.
    """
    found: dict[str, str] = {}
    for entry in _entries(path):
        stem = str(entry.get("stem", ""))
        found.pop(stem, None)
        if stem and entry.get("status") in _MASKED:
            found[stem] = str(entry.get("shown", ""))
    yield from found.items()
