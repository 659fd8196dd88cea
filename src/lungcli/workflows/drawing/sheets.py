"""Contact sheets of predicted and expert outlines, sorted by Dice."""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from lungcli.anatomy import LUNGS, STRUCTURES, Structure
from lungcli.pictures.film import write_png
from lungcli.pictures.overlay import structures_in
from lungcli.pictures.panels import PanelCase, draw_overlay
from lungcli.pictures.sheet import Tile, contact_sheet
from lungcli.pictures.views import outlines
from lungcli.workflows.drawing.panel_cases import worst_first

TILES_A_SHEET: Final = 96
_MOST_COLUMNS: Final = 8


def write_sheets(
    cases: Sequence[PanelCase], folder: Path, *, split: str, side: int
) -> list[Path]:
    """Write contact sheets, the lowest Dice first, cases without a reference last.

    Args:
        cases: In any order; read as they are drawn.
        folder: Gets `grid.png` or, beyond `TILES_A_SHEET` cases, `grid-1.png` and so
            on.
        split: What the title calls the cases.
        side: Of a tile in pixels.

    Raises:
        OutputError: If a sheet cannot be written.
    """
    dice = [case.scores.dice for case in cases]
    order = sorted(range(len(dice)), key=lambda index: worst_first(dice[index]))
    pages = [
        order[start : start + TILES_A_SHEET]
        for start in range(0, len(order), TILES_A_SHEET)
    ]
    columns = num_columns(len(pages[0]))
    written = []
    for number, page in enumerate(pages, start=1):
        name = "grid.png" if len(pages) == 1 else f"grid-{number}.png"
        tiles, drawn = _tiles(cases, page, side)
        picture = contact_sheet(
            tiles,
            columns=columns,
            side=side,
            title=_sheet_title(dice, split, (number, len(pages))),
            legend=outlines(drawn, reference=not all(map(math.isnan, dice))),
        )
        written.append(write_png(picture, folder / name))
    return written


def num_columns(num_tiles: int) -> int:
    """Return how many columns look best: few empty cells, half wider than high.

    Examples:
        >>> [num_columns(number) for number in (1, 6, 12, 60, 96)]
        [1, 3, 4, 8, 8]
    """
    least = min(_MOST_COLUMNS, math.ceil(math.sqrt(num_tiles)))
    return min(
        range(least, min(_MOST_COLUMNS, 2 * least) + 1),
        key=lambda columns: (-num_tiles % columns, abs(columns**2 - 1.5 * num_tiles)),
    )


def _sheet_title(dice: Sequence[float], split: str, place: tuple[int, int]) -> str:
    scored = [value for value in dice if math.isfinite(value)]
    words = [f"split {split} · {len(dice)} case{'s' if len(dice) > 1 else ''}"]
    if scored:
        words.append(f"Dice {min(scored):.3f} to {max(scored):.3f}, lowest first")
    if place[1] > 1:
        words.append(f"{place[0]}/{place[1]}")
    return " · ".join(words)


def _tiles(
    cases: Sequence[PanelCase], page: Sequence[int], side: int
) -> tuple[list[Tile], tuple[Structure, ...]]:
    """Draw the cases of a page, one at a time, and say what is drawn on them."""
    tiles, drawn = [], set(LUNGS)
    for index in page:
        case = cases[index]
        tiles.append(_tile(case, side))
        drawn.update(structures_in(case.predicted, case.reference))
    return tiles, tuple(each for each in STRUCTURES if each in drawn)


def _tile(panel: PanelCase, side: int) -> Tile:
    dice = panel.scores.dice
    value = f"{dice:.3f}" if math.isfinite(dice) else ""
    return Tile(panel.title, draw_overlay(panel, side=side), value)
