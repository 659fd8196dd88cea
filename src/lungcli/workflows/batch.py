"""All X-rays of one call, several at a time, recorded as they are finished."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Final

from lungcli.data.inputs import Input
from lungcli.progress import Progress
from lungcli.workflows.formats import TABLES, write_tables
from lungcli.workflows.journal import Entry, Journal, write_table
from lungcli.workflows.labelling import Labeller
from lungcli.workflows.prediction_table import COLUMNS, table_row
from lungcli.workflows.review import write_review
from lungcli.workflows.threads import in_order

TABLE: Final = "predictions.csv"

OnEntry = Callable[[Entry], None]


class Batch:
    """All X-rays of one call."""

    def __init__(
        self,
        items: Sequence[Input],
        stems: Sequence[PurePosixPath],
        labeller: Labeller,
        journal: Journal,
    ) -> None:
        self.items = items
        self.stems = stems
        self.labeller = labeller
        self.journal = journal
        self.counts: Counter[str] = Counter()
        self.skipped = 0
        self.corrected = 0

    def run(self, num_threads: int, progress: Progress, on_entry: OnEntry) -> None:
        """Label what is not done yet, in the order of the inputs."""
        progress("predict", 0, len(self.items))
        todo = []
        for item, stem in zip(self.items, self.stems, strict=True):
            if self.journal.is_done(str(stem), item):
                self.skipped += 1
            else:
                todo.append((item, stem))
        labelled = in_order(lambda pair: self.labeller.label(*pair), todo, num_threads)
        # closed at once where it is stopped: else threads would go on with the rest
        with closing(labelled) as entries:
            for done, entry in enumerate(entries, self.skipped + 1):
                self.journal.append(entry)
                on_entry(entry)
                progress("predict", done, len(self.items))

    def write_tables(self) -> tuple[Path, ...]:
        """Write the tables from what the journal holds, however the work ended."""
        for entry in self._entries():
            self.counts[entry.status] += 1
            self.corrected += bool(entry.record.get("corrected"))
        out = self.labeller.out
        write_table(out / TABLE, COLUMNS, self._entries(), table_row)
        tables = write_tables(out, self._entries, self.labeller.formats)
        return (out / TABLE, *tables)

    def draw_review(self) -> tuple[Path, ...]:
        """Draw the sheet of doubtful masks, if there is any mask."""
        drawn = write_review(self._sources(), self.labeller.out)
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
