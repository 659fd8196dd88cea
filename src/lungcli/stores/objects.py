"""What is behind a URL, through fsspec: listed, fetched, stored and removed.

Connections break. So everything is tried three times, and what fails for good is a
`RemoteError` that names the URL, never its secrets. fsspec and the packages below it
take a second to import and are needed for URLs only: every import is inside a function.
"""

import errno
import os
import posixpath
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import Any, Final, TypeVar

from lungcli.errors import OutputError, RemoteError
from lungcli.stores.errors import explained, lacks_credentials
from lungcli.system.files import PART
from lungcli.system.urls import WEB, Url

PAUSES: tuple[float, ...] = (1.0, 4.0)  # seconds between the tries
# An object appears whole, when all of it is there: no other name is needed meanwhile.
_OBJECT_STORES: Final = frozenset(
    {"s3", "s3a", "gs", "gcs", "abfs", "abfss", "az", "oci", "oss"}
)
# How file systems tell one version of a file from another; the first that is there.
_VERSIONS: Final = (
    "ETag", "etag", "md5Hash", "mtime", "LastModified", "last_modified",
    "Last-Modified", "updated", "modified", "created",
)  # fmt: skip
_FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT})
_FINAL: Final = (
    FileNotFoundError,
    PermissionError,
    IsADirectoryError,
    NotADirectoryError,
    NotImplementedError,
    ImportError,
    TypeError,
    ValueError,
)

_Result = TypeVar("_Result")


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteFile:
    """A file behind a URL.

    Attributes:
        url: Where it is.
        path: Below the folder that was searched, with `/` between.
        size: Bytes; None where the server does not say.
        state: Numbers that change when the file does; None where a listing does not
            tell, and `state_of` may.
    """

    url: Url
    path: str
    size: int | None
    state: Mapping[str, int] | None = field(default=None, compare=False)


def list_files(folder: Url) -> list[RemoteFile]:
    """Return all files below a folder, sorted by folder and name; none if none is.

    Raises:
        RemoteError: If it cannot be listed.
    """

    def find() -> Mapping[str, Mapping[str, Any]]:
        system, path = _open(folder)
        system.invalidate_cache()
        found: Mapping[str, Mapping[str, Any]] = system.find(path, detail=True)
        return {_below(path, name): info for name, info in found.items()}

    found = _tried(folder, "read", find)
    files = [
        _remote_file(folder / path, path, info)
        for path, info in found.items()
        # some programs make an empty object for a folder
        if path and not path.endswith("/") and info["type"] == "file"
    ]
    return sorted(files, key=lambda file: file.path.split("/"))


def matching(base: Url, pattern: str) -> list[tuple[RemoteFile, bool]]:
    """Return what matches a pattern below a folder, sorted, and whether it is a folder.

    Raises:
        RemoteError: If it cannot be searched.
    """

    def glob() -> Mapping[str, Mapping[str, Any]]:
        system, path = _open(base)
        system.invalidate_cache()
        whole = f"{system._strip_protocol(base.whole).rstrip('/')}/{pattern}"
        found: Mapping[str, Mapping[str, Any]] = system.glob(whole, detail=True)
        return {_below(path, name): info for name, info in found.items()}

    found = _tried(base / pattern, "searched", glob)
    matches = [
        (_remote_file(base / path, path, info), info["type"] == "directory")
        for path, info in found.items()
        if path
    ]
    return sorted(matches, key=lambda match: match[0].path.split("/"))


def look_up(url: Url) -> RemoteFile | None:
    """Return a file by its URL; None if there is none, or it is a folder.

    Raises:
        RemoteError: If that cannot be found out.
    """

    def info() -> Mapping[str, Any] | None:
        system, path = _open(url)
        system.invalidate_cache()
        try:
            found: Mapping[str, Any] = system.info(path)
        except FileNotFoundError:
            return None
        return found if found["type"] == "file" else None

    found = None if url.whole.endswith("/") else _tried(url, "read", info)
    return None if found is None else _remote_file(url, "", found)


def state_of(file: RemoteFile) -> dict[str, int]:
    """Return numbers that change when a file does; empty if they are not known."""
    if file.state is not None:
        return dict(file.state)
    try:
        found = look_up(file.url)
    except RemoteError:  # fetching it says why
        return {}
    return dict(found.state or {}) if found else {}


