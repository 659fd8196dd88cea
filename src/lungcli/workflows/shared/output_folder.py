"""Where results may go: never into a prepared data set."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lungcli.data.prepared import DATASET_JSON, is_prepared
from lungcli.errors import OutputError
from lungcli.stores.objects import download, look_up
from lungcli.system.files import real_path
from lungcli.system.urls import Url, url_of_path


def check_output(folder: Path) -> None:
    """Refuse to write results into a prepared data set, or to a URL.

    Raises:
        OutputError: If the folder is one, or lies in one.
    """
    if (url := url_of_path(folder)) is not None:
        msg = (
            f"nothing but predict and prepare writes to URLs, as {url}. Choose a "
            "folder with --out."
        )
        raise OutputError(msg)
    place = real_path(folder)
    for parent in (place, *place.parents):
        if is_prepared(parent):
            msg = (
                f"{folder} belongs to the prepared data set {parent}. Choose another "
                "--out."
            )
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


@contextmanager
def private_folder() -> Iterator[Path]:
    """Yield an empty folder that only this user can enter; removed at the end."""
    with tempfile.TemporaryDirectory(
        prefix="lungcli-", ignore_cleanup_errors=True
    ) as folder:
        yield Path(os.path.realpath(folder))  # as messages have it
