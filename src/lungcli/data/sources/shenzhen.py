"""Shenzhen CXR set with one combined mask for most images.

Sources: Jaeger et al. (2014), Quant Imaging Med Surg 4(6):475-477 (images);
Stirenko et al. (2018), https://doi.org/10.1109/ELNANO.2018.8477564 (masks).
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from lungcli.data.case import Case, Layout, MaskFiles, SourceListing
from lungcli.data.sources import listing
from lungcli.data.sources.readings import read_reading

NAME: Final = "shenzhen"


class Shenzhen:
    """Read the NLM download with the masks of the Kaggle archive in or beside it."""

    layout = Layout.SHENZHEN
    expected = "CXR_png/CHNCXR_*.png with mask/ or mask/mask/ in or beside it"

    def parts(self, root: Path) -> Mapping[str, bool]:
        """Look for `CXR_png` with images called `CHNCXR...`."""
        folder = listing.subfolder(root, "CXR_png")
        has_images = folder is not None and any(folder.glob("CHNCXR*"))
        return {"CXR_png/": folder is not None, "CXR_png/CHNCXR_*": has_images}

    def list_cases(self, root: Path) -> tuple[SourceListing, ...]:
        """List the images of `CXR_png` with their masks and readings.

        Raises:
            DatasetError: If there is no image.
        """
        folder = listing.subfolder(root, "CXR_png") or root / "CXR_png"
        images = listing.image_files(folder)
        listing.require_images(images, folder, self.expected)
        masks = _find_masks(root, images)
        readings = listing.subfolder(root, "ClinicalReadings")
        cases = tuple(
            shenzhen_case(stem, image, masks.by_stem.get(stem), readings)
            for stem, image in images.by_stem.items()
        )
        files = (images, masks)
        return (listing.list_source(NAME, root, self.layout, cases, files),)


def shenzhen_case(
    stem: str, image: Path, mask: Path | None, readings: Path | None
) -> Case:
    """Return a case of the set; its pixel size was never published."""
    reading = read_reading(readings, stem)
    return Case(
        case_id=stem,
        patient_id=stem,
        source=NAME,
        image_path=image,
        masks=MaskFiles(combined=(mask,)) if mask else None,
        finding=reading.finding,
        sex=reading.sex,
        age=reading.age,
    )


def _find_masks(root: Path, images: listing.Files) -> listing.Files:
    """Return the masks of the first folder that holds one of these images' masks."""
    for parent in (root, listing.parent_of(root)):
        outer = listing.subfolder(parent, "mask")
        inner = listing.subfolder(outer, "mask") if outer else None
        for folder in (inner, outer):
            masks = listing.mask_files(folder, images.by_stem)
            if masks.by_stem.keys() & images.by_stem.keys():
                return masks
    return listing.Files({})
