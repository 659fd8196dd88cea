"""Names of what `lungcli export` writes."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final


class Target(StrEnum):
    """Format of an exported network."""

    ONNX = "onnx"
    SAVED_MODEL = "saved-model"
    LITERT = "litert"


class Precision(StrEnum):
    """Numbers of an exported network."""

    FLOAT32 = "float32"
    FLOAT16 = "float16"  # in which weights are stored; computed is in float32
    INT8 = "int8"  # in which most of the convolutions compute


SUFFIXES: Final[Mapping[str, str]] = {
    Target.ONNX: ".onnx",
    Target.SAVED_MODEL: "",
    Target.LITERT: ".tflite",
}

SIGNATURE: Final = "serving_default"  # what TensorFlow Serving calls unless told so
INPUT: Final = "image"  # float32 (batch, size, size, 1) in [0, 1]
OUTPUT: Final = "probabilities"  # float32 (batch, size, size, structures)
