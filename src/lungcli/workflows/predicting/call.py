"""The X-rays of one call, labelled and recorded one after another."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace

from lungcli.data.inputs import Input
from lungcli.system.progress import Progress
from lungcli.workflows.predicting.journal import Journal
from lungcli.workflows.predicting.output import CallFiles
from lungcli.workflows.predicting.record import Entry
from lungcli.workflows.predicting.shards import Shard
from lungcli.workflows.predicting.tasks import Task
from lungcli.workflows.predicting.workers import LabelAll

OnEntry = Callable[[Entry], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """The X-rays of one call, and where it is written down what became of them.

    Attributes:
        tasks: The X-rays.
        shard: Which part of all X-rays these are.
        journal: Of the output folder.
        files: The journal among them; locally, or stored behind a URL.
    """

    tasks: Sequence[Task]
    shard: Shard
    journal: Journal
    files: CallFiles

    def label(self, label_all: LabelAll, progress: Progress, on_entry: OnEntry) -> int:
        """Label what is not done yet, in the order of the inputs.

        Args:
            label_all: Who labels.
            progress: Told after each.
            on_entry: Told what became of each.

        Returns:
            How many were finished by an earlier call.

        Raises:
            OutputError: If nothing can be written.
        """
        progress("predict", 0, len(self.tasks))
        self.files.keep(self.journal.path)  # what cannot be written fails here, at once
        todo = [
            (self.shard.index(position), task)
            for position, task in enumerate(self.tasks)
            if not self.journal.is_done(str(task.stem), task.item, self.files.size)
        ]
        skipped = len(self.tasks) - len(todo)
        # closed at once where it is stopped: else threads would go on with the rest
        with closing(label_all([task for _, task in todo])) as entries:
            pairs = zip(todo, entries, strict=True)
            for done, ((index, _), entry) in enumerate(pairs, skipped + 1):
                self.journal.append(replace(entry, index=index))
                self.files.note(self.journal.path)
                on_entry(entry)
                progress("predict", done, len(self.tasks))
        return skipped

    def entries(self) -> Iterator[Entry]:
        """Yield what became of each X-ray that is finished."""
        return self.journal.entries(str(task.stem) for task in self.tasks)

    def pairs(self) -> Iterator[tuple[Input, Entry]]:
        """Yield each X-ray that is finished, and what became of it."""
        for task in self.tasks:
            for entry in self.journal.entries([str(task.stem)]):
                yield task.item, entry
