"""Pack prepared data sets into one small file for another machine, and unpack it there.

    python tools/pack_data.py pack prepared --size 384
    python tools/pack_data.py unpack data/gpu/pack.zip unpacked   # unpacked/1, /2, ...

Cases that train or validate travel, with their masks; test cases do not. CXRs that
validate are stored without loss; those that train are JPEG, a third smaller and off by
about one gray value, unless --lossless is given. Real X-rays never enter git, so the
file may not lie where git would take it.
"""

import shutil
import subprocess
import tempfile
import zipfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from PIL import Image

from lungcli.data.geometry import (
    content_of,
    fit_square,
    labels_to_square,
    to_square,
)
from lungcli.data.prepared import (
    DATASET_JSON,
    PreparedCase,
    PreparedDataset,
    open_prepared,
)
from lungcli.data.prepared_writer import write_cases
from lungcli.errors import DatasetError, LungcliError, OutputError
from lungcli.system.documents import read_json
from lungcli.system.files import whole_file, whole_folder, write_json
from lungcli.workflows.shared.datasets import open_all

PACK = Path("data/gpu/pack.zip")
TRAVELLING = ("train", "val")
FOLDERS = ("images", "masks", "references")
MIB = 2**20

app = typer.Typer(help=__doc__)


@app.command("pack")
def pack_command(
    data: Annotated[list[Path], typer.Argument(help="Of 'lungcli prepare'.")],
    out: Annotated[Path, typer.Option(help="The file.")] = PACK,
    size: Annotated[int, typer.Option(help="Largest side in pixels.", min=32)] = 384,
    quality: Annotated[
        int, typer.Option(help="Of JPEG, for CXRs that train.", min=1, max=100)
    ] = 95,
    lossless: Annotated[
        bool, typer.Option("--lossless", help="No JPEG: every CXR as it is.")
    ] = False,
    limit: Annotated[float, typer.Option(help="Of the file, in MiB.")] = 30.0,
) -> None:
    """Write one file."""
    check_unseen_by_git(out)
    jpeg = None if lossless else quality
    count = pack(data, out, size=size, quality=jpeg, limit=limit)
    typer.echo(f"{out}: {count} cases, {out.stat().st_size / MIB:.1f} MiB")


@app.command("unpack")
def unpack_command(
    file: Annotated[Path, typer.Argument(help="Of 'pack'.")],
    folder: Annotated[Path, typer.Argument(help="Gets a folder for each data set.")],
) -> None:
    """Make prepared data sets of the file again."""
    for dataset in unpack(file, folder):
        cases = len(dataset.cases)
        typer.echo(f"{dataset.root}: {dataset.name}, {cases} cases, {dataset.size} px")


def check_unseen_by_git(path: Path) -> None:
    """Refuse a file that git would take.

    Raises:
        OutputError: With the remedy.
    """
    git = shutil.which("git")
    if git is None:
        return
    place = path.absolute()
    folder = next(parent for parent in place.parents if parent.is_dir())
    command = [git, "-C", str(folder), "check-ignore", "--quiet", str(place)]
    # S603: git, with a path
    asked = subprocess.run(command, capture_output=True, check=False)  # noqa: S603
    if asked.returncode == 1:  # 0 is ignored, 128 no repository at all
        msg = (
            f"git does not ignore {path}. Real X-rays stay out of it: write to {PACK}."
        )
        raise OutputError(msg)


def pack(
    data: list[Path], out: Path, *, size: int, quality: int | None, limit: float
) -> int:
    """Write the file and return the number of cases.

    Args:
        data: Prepared data sets.
        out: The file.
        size: Largest side in pixels; what is smaller stays so.
        quality: Of JPEG, for CXRs that train; None is no loss.
        limit: Of the file, in MiB.

    Raises:
        DatasetError: If there is nothing to pack.
        OutputError: If the file would be too large; then there is none.
    """
    with tempfile.TemporaryDirectory() as temporary:
        root = Path(temporary)
        count = sum(
            _shrink_set(dataset, root / str(number), size=size, quality=quality)
            for number, dataset in enumerate(open_all(data), 1)
        )
        if not count:
            msg = f"no case of {', '.join(map(str, data))} trains or validates."
            raise DatasetError(msg)
        packed = Path(shutil.make_archive(temporary, "zip", root))
        try:
            _check_size(packed, limit)
            with whole_file(out) as part:
                shutil.copyfile(packed, part)
        finally:
            packed.unlink()
    return count


