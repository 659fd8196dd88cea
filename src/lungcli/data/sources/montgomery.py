"""Montgomery County CXR set: right and left masks apart, clinical readings.

Sources: Jaeger et al. (2014), Quant Imaging Med Surg 4(6):475-477; Candemir et al.
(2014), IEEE Trans Med Imaging 33(2):577-590.
"""

from pathlib import Path
from typing import Final

from lungcli.data.case import (
    Case,
    Convention,
    MaskFiles,
    PublishedSpacing,
    SourceListing,
)
from lungcli.data.sources import listing
from lungcli.data.sources.readings import read_reading

NAME: Final = "montgomery"
PREFIX: Final = "MCUCXR"
SPACING: Final = PublishedSpacing(
    spacing_mm=(0.0875, 0.0875), shapes=((4020, 4892), (4892, 4020))
)


class Montgomery:
    """Read the folder layout of the NLM download, unchanged.

    `leftMask` holds the patient's left lung, on the right of the image.
    """

    layout = "montgomery"
    expected = "CXR_png/*.png with ManualMask/leftMask and ManualMask/rightMask"

    def matches(self, root: Path) -> bool:
        """Look for `CXR_png` and `ManualMask`."""
        return (root / "CXR_png").is_dir() and (root / "ManualMask").is_dir()

    def list_cases(self, root: Path) -> tuple[SourceListing, ...]:
        """List the images of `CXR_png` with their masks and readings.

        Raises:
            DatasetError: If there is no image.
        """
        images = listing.image_files(root / "CXR_png")
        listing.require_images(images, root / "CXR_png", self.expected)
        left = _side_files(root, "leftMask", images)
        right = _side_files(root, "rightMask", images)
        readings = listing.subfolder(root, "ClinicalReadings")
        cases = tuple(
            montgomery_case(
                image, listing.side_masks(right.get(stem), left.get(stem)), readings
            )
            for stem, image in images.items()
        )
        findings = (
            *listing.missing_masks(cases),
            *listing.missing_sides(cases),
            *listing.missing_images(NAME, right, images),
            *listing.missing_images(NAME, left, images),
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


def montgomery_case(
    image: Path, masks: MaskFiles | None, readings: Path | None
) -> Case:
    """Return a case of the set; a reading may say that two show one patient."""
    reading = read_reading(readings, image.stem)
    return Case(
        case_id=image.stem,
        patient_id=reading.same_patient_as or image.stem,
        source=NAME,
        image_path=image,
        masks=masks,
        spacing=SPACING,
        finding=reading.finding,
        sex=reading.sex,
        age=reading.age,
        view="PA",
    )


def _side_files(root: Path, side: str, images: dict[str, Path]) -> dict[str, Path]:
    folder = root / "ManualMask" / side
    return listing.mask_files(folder, images) if folder.is_dir() else {}