def read_starts(files: Sequence[RemoteFile], num_bytes: int) -> list[bytes]:
    """Return the first bytes of each file; several at a time where that is possible.

    Raises:
        RemoteError: If a file cannot be read.
    """
    if not files:
        return []
    urls = [file.url for file in files]

    def read() -> list[bytes]:
        system, _ = _open(urls[0])
        paths = [_open(url)[1] for url in urls]
        found = system.cat_ranges(paths, 0, num_bytes, on_error="raise")
        return [bytes(start) for start in found]

    return _tried(urls[0], "read", read)


def download(file: RemoteFile, path: Path) -> None:
    """Fetch a file into one that is there.

    Raises:
        OutputError: If the disk is full.
        RemoteError: If it cannot be fetched, or comes cut short.
    """

    def fetch() -> None:
        system, source = _open(file.url)
        system.get_file(source, str(path))
        got = path.stat().st_size
        if file.size is not None and got != file.size:
            msg = f"{got} of {file.size} bytes"
            raise ConnectionError(errno.ECONNABORTED, msg)

    _tried(file.url, "fetched", fetch)


def upload(path: Path, url: Url) -> None:
    """Store a file; it appears whole wherever the file system can do that.

    Raises:
        RemoteError: If it cannot be stored.
    """

    def store() -> None:
        system, target = _open(url)
        if url.scheme in _OBJECT_STORES:
            system.put_file(str(path), target)
            return
        folder, name = posixpath.split(target)
        part = f"{folder}/{PART}{name}"
        system.makedirs(folder, exist_ok=True)
        system.put_file(str(path), part)
        if system.exists(target):
            system.rm_file(target)  # not all rename over what is there
        system.mv(part, target)

    _tried(url, "stored", store)


def remove(url: Url) -> None:
    """Remove a file, if there is one.

    Raises:
        RemoteError: If it cannot be removed.
    """

    def rm() -> None:
        system, path = _open(url)
        try:
            system.rm_file(path)
        except FileNotFoundError:
            return

    _tried(url, "removed", rm)


def check_writable(url: Url) -> None:
    """Refuse what is never written to, as the web.

    Raises:
        RemoteError: If it is.
    """
    if url.scheme in WEB:
        msg = (
            f"nothing can be written to {url}: choose a folder or a bucket with --out."
        )
        raise RemoteError(msg)


def _open(url: Url) -> tuple[Any, str]:
    """Return the file system behind a URL, and the path in it."""
    if "::" in url.whole:
        msg = "chained"
        raise ValueError(msg)
    host = f"{url.scheme}://{url.whole.partition('://')[2].partition('/')[0]}"
    system = _connection(host, os.getpid())
    return system, system._strip_protocol(url.whole)


@lru_cache(maxsize=8)
def _connection(host: str, process: int) -> Any:
    """Return the file system of a host: one for all threads, none over a fork."""
    del process
    from fsspec.core import url_to_fs  # noqa: PLC0415 - see above

    # Its own caches are one each thread and set of options, and know no end.
    return url_to_fs(host + "/", skip_instance_cache=True)[0]


def _remote_file(url: Url, path: str, info: Mapping[str, Any]) -> RemoteFile:
    size = info.get("size")
    version = next((info[key] for key in _VERSIONS if info.get(key)), None)
    state = None
    if size is not None and version is not None:
        digest = sha256(str(version).encode()).digest()
        # 48 bits: a whole number in every JSON parser
        state = {"size": int(size), "version": int.from_bytes(digest[:6])}
    return RemoteFile(url=url, path=path, size=size, state=state)


def _below(folder: str, name: str) -> str:
    """Return the rest of a path in a folder; both as the file system has them.

    Objects may have empty folders in their names: `ward//a.png` is not `ward/a.png`.
    """
    rest = name.lstrip("/").removeprefix(folder.strip("/"))
    return rest.removeprefix("/").removesuffix("/")


def _tried(url: Url, what: str, action: Callable[[], _Result]) -> _Result:
    """Call an action until it succeeds, three times at most."""
    for pause in (*PAUSES, None):
        try:
            return action()
        except Exception as error:  # each file system has its own kinds
            if isinstance(error, OSError) and error.errno in _FULL:
                raise _no_room(url, error) from error
            if pause is None or _is_final(error):
                raise explained(url, what, error) from error
            time.sleep(pause)
    raise AssertionError


def _is_final(error: Exception) -> bool:
    return isinstance(error, _FINAL) or lacks_credentials(error)


def _no_room(url: Url, error: OSError) -> OutputError:
    msg = (
        f"cannot copy {url} for a moment ({error.strerror}). Free space for temporary "
        "files, or set TMPDIR to a folder that has it."
    )
    return OutputError(msg)