def _check_size(packed: Path, limit: float) -> None:
    found = packed.stat().st_size / MIB
    if found > limit:
        msg = (
            f"the file would have {found:.1f} MiB, more than {limit:g}. Use a smaller "
            "--size, a lower --quality, or a higher --limit."
        )
        raise OutputError(msg)


def _shrink_set(
    dataset: PreparedDataset, folder: Path, *, size: int, quality: int | None
) -> int:
    chosen = [c for c in dataset.cases if c.has_mask and c.split in TRAVELLING]
    for name in FOLDERS:
        (folder / name).mkdir(parents=True)
    shrink = partial(_shrink_case, dataset, folder, size=size, quality=quality)
    with ThreadPoolExecutor() as pool:  # the encoders of Pillow work beside each other
        cases = list(pool.map(shrink, chosen))
    if cases:
        write_cases(folder, cases)
    facts = read_json(dataset.root / DATASET_JSON)
    write_json(folder / DATASET_JSON, {**facts, "size": min(size, dataset.size)})
    return len(cases)


def _shrink_case(
    dataset: PreparedDataset,
    folder: Path,
    case: PreparedCase,
    *,
    size: int,
    quality: int | None,
) -> PreparedCase:
    """Write the pixels of a case; return it as it will be unpacked."""
    before = case.geometry
    place = fit_square(
        before.content_height, before.content_width, min(size, before.side)
    )
    image = to_square(content_of(dataset.read_image(case), before), place)
    mask = labels_to_square(content_of(dataset.read_mask(case), before), place)
    _save_image(image, folder / case.image, quality if case.split == "train" else None)
    Image.fromarray(mask).save(folder / case.mask, optimize=True)
    shutil.copyfile(dataset.root / case.reference, folder / case.reference)
    return replace(
        case, geometry=replace(place, height=before.height, width=before.width)
    )


def _save_image(
    image: np.ndarray[tuple[int, ...], np.dtype[np.uint8]],
    path: Path,
    quality: int | None,
) -> None:
    picture = Image.fromarray(image)
    if quality is None:
        picture.save(path.with_suffix(".webp"), lossless=True)
    else:
        picture.save(path.with_suffix(".jpg"), quality=quality, optimize=True)


def unpack(file: Path, folder: Path) -> list[PreparedDataset]:
    """Unpack what `pack` has written; replaces the folder.

    Raises:
        DatasetError: If the file is missing, or was not written by `pack`.
    """
    with whole_folder(folder) as part:
        try:
            shutil.unpack_archive(file, part, "zip")
            packed = [*part.glob("*/images/*.webp"), *part.glob("*/images/*.jpg")]
            with ThreadPoolExecutor() as pool:
                list(pool.map(_to_png, packed))
        except (OSError, zipfile.BadZipFile) as error:
            msg = f"cannot unpack {file} ({error}). Pack it again."
            raise DatasetError(msg) from error
    return [open_prepared(root) for root in sorted(folder.iterdir())]


def _to_png(path: Path) -> None:
    with Image.open(path) as picture:
        picture.convert("L").save(path.with_suffix(".png"), compress_level=1)
    path.unlink()


def explained(run: Callable[[], None]) -> None:
    """Run it; an expected error becomes one line."""
    try:
        run()
    except LungcliError as error:
        typer.echo(f"error: {error}", err=True)
        raise SystemExit(1) from error


if __name__ == "__main__":
    explained(app)
