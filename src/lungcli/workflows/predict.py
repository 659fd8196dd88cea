"""Label any X-ray files with a trained network."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from lungcli.arrays import Gray, LabelMap
from lungcli.data.images import IMAGE_SUFFIXES, RAW_SUFFIX, read_image
from lungcli.errors import DatasetError, ImageError
from lungcli.pictures.film import write_png
from lungcli.pictures.overlay import outline
from lungcli.progress import Progress, silent
from lungcli.runs import RUNS
from lungcli.workflows.datasets import check_output
from lungcli.workflows.inference import LungModel, load_model, threads
from lungcli.workflows.models import BUNDLED, Announce, find_model, quiet

SUFFIXES = IMAGE_SUFFIXES | {RAW_SUFFIX}


@dataclass(frozen=True, slots=True, kw_only=True)
class Prediction:
    """What became of one file.

    Attributes:
        image: The X-ray.
        paths: Label map and, on demand, overlay; empty if it failed.
        error: Why it failed; empty if it did not.
    """

    image: Path
    paths: tuple[Path, ...] = ()
    error: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Return the entry as a JSON document."""
        return {
            "image": str(self.image),
            "paths": [str(path) for path in self.paths],
            "error": self.error or None,
        }


def predict(
    inputs: Sequence[Path],
    model: str | Path | None = None,
    *,
    out: Path = Path("masks"),
    overlay: bool = False,
    runs: Path = RUNS,
    progress: Progress = silent,
    announce: Announce = quiet,
) -> tuple[Prediction, ...]:
    """Write the label map of each X-ray on its original pixel grid.

    A file that cannot be read is reported and the rest goes on.

    Args:
        inputs: Image files, or folders that are searched for them.
        model: As `models.find_model` takes it, but None is the bundled network.
        out: Folder of the label maps: 8-bit gray PNG, 0 background, 1 the patient's
            right lung, 2 left. Files of a folder keep their place below it.
        overlay: Whether to write `<name>_overlay.png` too, with outlines.
        runs: Folder of all runs.
        progress: Told after each file.
        announce: Told if the bundled network was taken unasked.

    Returns:
        One entry a file, in the order of the inputs.

    Raises:
        DatasetError: If an input is missing, or there is no image among them.
        ModelError: If there is no usable model.
        OutputError: If a label map cannot be written.
    """
    check_output(out)
    targets = _targets(inputs, out, overlay=overlay)
    if model is None:
        announce(f"the model that came with lungcli is used (--model {BUNDLED}).")
        model = BUNDLED
    lungs = load_model(find_model(model, runs=runs))
    predictions: list[Prediction] = []
    progress("predict", 0, len(targets))
    images = list(targets)
    batch_size = lungs.predictor.batch_size
    with threads() as pool:
        for start in range(0, len(images), batch_size):
            batch = images[start : start + batch_size]
            for prediction in _predict_batch(lungs, batch, pool):
                path = targets[prediction.image]
                predictions.append(_write(prediction, path, overlay=overlay))
                progress("predict", len(predictions), len(targets))
    return tuple(predictions)


@dataclass(frozen=True, slots=True)
class _Labelled:
    """One file with its pixels and labels, or the reason why there are none."""

    image: Path
    pixels: Gray | None = None
    labels: LabelMap | None = None
    error: str = ""


def _predict_batch(
    lungs: LungModel, batch: Sequence[Path], pool: ThreadPoolExecutor
) -> Iterator[_Labelled]:
    read = list(pool.map(_read, batch))
    pixels = [item.pixels for item in read if item.pixels is not None]
    labels = lungs.label_images(pixels, pool)
    for item in read:
        yield item if item.pixels is None else replace(item, labels=next(labels))


def _read(path: Path) -> _Labelled:
    try:
        return _Labelled(path, read_image(path).pixels)
    except ImageError as error:
        return _Labelled(path, error=str(error))


def _write(item: _Labelled, path: Path, *, overlay: bool) -> Prediction:
    if item.pixels is None or item.labels is None:
        return Prediction(image=item.image, error=item.error)
    paths = [write_png(item.labels, path)]
    if overlay:
        picture = outline(item.pixels, item.labels)
        paths.append(write_png(picture, _overlay_path(path)))
    return Prediction(image=item.image, paths=tuple(paths))


def _targets(inputs: Sequence[Path], out: Path, *, overlay: bool) -> dict[Path, Path]:
    """Name the label map of each image; images of one stem keep their suffixes."""
    names: dict[Path, Path] = {}
    for given in inputs:
        names.update(dict(_find(given, out)))
    stems = Counter(name.with_suffix("") for name in names.values())
    targets = {
        image: out / (name.with_suffix(".png") if unique else f"{name}.png")
        for image, name in names.items()
        for unique in [stems[name.with_suffix("")] == 1]
    }
    outputs = list(targets.values())
    if overlay:
        outputs += [_overlay_path(path) for path in targets.values()]
    _check_outputs(targets, outputs)
    return targets


def _check_outputs(images: Iterable[Path], outputs: Sequence[Path]) -> None:
    """Refuse to write one file twice, or over an X-ray."""
    for path, count in Counter(outputs).items():
        if count > 1:
            msg = (
                f"several inputs would be written to {path}. Predict them one by one, "
                "each with its own --out."
            )
            raise DatasetError(msg)
    originals = {image.resolve() for image in images}
    for path in outputs:
        if path.resolve() in originals:
            msg = f"{path} is an input and would be overwritten. Choose another --out."
            raise DatasetError(msg)


def _overlay_path(path: Path) -> Path:
    return path.with_name(f"{path.stem}_overlay.png")


def _find(given: Path, out: Path) -> Iterator[tuple[Path, Path]]:
    """Yield each image with its place below the output folder."""
    if given.is_dir():
        found = sorted(
            path
            for path in given.rglob("*")
            if path.suffix.lower() in SUFFIXES
            and path.is_file()
            and out.resolve() not in path.resolve().parents
        )
        if not found:
            kinds = ", ".join(sorted(SUFFIXES))
            msg = (
                f"no image in {given} ({kinds} were looked for; DICOM is not read yet)."
            )
            if out.resolve() in (given.resolve(), *given.resolve().parents):
                msg = f"--out {out} holds the input {given}. Choose another folder."
            raise DatasetError(msg)
        yield from ((path, path.relative_to(given)) for path in found)
    elif given.exists():
        yield given, Path(given.name)
    else:
        msg = f"{given} does not exist. Name image files or folders of them."
        raise DatasetError(msg)
