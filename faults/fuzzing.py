"""What the fuzzing harnesses of the readers share.

A harness is `check(path)`: it may return or raise a `LungcliError`; whatever else it
raises is a finding. Findings are kept by where they arose, so that one bug, met a
thousand times, is one file, and the fuzzing goes on behind it. Hangs, crashes of
native code and memory are libFuzzer's: it stops there and leaves the input.

Atheris is no dependency of lungcli: `pip install atheris` first.
"""

import hashlib
import importlib
import sys
import tempfile
import traceback
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Final

import atheris

from lungcli.errors import LungcliError

LIMITS: Final = ("-timeout=10", "-rss_limit_mb=2048", "-print_final_stats=1")
_MODULES: Final = ("lungcli.data", "PIL", "pydicom", "zipfile", "tomllib", "json")
_FOUND: Final = "found"
_Mutate = Callable[[bytes, int, int], bytes]


def fuzz(
    module: str,
    function: str,
    *,
    suffix: str,
    seeds: Callable[[], Mapping[str, bytes]],
    mutate: _Mutate | None = None,
) -> None:
    """Fuzz a reader until libFuzzer's limits, given on the command line, are met.

    Args:
        module: Where the reader is; imported with coverage.
        function: Its name; called with the path of a file.
        suffix: Of that file.
        seeds: Makes names and contents to begin with; called once coverage is on.
        mutate: `(data, max_size, seed)` to a changed copy, for formats that
            libFuzzer's own changes would only break at the first checksum.
    """
    with atheris.instrument_imports(include=list(_MODULES)):
        read = getattr(importlib.import_module(module), function)
    fuzz_function(read, suffix=suffix, seeds=seeds(), mutate=mutate)


def fuzz_function(
    read: Callable[[Path], object],
    *,
    suffix: str,
    seeds: Mapping[str, bytes],
    mutate: _Mutate | None = None,
) -> None:
    """As `fuzz`, for a function that is imported already."""
    corpus = _corpus_folder(sys.argv)
    _write_all(corpus, seeds.items())
    with tempfile.TemporaryDirectory(prefix="fuzz-") as folder:
        path = Path(folder, f"input{suffix}")
        seen: set[str] = set()

        def check(data: bytes) -> None:
            path.write_bytes(data)
            try:
                read(path)
            except LungcliError:
                return
            except (Exception, RecursionError) as error:
                _keep(corpus.parent / _FOUND, data, error, seen)

        options = {"custom_mutator": mutate} if mutate else {}
        atheris.Setup([*sys.argv, *LIMITS], check, **options)
        atheris.Fuzz()


def _corpus_folder(arguments: Sequence[str]) -> Path:
    folders = [each for each in arguments[1:] if not each.startswith("-")]
    if not folders:
        sys.exit(f"usage: {arguments[0]} CORPUS_FOLDER [libFuzzer's options]")
    folder = Path(folders[0])
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _write_all(folder: Path, files: Iterable[tuple[str, bytes]]) -> None:
    for name, content in files:
        (folder / f"seed-{hashlib.sha256(name.encode()).hexdigest()[:12]}").write_bytes(
            content
        )


def _keep(folder: Path, data: bytes, error: Exception, seen: set[str]) -> None:
    frames = traceback.extract_tb(error.__traceback__)[-3:]
    where = "".join(f"{frame.filename}:{frame.lineno}" for frame in frames)
    mark = hashlib.sha256(f"{type(error)}{where}".encode()).hexdigest()[:12]
    if mark in seen:
        return
    seen.add(mark)
    folder.mkdir(exist_ok=True)
    name = f"{Path(sys.argv[0]).stem}-{type(error).__name__}-{mark}"
    (folder / name).write_bytes(data)
    text = "".join(traceback.format_exception(error))
    (folder / f"{name}.txt").write_text(text, encoding="utf-8")
