"""Places that are not on this machine's disks: `s3://bucket/ward`, `gs://`, `https://`.

What they are called; what is done with them is in `stores`.
"""

import os
import posixpath
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_URL: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+://")  # a drive has one letter
_SIGNED: Final = re.compile("[?&](sig|signature|x-[a-z]+-signature)=", re.IGNORECASE)
_LOCAL: Final = ("file://", "local://")
WEB: Final = frozenset({"http", "https"})
_WITH_USERS: Final = WEB | {"ftp"}


@dataclass(frozen=True, slots=True, repr=False)
class Url:
    """A file or folder behind a URL.

    As a string it is what may be shown: no password, and of a web address no query,
    which may be a signature that opens the file to everybody.

    Attributes:
        whole: The URL as it was given, with all secrets in it.

    Examples:
        >>> str(Url("https://me:secret@host/a.png?X-Amz-Signature=beef"))
        'https://host/a.png'
        >>> str(Url("s3://bucket/ward") / "a.png")
        's3://bucket/ward/a.png'
    """

    whole: str

    def __str__(self) -> str:
        rest = self.whole.partition("://")[2]
        host, slash, path = rest.partition("/")
        user, at, server = host.rpartition("@")
        # `abfs://container@account` names no user
        if at and (":" in user or self.scheme in _WITH_USERS):
            rest = f"{server}{slash}{path}"
        elif not at and "@" in path and not host.rpartition(":")[2].isdecimal():
            # a slash in the password: `s3://key:se/cret@bucket`
            rest = rest.rpartition("@")[2] if ":" in host else rest
        shown = f"{self.scheme}://{rest}"
        signed = self.scheme in WEB or _SIGNED.search(shown)
        return _without_query(shown) if signed else shown

    def __repr__(self) -> str:
        return f"Url({str(self)!r})"

    def __truediv__(self, name: str | os.PathLike[str]) -> "Url":
        """Return what lies in this folder; the name may have folders of its own."""
        return Url(f"{self.whole.rstrip('/')}/{os.fspath(name)}")

    @property
    def scheme(self) -> str:
        """What stands in front of `://`, in lower case."""
        return self.whole.partition("://")[0].lower()

    @property
    def name(self) -> str:
        """The last part of the path; the host or bucket where there is none."""
        return posixpath.basename(str(self).rstrip("/"))

    @property
    def parent(self) -> "Url":
        """The folder that holds this; of a host or bucket, itself."""
        if len(self.parts) < 2:
            return self
        return Url(self.whole.rstrip("/").rpartition("/")[0])

    @property
    def parts(self) -> tuple[str, ...]:
        """Host or bucket, then folders and name, none of them empty or secret."""
        rest = str(self).partition("://")[2]
        return tuple(part for part in rest.split("/") if part)

    def is_within(self, folder: "Url") -> bool:
        """Tell whether this is the folder, or lies in it."""
        parts = folder.parts
        return self.scheme == folder.scheme and self.parts[: len(parts)] == parts


def is_url(text: str) -> bool:
    """Tell a URL; what exists on this machine under that name is none.

    Examples:
        >>> is_url("s3://bucket/a.png"), is_url("C:/scans"), is_url("file:///scans")
        (True, False, False)
    """
    return (
        _URL.match(text) is not None
        and not text.startswith(_LOCAL)
        and not os.path.exists(text)  # noqa: PTH110 - Path.exists raises on odd names
    )


def url_of_path(path: Path) -> str | None:
    """Return the URL that somebody wrote where only a path can be; None if it is one.

    A path has lost one of the two slashes, and any secret is cut.

    Examples:
        >>> url_of_path(Path("s3://bucket/runs"))
        's3://bucket/runs'
    """
    scheme, colon, rest = str(path).partition(":/")
    text = f"{scheme}://{rest.lstrip('/')}"
    odd = colon and is_url(text) and not os.path.exists(path)  # noqa: PTH110
    return str(Url(text)) if odd else None


def without_secrets(text: str) -> str:
    """Return a text with each URL in it as it may be shown.

    Examples:
        >>> without_secrets("--out=s3://key:secret@bucket/ward")
        '--out=s3://bucket/ward'
    """
    return re.sub(rf"{_URL.pattern}\S*", lambda found: str(Url(found[0])), text)


def path_or_url(text: str | Path | Url) -> Path | Url:
    """Return what a person means by the name of a folder.

    Examples:
        >>> path_or_url("file:///scans/ward")
        PosixPath('/scans/ward')
    """
    if isinstance(text, Url):
        return text
    if isinstance(text, str) and is_url(text):
        return Url(text)
    return Path(local_name(str(text)))


def local_name(text: str) -> str:
    """Return a path without the `file://` that some programs write in front of it."""
    if os.path.exists(text):  # noqa: PTH110 - Path.exists raises on odd names
        return text
    for start in _LOCAL:
        text = text.removeprefix(start)
    return text


def _without_query(url: str) -> str:
    return url.partition("?")[0].partition("#")[0]
