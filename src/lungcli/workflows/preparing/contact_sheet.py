"""A sample of a prepared data set on one picture, lungs outlined."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from lungcli.data.case import TO_LOOK_AT
from lungcli.data.geometry import content_of
from lungcli.data.prepared import PreparedCase, PreparedDataset
from lungcli.pictures.film import write_png
from lungcli.pictures.overlay import fit_picture, outline
from lungcli.pictures.sheet import Tile, contact_sheet

NUM_TILES: Final = 48
_COLUMNS: Final = 8
_SIDE: Final = 224  # pixels of a tile


def write_contact_sheet(dataset: PreparedDataset, path: Path) -> None:
    """Draw cases spread evenly over the sources, doubtful ones and masks first.

    Raises:
        ImageError: If a stored file cannot be read back.
        OutputError: If the picture cannot be written.
    """
    tiles = [_tile(dataset, case) for case in sample(dataset.cases, NUM_TILES)]
    write_png(contact_sheet(tiles, columns=_COLUMNS, side=_SIDE), path)


def sample(cases: Sequence[PreparedCase], count: int) -> list[PreparedCase]:
    """Choose up to `count` cases, as many of each source, evenly along its list.

    Half of them may be those that a person should look at, if there are any.
    """
    sources: dict[str, list[PreparedCase]] = {}
    for case in sorted(cases, key=lambda case: not case.has_mask):
        sources.setdefault(case.source, []).append(case)
    chosen: list[PreparedCase] = []
    # Small sources first: what they cannot fill is left to the larger ones.
    by_size = sorted(sources, key=lambda name: len(sources[name]))
    for rank, name in enumerate(by_size):
        share = (count - len(chosen)) // (len(by_size) - rank)
        chosen.extend(_chosen(sources[name], share))
    order = {id(case): index for index, case in enumerate(cases)}
    return sorted(chosen, key=lambda case: order[id(case)])


def doubts_of(case: PreparedCase) -> list[str]:
    """Return the findings of a case that its picture tells more of."""
    wanted = {issue.value for issue in TO_LOOK_AT}
    return [note for note in case.notes.split("; ") if note in wanted]


def _chosen(cases: list[PreparedCase], count: int) -> list[PreparedCase]:
    doubtful = _evenly([case for case in cases if doubts_of(case)], count // 2)
    others = [case for case in cases if not any(case is each for each in doubtful)]
    return [*doubtful, *_evenly(others, count - len(doubtful))]


def _evenly(cases: list[PreparedCase], count: int) -> list[PreparedCase]:
    with_mask = [case for case in cases if case.has_mask]
    pool = with_mask if len(with_mask) >= count else cases
    if len(pool) <= count:
        return pool
    return [pool[index * len(pool) // count] for index in range(count)]


def _tile(dataset: PreparedDataset, case: PreparedCase) -> Tile:
    image = content_of(dataset.read_image(case), case.geometry)
    labels = None
    if case.has_mask:
        labels = content_of(dataset.read_mask(case), case.geometry)
    picture, (fitted,) = fit_picture(image, [labels], _SIDE)
    title = ": ".join((case.case_id, *doubts_of(case)[:1]))
    return Tile(title, outline(picture, fitted))
