"""A trained network on onnxruntime: ready in a fraction of a second."""

from pathlib import Path
from typing import TYPE_CHECKING, Final, Self

import numpy as np
from numpy.typing import NDArray

from lungcli.errors import ModelError
from lungcli.model.info import (
    ONNX,
    WEIGHTS,
    WEIGHTS_KEY,
    ModelInfo,
    fingerprint,
    load_info,
)
from lungcli.model.onnx_session import open_session, unseen_gpu
from lungcli.system.cores import num_cores

if TYPE_CHECKING:
    import onnxruntime

_BATCH_SIZE: Final = 8  # images per call; more gain nothing on a CPU


class OnnxPredictor:
    """Load once, predict many; several threads may share it.

    Args:
        session: Maps float32 `(batch, size, size, 1)` in [0, 1] to probabilities
            `(batch, size, size, structures)`.
        info: What is known about the network.
        weights: `fingerprint` of the weights that it was exported from, if they are
            beside it.
    """

    batch_size = _BATCH_SIZE

    def __init__(
        self,
        session: "onnxruntime.InferenceSession",
        info: ModelInfo,
        *,
        weights: str | None = None,
    ) -> None:
        self._session = session
        self._input = session.get_inputs()[0].name
        self.info = info
        self.weights = weights

    @classmethod
    def load(cls, folder: Path, *, threads: int | None = None) -> Self:
        """Read a model from a run folder.

        Args:
            folder: With `model.json`, `model.onnx` and, as a rule, the weights that
                it was exported from.
            threads: How many compute one call; by default one a core.

        Raises:
            ModelError: If there is none, it is broken, or the weights are of a later
                training.
        """
        info = load_info(folder)
        path = folder / ONNX
        if not path.is_file():
            msg = f"{path} is missing; 'lungcli train' writes it at its end."
            raise ModelError(msg)
        session = open_session(path, threads=threads or num_cores())
        weights = _check(session, path, info)
        return cls(session, info, weights=weights)

    def unseen_gpu(self) -> str | None:
        """Say which NVIDIA GPU is not used, and what to install; None without one."""
        return unseen_gpu(self._session)

    def probabilities(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return the probabilities of the structures.

        Args:
            images: CXRs, uint8 `(n, size, size, 1)` of the model's size.

        Returns:
            float32 `(n, size, size, structures)`.
        """
        parts = [
            self._run(images[start : start + self.batch_size])
            for start in range(0, len(images), self.batch_size)
        ]
        return np.concatenate(parts) if len(parts) > 1 else parts[0]

    def _run(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        batch = np.multiply(images, np.float32(1 / 255), dtype=np.float32)
        (result,) = self._session.run(None, {self._input: batch})
        probabilities: NDArray[np.float32] = result
        return probabilities


def has_current_onnx(folder: Path) -> bool:
    """Tell whether a model's ONNX file is there and has its present weights."""
    try:
        OnnxPredictor.load(folder, threads=1)
    except ModelError:
        return False
    return True


def _check(
    session: "onnxruntime.InferenceSession", path: Path, info: ModelInfo
) -> str | None:
    """Refuse a network that is not the one of its folder.

    Returns:
        `fingerprint` of the weights in the folder; None if there are none.
    """
    inputs, outputs = session.get_inputs(), session.get_outputs()
    size, channels = info.network.size, len(info.network.structures)
    shapes = [list(item.shape[1:]) for item in (*inputs, *outputs)]
    if shapes != [[size, size, 1], [size, size, channels]]:
        msg = f"{path} does not fit its model.json: shapes {shapes}. Restore it."
        raise ModelError(msg)
    weights = path.with_name(WEIGHTS)
    if not weights.is_file():
        return None
    present = fingerprint(weights)
    if session.get_modelmeta().custom_metadata_map.get(WEIGHTS_KEY) != present:
        msg = (
            f"{path} was exported from other weights than {weights}; 'lungcli train "
            "--resume' writes it anew at its end."
        )
        raise ModelError(msg)
    return present
