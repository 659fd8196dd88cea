"""What the outputs of each X-ray are called, so that nothing is written twice."""

import os
import posixpath
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from functools import lru_cache
from pathlib import Path, PurePosixPath
from typing import Final

from lungcli.data.inputs.input import Input
from lungcli.data.inputs.kinds import SUFFIXES
from lungcli.errors import DatasetError
from lungcli.stores.objects import RemoteFile
from lungcli.system.urls import Url

_LONGEST: Final = 255  # bytes of a file name on the usual disks


def output_stems(
    inputs: Sequence[Input],
    *,
    out: Path | Url,
    suffixes: Sequence[str],
    taken: Iterable[str] = (),
) -> tuple[PurePosixPath, ...]:
    """Name the outputs of each X-ray: every one is its stem and a suffix.

    The stem is the X-ray's name without its suffix; X-rays of one stem (`a.png` and
    `a.jpg`) keep their suffixes. Names that differ only by case, or by how accents
    are spelt, are the same: on some disks they are one file.

    Args:
        inputs: As found.
        out: The output folder.
        suffixes: All that may be appended, e.g. `.png` and `_overlay.png`.
        taken: Other files of the output folder, e.g. `predictions.csv`.

    Returns:
        The stems below the output folder, in the order of the inputs.

    Raises:
        DatasetError: If two outputs would have one name, an output the name of an
            X-ray, or a name that no disk takes.
    """
    stems = _stems([item.name for item in inputs])
    _check_length(stems, inputs, suffixes)
    owners = _owners(stems, inputs, suffixes, out)
    _check_taken(owners, taken, out)
    _check_folders(stems, inputs, owners, out)
    _check_overwriting(stems, inputs, suffixes, out)
    return tuple(stems)


def _owners(
    stems: Sequence[PurePosixPath],
    inputs: Sequence[Input],
    suffixes: Sequence[str],
    out: Path | Url,
) -> dict[str, Input]:
    """Return whose each possible output is."""
    owners: dict[str, Input] = {}
    for item, stem in zip(inputs, stems, strict=True):
        key = _key(str(stem))
        for suffix in suffixes:
            other = owners.setdefault(f"{key}{suffix}", item)
            if other is not item:
                raise _collision(out / f"{stem}{suffix}", other, item)
    return owners


def _check_taken(
    owners: dict[str, Input], taken: Iterable[str], out: Path | Url
) -> None:
    for name in taken:
        if _key(name) in owners:
            msg = (
                f"{owners[_key(name)].shown} would be written to {out / name}, where "
                "the results of all X-rays go. Rename it."
            )
            raise DatasetError(msg)


def _stems(names: Sequence[PurePosixPath]) -> list[PurePosixPath]:
    stems = [_without_suffix(name) for name in names]
    changed = True
    while changed:  # a suffix kept may meet another stem: a.png, a.jpg, a.png.png
        counts = Counter(_key(str(stem)) for stem in stems)
        changed = False
        for i, (stem, name) in enumerate(zip(stems, names, strict=True)):
            if stem is not name and counts[_key(str(stem))] > 1:
                stems[i], changed = name, True
    return stems


def _without_suffix(name: PurePosixPath) -> PurePosixPath:
    # The last number of a UID is no suffix, and an unknown one may tell files apart.
    return name.with_suffix("") if name.suffix.lower() in SUFFIXES else name


def _key(name: str) -> str:
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())


def _check_length(
    stems: Iterable[PurePosixPath], inputs: Iterable[Input], suffixes: Sequence[str]
) -> None:
    room = _LONGEST - max(map(len, suffixes), default=0)
    for stem, item in zip(stems, inputs, strict=True):
        if len(os.fsencode(stem.name)) > room:
            msg = (
                f"the name of {item.shown} is too long for its outputs (at most {room} "
                "bytes). Rename it."
            )
            raise DatasetError(msg)


def _check_folders(
    stems: Sequence[PurePosixPath],
    inputs: Sequence[Input],
    owners: dict[str, Input],
    out: Path | Url,
) -> None:
    """Refuse an output that is called as the folder of another: `a.png/b.png`."""
    folders: dict[str, Input] = {}
    for stem, item in zip(stems, inputs, strict=True):
        folders.setdefault(posixpath.dirname(str(stem)), item)
    for deepest, item in folders.items():
        for folder in (PurePosixPath(deepest), *PurePosixPath(deepest).parents):
            other = owners.get(_key(str(folder)))
            if other is not None:
                raise _collision(out / folder, other, item)


def _check_overwriting(
    stems: Sequence[PurePosixPath],
    inputs: Sequence[Input],
    suffixes: Sequence[str],
    out: Path | Url,
) -> None:
    # A link is replaced, not what it points to: only the folders are resolved.
    real = lru_cache(maxsize=None)(os.path.realpath)

    def place(path: Path | Url) -> str:
        if isinstance(path, Url):
            return _key(f"{path.scheme}://{'/'.join(path.parts)}")
        folder, name = os.path.split(path)
        return _key(f"{real(folder)}/{name}")

    originals = {place(_where(item)) for item in inputs}
    for stem in stems:
        key = place(out / stem)
        for suffix in suffixes:
            if f"{key}{suffix}" in originals:
                msg = (
                    f"{out / f'{stem}{suffix}'} is an input and would be overwritten. "
                    "Choose another --out."
                )
                raise DatasetError(msg)


def _where(item: Input) -> Path | Url:
    return item.path.url if isinstance(item.path, RemoteFile) else item.path


def _collision(path: Path | Url, first: Input, second: Input) -> DatasetError:
    msg = (
        f"several inputs would be written to {path} (upper and lower case are one): "
        f"{first.shown} and {second.shown}. Give the folder that holds both, rename "
        "one, or predict them one by one, each with its own --out."
    )
    return DatasetError(msg)
