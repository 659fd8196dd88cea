"""What can run a trained network."""

from enum import StrEnum


class Engine(StrEnum):
    """What runs the network."""

    AUTO = "auto"
    ONNX = "onnx"
    KERAS = "keras"
