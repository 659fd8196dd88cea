"""One X-ray that a person named."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from lungcli.data.inputs.archive import MAX_BYTES, member_state, unpacked
from lungcli.data.inputs.copies import private_copy
from lungcli.errors import ImageError
from lungcli.stores.objects import RemoteFile, download, state_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Input:
    """One X-ray to label: a file, a member of a zip archive, or behind a URL.

    It can be pickled and used on another machine.

    Attributes:
        shown: What messages call it: its path, `archive.zip/ward/a.png`, or its URL
            without what is secret in it.
        name: Its place below the output folder, with its suffix; never climbs.
        path: The file, or the archive, or what lies behind a URL.
        member: Its name in the archive; None for a file.
        problem: Why it cannot be read at all, as of a broken archive; empty if it may.
    """

    shown: str
    name: PurePosixPath
    path: Path | RemoteFile
    member: str | None = None
    problem: str = ""

    @contextmanager
    def local(self) -> Iterator[Path]:
        """Yield a file to read: the X-ray itself, or a private copy.

        The copy has the X-ray's suffix and is removed at the end. An `ImageError`
        raised in the block names the X-ray instead of the copy.

        Raises:
            ImageError: If there is a problem, or the member cannot be unpacked.
            OutputError: If there is no room for the copy.
            RemoteError: If it cannot be fetched.
        """
        if self.problem:
            raise ImageError(self.problem)
        if isinstance(self.path, Path) and self.member is None:
            yield self.path
            return
        with self._copied() as copy:
            try:
                yield copy
            except ImageError as error:
                message = str(error).replace(str(copy), self.shown)
                raise type(error)(message) from error

    def state(self) -> dict[str, int]:
        """Return numbers that change when the X-ray does; empty if it is unreadable.

        Size and time of change of a file, size and CRC-32 of a member, size and a
        hash of the version that the server names.
        """
        if self.problem:
            return {}
        if isinstance(self.path, RemoteFile):
            return state_of(self.path)
        if self.member is not None:
            return member_state(self.path, self.member)
        try:
            status = self.path.stat()
        except OSError:
            return {}
        return {"size": status.st_size, "mtime_ns": status.st_mtime_ns}

    def _copied(self) -> AbstractContextManager[Path]:
        if isinstance(self.path, RemoteFile):
            return fetched(self.path)
        return unpacked(self.path, self.member or "")


@contextmanager
def fetched(file: RemoteFile) -> Iterator[Path]:
    """Yield a copy of what lies behind a URL that only this user can read.

    Raises:
        ImageError: If it is larger than any X-ray.
        OutputError: If there is no room for the copy.
        RemoteError: If it cannot be fetched.
    """
    if file.size is not None and file.size > MAX_BYTES:
        msg = f"{file.url} is larger than any X-ray. Leave it out."
        raise ImageError(msg)
    with private_copy(file.url.name, str(file.url)) as copy:
        download(file, copy)
        yield copy
