"""X-rays in zip archives: listed with suspicion, unpacked one at a time.

Nothing is ever written under a name that an archive chose.
"""

import re
import stat
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path, PurePosixPath
from shutil import disk_usage
from typing import IO, Final
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile, ZipInfo

from lungcli.data.inputs.copies import private_copy, room_for
from lungcli.data.inputs.kinds import (
    has_image_suffix,
    has_other_suffix,
)
from lungcli.data.opening import DICOM_START, is_dicom, is_picture
from lungcli.errors import DatasetError, ImageError, OutputError

ARCHIVE_SUFFIX: Final = ".zip"
MAX_BYTES: Final = 2**30  # unpacked; the largest X-rays have 50 megabytes
_BLANK_BYTES: Final = 100 * 2**20  # up to here even a blank X-ray may pack a lot
_MAX_RATIO: Final = 200
_CHUNK: Final = 2**20
# By other methods zipfile unpacks at once all that it has read, and bzip2 makes
# gigabytes of a kilobyte.
_METHODS: Final = frozenset({ZIP_STORED, ZIP_DEFLATED})
_ENCRYPTED: Final = 0x1  # bit 0 of the flags
_DRIVE: Final = re.compile(r"[A-Za-z]:")
_LOCK = threading.Lock()


def image_members(path: Path) -> list[str]:
    """Return the names of the X-rays in an archive, sorted; hidden ones left out.

    Raises:
        DatasetError: If it is no archive, or an X-ray in it is encrypted, no plain
            file, there twice, or its name climbs out of the archive.
    """
    return [info.filename for info in _members(path, _is_image)]


def unpack(path: Path, folder: Path) -> None:
    """Unpack all of an archive but hidden files, in the places that it names.

    Args:
        path: The archive.
        folder: Empty, and of this user alone.

    Raises:
        DatasetError: As `image_members`, of any file.
        ImageError: If a member is broken or too large.
        OutputError: If the disk has too little room.
    """
    members = _members(path, _is_shown_file)
    wanted, free = sum(info.file_size for info in members), disk_usage(folder).free
    if wanted > free:
        msg = (
            f"{path} unpacks to {wanted:,} bytes, and there is room for {free:,}. Free "
            "space for temporary files, or set TMPDIR to a folder that has it."
        )
        raise OutputError(msg)
    for info in members:
        place = folder / info.filename
        with room_for(f"{path}/{info.filename}"):
            place.parent.mkdir(parents=True, exist_ok=True)
            with place.open("xb") as file:
                for chunk in _chunks(path, info.filename):
                    file.write(chunk)


def is_archive(path: Path) -> bool:
    """Tell a zip archive by its name."""
    return path.suffix.lower() == ARCHIVE_SUFFIX and path.is_file()


def _members(path: Path, wanted: Callable[[ZipFile, ZipInfo], bool]) -> list[ZipInfo]:
    """Return the members of an archive that are wanted, checked and sorted."""
    try:
        with _open(path) as archive:
            members = [info for info in archive.infolist() if wanted(archive, info)]
    except Exception as error:  # zipfile raises a dozen kinds on broken archives
        msg = (
            f"{path} cannot be read as a zip archive ({_reason(error)}). Copy or "
            "download it again, or unpack it and give the folder."
        )
        raise DatasetError(msg) from error
    for info in members:
        _check_member(path, info)
    _check_unique(path, [info.filename for info in members])
    return sorted(members, key=lambda info: PurePosixPath(info.filename).parts)


@contextmanager
def unpacked(path: Path, member: str) -> Iterator[Path]:
    """Yield a copy of a member that only this user can read; removed at the end.

    Raises:
        ImageError: If the member is broken or too large.
        OutputError: If there is no room for the copy.
    """
    shown = f"{path}/{member}"
    with private_copy(member, shown) as copy:
        with copy.open("wb") as file:
            for chunk in _chunks(path, member):
                with room_for(shown):
                    file.write(chunk)
                    file.flush()
        yield copy


def member_state(path: Path, member: str) -> dict[str, int]:
    """Return size and CRC-32 of a member; empty if it cannot be read."""
    try:
        with _LOCK:
            info = _kept_open(path).getinfo(member)
    except Exception:  # zipfile raises a dozen kinds; unpacking it explains which
        return {}
    return {"size": info.file_size, "crc": info.CRC}


