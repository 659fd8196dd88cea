"""Images and masks in one folder, told apart by what their names end with."""

import unicodedata
from collections import defaultdict
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Final

from lungcli.anatomy import STRUCTURES
from lungcli.data.case import Layout, SourceListing
from lungcli.data.inputs.folder import is_image
from lungcli.data.sources import listing
from lungcli.data.sources.own import list_own
from lungcli.data.structure_names import BOTH, meant_structure

_ENDINGS: Final = ("@", "_mask", "-mask", "_seg", "-seg")  # of masks of both lungs
_NAMES: Final = (  # of structures, which follow an underscore or a hyphen
    *("lungs", "lung"),
    *(each.name.replace(" ", between) for each in STRUCTURES for between in "_-"),
)


class Beside:
    """Read `x.jpg` with `x_mask.png`, `x-seg.png`, `x@.png`, `x_lung.png`.

    Or with `x_right_lung.png`, `x_left_lung.png` and `x_heart.png`.
    """

    layout = Layout.BESIDE
    expected = "x.jpg with x_mask.png, x-seg.png, x@.png or x_lung.png in one folder"

    def parts(self, root: Path) -> Mapping[str, bool]:
        """Look for images, and for one that is called as another with an ending."""
        stems = _stems(root)
        return {
            "images": bool(stems),
            "masks beside them, such as x_mask.png for x.jpg": any(
                _split(stem, stems) for stem in stems
            ),
        }

    def list_cases(self, root: Path) -> tuple[SourceListing, ...]:
        """List the images with their masks and rows of `cases.csv`.

        Raises:
            DatasetError: If `cases.csv` cannot be used.
        """
        files = listing.image_files(root)
        images: dict[str, Path] = {}
        masks: dict[str, list[tuple[str, Path]]] = defaultdict(list)
        for stem, path in files.by_stem.items():
            parted = _split(stem, files.by_stem)
            if parted is None:
                images[stem] = path
            else:
                masks[parted[1]].append((parted[0], path))
        apart = {key: listing.sort_out(pairs) for key, pairs in masks.items()}
        combined = apart.pop(BOTH, None)
        own = listing.Files(images, files.findings)
        return (list_own(root, self.layout, own, apart, combined),)


def _split(stem: str, stems: Collection[str]) -> tuple[str, str] | None:
    """Return the image that a mask is of, and its structure; None if it is no mask."""
    for ending in _ENDINGS:
        if stem.endswith(ending) and stem.removesuffix(ending) in stems:
            return stem.removesuffix(ending), BOTH
    for name in _NAMES:
        image = stem[: -len(name) - 1]
        if stem.lower().endswith((f"_{name}", f"-{name}")) and image in stems:
            return image, meant_structure(name) or BOTH
    return None


def _stems(root: Path) -> set[str]:
    try:
        paths = list(root.iterdir())
    except OSError:
        return set()
    return {
        unicodedata.normalize("NFC", listing.image_stem(path.name))
        for path in paths
        if is_image(str(path)) and not path.name.startswith(".")
    }
