"""What the fuzzing harnesses of the readers share.

A harness reads a file: it may return or raise a `LungcliError`; whatever else it raises
is a finding. Findings are kept by where they arose, so that one bug, met a thousand
times, is one file, and the fuzzing goes on behind it. Hangs, crashes of native code
and memory are libFuzzer's: it stops there and leaves the input.

Atheris is no dependency of lungcli: `pip install atheris` first.
"""

import hashlib
import sys
import tempfile
import traceback
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final
from zipfile import ZipFile

import atheris

CORPUS_TESTS: Final = Path(__file__).parents[1] / "tests" / "corpus"
LIMITS: Final = ("-timeout=30", "-rss_limit_mb=3000", "-print_final_stats=1")
_MODULES: Final = ("lungcli", "PIL", "pydicom", "zipfile", "tomllib", "json")
_FOUND: Final = "found"
_SEEDS: Final = Path(__file__).with_name("seeds")

Read = Callable[[Path], object]
Mutate = Callable[[bytes, int, int], bytes]
sys.path.insert(0, str(CORPUS_TESTS))


def fuzz(
    load: Callable[[], tuple[Read, Mapping[str, bytes]]],
    *,
    suffix: str,
    mutate: Mutate | None = None,
) -> None:
    """Fuzz a reader until libFuzzer's limits, given on the command line, are met.

    Args:
        load: Imports the reader and makes the seeds, names and contents; what is
            imported meanwhile is watched for coverage.
        suffix: Of the file that the reader is given.
        mutate: `(data, max_size, seed)` to a changed copy, for formats that
            libFuzzer's own changes would only break at the first checksum.
    """
    folder = _corpus_folder(sys.argv)
    with tempfile.TemporaryDirectory(prefix="fuzz-") as place:
        path = Path(place, f"input{suffix}")
        with atheris.instrument_imports(include=list(_MODULES)):
            read, seeds = load()
            check = _checked(read, path, folder.parent / _FOUND)
            for name, content in {**seeds, **_kept()}.items():
                mark = hashlib.sha256(name.encode()).hexdigest()[:12]
                (folder / f"seed-{mark}").write_bytes(content)
                check(content)  # libraries are imported only when they are needed
        options = {"custom_mutator": mutate} if mutate else {}
        atheris.Setup([*sys.argv, *LIMITS], check, **options)
        atheris.Fuzz()


def seeds_of(specimens: Sequence[object], most_bytes: int = 20_000) -> dict[str, bytes]:
    """Return the small ones of the corpus that the tests make."""
    return {
        each.name: each.content for each in specimens if len(each.content) <= most_bytes
    }


def _kept() -> dict[str, bytes]:
    """Return small inputs that earlier hours found to reach new code."""
    name = Path(sys.argv[0]).stem.removeprefix("fuzz_")
    with ZipFile(_SEEDS / f"{name}.zip") as archive:
        return {f"kept-{each}": archive.read(each) for each in archive.namelist()}


def _checked(read: Read, path: Path, found: Path) -> Callable[[bytes], None]:
    from lungcli.errors import LungcliError  # noqa: PLC0415 - watched for coverage

    seen: set[str] = set()

    def check(data: bytes) -> None:
        path.write_bytes(data)
        try:
            read(path)
        except LungcliError:
            return
        except Exception as error:
            _keep(found, data, error, seen)

    return check


def _corpus_folder(arguments: Sequence[str]) -> Path:
    folders = [each for each in arguments[1:] if not each.startswith("-")]
    if not folders:
        sys.exit(f"usage: {arguments[0]} CORPUS_FOLDER [libFuzzer's options]")
    folder = Path(folders[0])
    folder.mkdir(parents=True, exist_ok=True)
    return folder


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
