"""X-rays behind URLs: found by the rules of folders, fetched one at a time."""

import posixpath
import re
from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from typing import Final

from lungcli.data.inputs.archive import ARCHIVE_SUFFIX
from lungcli.data.inputs.input import Input
from lungcli.data.inputs.kinds import (
    KINDS,
    has_image_suffix,
    may_be_dicom,
)
from lungcli.data.opening import DICOM_START, is_dicom
from lungcli.errors import DatasetError
from lungcli.stores.objects import (
    RemoteFile,
    list_files,
    look_up,
    matching,
    read_starts,
)
from lungcli.system.urls import WEB, Url

_MAGIC: Final = re.compile(r"[*?[]")
_HERE: Final = PurePosixPath()


def inputs_at(url: Url, out: Path | Url, place: PurePosixPath = _HERE) -> list[Input]:
    """Return what a URL stands for: a file, a folder or a pattern.

    Args:
        url: Brackets in the name of what is there are no pattern. A folder of a web
            server ends in `/`, and there are no patterns.
        out: The output folder, which no search enters.
        place: Of a file, or of what a folder holds, below the output folder.

    Raises:
        DatasetError: If it is missing or an archive, or holds no X-ray.
        RemoteError: If it cannot be looked at.
    """
    if (file := look_up(url)) is not None:
        if _is_archive(url):
            raise DatasetError(_archive(url))
        return [_input(file, place if place.name else PurePosixPath(url.name))]
    if isinstance(out, Url) and url.is_within(out):
        msg = f"--out {out} holds the input {url}. Choose another folder."
        raise DatasetError(msg)
    is_web = url.scheme in WEB
    if is_web and not url.whole.endswith("/"):
        msg = (
            f"{url} is not there, or cannot be reached. Check its spelling; a folder "
            "of a web server ends in /, and there are no patterns."
        )
        raise DatasetError(msg)
    found = _images(list_files(url), out)
    if not found and not is_web and _MAGIC.search(url.whole):
        return _matching(url, out)
    if not found:
        msg = f"no image in {url} ({KINDS} were looked for). Check its spelling."
        raise DatasetError(msg)
    return [_input(image, place / _named(image)) for image in found]


def listed_inputs(urls: Sequence[Url], out: Path | Url) -> list[Input]:
    """Return what a list of URLs stands for.

    Files with the suffix of an image are not looked up one by one: what is missing
    fails when it is fetched.

    Raises:
        DatasetError: If the list names several stores, or as `inputs_at` has it.
        RemoteError: If one cannot be looked at.
    """
    folders = [posixpath.dirname("/".join(url.parts)) for url in urls]
    base = posixpath.commonpath(folders)
    if not base or len({url.scheme for url in urls}) > 1:
        msg = "the list on stdin names several buckets. Give one list for each bucket."
        raise DatasetError(msg)
    found: list[Input] = []
    for url in urls:
        place = PurePosixPath("/".join(url.parts)).relative_to(base)
        if has_image_suffix(url.name):
            file = RemoteFile(url=url, path=str(place), size=None)
            found.append(_input(file, _checked(place, url)))
        else:
            found += inputs_at(url, out, place)
    return found


def _matching(url: Url, out: Path | Url) -> list[Input]:
    parts = url.whole.split("/")
    first = next(i for i, part in enumerate(parts) if _MAGIC.search(part))
    base, pattern = Url("/".join(parts[:first])), "/".join(parts[first:])
    hidden = any(part.startswith(".") for part in parts[first:])
    files: dict[str, RemoteFile] = {}
    for match, is_folder in matching(base, pattern):
        below = list_files(match.url) if is_folder else [match]
        for file in below:
            place = f"{match.path}/{file.path}" if is_folder else file.path
            inside = file.path if is_folder else ""
            if not _is_hidden(inside if hidden else place):
                files.setdefault(
                    file.url.whole,
                    RemoteFile(
                        url=file.url, path=place, size=file.size, state=file.state
                    ),
                )
    images = _chosen(list(files.values()), out)
    archives = [file for file in files.values() if _is_archive(file.url)]
    if not images and not archives:
        msg = (
            f"{url} does not exist, and as a pattern it matches no image ({KINDS} were "
            "looked for). Check its spelling."
        )
        raise DatasetError(msg)
    broken = [_input(file, _named(file), _archive(file.url)) for file in archives]
    return [_input(image, _named(image)) for image in images] + broken


def _images(files: Sequence[RemoteFile], out: Path | Url) -> list[RemoteFile]:
    return _chosen([file for file in files if not _is_hidden(file.path)], out)


def _chosen(files: Sequence[RemoteFile], out: Path | Url) -> list[RemoteFile]:
    """Return the X-rays among files, by suffix or by their first bytes."""
    outside = [
        file for file in files if not (isinstance(out, Url) and file.url.is_within(out))
    ]
    bare = [
        file
        for file in outside
        if not has_image_suffix(file.path)
        and may_be_dicom(posixpath.basename(file.path))
        and (file.size is None or file.size >= DICOM_START)
    ]
    starts = zip(bare, read_starts(bare, DICOM_START), strict=True)
    dicom = {file.url.whole for file, start in starts if is_dicom(start)}
    return [
        file
        for file in outside
        if has_image_suffix(file.path) or file.url.whole in dicom
    ]


def _input(file: RemoteFile, name: PurePosixPath, problem: str = "") -> Input:
    name = _checked(name, file.url)
    return Input(shown=str(file.url), name=name, path=file, problem=problem)


def _named(file: RemoteFile) -> PurePosixPath:
    return PurePosixPath(file.path.lstrip("/"))  # of `ward//a.png`


def _checked(name: PurePosixPath, url: Url) -> PurePosixPath:
    # Keys of objects are free text: `ward/../../x.png` is one.
    if name.is_absolute() or ".." in name.parts or "\0" in str(name):
        msg = f"{url} has a name that leads out of its folder. Rename it."
        raise DatasetError(msg)
    return name


def _is_hidden(place: str) -> bool:
    return any(
        part.startswith(".") and not part.startswith("..") for part in place.split("/")
    )


def _is_archive(url: Url) -> bool:
    return url.name.lower().endswith(ARCHIVE_SUFFIX)


def _archive(url: Url) -> str:
    return (
        f"{url} is a zip archive, which is read from disks only. Download it and give "
        "the file."
    )
