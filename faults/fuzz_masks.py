"""Fuzz the reading of masks, to label maps with sides."""

from fuzz_png import with_right_checksums
from fuzzing import fuzz, seeds_of


def load():
    """Import the reader, make the seeds."""
    from bad_input import masks, pngs, tiffs  # noqa: PLC0415 - watched

    from lungcli.data.other_masks import read_labels  # noqa: PLC0415

    files = [*masks.specimens(), *pngs.valid(), *tiffs.valid()]
    return read_labels, seeds_of(files)


if __name__ == "__main__":
    fuzz(load, suffix=".png", mutate=with_right_checksums)
