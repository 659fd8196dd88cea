"""Fuzz the reading of DICOM, in every transfer syntax that is read."""

from fuzzing import fuzz, seeds_of


def load():
    """Import the reader, make the seeds."""
    from bad_input import dicoms  # noqa: PLC0415 - watched

    from lungcli.data.read_xray import read_xray  # noqa: PLC0415

    return read_xray, seeds_of(dicoms.specimens())


if __name__ == "__main__":
    fuzz(load, suffix=".dcm")
