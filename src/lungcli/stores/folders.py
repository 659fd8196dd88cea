"""Whole folders behind URLs: copied to this machine, and from it."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Final, TypeVar

from lungcli.errors import DatasetError
from lungcli.stores.objects import RemoteFile, download, list_files, remove, upload
from lungcli.system.progress import Progress
from lungcli.system.threads import in_order
from lungcli.system.urls import Url

_AT_A_TIME: Final = 16  # connections; each waits most of its time

_Item = TypeVar("_Item")


def download_folders(
    urls: Mapping[Path, Url], wanted: Callable[[RemoteFile], bool], progress: Progress
) -> None:
    """Fetch folders with all below them; nothing, unless all can be listed.

    Args:
        urls: What to fetch, by the folder that it goes to.
        wanted: Tells which files to fetch.
        progress: Told after each file as the task `fetch`.

    Raises:
        DatasetError: If there is no file behind a URL, or one whose name is none on a
            disk.
        OutputError: If the disk is full.
        RemoteError: If one cannot be listed or fetched.
    """
    jobs: list[tuple[RemoteFile, Path]] = []
    for folder, url in urls.items():
        files = [file for file in list_files(url) if wanted(file)]
        if not files:
            msg = f"there is no file in {url}. Check its spelling."
            raise DatasetError(msg)
        _check_names(files, url)
        jobs += [(file, folder / file.path) for file in files]

    def fetch(job: tuple[RemoteFile, Path]) -> None:
        file, path = job
        path.parent.mkdir(parents=True, exist_ok=True)
        download(file, path)

    _each(fetch, jobs, "fetch", progress)


def upload_folder(
    folder: Path, url: Url, *, last: str, owned: Sequence[str], progress: Progress
) -> None:
    """Store a folder with all below it, in the place of an older one.

    Args:
        folder: What to store.
        url: Where. Files that are there already and have no successor stay, but for
            those of the folders `owned`.
        last: The file by which others know the folder: while it is stored there is
            none, not even the older one.
        owned: Names of folders in it.
        progress: Told after each file as the task `store`.

    Raises:
        RemoteError: If something cannot be stored or removed.
    """
    names = [
        path.relative_to(folder).as_posix()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    ]
    names.remove(last)
    remove(url / last)

    def store(name: str) -> None:
        upload(folder / name, url / name)

    _each(store, names, "store", progress)
    kept, below = set(names), tuple(f"{name}/" for name in owned)
    for file in list_files(url):
        if file.path.startswith(below) and file.path not in kept:
            remove(file.url)
    store(last)


def _check_names(files: Sequence[RemoteFile], url: Url) -> None:
    # Keys of objects are free text: `ward/../../x.png` is one, and `ward/` may be both
    # a file and a folder.
    paths = Counter(PurePosixPath(file.path) for file in files)
    folders = {parent for path in paths for parent in path.parents}
    for path, count in paths.items():
        if path.is_absolute() or ".." in path.parts or "\0" in str(path):
            problem = "a name that leads out of its folder"
        elif count > 1 or path in folders:
            problem = "a name that is there twice, or as a folder too"
        else:
            continue
        msg = f"{url / str(path)} has {problem}. Rename it."
        raise DatasetError(msg)


def _each(
    function: Callable[[_Item], None],
    items: Sequence[_Item],
    task: str,
    progress: Progress,
) -> None:
    progress(task, 0, len(items))
    for done, _ in enumerate(in_order(function, items, _AT_A_TIME), 1):
        progress(task, done, len(items))
