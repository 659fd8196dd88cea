"""The colours of every picture, readable with any colour vision.

Structures have theirs in `anatomy`; these are the others. The hues are those of Okabe
and Ito. What must be told apart inside one picture differs in blue against yellow,
which red-green blind eyes keep, or in lightness: sky blue against orange for the two
lungs, reddish purple for the heart; blue, vermilion and yellow, from dark to bright,
for agreed, missed and extra. A green tint for agreed is gray to deuteranopic eyes and
vanishes in the X-ray.

References:
    Okabe and Ito (2008), Color Universal Design,
    https://jfly.uni-koeln.de/color/
"""

from typing import Final

from lungcli.anatomy import LUNGS

Colour = tuple[int, int, int]  # red, green, blue in 0..255

BLACK: Final[Colour] = (0, 0, 0)
BACKGROUND: Final[Colour] = (16, 17, 20)  # the canvas around pictures
BAR: Final[Colour] = (34, 36, 42)  # behind titles
GRID: Final[Colour] = (58, 61, 70)  # lines behind curves
QUIET: Final[Colour] = (150, 154, 163)  # secondary text
TEXT: Final[Colour] = (240, 241, 243)

WHITE: Final[Colour] = (255, 255, 255)

AGREED: Final[Colour] = (0, 114, 178)  # blue
MISSED: Final[Colour] = (213, 94, 0)  # vermilion
EXTRA: Final[Colour] = (240, 228, 66)  # yellow

PALETTE: Final[tuple[Colour, ...]] = (
    BLACK,
    BACKGROUND,
    BAR,
    GRID,
    QUIET,
    TEXT,
    *(lung.colour for lung in LUNGS),
    WHITE,
    AGREED,
    MISSED,
    EXTRA,
)
"""What a film keeps exact, whatever else its frames hold."""
