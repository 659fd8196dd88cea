"""A sheet of the masks that a person should look at first."""

import heapq
from collections.abc import Iterable
from pathlib import Path
from typing import Final

import numpy as np

from lungcli.data.inputs import Input
from lungcli.data.journal import REVIEW
from lungcli.data.opening import open_upright
from lungcli.data.read_xray import read_xray
from lungcli.errors import ImageError, RemoteError
from lungcli.pictures.film import write_png
from lungcli.pictures.overlay import fit_picture, outline
from lungcli.pictures.sheet import Tile, contact_sheet
from lungcli.system.files import printable
from lungcli.workflows.predicting.formats import PNG, SUFFIXES
from lungcli.workflows.predicting.output import LocalFolder, OutputFolder
from lungcli.workflows.predicting.record import Entry, Status

NUM_TILES: Final = 48
_COLUMNS: Final = 8
_SIDE: Final = 224  # pixels of a tile


def write_review(
    found: Iterable[tuple[Input, Entry]], out: Path, masks: OutputFolder | None = None
) -> Path | None:
    """Draw the most doubtful masks: those with a doubt, then by quality score.

    Args:
        found: X-rays and what became of them.
        out: The folder of the sheet.
        masks: Where the label maps are; in the same folder, if nothing is said.

    Returns:
        The picture; None if there is nothing to draw.

    Raises:
        OutputError: If the picture cannot be written.
    """
    labelled = (pair for pair in found if pair[1].status.is_labelled)
    worst = heapq.nsmallest(NUM_TILES, labelled, key=lambda pair: _rank(pair[1]))
    if not worst:
        return None
    masks = masks or LocalFolder(out)
    tiles = [tile for item, entry in worst if (tile := _tile(item, entry, masks))]
    if not tiles:
        return None
    sheet = contact_sheet(tiles, columns=_COLUMNS, side=_SIDE)
    return write_png(sheet, out / REVIEW)


def _rank(entry: Entry) -> tuple[bool, float]:
    return entry.status != Status.DOUBTFUL, _quality(entry)


def _quality(entry: Entry) -> float:
    finding = entry.record.finding
    return finding.quality if finding else 0.0


def _tile(item: Input, entry: Entry, masks: OutputFolder) -> Tile | None:
    """Draw one X-ray; None if it or its mask has gone, or broken, since then."""
    try:
        with item.local() as path:
            image = read_xray(path).pixels
        name = f"{entry.stem}{SUFFIXES[PNG]}"
        with masks.reading(name) as path:
            labels = np.asarray(open_upright(path).image)
    except (ImageError, OSError, RemoteError):
        return None
    picture, (fitted,) = fit_picture(image, [labels], _SIDE)
    caption = f"{_quality(entry):.2f} {printable(item.name.name)}"
    return Tile(caption, outline(picture, fitted))
