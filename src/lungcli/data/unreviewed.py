"""Masks that a network has drawn, and that nobody has looked at yet."""

from collections.abc import Sequence
from pathlib import Path

from lungcli.data.case import SourceListing
from lungcli.data.journal import journals_in
from lungcli.data.mask_tables import open_table
from lungcli.errors import DatasetError


def check_reviewed(listings: Sequence[SourceListing]) -> None:
    """Refuse sources whose masks lie in a folder that `predict` has written.

    Whoever trains on them teaches a network the faults of another, and scores against
    them tell how alike two networks are.

    Raises:
        DatasetError: With the remedy.
    """
    for listing in listings:
        for folder in sorted(_folders_of_masks(listing)):
            for journal in journals_in(folder):
                msg = (
                    f"the masks in {folder} are a network's ({journal.name} lies "
                    "beside them), and nobody has said that they are right. Insist "
                    "with --unreviewed."
                )
                raise DatasetError(msg)
        for table in sorted(_tables_by_models(listing)):
            msg = (
                f"the masks in {table} are a network's (its columns name their "
                "estimated Dice), and nobody has said that they are right. Insist with "
                "--unreviewed."
            )
            raise DatasetError(msg)


def _tables_by_models(listing: SourceListing) -> set[Path]:
    """Return the tables that say of themselves that a network has drawn them."""
    tables = {
        entry.path
        for case in listing.cases
        if case.masks
        for entry in case.masks.entries
    }
    return {path for path in tables if open_table(path).is_model_made}


def _folders_of_masks(listing: SourceListing) -> set[Path]:
    """Return the folders of the masks, up to that of the source."""
    masks = (path for case in listing.cases if case.masks for path in case.masks.paths)
    above = {parent for path in masks for parent in path.parents}
    return {folder for folder in above if folder.is_relative_to(listing.root)}
