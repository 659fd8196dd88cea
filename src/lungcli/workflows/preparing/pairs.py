"""Masks that belong to no image: said before an hour is spent on images alone."""

from collections.abc import Sequence

from lungcli.data.case import Issue, SourceListing
from lungcli.errors import DatasetError


def check_any_pair(listings: Sequence[SourceListing]) -> None:
    """Refuse sources that have images and masks, and no mask of an image.

    X-rays without any masks may be meant; these are not.

    Raises:
        DatasetError: With a name of each side, and what to do.
    """
    cases = [case for listing in listings for case in listing.cases]
    lonely = [
        finding.path
        for listing in listings
        for finding in listing.findings
        if finding.issue is Issue.NO_IMAGE
    ]
    if not cases or not lonely or any(case.masks for case in cases):
        return
    image, mask = cases[0].image_path, lonely[0]
    msg = (
        f"none of {len(lonely)} masks is called as one of {len(cases)} images. The "
        f"first are {mask} and {image}: call them alike (x.png and x_mask.png are), "
        "or say where masks lie: --mask-pattern 'masks/{stem}_m.png'."
    )
    raise DatasetError(msg)
