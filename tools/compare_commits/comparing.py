"""What the two sides said and wrote compared, and the differences in words."""

from pathlib import Path
from typing import Final

from formats import read
from layout import Side
from normal import normal
from running import Outcome

SHOWN: Final = 160  # characters of a line


def compare(old: Outcome, new: Outcome) -> list[str]:
    """Return the differences of a step: of each a command or file, and its lines."""
    olds, news = _named(old), _named(new)
    found = []
    for name in sorted({*olds, *news}):
        if name not in olds or name not in news:
            found.append(f"{name}\nonly {'old' if name in olds else 'new'} changes it")
        elif not _is_equal(olds[name], news[name]) and not _shows_time(name):
            texts = content(olds[name], old.side), content(news[name], new.side)
            if texts[0] != texts[1]:
                found.append(f"{name}\n{first_difference(*texts)}")
    return found


def _named(outcome: Outcome) -> dict[str, Path | None]:
    """Return all that can be compared, under names that both sides have."""
    files = {normal(name, outcome.side): path for name, path in outcome.files.items()}
    return {**outcome.said, **files}


def _is_equal(old: Path | None, new: Path | None) -> bool:
    """Say whether two files are equal to the byte, which is quick to see."""
    paths = [path for path in (old, new) if path and path.is_file()]
    return len(paths) == 2 and paths[0].read_bytes() == paths[1].read_bytes()


def _shows_time(name: str) -> bool:
    """Say whether it is a picture with the name of the run, which holds the time."""
    return "<time>" in name and name.endswith("/curves.png")


def content(path: Path | None, side: Side) -> str:
    """Return what is at a place, as a text without what may differ."""
    if path is None:
        return "removed"
    if path.is_symlink():
        return normal(f"link to {path.readlink()}", side)
    return "folder" if path.is_dir() else normal(read(path), side)


def first_difference(old: str, new: str) -> str:
    """Return the first line in which two texts differ, as of both."""
    lines = [text.splitlines() for text in (old, new)]
    length = max(map(len, lines))
    padded = [side + ["(no such line)"] * (length - len(side)) for side in lines]
    pairs = enumerate(zip(*padded, strict=True), start=1)
    differing = [(number, a, b) for number, (a, b) in pairs if a != b]
    if not differing:
        return "line ends differ"
    number, a, b = differing[0]
    same = next((i for i, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), 0)
    shown = slice(max(0, same - 40), max(0, same - 40) + SHOWN)
    head = f"line {number} of {length} ({len(differing)} differ)"
    text = f"{head}\n  old: {a[shown]}\n  new: {b[shown]}"
    return text.encode("utf-8", "backslashreplace").decode()
