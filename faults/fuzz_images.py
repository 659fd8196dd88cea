"""Fuzz the reading of X-rays in PNG, JPEG, GIF, TIFF and BMP."""

from fuzz_png import with_right_checksums
from fuzzing import fuzz, seeds_of


def load():
    """Import the reader, make the seeds."""
    from bad_input import jpegs, other_images, pngs, tiffs  # noqa: PLC0415 - watched

    from lungcli.data.read_xray import read_xray  # noqa: PLC0415

    kinds = (pngs, jpegs, tiffs, other_images)
    return read_xray, seeds_of([each for kind in kinds for each in kind.specimens()])


if __name__ == "__main__":
    fuzz(load, suffix=".png", mutate=with_right_checksums)
