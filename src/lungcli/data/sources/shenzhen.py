"""Shenzhen CXR set with one combined mask for most images.

Sources: Jaeger et al. (2014), Quant Imaging Med Surg 4(6):475-477 (images);
Stirenko et al. (2018), https://doi.org/10.1109/ELNANO.2018.8477564 (masks).
"""

from pathlib import Path
from typing import Final

from lungcli.data.case import Case, Convention, MaskFiles, SourceListing
from lungcli.data.sources import listing
from lungcli.data.sources.readings import read_reading

NAME: Final = "shenzhen"


class Shenzhen:
    """Read the NLM download with the masks of the Kaggle archive in or beside it."""

    layout = "shenzhen"
    expected = "CXR_png/CHNCXR_*.png with mask/ or mask/mask/ in or beside it"

    def matches(self, root: Path) -> bool:
        """Look for `CXR_png` with images called `CHNCXR...`."""
        folder = root / "CXR_png"
        return folder.is_dir() and any(folder.glob("CHNCXR*"))

    def list_cases(self, root: Path) -> tuple[SourceListing, ...]:
        """List the images of `CXR_png` with their masks and readings.

        Raises:
            DatasetError: If there is no image.
        """
        images = listing.image_files(root / "CXR_png")
        listing.require_images(images, root / "CXR_png", self.expected)
        masks = _find_masks(root, images)
        readings = listing.subfolder(root, "ClinicalReadings")
        cases = tuple(
            shenzhen_case(image, masks.get(stem), readings)
            for stem, image in images.items()
        )
        findings = (
            *listing.missing_masks(cases),
            *listing.missing_images(NAME, masks, images),
        )
        found = SourceListing(
            name=NAME,
            root=root,
            convention=Convention.HEART_EXCLUDED,
            cases=cases,
            findings=findings,
            layout=self.layout,
        )
        return (found,)


def shenzhen_case(image: Path, mask: Path | None, readings: Path | None) -> Case:
    """Return a case of the set; its pixel size was never published."""
    reading = read_reading(readings, image.stem)
    return Case(
        case_id=image.stem,
        patient_id=image.stem,
        source=NAME,
        image_path=image,
        masks=MaskFiles(combined=(mask,)) if mask else None,
        finding=reading.finding,
        sex=reading.sex,
        age=reading.age,
    )


def _find_masks(root: Path, images: dict[str, Path]) -> dict[str, Path]:
    """Return the masks of the first folder that holds one of these images' masks."""
    for parent in (root, root.parent):
        for folder in (parent / "mask" / "mask", parent / "mask"):
            masks = listing.mask_files(folder, images) if folder.is_dir() else {}
            if masks.keys() & images.keys():
                return masks
    return {}
