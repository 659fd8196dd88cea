"""Montgomery County CXR set: right and left masks apart, clinical readings.

Sources: Jaeger et al. (2014), Quant Imaging Med Surg 4(6):475-477; Candemir et al.
(2014), IEEE Trans Med Imaging 33(2):577-590.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from lungcli.anatomy import LUNGS
from lungcli.data.case import Case, Layout, MaskFiles, PublishedSpacing, SourceListing
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

    layout = Layout.MONTGOMERY
    expected = "CXR_png/*.png with ManualMask/leftMask and ManualMask/rightMask"

    def parts(self, root: Path) -> Mapping[str, bool]:
        """Look for `CXR_png` and `ManualMask`."""
        return {
            f"{name}/": listing.subfolder(root, name) is not None
            for name in ("CXR_png", "ManualMask")
        }

    def list_cases(self, root: Path) -> tuple[SourceListing, ...]:
        """List the images of `CXR_png` with their masks and readings.

        Raises:
            DatasetError: If there is no image.
        """
        folder = listing.subfolder(root, "CXR_png") or root / "CXR_png"
        images = listing.image_files(folder)
        listing.require_images(images, folder, self.expected)
        apart = {
            lung.key: _side_files(root, f"{lung.side}Mask", images) for lung in LUNGS
        }
        readings = listing.subfolder(root, "ClinicalReadings")
        cases = tuple(
            montgomery_case(
                stem,
                image,
                listing.masks_of(stem, apart),
                readings,
            )
            for stem, image in images.by_stem.items()
        )
        files = (images, *apart.values())
        return (listing.list_source(NAME, root, self.layout, cases, files),)


def montgomery_case(
    stem: str, image: Path, masks: MaskFiles | None, readings: Path | None
) -> Case:
    """Return a case of the set; a reading may say that two show one patient."""
    reading = read_reading(readings, stem)
    return Case(
        case_id=stem,
        patient_id=reading.same_patient_as or stem,
        source=NAME,
        image_path=image,
        masks=masks,
        spacing=SPACING,
        finding=reading.finding,
        sex=reading.sex,
        age=reading.age,
        view="PA",
    )


def _side_files(root: Path, side: str, images: listing.Files) -> listing.Files:
    masks = listing.subfolder(root, "ManualMask")
    folder = listing.subfolder(masks, side) if masks else None
    return listing.mask_files(folder, images.by_stem)
