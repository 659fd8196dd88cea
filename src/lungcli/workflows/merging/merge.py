"""The parts of `predict --shard I/N`, joined to what one run would have written."""

import os
import re
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Any, Final

from lungcli.anatomy import LUNGS, named
from lungcli.data.journal import JOURNAL
from lungcli.errors import ConfigError, DatasetError
from lungcli.system.files import printable, remove_file, whole_file
from lungcli.system.locks import locked
from lungcli.system.progress import Progress, silent
from lungcli.system.urls import Url, path_or_url
from lungcli.workflows.predicting.formats import FORMATS, output_names
from lungcli.workflows.predicting.journal import Journal, describe_differences
from lungcli.workflows.predicting.predictions import Predictions, sum_up
from lungcli.workflows.predicting.record import Entry
from lungcli.workflows.predicting.shards import OWN_CONDITIONS, Shard
from lungcli.workflows.predicting.tables import write_tables
from lungcli.workflows.shared.output_folder import check_output

_NAME: Final = re.compile(r"predictions\.[0-9]+-of-[0-9]+\.jsonl")
_LUNGS: Final = tuple(lung.key for lung in LUNGS)  # what is written if none is said
_MOST_NAMED: Final = 5  # parts in a message


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """What one call with `--shard` has left.

    Attributes:
        shard: Which part of all X-rays.
        journal: Open to read.
        settings: How the results were made, but for what is the shard's own.
        num_inputs: X-rays of all parts.
        names: A hash of the names of all outputs.
    """

    shard: Shard
    journal: Journal
    settings: Mapping[str, Any]
    num_inputs: int
    names: str

    @property
    def root(self) -> Path:
        """The output folder."""
        return self.journal.path.parent

    def stems(self) -> list[str]:
        """Return the stems in the order of the inputs.

        Raises:
            DatasetError: If an X-ray is not done, or an output of it is gone.
        """
        found = {}
        for stem in self.journal.stems:
            entry = next(self.journal.entries([stem]), None)
            if entry is None:  # predict writes no such line
                raise _foreign(self.journal.path)
            self._check(entry)
            found[entry.index] = stem
        wanted = range(self.shard.number - 1, self.num_inputs, self.shard.count)
        missing = len(wanted) - sum(index in wanted for index in found)
        if missing:
            msg = (
                f"{self} is not finished: {missing} of its {len(wanted)} X-rays are "
                f"missing. {self.remedy}"
            )
            raise DatasetError(msg)
        return [found[index] for index in wanted]

    def _check(self, entry: Entry) -> None:
        """Refuse what `predict` does not write, and an output that is gone."""
        possible = output_names(entry.stem, self.settings["formats"])
        stem = PurePosixPath(entry.stem)
        climbs = stem.is_absolute() or ".." in stem.parts
        if climbs or not entry.outputs.keys() <= set(possible):
            raise _foreign(self.journal.path)
        linked = any((self.root / name).is_symlink() for name in entry.outputs)
        if linked or not self.journal.has_outputs(entry):
            msg = f"{self} lacks an output of {printable(entry.shown)}. {self.remedy}"
            raise DatasetError(msg)

    @property
    def remedy(self) -> str:
        """What completes a part."""
        return f"Repeat its command with --shard {self.shard} --resume."

    def __str__(self) -> str:
        return f"part {self.shard} in {self.root}"


def merge(
    folders: Sequence[str | Path],
    *,
    out: str | Path | None = None,
    collect: bool = False,
    progress: Progress = silent,
) -> Predictions:
    """Join parts to what one run over all X-rays would have written.

    The parts stay as they are. Outputs that lie in another folder are linked to `out`
    or, on another disk, copied.

    Args:
        folders: Output folders of the parts; one may hold several.
        out: Output folder; None is the only one of the parts, or `masks`.
        collect: As in `predict`.
        progress: Told after each X-ray.

    Raises:
        ConfigError: If the parts were made in different ways or of different X-rays.
        DatasetError: If a part is missing, there twice, or not finished.
        OutputError: If the results cannot be written.
    """
    only = folders[0] if len(folders) == 1 else "masks"
    target = _local(only if out is None else out)
    check_output(target)
    with ExitStack() as stack:
        parts: list[Part] = []
        for path in _journals([_local(folder) for folder in folders]):
            parts.append(_open(path))
            stack.callback(parts[-1].journal.close)
        parts = _complete(parts)
        stems = _interleaved([part.stems() for part in parts])
        stack.enter_context(locked(target))
        journal = Journal.start(target / JOURNAL, parts[0].settings)
        stack.enter_context(journal)
        _gather(parts, stems, journal, progress)
        entries = partial(journal.entries, stems)
        try:
            settings = parts[0].settings
            structures = named(settings.get("structures", _LUNGS))
            paths = write_tables(
                target, entries, settings["formats"], structures=structures
            )
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise _foreign(target / JOURNAL) from error
        return sum_up(entries(), out=target, paths=paths, collect=collect)


