"""Many pictures in one: contact sheets and grids with titles."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw

from lungcli.arrays import Rgb
from lungcli.pictures.colours import BACKGROUND, BAR, QUIET
from lungcli.pictures.legends import draw_legend
from lungcli.pictures.text import draw_text, load_font, readable, shorten, text_width
from lungcli.pictures.views import Legend

_GAP = 6  # pixels between cells and around them


@dataclass(frozen=True, slots=True)
class Tile:
    """One picture of a contact sheet.

    Attributes:
        caption: Written above the picture, shortened to its width.
        picture: Shape `(height, width, 3)`, any size.
        value: Written before the caption, never shortened, e.g. a score.
    """

    caption: str
    picture: Rgb
    value: str = ""


def contact_sheet(
    tiles: Sequence[Tile],
    *,
    columns: int = 8,
    side: int = 256,
    title: str = "",
    legend: Legend = (),
) -> Rgb:
    """Arrange pictures in rows, each reduced or enlarged to a square.

    Args:
        tiles: At least one, in reading order.
        columns: Tiles a row; fewer if there are fewer tiles.
        side: Square that each picture is fitted into, keeping its aspect.
        title: Above all pictures, if it says something.
        legend: Below the title, if there is one.

    Returns:
        Picture of shape `(height, width, 3)`.

    Raises:
        ValueError: If there is no tile, or `columns` or `side` is below 1.
    """
    if not tiles or columns < 1 or side < 1:
        msg = (
            f"contact sheet of {len(tiles)} tiles, {columns} columns, side {side}: "
            "each must be at least 1."
        )
        raise ValueError(msg)
    columns = min(columns, len(tiles))
    sheet = _Sheet(side, num_columns=columns, num_rows=-(-len(tiles) // columns))
    for number, tile in enumerate(tiles):
        row, column = divmod(number, columns)
        sheet.write_caption(tile, sheet.bar_above(row, column))
        sheet.paste(_fit(tile.picture, side), row, column)
    top = _draw_top(sheet.image.width, title, legend)
    return np.concatenate([*top, np.asarray(sheet.image)])


def grid(
    rows: Sequence[Sequence[Rgb]],
    *,
    column_titles: Sequence[str],
    row_titles: Sequence[str],
) -> Rgb:
    """Arrange rows of pictures under column titles, each row below its own title.

    Args:
        rows: Pictures of shape `(height, width, 3)`, drawn at their own size in
            square cells as large as the largest of them.
        column_titles: One a column.
        row_titles: One a row.

    Returns:
        Picture of shape `(height, width, 3)`.

    Raises:
        ValueError: If the titles do not match the rows, or there is no picture.
    """
    lengths = [len(row) for row in rows]
    if lengths != [len(column_titles) or -1] * len(row_titles) or not rows:
        msg = (
            f"grid of rows of {lengths} pictures: got {len(row_titles)} row titles "
            f"and {len(column_titles)} column titles."
        )
        raise ValueError(msg)
    side = max(max(picture.shape[:2]) for row in rows for picture in row)
    sheet = _Sheet(side, num_columns=len(column_titles), num_rows=len(rows), header=1)
    for column, title in enumerate(column_titles):
        sheet.write(title, sheet.header_above(column))
    for row, (title, pictures) in enumerate(zip(row_titles, rows, strict=True)):
        sheet.write_row_title(title, row)
        for column, picture in enumerate(pictures):
            sheet.paste(Image.fromarray(picture), row, column)
    return np.asarray(sheet.image)


class _Sheet:
    """A table of square cells, a bar for text above each row.

    Args:
        side: Of a cell in pixels.
        num_columns: Cells a row.
        num_rows: Rows of cells.
        header: Bars above all rows.
    """

    def __init__(
        self, side: int, *, num_columns: int, num_rows: int, header: int = 0
    ) -> None:
        self.side = side
        self.bar = min(32, max(14, round(side / 10)))
        self.top = header * self.bar
        self.font = load_font(round(self.bar * 0.62))
        width = _GAP + num_columns * (side + _GAP)
        height = self.top + num_rows * (self.bar + side + _GAP)
        self.image = Image.new("RGB", (width, height), BACKGROUND)
        self.draw = ImageDraw.Draw(self.image)

    def bar_above(self, row: int, column: int) -> tuple[int, int]:
        """Return the left top corner of the bar above a cell."""
        x = _GAP + column * (self.side + _GAP)
        return x, self.top + row * (self.bar + self.side + _GAP)

    def header_above(self, column: int) -> tuple[int, int]:
        """Return the left top corner of a column's title."""
        return self.bar_above(0, column)[0], 0

    def write(self, text: str, corner: tuple[int, int]) -> None:
        """Centre a text, shortened to a cell's width, in the bar at `corner`."""
        line = shorten(readable(text), self.font, self.side)
        centre = (corner[0] + self.side // 2, corner[1] + self.bar // 2)
        draw_text(self.draw, centre, line, self.font, anchor="mm")

    def write_caption(self, tile: Tile, corner: tuple[int, int]) -> None:
        """Write value and caption of a tile, together in the middle of its bar."""
        space = text_width("  ", self.font) if tile.value else 0
        value_width = text_width(tile.value, self.font)
        free = max(0, self.side - value_width - space)
        line = shorten(readable(tile.caption), self.font, free)
        length = value_width + space + text_width(line, self.font)
        x, y = corner[0] + (self.side - length) // 2, corner[1] + self.bar // 2
        draw_text(self.draw, (x, y), tile.value, self.font)
        start = (x + value_width + space, y)
        draw_text(self.draw, start, line, self.font, colour=QUIET)

    def write_row_title(self, text: str, row: int) -> None:
        """Fill the bar above a row with its title."""
        x, y = self.bar_above(row, 0)
        right = self.image.width - _GAP
        self.draw.rectangle((x, y, right - 1, y + self.bar - 1), fill=BAR)
        line = shorten(readable(text), self.font, right - x - 2 * _GAP)
        place = (x + _GAP, y + self.bar // 2)
        draw_text(self.draw, place, line, self.font)

    def paste(self, picture: Image.Image, row: int, column: int) -> None:
        """Centre a picture in its cell."""
        x, y = self.bar_above(row, column)
        left = x + (self.side - picture.width) // 2
        top = y + self.bar + (self.side - picture.height) // 2
        self.image.paste(picture, (left, top))


def _fit(picture: Rgb, side: int) -> Image.Image:
    image = Image.fromarray(picture)
    scale = side / max(image.size)
    width, height = (max(1, round(length * scale)) for length in image.size)
    return image.resize((width, height), Image.Resampling.LANCZOS, reducing_gap=3.0)


def _draw_top(width: int, title: str, legend: Legend) -> list[Rgb]:
    """Return the lines above a sheet, larger the wider it is; no empty ones."""
    bar = min(56, max(24, width // 32))
    font = load_font(round(0.5 * bar))
    centre, free = (width // 2, bar // 2), width - 2 * _GAP
    lines = []
    if title:
        line = Image.new("RGB", (width, bar), BACKGROUND)
        text = shorten(readable(title), font, free)
        draw_text(ImageDraw.Draw(line), centre, text, font, anchor="mm")
        lines.append(np.asarray(line))
    if legend:
        line = Image.new("RGB", (width, bar), BACKGROUND)
        draw_legend(ImageDraw.Draw(line), centre, legend, font=font, width=free)
        lines.append(np.asarray(line))
    return lines