def _open(path: Path) -> ZipFile:
    try:
        # Finder packs names in UTF-8 without saying so.
        return ZipFile(path, metadata_encoding="utf-8")
    except UnicodeDecodeError:
        return ZipFile(path)


def _kept_open(path: Path) -> ZipFile:
    """Return the archive open: reading its index anew for each member is quadratic."""
    status = path.stat()
    return _open_version(path, status.st_mtime_ns, status.st_size)


@lru_cache(maxsize=4)
def _open_version(path: Path, mtime_ns: int, size: int) -> ZipFile:
    return _open(path)


def _is_image(archive: ZipFile, info: ZipInfo) -> bool:
    name = PurePosixPath(info.filename).name
    if not _is_shown_file(archive, info):
        return False
    if has_image_suffix(name):
        return True
    if not name or has_other_suffix(name):
        return False
    if info.flag_bits & _ENCRYPTED or info.compress_type not in _METHODS:
        return True  # what is inside cannot be told; it fails by its name
    with archive.open(info) as file:
        start = file.read(DICOM_START)
    return is_dicom(start) or is_picture(start)


def _is_shown_file(archive: ZipFile, info: ZipInfo) -> bool:
    del archive
    parts = PurePosixPath(info.filename).parts
    return not (info.is_dir() or "__MACOSX" in parts or any(map(_is_hidden, parts)))


def _is_hidden(part: str) -> bool:
    return part.startswith(".") and not part.startswith("..")


def _check_member(path: Path, info: ZipInfo) -> None:
    name = info.orig_filename  # before zipfile tidies it
    place = PurePosixPath(name)
    remedy = "Pack the archive again without it, or unpack it and give the folder."
    if info.flag_bits & _ENCRYPTED:
        problem, remedy = "is encrypted", "Unpack the archive and give the folder."
    elif place.is_absolute() or ".." in place.parts or _DRIVE.match(name):
        problem = "has a name that leads out of the archive"
    elif "\\" in name or "\0" in name:
        problem = "has a name with a backslash or a null byte"
    elif stat.S_IFMT(info.external_attr >> 16) not in {0, stat.S_IFREG}:
        problem = "is a link or a device, not a file"
    else:
        return
    msg = f"{path}/{name} {problem}. {remedy}"
    raise DatasetError(msg)


def _check_unique(path: Path, names: list[str]) -> None:
    for place, count in Counter(map(PurePosixPath, names)).items():
        if count > 1:
            msg = (
                f"{path}/{place} is {count} times in the archive. Pack it again with "
                "each file once."
            )
            raise DatasetError(msg)


def _chunks(path: Path, member: str) -> Iterator[bytes]:
    """Yield the bytes of a member, counted: the sizes in an archive may lie."""
    total = 0
    try:
        with _opened(path, member) as file:
            while chunk := file.read(_CHUNK):
                total += len(chunk)
                if total > MAX_BYTES:
                    raise _too_large(path, member)
                yield chunk
    except ImageError:
        raise
    except Exception as error:  # zipfile raises a dozen kinds on broken members
        msg = (
            f"{path}/{member} cannot be unpacked ({_reason(error)}). "
            "Copy or download the archive again, or pack it anew."
        )
        raise ImageError(msg) from error


@contextmanager
def _opened(path: Path, member: str) -> Iterator[IO[bytes]]:
    # Reading is safe in threads; opening and closing count without a lock.
    with _LOCK:
        archive = _kept_open(path)
        info = archive.getinfo(member)
        if info.compress_type not in _METHODS:
            raise _other_method(path, member)
        if _is_suspicious(info):
            raise _too_large(path, member)
        file = archive.open(info)
    try:
        yield file
    finally:
        with _LOCK:
            file.close()


def _is_suspicious(info: ZipInfo) -> bool:
    packed_too_well = info.file_size > _MAX_RATIO * info.compress_size
    return info.file_size > (_BLANK_BYTES if packed_too_well else MAX_BYTES)


def _too_large(path: Path, member: str) -> ImageError:
    msg = (
        f"{path}/{member} unpacks to more than any X-ray holds. Remove it from the "
        "archive, or unpack it yourself and give the file."
    )
    return ImageError(msg)


def _other_method(path: Path, member: str) -> ImageError:
    msg = (
        f"{path}/{member} is packed by a method other than deflate, which is not read. "
        "Pack the archive again, or unpack it and give the folder."
    )
    return ImageError(msg)


def _reason(error: Exception) -> str:
    return str(error) or type(error).__name__
