"""Several prepared data sets as one."""

import os
from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from pathlib import Path

from lungcli.anatomy import LUNGS, Knowledge, Structure
from lungcli.arrays import LabelMap
from lungcli.data.case import CaseKey, Convention
from lungcli.data.prepared import (
    PreparedCase,
    PreparedDataset,
    open_prepared,
)
from lungcli.errors import DatasetError
from lungcli.system.files import real_path
from lungcli.system.pixel_store import PixelStore
from lungcli.system.threads import in_order
from lungcli.system.urls import url_of_path

DatasetCase = tuple[PreparedDataset, PreparedCase]


@dataclass(frozen=True, slots=True)
class Selection:
    """The cases of a split.

    Attributes:
        cases: Each with its data set; those of one data set stand together.
        notes: What the user should know: data sets that have no such case.
    """

    cases: tuple[DatasetCase, ...]
    notes: tuple[str, ...]


def open_all(paths: Sequence[str | Path]) -> tuple[PreparedDataset, ...]:
    """Open each data set once, however often and by whatever path it is named.

    Raises:
        DatasetError: If one is no prepared data set, or none is named.
    """
    if not paths:
        msg = "no prepared data set was named. Use --data FOLDER."
        raise DatasetError(msg)
    folders = [Path(path) for path in paths]
    for folder in folders:
        if (url := url_of_path(folder)) is not None:
            msg = f"a data set is read from disks only: download {url} first."
            raise DatasetError(msg)
    return tuple(open_prepared(folder) for folder in _unique(folders))


def select(datasets: Sequence[PreparedDataset], split: str) -> Selection:
    """Return the cases of a split in all data sets; some may have none.

    Raises:
        DatasetError: If no data set has a case with mask in that split.
    """
    chosen: list[DatasetCase] = []
    refusals = []
    for dataset in datasets:
        try:
            chosen.extend((dataset, case) for case in dataset.select(split))
        except DatasetError as error:
            refusals.append(str(error))
    if not chosen:
        raise DatasetError(" ".join(refusals))
    return Selection(tuple(chosen), tuple(refusals))


def select_to_score(paths: Sequence[str | Path], split: str) -> Selection:
    """Return the cases of a split, none of which may count twice.

    Raises:
        DatasetError: If a data set is missing, the split has no cases, or a case is in
            two data sets.
    """
    selection = select(open_all(paths), split)
    _check_distinct(selection.cases)
    return selection


def store_pairs(
    cases: Sequence[DatasetCase],
    side: int,
    *,
    folder: Path,
    mask_of: Callable[[LabelMap, DatasetCase], LabelMap] | None = None,
) -> tuple[PixelStore, PixelStore]:
    """Read CXRs and label maps of one side onto the disk: uint8 `(n, side, side, 1)`.

    Args:
        cases: Cases with mask.
        side: Side in pixels.
        folder: On whose disk they lie as long as they are in use.
        mask_of: Returns what is stored of a label map; by default itself.

    Raises:
        ImageError: If a file is broken.
        OutputError: If the disk has too little room.
    """
    shape = (len(cases), side, side, 1)
    images, masks = PixelStore(folder, shape), PixelStore(folder, shape)

    def read(index: int) -> None:
        dataset, case = cases[index]
        image, labels = dataset.read_pair(case, side)
        if mask_of is not None:
            labels = mask_of(labels, cases[index])
        images[index], masks[index] = image[..., None], labels[..., None]

    threads = os.cpu_count() or 1  # Pillow decodes without the GIL
    for _ in in_order(read, range(len(cases)), threads):
        pass
    return images, masks


def smaller_than(size: int, cases: Sequence[DatasetCase]) -> int:
    """Count the cases that are stored with fewer pixels than a network looks at."""
    return sum(case.geometry.side < size for _, case in cases)


