"""Where results may go: never into a prepared data set."""

from pathlib import Path

from lungcli.data.prepared import DATASET_JSON, is_prepared
from lungcli.errors import OutputError
from lungcli.stores.objects import check_writable, download, look_up
from lungcli.system.files import real_path
from lungcli.system.temporary import private_folder
from lungcli.system.urls import Url, url_of_path


def check_output(out: Path | Url) -> None:
    """Refuse to write results into a prepared data set, or where nothing can be.

    Args:
        out: A folder. Only who writes to URLs, too, gives one; a path that was meant
            as a URL is refused.

    Raises:
        OutputError: If the folder is a prepared data set, or lies in one.
        RemoteError: If it is behind a URL and cannot be written, or looked at.
    """
    owner = _owner_at(out) if isinstance(out, Url) else _owner_of(out)
    if owner is not None:
        msg = f"{out} belongs to the prepared data set {owner}. Choose another --out."
        raise OutputError(msg)


def is_prepared_at(url: Url) -> bool:
    """Tell whether a folder behind a URL is a prepared data set.

    Raises:
        RemoteError: If that cannot be found out.
    """
    facts = look_up(url / DATASET_JSON)
    if facts is None:
        return False
    with private_folder() as folder:
        (folder / DATASET_JSON).touch()
        download(facts, folder / DATASET_JSON)
        return is_prepared(folder)


def _owner_of(folder: Path) -> Path | None:
    """Return the prepared data set that a folder is, or lies in."""
    if (url := url_of_path(folder)) is not None:
        msg = (
            f"nothing but predict and prepare writes to URLs, as {url}. Choose a "
            "folder with --out."
        )
        raise OutputError(msg)
    place = real_path(folder)
    return next((p for p in (place, *place.parents) if is_prepared(p)), None)


def _owner_at(url: Url) -> Url | None:
    check_writable(url)
    folder = url
    for _ in url.parts:
        if is_prepared_at(folder):
            return folder
        folder = folder.parent
    return None
