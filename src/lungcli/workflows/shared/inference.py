"""X-rays through a trained network, to label maps on their own pixel grids."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from lungcli.anatomy import BACKGROUND, Structure, named
from lungcli.arrays import Gray, LabelMap, Probabilities
from lungcli.data.geometry import Geometry, fit_square, resize_square, to_square
from lungcli.data.levels import spread_levels
from lungcli.data.restoring import from_square_within
from lungcli.errors import ConfigError, DatasetError, ModelError
from lungcli.masks.labels import clean_probabilities, threshold_planes
from lungcli.model.engine import Engine
from lungcli.model.find import Announce, ModelFolder, find_model, quiet
from lungcli.model.info import ModelInfo
from lungcli.model.onnx_predictor import OnnxPredictor
from lungcli.system.cores import num_cores
from lungcli.workflows.shared.datasets import (
    DatasetCase,
    conventions_differ,
    count_named,
    smaller_than,
)


class Predictor(Protocol):
    """What both engines offer."""

    info: ModelInfo
    batch_size: int

    def probabilities(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return `(n, size, size, structures)` for uint8 CXRs `(n, size, size, 1)`."""


class LungModel:
    """A trained network, ready to label X-rays of any size.

    Args:
        name: What messages call it.
        predictor: The network.
        unseen_gpu: Which NVIDIA GPU the network does without, and what to install;
            None if nothing is wrong.
        weights: `fingerprint` of its weights, if loading it took one.
    """

    def __init__(
        self,
        name: str,
        predictor: Predictor,
        *,
        unseen_gpu: str | None = None,
        weights: str | None = None,
    ) -> None:
        self.name = name
        self.predictor = predictor
        self.unseen_gpu = unseen_gpu
        self.weights = weights

    @property
    def size(self) -> int:
        """Side of the square that the network looks at, in pixels."""
        return self.predictor.info.network.size

    @property
    def threshold(self) -> float:
        """Probability of lung from which a pixel counts as lung."""
        return self.predictor.info.threshold

    @property
    def structures(self) -> tuple[Structure, ...]:
        """What it draws, in the order of its channels; the lungs come first."""
        return named(self.predictor.info.network.structures)

    @property
    def channels(self) -> tuple[int, ...]:
        """Label of each channel of its probabilities."""
        return self.predictor.info.network.labels

    def label_cases(self, cases: Sequence[DatasetCase]) -> Iterator[LabelMap]:
        """Yield the label map of each prepared case, on its original grid.

        Memory holds one batch at a time, however many cases there are.

        Raises:
            ImageError: If a prepared image is broken.
        """
        batch_size = self.predictor.batch_size
        with new_pool() as pool:
            for start in range(0, len(cases), batch_size):
                batch = cases[start : start + batch_size]
                squares = list(pool.map(self._read_square, batch))
                geometries = [case.geometry for _, case in batch]
                yield from pool.map(self._label, self._infer(squares), geometries)

    def label_image(self, image: Gray) -> LabelMap:
        """Return the label map of an X-ray of any size, on its own grid."""
        square, geometry = self.to_square(image)
        return self.restore(self.clean(self.infer(square)), geometry)

    def to_square(self, image: Gray) -> tuple[Gray, Geometry]:
        """Return an X-ray as the network looks at it, and how it lies in there."""
        geometry = fit_square(image.shape[0], image.shape[1], self.size)
        return to_square(spread_levels(image), geometry), geometry

    def infer(self, square: Gray) -> Probabilities:
        """Return the probabilities of its structures on the network's grid."""
        probabilities: Probabilities = self._infer([square])[0]
        return probabilities

    def clean(self, probabilities: Probabilities) -> Probabilities:
        """Return probabilities without specks and holes, on the same grid."""
        return clean_probabilities(
            probabilities, threshold=self.threshold, channels=self.channels
        )

    def restore(self, cleaned: Probabilities, geometry: Geometry) -> LabelMap:
        """Return the label map on the original grid.

        The probabilities are scaled, not the labels: the outline is smooth.
        """
        labels = np.full((geometry.height, geometry.width), BACKGROUND, np.uint8)
        # A scaled value lies between its neighbours', so it reaches the threshold only
        # beside a cell that does; and where one structure does, their sum does.
        wanted = cleaned.sum(axis=-1) >= self.threshold
        for planes, box in from_square_within(cleaned, geometry, wanted):
            labels[box] = threshold_planes(
                planes, threshold=self.threshold, channels=self.channels
            )
        return labels

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
        return self.restore(self.clean(probabilities), geometry)


def new_pool() -> ThreadPoolExecutor:
    """Return threads to resize and label with; Pillow leaves the GIL.

    Few: each holds an X-ray and its label map at full size.
    """
    return ThreadPoolExecutor(min(4, num_cores()))


def load_model(
    model: ModelFolder | str | Path | None = None,
    *,
    engine: str = Engine.AUTO,
    threads: int | None = None,
    announce: Announce = quiet,
) -> LungModel:
    """Load a trained network.

    Args:
        model: A folder that is found already; or what `models.find_model` takes: None
            is the latest run, else the bundled network.
        engine: `onnx` starts in a fraction of a second; `keras` needs its backend;
            `auto` takes the first where the model has a file for it.
        threads: How many compute one call of `onnx`; by default one a core.
        announce: Told if `auto` cannot take `onnx`.

    Raises:
        ConfigError: If the engine is no `Engine`.
        ModelError: If the model cannot be used.
    """
    if engine not in tuple(Engine):
        msg = f"--engine is {engine!r}: choose one of {', '.join(Engine)}."
        raise ConfigError(msg)
    if not isinstance(model, ModelFolder):
        model = find_model(model, announce=announce)
    if engine == Engine.KERAS:
        return _load_keras(model)
    try:
        predictor = OnnxPredictor.load(model.root, threads=threads)
    except ModelError as error:
        if engine == Engine.ONNX:
            raise
        loaded = _load_keras(model)  # fails likewise if the fault is not ONNX's
        announce(f"Keras predicts, which takes seconds to start: {error}")
        return loaded
    return LungModel(
        model.name,
        predictor,
        unseen_gpu=predictor.unseen_gpu(),
        weights=predictor.weights,
    )


def _load_keras(model: ModelFolder) -> LungModel:
    from lungcli.nn.hardware import unseen_gpu  # noqa: PLC0415 - takes seconds
    from lungcli.nn.predictor import KerasPredictor  # noqa: PLC0415 - likewise

    predictor = KerasPredictor.load(model.root)
    return LungModel(model.name, predictor, unseen_gpu=unseen_gpu())
