"""`evolution.gif`: how the prediction of three validation cases comes about."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from lungcli.anatomy import ANY_OF, BACKGROUND, LUNG_LABELS
from lungcli.arrays import Rgb, is_lung
from lungcli.data.geometry import resize_labels, resize_square
from lungcli.masks.labels import label_map
from lungcli.metrics.overlap import dice, overlap
from lungcli.model.runs import RunFolder
from lungcli.pictures.film import write_gif, write_png
from lungcli.pictures.sheet import grid
from lungcli.pictures.views import difference_picture
from lungcli.system.pixel_store import Pixels

NUM_CASES = 3
SIDE = 256  # pixels a case
FPS = 5
_LEGEND = "blue agreed, vermilion missed, yellow extra"


class Evolution:
    """Draw one frame an epoch; the frames are files, so a resume goes on with them.

    Args:
        run: Gets the frames and the film.
        images: Validation CXRs, uint8 `(n, size, size, 1)`.
        references: Their label maps, of the same shape.
        names: Their names.
        threshold: Probability from which a pixel counts as lung.
        channels: Label of each channel of the probabilities.
    """

    def __init__(
        self,
        run: RunFolder,
        *,
        images: Pixels,
        references: Pixels,
        names: Sequence[str],
        threshold: float,
        channels: Sequence[int] = LUNG_LABELS,
    ) -> None:
        spread = np.linspace(0, len(images) - 1, min(NUM_CASES, len(images)))
        self._chosen = spread.round().astype(int)
        self._run = run
        self._images = images[self._chosen][..., 0]
        masks = references[self._chosen][..., 0]
        self._references = np.where(masks < ANY_OF, masks, BACKGROUND)
        self._names = [names[index] for index in self._chosen]
        self._threshold = threshold
        self._channels = tuple(channels)
        self._predicted: list[NDArray[np.uint8]] = []

    def watch(
        self, batches: Iterable[NDArray[np.float32]]
    ) -> Iterator[NDArray[np.float32]]:
        """Hand on the probabilities of an epoch; remember those of the cases shown.

        Args:
            batches: Of all validation cases, each batch
                `(n, size, size, structures)`.
        """
        predicted: list[NDArray[np.uint8]] = []
        number = 0
        for batch in batches:
            for probabilities in batch:
                if number in self._chosen:
                    labels = label_map(
                        probabilities,
                        threshold=self._threshold,
                        channels=self._channels,
                    )
                    predicted.append(labels)
                number += 1
            yield batch
        self._predicted = predicted

    def draw(self, epoch: int, val_dice: float) -> None:
        """Write the frame of an epoch, counted from 1."""
        pictures, titles = [], []
        for image, predicted, reference, name in zip(
            self._images, self._predicted, self._references, self._names, strict=True
        ):
            pictures.append(
                difference_picture(
                    resize_square(image, SIDE),
                    resize_labels(predicted, SIDE),
                    resize_labels(reference, SIDE),
                )
            )
            score = dice(overlap(is_lung(reference), is_lung(predicted)))
            titles.append(f"{name}: {score:.3f}")
        heading = f"epoch {epoch}, validation Dice {val_dice:.4f}: {_LEGEND}"
        frame = grid([pictures], column_titles=titles, row_titles=[heading])
        write_png(frame, self._run.evolution_frames / f"{epoch:05d}.png")

    def write_film(self) -> None:
        """Join all frames into the film; one that a crash has spoilt is left out."""
        paths = sorted(self._run.evolution_frames.glob("*.png"))
        frames = (frame for path in paths if (frame := _read_frame(path)) is not None)
        first = next(frames, None)
        if first is not None:
            write_gif(chain([first], frames), self._run.evolution, fps=FPS)


def _read_frame(path: Path) -> Rgb | None:
    try:
        with Image.open(path) as image:
            return np.array(image)
    except Exception:  # Pillow raises a dozen kinds on broken files
        return None
