"""All cases of all sources that were named, each of them once."""

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from lungcli.data.case import Case, Convention, Layout, SourceListing
from lungcli.data.sources import find_sources
from lungcli.data.storing import numbered
from lungcli.errors import DatasetError


def gather(
    paths: Sequence[Path],
    layout: str = Layout.AUTO,
    mask_pattern: str | None = None,
    images: Path | None = None,
) -> tuple[SourceListing, ...]:
    """List the sources in several folders.

    A case that two folders reach, image and masks, is taken once. A source whose
    name is taken already gets `-2` behind it.

    Args:
        paths: Folders of sources.
        layout: One of `Layout`.
        mask_pattern: Of the masks of folders that have no layout.
        images: Where the X-rays of a folder of masks lie.

    Raises:
        DatasetError: If a folder is missing, or holds nothing that can be used.
    """
    listings: list[SourceListing] = []
    names: set[str] = set()
    seen: set[tuple[str, ...]] = set()
    for path in paths:
        for found in find_sources(path, layout, mask_pattern, images):
            fresh = tuple(case for case in found.cases if _files(case) not in seen)
            if fresh or not found.cases:
                seen.update(_files(case) for case in fresh)
                name = numbered(found.name, names)
                listings.append(_rename(replace(found, cases=fresh), name))
    return tuple(listings)


def common_convention(
    listings: Sequence[SourceListing], chosen: Convention | None = None
) -> Convention:
    """Return the mask convention that all sources share.

    Args:
        listings: Those with cases.
        chosen: What the user says; it settles the question.

    Returns:
        The convention; unknown as soon as one source's is, for a mixture may be
        hidden in it.

    Raises:
        DatasetError: If two sources are known to differ.
    """
    if chosen is not None:
        return chosen
    known = [each for each in listings if each.convention != Convention.UNKNOWN]
    conventions = {each.convention for each in known}
    if len(conventions) > 1:
        told = ", ".join(f"{each.name} {each.convention}" for each in known)
        msg = (
            f"the sources draw their masks by different conventions ({told}): a model "
            "of both is a model of neither. Prepare them apart with different --out, "
            "or insist with --convention."
        )
        raise DatasetError(msg)
    if len(known) < len(listings):
        return Convention.UNKNOWN
    return conventions.pop()


def _files(case: Case) -> tuple[str, ...]:
    """Return where its image and its masks truly lie."""
    masks = case.masks.paths if case.masks else ()
    return tuple(os.path.realpath(path) for path in (case.image_path, *masks))


def _rename(listing: SourceListing, name: str) -> SourceListing:
    cases = tuple(replace(case, source=name) for case in listing.cases)
    findings = tuple(replace(finding, source=name) for finding in listing.findings)
    return replace(listing, name=name, cases=cases, findings=findings)
