"""Which names `prepare` hides, and where it keeps the key to them."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from lungcli.data.case import SourceListing
from lungcli.data.identities import Veil, identify, read_salt, write_names
from lungcli.errors import ConfigError
from lungcli.system.urls import Url

_SALT = ".salt"
_NAMES = ".names.csv"


@dataclass(frozen=True, slots=True, kw_only=True)
class Privacy:
    """Where the key to hashed names is kept: beside the data set, never in it.

    Attributes:
        salt: File of the salt; None where there is no place for it.
        names: File that says which image became which case.
        keep_names: Whether cases stay called as their files.
    """

    salt: Path | None
    names: Path
    keep_names: bool

    def hide(
        self, listings: Sequence[SourceListing]
    ) -> tuple[tuple[SourceListing, ...], tuple[str, ...]]:
        """Return the sources without identities of DICOM files, and what to say of it.

        Where there is no DICOM file nothing is hidden, and no salt drawn.

        Raises:
            ConfigError: If there is no place for the salt.
            DatasetError: If the salt cannot be used.
        """
        identified = identify(listings)
        if not identified.facts:
            return tuple(listings), ()
        if self.salt is None:
            msg = (
                "patients of DICOM files are called by hashes, and a URL has no place "
                "beside it for their salt. Name a file of this machine: --salt-file."
            )
            raise ConfigError(msg)
        salt = read_salt(self.salt)
        hidden = identified.hidden(salt, keep_names=self.keep_names)
        return hidden, (self._told(),)

    def veil(self, listings: Sequence[SourceListing]) -> Veil:
        """Write who is who, and return what keeps hidden names out of the audit.

        Raises:
            OutputError: If the list cannot be written.
        """
        if any(case.name for listing in listings for case in listing.cases):
            write_names(self.names, listings)
        return Veil(listings)

    def _told(self) -> str:
        what = "patients" if self.keep_names else "images and patients"
        who = "" if self.keep_names else f", who is who in {self.names}"
        return (
            f"{what} of DICOM files are called by hashes. Their salt is in {self.salt}"
            f"{who}. Keep that to yourself; --salt-file {self.salt} gives the same "
            "names in another data set."
        )


def privacy_of(out: Path | Url, salt_file: Path | None, *, keep_names: bool) -> Privacy:
    """Return where the key lies.

    Args:
        out: The data set.
        salt_file: As the user says; None for the file beside a local data set.
        keep_names: Whether cases stay called as their files.
    """
    local = out if isinstance(out, Path) else salt_file
    folder = local.parent if local else Path()
    own = folder / f"{out.name}{_SALT}" if isinstance(out, Path) else None
    return Privacy(
        salt=salt_file or own,
        names=folder / f"{out.name}{_NAMES}",
        keep_names=keep_names,
    )