def _local(text: str | Path) -> Path:
    place = path_or_url(text)
    if isinstance(place, Url):
        msg = f"merge works on disks only: download {place} first, and upload after."
        raise ConfigError(msg)
    return place


def _foreign(path: Path) -> DatasetError:
    return DatasetError(
        f"{path} was not written by this version of lungcli. Do its part again, or "
        "remove it."
    )


def _journals(folders: Iterable[Path]) -> Iterator[Path]:
    for folder in {os.path.realpath(path): path for path in folders}.values():
        try:
            paths = sorted(folder.iterdir())
        except OSError as error:
            msg = (
                f"cannot read {folder} ({error.strerror}). Name the folders that "
                "'lungcli predict --shard' has written."
            )
            raise DatasetError(msg) from error
        found = [path for path in paths if _NAME.fullmatch(path.name)]
        if not found:
            msg = (
                f"no part of a prediction in {folder}. Name the folders that "
                "'lungcli predict --shard' has written."
            )
            raise DatasetError(msg)
        yield from found


def _open(path: Path) -> Part:
    try:
        journal = Journal.read(path)
    except OSError as error:
        msg = f"cannot read {path} ({error.strerror}). Check its permissions."
        raise DatasetError(msg) from error
    try:
        settings = dict(journal.settings or {})
        shard, (num_inputs, names) = (settings.pop(key) for key in OWN_CONDITIONS)
        if int(num_inputs) < 0 or not set(settings["formats"]) <= set(FORMATS):
            raise _foreign(path)
        return Part(
            shard=Shard.parse(shard),
            journal=journal,
            settings=settings,
            num_inputs=int(num_inputs),
            names=str(names),
        )
    except (KeyError, TypeError, ValueError, ConfigError, DatasetError) as error:
        journal.close()
        raise _foreign(path) from error


def _complete(parts: Iterable[Part]) -> list[Part]:
    """Return the parts in order; each must be there, and fit to the others."""
    found: dict[int, Part] = {}
    for part in parts:
        other = found.setdefault(part.shard.number, part)
        first = next(iter(found.values()))
        _check_alike(first, part)
        if other is not part:
            msg = f"{other} and in {part.root}: leave one of the folders out."
            raise DatasetError(msg)
    count = next(iter(found.values())).shard.count
    missing = [number for number in range(1, count + 1) if number not in found]
    if missing:
        named = ", ".join(f"{number}/{count}" for number in missing[:_MOST_NAMED])
        more = f" and {len(missing) - _MOST_NAMED} more" * (len(missing) > _MOST_NAMED)
        msg = (
            f"{count} parts belong together; missing: {named}{more}. Name their "
            f"folders, too, or run 'lungcli predict' with --shard {missing[0]}/{count}."
        )
        raise DatasetError(msg)
    return [found[number] for number in sorted(found)]


def _check_alike(first: Part, part: Part) -> None:
    remedy = "Do one of them again, or leave its folder out."
    if part.shard.count != first.shard.count:
        msg = f"{first} and {part} do not belong together. {remedy}"
        raise ConfigError(msg)
    if (part.num_inputs, part.names) != (first.num_inputs, first.names):
        msg = (
            f"{first} and {part} are of different X-rays ({first.num_inputs} and "
            f"{part.num_inputs} in all). {remedy}"
        )
        raise ConfigError(msg)
    differences = describe_differences(first.settings, part.settings, "is {} and {}")
    if differences:
        msg = f"{first} and {part} were made in different ways: {differences}. {remedy}"
        raise ConfigError(msg)


def _interleaved(shares: Sequence[Sequence[str]]) -> list[str]:
    total = sum(map(len, shares))
    count = len(shares)
    return [shares[index % count][index // count] for index in range(total)]


def _gather(
    parts: Sequence[Part], stems: Sequence[str], journal: Journal, progress: Progress
) -> None:
    root = journal.path.parent
    away = [not part.root.samefile(root) for part in parts]
    progress("merge", 0, len(stems))
    for index, stem in enumerate(stems):
        number = index % len(parts)
        for entry in parts[number].journal.entries([stem]):
            if away[number]:
                _bring(entry, parts[number], root)
            journal.append(entry)
        progress("merge", index + 1, len(stems))


def _bring(entry: Entry, of: Part, target: Path) -> None:
    source = of.root
    for name in output_names(entry.stem, of.settings["formats"]):
        if name not in entry.outputs:  # an earlier merge may have brought it
            remove_file(target / name)
    for name in entry.outputs:
        with whole_file(target / name) as part:
            part.unlink()
            try:
                # lungcli replaces files and never changes them: they may be shared
                os.link(source / name, part)
            except OSError:  # another disk, or one without links
                shutil.copyfile(source / name, part)
