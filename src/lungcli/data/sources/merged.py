"""The popular merged copy of the Montgomery and the Shenzhen set."""

from pathlib import Path

from lungcli.data.case import Case, Convention, MaskFiles, SourceListing
from lungcli.data.sources import listing, montgomery, shenzhen


class Merged:
    """Read `Lung Segmentation/`: both NLM sets in one `CXR_png`, masks combined.

    Images called `MCUCXR...` are Montgomery's, all others Shenzhen's.
    """

    layout = "shenzhen"
    expected = "CXR_png/*.png with masks/ (both NLM sets in one folder)"

    def matches(self, root: Path) -> bool:
        """Look for `CXR_png` and `masks`."""
        return (root / "CXR_png").is_dir() and (root / "masks").is_dir()

    def list_cases(self, root: Path) -> tuple[SourceListing, ...]:
        """List the images of `CXR_png`, and of `test` those that it has alone.

        Raises:
            DatasetError: If there is no image.
        """
        images = listing.image_files(root / "CXR_png")
        test = root / "test"
        if test.is_dir():
            images = dict(sorted((listing.image_files(test) | images).items()))
        listing.require_images(images, root / "CXR_png", self.expected)
        masks = listing.mask_files(root / "masks", images)
        readings = listing.subfolder(root, "ClinicalReadings")
        found = (
            self._list_set(
                root, name, readings, _of_set(name, images), _of_set(name, masks)
            )
            for name in (montgomery.NAME, shenzhen.NAME)
        )
        return tuple(each for each in found if each.cases or each.findings)

    def _list_set(
        self,
        root: Path,
        name: str,
        readings: Path | None,
        images: dict[str, Path],
        masks: dict[str, Path],
    ) -> SourceListing:
        cases = tuple(
            _case(name, image, masks.get(stem), readings)
            for stem, image in images.items()
        )
        findings = (
            *listing.missing_masks(cases),
            *listing.missing_images(name, masks, images),
        )
        return SourceListing(
            name=name,
            root=root,
            convention=Convention.HEART_EXCLUDED,
            cases=cases,
            findings=findings,
            layout=self.layout,
        )


def _of_set(name: str, files: dict[str, Path]) -> dict[str, Path]:
    is_montgomery = name == montgomery.NAME
    return {
        stem: path
        for stem, path in files.items()
        if stem.startswith(montgomery.PREFIX) == is_montgomery
    }


def _case(name: str, image: Path, mask: Path | None, readings: Path | None) -> Case:
    if name == montgomery.NAME:
        masks = MaskFiles(combined=(mask,)) if mask else None
        return montgomery.montgomery_case(image, masks, readings)
    return shenzhen.shenzhen_case(image, mask, readings)
