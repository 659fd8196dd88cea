"""The X-rays that one call labels, and what the outputs of each are called."""

from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from typing import NamedTuple, TextIO

from lungcli.data.inputs import Input, find_inputs, output_stems
from lungcli.data.journal import JOURNAL, REVIEW
from lungcli.model.find import Announce, quiet
from lungcli.system.urls import Url
from lungcli.workflows.predicting.formats import TABLES, suffixes
from lungcli.workflows.predicting.tables import PREDICTIONS


class Task(NamedTuple):
    """An X-ray to label.

    Attributes:
        item: Where it is.
        stem: Its outputs' name below the output folder, without suffixes.
    """

    item: Input
    stem: PurePosixPath


def find_tasks(
    inputs: Sequence[str | Path],
    formats: Sequence[str],
    out: Path | Url,
    stdin: TextIO,
    announce: Announce = quiet,
) -> tuple[Task, ...]:
    """Find the X-rays that a person named.

    Args:
        inputs: As `predict` takes them.
        formats: What is written of each.
        out: The output folder, or its URL.
        stdin: Where `-` reads from.
        announce: Told what of a folder was left out.

    Raises:
        DatasetError: If an input is missing, there is no image among them, or two
            outputs would have one name.
        RemoteError: If what a URL names cannot be searched.
    """
    given = [str(each) for each in inputs]
    items = find_inputs(given, stdin=stdin, out=out, announce=announce)
    taken = (JOURNAL, PREDICTIONS, REVIEW, *TABLES.values())
    stems = output_stems(items, out=out, suffixes=suffixes(formats), taken=taken)
    return tuple(map(Task, items, stems))
