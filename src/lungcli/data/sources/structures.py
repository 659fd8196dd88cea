"""Masks with a folder for each structure, as SCR and others have them."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Final

from lungcli.data.case import Convention, Layout, SourceListing
from lungcli.data.sources import listing
from lungcli.data.sources.own import list_own
from lungcli.data.structure_names import (
    BOTH,
    has_lungs,
    left_alone,
    meant_structure,
)

_IMAGES: Final = ("images", "image", "png")
_MASKS: Final = ("masks", "mask")


class Structures:
    """Read `images/` with `masks/right_lung/`, `masks/left_lung/`, `masks/heart/`.

    The folders may be spelled otherwise (`left lung`), lie beside the images, or be
    one of both lungs. Where the heart has masks of its own, the lungs are without it.
    """

    layout = Layout.STRUCTURES
    expected = "images/ or png/ with masks/{right_lung,left_lung,heart}, equal names"

    def parts(self, root: Path) -> Mapping[str, bool]:
        """Look for images, and for a folder that is called as a lung."""
        return {
            "images/ or png/": _image_folder(root) is not None,
            "masks/right_lung/ and masks/left_lung/": has_lungs(
                set(_mask_folders(root)[0])
            ),
        }

    def list_cases(self, root: Path) -> tuple[SourceListing, ...]:
        """List the images with the masks of each structure.

        Raises:
            DatasetError: If there is no image, or `cases.csv` cannot be used.
        """
        folder = _image_folder(root) or root / _IMAGES[0]
        images = listing.image_files(folder)
        listing.require_images(images, folder, self.expected)
        folders, unknown = _mask_folders(root)
        apart = {
            key: listing.joined(
                [listing.mask_files(each, images.by_stem) for each in of_key]
            )
            for key, of_key in folders.items()
        }
        combined = apart.pop(BOTH, None)
        found = list_own(root, self.layout, images, apart, combined)
        has_others = any(not has_lungs({key}) for key in apart)
        convention = Convention.HEART_EXCLUDED if has_others else Convention.UNKNOWN
        return (replace(found, convention=convention, notes=left_alone(unknown)),)


def _image_folder(root: Path) -> Path | None:
    folders = (listing.subfolder(root, name) for name in _IMAGES)
    return next((folder for folder in folders if folder), None)


def _mask_folders(root: Path) -> tuple[dict[str, list[Path]], set[str]]:
    """Return the folders of each structure by key, and the names of all others."""
    parents = [listing.subfolder(root, name) for name in _MASKS]
    folders = [
        below for parent in parents if parent for below in listing.folders(parent)
    ]
    beside = [each for each in listing.folders(root) if meant_structure(each.name)]
    by_key: dict[str, list[Path]] = defaultdict(list)
    unknown = set()
    for folder in (*folders, *beside):
        key = meant_structure(folder.name)
        if key is None:
            unknown.add(folder.name)
        else:
            by_key[key].append(folder)
    return by_key, unknown
