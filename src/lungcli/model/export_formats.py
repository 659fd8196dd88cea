"""Names of what `lungcli export` writes."""

from typing import Final

ONNX: Final = "onnx"
SAVED_MODEL: Final = "saved-model"
LITERT: Final = "litert"
SUFFIXES: Final = {ONNX: ".onnx", SAVED_MODEL: "", LITERT: ".tflite"}

FLOAT32: Final = "float32"
FLOAT16: Final = "float16"  # in which weights are stored; computed is in float32
INT8: Final = "int8"  # in which most of the convolutions compute

SIGNATURE: Final = "serving_default"  # what TensorFlow Serving calls unless told so
INPUT: Final = "image"  # float32 (batch, size, size, 1) in [0, 1]
OUTPUT: Final = "probabilities"  # float32 (batch, size, size, 2)
