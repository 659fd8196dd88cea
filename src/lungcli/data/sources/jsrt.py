"""JSRT raw images with the SCR masks of lungs and heart.

Sources: Shiraishi et al. (2000), AJR 174(1):71-74 (images); van Ginneken et al.
(2006), Med Image Anal 10(1):19-40 (masks).
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from lungcli.anatomy import STRUCTURES
from lungcli.data.case import (
    Case,
    Layout,
    MaskFiles,
    PublishedSpacing,
    SourceListing,
)
from lungcli.data.images import RAW_SUFFIX
from lungcli.data.sources import listing

NAME: Final = "jsrt"
SPACING: Final = PublishedSpacing(spacing_mm=(0.175, 0.175), shapes=((2048, 2048),))
_MASK_DEPTH: Final = 5  # root/any/scratch/fold1/masks/left lung
_FINDINGS: Final = {"JPCLN": "nodule", "JPCNN": "non-nodule"}


class Jsrt:
    """Read `All247images/*.IMG` and the masks of `scratch/fold1` and `fold2`.

    SCR drew on 1024×1024, half of the images' 2048×2048.
    """

    layout = Layout.JSRT
    expected = (
        "All247images/*.IMG with scratch/fold1/masks/{left lung,right lung} "
        "and the same in fold2"
    )

    def parts(self, root: Path) -> Mapping[str, bool]:
        """Look for a folder of `.IMG` files."""
        return {"a folder of JPC*.IMG files": _image_folder(root) is not None}

    def list_cases(self, root: Path) -> tuple[SourceListing, ...]:
        """List the `.IMG` files with their masks.

        Raises:
            DatasetError: If there is no image.
        """
        folder = _image_folder(root)
        images = _raw_images(folder) if folder else listing.Files({})
        listing.require_images(images, folder or root, self.expected)
        apart = {each.key: _mask_files(root, each.name) for each in STRUCTURES}
        cases = tuple(
            _case(stem, image, listing.masks_of(stem, apart, scale=2))
            for stem, image in images.by_stem.items()
        )
        files = (images, *apart.values())
        return (listing.list_source(NAME, root, self.layout, cases, files),)


def _image_folder(root: Path) -> Path | None:
    for folder in listing.folders(root):
        names = (path.name.lower() for path in folder.glob("[Jj][Pp][Cc]*"))
        if any(name.endswith(RAW_SUFFIX) for name in names):
            return folder
    return None


def _raw_images(folder: Path) -> listing.Files:
    return _in_upper_case([listing.image_files(folder, frozenset({RAW_SUFFIX}))])


def _mask_files(root: Path, structure: str) -> listing.Files:
    return _in_upper_case(
        [
            listing.image_files(folder)
            for folder in listing.folders_below(root, _MASK_DEPTH)
            if folder.name.lower() == structure
        ]
    )


def _in_upper_case(parts: Sequence[listing.Files]) -> listing.Files:
    joined = listing.sort_out(
        (stem.upper(), path) for part in parts for stem, path in part.by_stem.items()
    )
    findings = (finding for part in parts for finding in part.findings)
    return listing.Files(joined.by_stem, (*findings, *joined.findings))


def _case(case_id: str, image: Path, masks: MaskFiles | None) -> Case:
    return Case(
        case_id=case_id,
        patient_id=case_id,
        source=NAME,
        image_path=image,
        masks=masks,
        spacing=SPACING,
        finding=_FINDINGS.get(case_id[:5], ""),
        view="PA",
    )
