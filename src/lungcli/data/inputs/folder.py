"""The X-rays in a folder and in all folders below it."""

import os
from collections import Counter, deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from lungcli.data.inputs.kinds import NO_IMAGES, has_image_suffix, has_other_suffix
from lungcli.data.journal import is_journal, written_by
from lungcli.data.opening import DICOM_START, is_dicom, is_picture
from lungcli.errors import DatasetError


@dataclass(frozen=True, slots=True)
class Found:
    """What lies in a folder and all folders below it.

    Attributes:
        images: The X-rays, relative to it with `/` between, sorted.
        written: How many files `lungcli predict` wrote there, which are none.
        others: How many files of which suffix may be pictures, and cannot be read.
    """

    images: list[str]
    written: int
    others: Mapping[str, int]

    @property
    def notes(self) -> tuple[str, ...]:
        """What was left out, for a person."""
        notes = []
        if self.written:
            what = "file" if self.written == 1 else "files"
            notes.append(f"{self.written} {what} that lungcli predict wrote")
        if self.others:
            told = ", ".join(f"{count} {end}" for end, count in self.others.items())
            notes.append(f"files of other kinds: {told}")
        return tuple(notes)


def search(root: Path, out: Path | None) -> Found:
    """Look for X-rays in a folder and all folders below it.

    Hidden files and folders are left out, the output folder, and what a journal of
    `lungcli predict` lists as written. Links to folders are followed; a folder that
    several ways lead to is searched once.

    Raises:
        DatasetError: If a folder or a journal cannot be read.
    """
    names = list(_files_below(root, out))
    written = _written_below(root, names)
    images, others = [], Counter[str]()
    for name in names:
        if name in written:
            continue
        if is_image(f"{root}/{name}"):
            images.append(name)
        elif (suffix := PurePosixPath(name).suffix.lower()) and suffix not in NO_IMAGES:
            others[suffix] += 1
    num_written = sum(name in written for name in names)
    images.sort(key=lambda name: name.split("/"))
    return Found(images, num_written, dict(sorted(others.items())))


def images_below(root: Path, out: Path | None) -> list[str]:
    """Return the X-rays that `search` finds.

    Raises:
        DatasetError: As there.
    """
    return search(root, out).images


def is_image(path: str) -> bool:
    """Tell an X-ray by its suffix, or by its first bytes if that tells nothing."""
    name = os.path.basename(path)  # noqa: PTH119 - ten times as fast, for each file
    if has_image_suffix(name):
        return True
    if has_other_suffix(name):
        return False
    try:
        with Path(path).open("rb") as file:
            start = file.read(DICOM_START)
    except OSError:
        return False
    return is_dicom(start) or is_picture(start)


def _written_below(root: Path, names: Iterable[str]) -> set[str]:
    """Return the files that journals list as written, beside or below them."""
    written: set[str] = set()
    for name in names:
        if is_journal(PurePosixPath(name).name):
            folder = PurePosixPath(name).parent
            outputs = written_by(root / name)
            written |= {(folder / output).as_posix() for output in outputs}
    return written


def _files_below(root: Path, out: Path | None) -> Iterator[str]:
    seen = {_identity(out)} if out and out.exists() else set()
    pending = deque([""])
    while pending:
        folder = pending.popleft()
        for entry in _entries(root / folder, seen):
            name = f"{folder}{entry.name}"
            if _is_folder(entry):
                # Links last: a file is called by where it really lies.
                put = pending.append if entry.is_symlink() else pending.appendleft
                put(f"{name}/")
            elif _is_file(entry):
                yield name


def _entries(folder: Path, seen: set[tuple[int, int]]) -> list[os.DirEntry[str]]:
    """Return what lies in a folder, sorted, or nothing if it was seen before."""
    try:
        identity = _identity(folder)
        if identity in seen:
            return []
        seen.add(identity)
        with os.scandir(folder) as entries:
            shown = [entry for entry in entries if not entry.name.startswith(".")]
    except OSError as error:
        msg = (
            f"cannot search {folder} ({error.strerror}). Check its permissions, or "
            "name the files in another way."
        )
        raise DatasetError(msg) from error
    return sorted(shown, key=lambda entry: entry.name)


def _identity(path: Path) -> tuple[int, int]:
    status = path.stat()
    return status.st_dev, status.st_ino


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link in a circle, or to where nobody may look
        return False


def _is_file(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_file()
    except OSError:
        return False
