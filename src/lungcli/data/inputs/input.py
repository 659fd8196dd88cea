"""One X-ray that a person named."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from lungcli.data.inputs.archive import member_state, unpacked
from lungcli.errors import ImageError


@dataclass(frozen=True, slots=True, kw_only=True)
class Input:
    """One X-ray to label: a file, or a member of a zip archive.

    Attributes:
        shown: What messages call it: its path, or `archive.zip/ward/a.png`.
        name: Its place below the output folder, with its suffix; never climbs.
        path: The file, or the archive.
        member: Its name in the archive; None for a file.
        problem: Why it cannot be read at all, as of a broken archive; empty if it may.
    """

    shown: str
    name: PurePosixPath
    path: Path
    member: str | None = None
    problem: str = ""

    @contextmanager
    def local(self) -> Iterator[Path]:
        """Yield a file to read: the X-ray itself, or a private copy of the member.

        The copy has the member's suffix and is removed at the end. An `ImageError`
        raised in the block names the member instead of the copy.

        Raises:
            ImageError: If there is a problem, or the member cannot be unpacked.
            OutputError: If there is no room for the copy.
        """
        if self.problem:
            raise ImageError(self.problem)
        if self.member is None:
            yield self.path
            return
        with unpacked(self.path, self.member) as copy:
            try:
                yield copy
            except ImageError as error:
                message = str(error).replace(str(copy), self.shown)
                raise type(error)(message) from error

    def state(self) -> dict[str, int]:
        """Return numbers that change when the X-ray does; empty if it is unreadable.

        Size and time of change of a file, size and CRC-32 of a member.
        """
        if self.problem:
            return {}
        if self.member is not None:
            return member_state(self.path, self.member)
        try:
            status = self.path.stat()
        except OSError:
            return {}
        return {"size": status.st_size, "mtime_ns": status.st_mtime_ns}
