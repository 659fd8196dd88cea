"""The popular merged copy of the Montgomery and the Shenzhen set."""

from collections.abc import Mapping
from pathlib import Path

from lungcli.data.case import Case, Layout, MaskFiles, SourceListing
from lungcli.data.sources import listing, montgomery, shenzhen


class Merged:
    """Read `Lung Segmentation/`: both NLM sets in one `CXR_png`, masks combined.

    Images called `MCUCXR...` are Montgomery's, all others Shenzhen's.
    """

    layout = Layout.SHENZHEN
    expected = "CXR_png/*.png with masks/ (both NLM sets in one folder)"

    def parts(self, root: Path) -> Mapping[str, bool]:
        """Look for `CXR_png` and `masks`."""
        return {
            f"{name}/": listing.subfolder(root, name) is not None
            for name in ("CXR_png", "masks")
        }

    def list_cases(self, root: Path) -> tuple[SourceListing, ...]:
        """List the images of `CXR_png`, and of `test` those that it has alone.

        Raises:
            DatasetError: If there is no image.
        """
        images = _images(root)
        listing.require_images(images, root / "CXR_png", self.expected)
        masks = listing.mask_files(listing.subfolder(root, "masks"), images.by_stem)
        readings = listing.subfolder(root, "ClinicalReadings")
        found = []
        for name in (montgomery.NAME, shenzhen.NAME):
            files = (_of_set(name, images), _of_set(name, masks))
            cases = tuple(
                _case(name, stem, image, files[1].by_stem.get(stem), readings)
                for stem, image in files[0].by_stem.items()
            )
            found.append(listing.list_source(name, root, self.layout, cases, files))
        return tuple(each for each in found if each.cases or each.findings)


def _images(root: Path) -> listing.Files:
    folders = (listing.subfolder(root, name) for name in ("CXR_png", "test"))
    parts = [listing.image_files(folder) for folder in folders if folder]
    by_stem: dict[str, Path] = {}
    for part in reversed(parts):
        by_stem.update(part.by_stem)
    findings = tuple(finding for part in parts for finding in part.findings)
    return listing.Files(dict(sorted(by_stem.items())), findings)


def _of_set(name: str, files: listing.Files) -> listing.Files:
    def belongs(stem: str) -> bool:
        return stem.startswith(montgomery.PREFIX) == (name == montgomery.NAME)

    return listing.Files(
        {stem: path for stem, path in files.by_stem.items() if belongs(stem)},
        tuple(finding for finding in files.findings if belongs(finding.case_id)),
    )


def _case(
    name: str, stem: str, image: Path, mask: Path | None, readings: Path | None
) -> Case:
    if name == montgomery.NAME:
        masks = MaskFiles(combined=(mask,)) if mask else None
        return montgomery.montgomery_case(stem, image, masks, readings)
    return shenzhen.shenzhen_case(stem, image, mask, readings)