def check_unique(datasets: Sequence[PreparedDataset]) -> None:
    """Refuse data sets that share a case: it would be in two splits, or be two X-rays.

    Cases that are in no split do not count.

    Raises:
        DatasetError: If one source was prepared twice, or two folders of one name.
    """
    _check_distinct(
        (dataset, case) for dataset in datasets for case in dataset.cases if case.split
    )


def _check_distinct(cases: Iterable[DatasetCase]) -> None:
    owners: dict[CaseKey, PreparedDataset] = {}
    twice = [
        (owners[case.key], dataset, case)
        for dataset, case in cases
        if owners.setdefault(case.key, dataset) is not dataset
    ]
    if twice:
        first, second, case = twice[0]
        msg = (
            f"{len(twice)} cases are in two data sets, among them {full_name(case)} of "
            f"patient {case.patient_id} in {first.root} and in {second.root}. If one "
            "source was prepared twice, leave one data set out; if two sources have "
            "one name, prepare them together or rename the folder of one."
        )
        raise DatasetError(msg)


def check_disjoint(
    cases: Sequence[DatasetCase],
    others: Sequence[DatasetCase],
    *,
    parts: tuple[str, str] = ("training", "validation"),
) -> None:
    """Refuse to judge a network by patients that it was trained on.

    Args:
        cases: Of one part.
        others: Of the other.
        parts: What messages call the two.

    Raises:
        DatasetError: If a patient is in both.
    """
    shared = _patients(cases) & _patients(others)
    if shared:
        source, patient = min(shared)
        one, other = parts
        msg = (
            f"{len(shared)} patients are in {one} and in {other}, among them {patient} "
            f"of {source}. Prepare again with --splits that keep a patient together, "
            "or leave a data set out."
        )
        raise DatasetError(msg)


def one_convention(
    datasets: Sequence[PreparedDataset], *, any_convention: bool = False
) -> Convention:
    """Return the mask convention that all data sets share.

    A network trained on masks with and without the heart learns neither.

    Args:
        datasets: Prepared data sets.
        any_convention: Whether to allow a mixture.

    Returns:
        Unknown for a mixture and where one of them is unknown.

    Raises:
        DatasetError: If two known conventions differ.
    """
    conventions = {dataset.convention for dataset in datasets}
    if len(conventions - {Convention.UNKNOWN}) > 1 and not any_convention:
        listed = ", ".join(f"{d.root}: {d.convention}" for d in datasets)
        msg = (
            f"the data sets draw their masks by different conventions ({listed}). "
            "Use them one by one, or insist with --any-convention."
        )
        raise DatasetError(msg)
    return conventions.pop() if len(conventions) == 1 else Convention.UNKNOWN


def conventions_differ(one: str, other: str) -> bool:
    """Tell whether two mask conventions are known, and are not the same."""
    return one != other and Convention.UNKNOWN not in (one, other)


def full_name(case: PreparedCase) -> str:
    """Return the name of a case that is unique over all sources."""
    return f"{case.source}/{case.case_id}"


def data_names(cases: Sequence[DatasetCase]) -> list[str]:
    """Return the names of the data sets that the cases come from, sorted."""
    return sorted({dataset.name for dataset, _ in cases})


def count_named(cases: Sequence[DatasetCase], names: Set[str]) -> int:
    """Count the cases whose full name is among these."""
    return sum(full_name(case) in names for _, case in cases)


def _unique(paths: Sequence[Path]) -> list[Path]:
    by_place: dict[Path, Path] = {}
    for path in paths:
        by_place.setdefault(real_path(path), path)
    return list(by_place.values())


def _patients(cases: Sequence[DatasetCase]) -> set[tuple[str, str]]:
    return {(case.source, case.patient_id) for _, case in cases}


def known_to_both(
    known: Mapping[str, Knowledge], drawn: Sequence[Structure]
) -> tuple[Structure, ...]:
    """Return what is scored: the lungs, and what a source knows and a network draws."""
    others = (each for each in drawn if each not in LUNGS)
    exact = (each for each in others if known[each.key] is Knowledge.EXACT)
    return (*LUNGS, *exact)
