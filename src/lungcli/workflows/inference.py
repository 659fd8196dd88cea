"""X-rays through a trained network, to label maps on their own pixel grids."""

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray

from lungcli.arrays import Gray, LabelMap, Probabilities
from lungcli.data.geometry import (
    Geometry,
    fit_square,
    from_square,
    resize_square,
    to_square,
)
from lungcli.errors import DatasetError
from lungcli.masks import label_map
from lungcli.nn.predictor import Predictor
from lungcli.workflows.datasets import (
    DatasetCase,
    conventions_differ,
    count_named,
    smaller_than,
)
from lungcli.workflows.models import ModelFolder


class LungModel:
    """A trained network, ready to label X-rays of any size.

    Args:
        name: What messages call it.
        predictor: The network.
    """

    def __init__(self, name: str, predictor: Predictor) -> None:
        self.name = name
        self.predictor = predictor

    @property
    def size(self) -> int:
        """Side of the square that the network looks at, in pixels."""
        return self.predictor.info.network.size

    def label_cases(self, cases: Sequence[DatasetCase]) -> Iterator[LabelMap]:
        """Yield the label map of each prepared case, on its original grid.

        Memory holds one batch at a time, however many cases there are.

        Raises:
            ImageError: If a prepared image is broken.
        """
        batch_size = self.predictor.batch_size
        with threads() as pool:
            for start in range(0, len(cases), batch_size):
                batch = cases[start : start + batch_size]
                squares = list(pool.map(self._read_square, batch))
                geometries = [case.geometry for _, case in batch]
                yield from pool.map(self._label, self._infer(squares), geometries)

    def label_images(
        self, images: Sequence[Gray], pool: ThreadPoolExecutor
    ) -> Iterator[LabelMap]:
        """Yield the label map of each X-ray, of any size, on its own grid.

        Args:
            images: At most one batch of them.
            pool: Threads that resize.
        """
        if not images:
            return
        geometries = [
            fit_square(image.shape[0], image.shape[1], self.size) for image in images
        ]
        squares = list(pool.map(to_square, images, geometries))
        yield from pool.map(self._label, self._infer(squares), geometries)

    def check_convention(
        self, cases: Sequence[DatasetCase], *, any_convention: bool
    ) -> None:
        """Refuse to score against masks that count the heart differently.

        Raises:
            DatasetError: If both conventions are known and differ.
        """
        own = self.predictor.info.convention
        for dataset in {dataset.root: dataset for dataset, _ in cases}.values():
            if conventions_differ(own, dataset.convention) and not any_convention:
                msg = (
                    f"{dataset.root} has masks with the convention "
                    f"{dataset.convention}, the model {self.name} learned {own}: "
                    "the scores would mislead. Insist with --any-convention."
                )
                raise DatasetError(msg)

    def notes_on(self, cases: Sequence[DatasetCase]) -> list[str]:
        """Return what the user should know before trusting scores on these cases."""
        notes = []
        known = count_named(cases, self.predictor.info.cases_trained_on)
        if known:
            notes.append(
                f"the model was trained on {known} of these {len(cases)} cases: "
                "their scores say nothing about new patients."
            )
        known = count_named(cases, self.predictor.info.cases_chosen_by)
        if known:
            notes.append(
                f"the best epoch of the model was chosen on {known} of these "
                f"{len(cases)} cases: their scores flatter a little."
            )
        smaller = smaller_than(self.size, cases)
        if smaller:
            notes.append(
                f"{smaller} of {len(cases)} images are stored smaller than the "
                f"model's {self.size} pixels and are enlarged."
            )
        return notes

    def _read_square(self, owned: DatasetCase) -> Gray:
        dataset, case = owned
        return resize_square(dataset.read_image(case), self.size)

    def _infer(self, squares: Sequence[Gray]) -> NDArray[np.float32]:
        return self.predictor.probabilities(np.stack(squares)[..., None])

    def _label(self, probabilities: Probabilities, geometry: Geometry) -> LabelMap:
        restored = from_square(probabilities, geometry)
        return label_map(restored, threshold=self.predictor.info.threshold)


def threads() -> ThreadPoolExecutor:
    """Return threads to resize and label with; Pillow and SciPy leave the GIL.

    Few, since each holds the probabilities of an X-ray at full size: 160 MB for
    4020×4892 pixels.
    """
    return ThreadPoolExecutor(min(4, os.cpu_count() or 1))


def load_model(model: ModelFolder) -> LungModel:
    """Load a trained network.

    Raises:
        ModelError: If it cannot be used.
    """
    return LungModel(model.name, Predictor.load(model.root))
