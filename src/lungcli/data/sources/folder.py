"""Anybody's own data: `images/`, `masks/` and, if there is one, `cases.csv`."""

from collections.abc import Mapping
from pathlib import Path

from lungcli.data.case import Layout, SourceListing
from lungcli.data.prepared import is_prepared
from lungcli.data.sources import listing
from lungcli.data.sources.own import list_own


class Folder:
    """Read `images/` and `masks/` with the same stem, or `<stem>_mask`."""

    layout = Layout.FOLDER
    expected = "images/ and masks/ with equal names (or <name>_mask), any image format"

    def parts(self, root: Path) -> Mapping[str, bool]:
        """Look for `images` and `masks`; a prepared data set is not a source."""
        is_source = not is_prepared(root)
        return {
            f"{name}/": is_source and listing.subfolder(root, name) is not None
            for name in ("images", "masks")
        }

    def list_cases(self, root: Path) -> tuple[SourceListing, ...]:
        """List the images with their masks and rows of `cases.csv`.

        Raises:
            DatasetError: If there is no image, or `cases.csv` cannot be used.
        """
        folder = listing.subfolder(root, "images") or root / "images"
        images = listing.image_files(folder)
        listing.require_images(images, folder, self.expected)
        masks = listing.mask_files(listing.subfolder(root, "masks"), images.by_stem)
        return (list_own(root, self.layout, images, {}, masks),)
