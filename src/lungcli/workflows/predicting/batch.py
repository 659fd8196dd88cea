"""All X-rays of one call, several at a time, recorded as they are finished."""

from collections import Counter
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Final

from lungcli.data.inputs import Input
from lungcli.system.progress import Progress
from lungcli.workflows.predicting.entry_table import write_table
from lungcli.workflows.predicting.formats import TABLES, write_tables
from lungcli.workflows.predicting.journal import Entry, Journal
from lungcli.workflows.predicting.output import (
    CallFiles,
    LocalCallFiles,
    OutputFolder,
)
from lungcli.workflows.predicting.review_sheet import write_review
from lungcli.workflows.predicting.shards import WHOLE, Shard
from lungcli.workflows.predicting.table import COLUMNS, table_row

TABLE: Final = "predictions.csv"

OnEntry = Callable[[Entry], None]
Task = tuple[Input, PurePosixPath]  # an X-ray, and its outputs' name
LabelAll = Callable[[Sequence[Task]], Generator[Entry, None, None]]


class Batch:
    """All X-rays of one call.

    Args:
        items: The X-rays.
        stems: Their outputs' names below the output folder, without suffixes.
        journal: Of the output folder.
        formats: What is written of each.
        shard: Which part of all X-rays of the call these are.
        files: Of the call; those beside the journal, if none are named.
    """

    def __init__(
        self,
        items: Sequence[Input],
        stems: Sequence[PurePosixPath],
        journal: Journal,
        formats: Sequence[str],
        shard: Shard = WHOLE,
        files: CallFiles | None = None,
    ) -> None:
        self.items = items
        self.stems = stems
        self.journal = journal
        self.formats = formats
        self.shard = shard
        self.out = journal.path.parent
        self.files = files or LocalCallFiles(self.out)
        self.counts: Counter[str] = Counter()
        self.skipped = 0
        self.corrected = 0

    def run(self, label_all: LabelAll, progress: Progress, on_entry: OnEntry) -> None:
        """Label what is not done yet, in the order of the inputs.

        Args:
            label_all: Yields the entries of X-rays in their order; closed where the
                work is stopped.
            progress: Told after each.
            on_entry: Told what became of each.
        """
        progress("predict", 0, len(self.items))
        self.files.keep(self.journal.path)  # what cannot be written fails here, at once
        todo, indices = [], []
        for position, task in enumerate(zip(self.items, self.stems, strict=True)):
            item, stem = task
            if self.journal.is_done(str(stem), item, self.files.size):
                self.skipped += 1
            else:
                todo.append(task)
                indices.append(self.shard.index(position))
        # closed at once where it is stopped: else threads would go on with the rest
        with closing(label_all(todo)) as entries:
            numbered = zip(indices, entries, strict=True)
            for done, (index, entry) in enumerate(numbered, self.skipped + 1):
                self.journal.append(replace(entry, index=index))
                self.files.note(self.journal.path)
                on_entry(entry)
                progress("predict", done, len(self.items))

    def write_tables(self) -> tuple[Path, ...]:
        """Write the tables from what the journal holds, however the work ended."""
        for entry in self._entries():
            self.counts[entry.status] += 1
            self.corrected += bool(entry.record.get("corrected"))
        table = self.out / self.shard.named(TABLE)
        write_table(table, COLUMNS, self._entries(), table_row)
        tables = write_tables(self.out, self._entries, self.formats, self.shard)
        return (table, *tables)

    def draw_review(self, masks: OutputFolder) -> tuple[Path, ...]:
        """Draw the sheet of doubtful masks, if there is any mask."""
        drawn = write_review(self._sources(), self.out, masks)
        return (drawn,) if drawn else ()

    def light_entries(self) -> Iterator[Entry]:
        """Yield all entries without their parts of the tables, which are large."""
        for entry in self._entries():
            record = entry.record
            known = {key: record[key] for key in record if key not in TABLES}
            yield replace(entry, record=known)

    def _entries(self) -> Iterator[Entry]:
        return self.journal.entries(map(str, self.stems))

    def _sources(self) -> Iterator[tuple[Input, Entry]]:
        for item, stem in zip(self.items, self.stems, strict=True):
            for entry in self.journal.entries([str(stem)]):
                yield item, entry
