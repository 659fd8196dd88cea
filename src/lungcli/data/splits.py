"""Which patients train, validate and test: by chance, always whole patients."""

import hashlib
from collections.abc import Iterable, Mapping

from lungcli.data.case import CaseKey
from lungcli.data.prepared import SPLITS
from lungcli.errors import ConfigError


def check_fractions(val: float, test: float) -> None:
    """Raise unless the fractions leave something to train on.

    Raises:
        ConfigError: If one is negative or their sum is 1 or more.
    """
    if not (val >= 0.0 and test >= 0.0 and val + test < 1.0):
        msg = (
            f"--val {val:g} and --test {test:g} must not be negative and must leave "
            "something to train on: their sum must be less than 1."
        )
        raise ConfigError(msg)


def split_by_group(
    groups: Mapping[CaseKey, str], *, val: float, test: float, seed: int
) -> dict[CaseKey, str]:
    """Draw the split of every group, so that no group is ever divided.

    Each source is divided by itself, so that every split holds the same mixture. A
    group lies where the hash of its name puts it: neither the order of the files nor
    the version of a random generator matters, and a patient who comes later hardly
    moves the others.

    Args:
        groups: Group of each case: one patient, or several whose images are copies
            of one another. A group that spans sources counts for the first of them.
        val: Fraction of the groups of a source to validate on.
        test: Fraction of the groups of a source to test on.
        seed: Same seed, same split.

    Returns:
        `"train"`, `"val"` or `"test"` for each case. A fraction above 0 gets at least
        one group of every source that has three or more.

    Raises:
        ConfigError: If the fractions leave nothing to train on.
    """
    check_fractions(val, test)
    homes: dict[str, str] = {}
    for (source, _), group in groups.items():
        homes[group] = min(source, homes.get(group, source))
    by_source: dict[str, list[str]] = {}
    for group, source in homes.items():
        by_source.setdefault(source, []).append(group)
    split_of: dict[str, str] = {}
    for members in by_source.values():
        drawn = sorted(members, key=lambda group: _lot(seed, group))
        num_test, num_val = (_share(len(drawn), part) for part in (test, val))
        for rank, group in enumerate(drawn):
            held_out = "test" if rank < num_test else "val"
            split_of[group] = held_out if rank < num_test + num_val else "train"
    return {key: split_of[group] for key, group in groups.items()}


def patient_groups(
    patients: Mapping[CaseKey, str], copies: Iterable[tuple[CaseKey, CaseKey]]
) -> dict[CaseKey, str]:
    """Join patients whose images are copies of one another.

    Args:
        patients: Patient of each case, unique within a source.
        copies: Pairs of cases whose images are copies.

    Returns:
        Group of each case, named after the first patient in it.

    Examples:
        >>> patients = {("a", "1"): "p", ("a", "2"): "q", ("b", "1"): "r"}
        >>> patient_groups(patients, [(("b", "1"), ("a", "2"))])
        {('a', '1'): 'a/p', ('a', '2'): 'a/q', ('b', '1'): 'a/q'}
    """
    names = {key: f"{key[0]}/{patient}" for key, patient in patients.items()}
    parents: dict[str, str] = {}
    for pair in copies:
        first, second = sorted(_root(parents, names[key]) for key in pair)
        if first != second:
            parents[second] = first
    return {key: _root(parents, name) for key, name in names.items()}


def divided(
    members: Mapping[CaseKey, str], splits: Mapping[CaseKey, str]
) -> dict[str, tuple[str, ...]]:
    """Find the groups with cases in more than one split.

    Args:
        members: Group of each case.
        splits: Split of each case; `""` is no split.

    Returns:
        The splits of each such group, in the order of `SPLITS`.
    """
    seen: dict[str, set[str]] = {}
    for key, group in members.items():
        seen.setdefault(group, set()).add(splits.get(key, ""))
    return {
        group: tuple(split for split in SPLITS if split in found)
        for group, found in seen.items()
        if len(found - {""}) > 1
    }


def _share(count: int, fraction: float) -> int:
    """Round half up; at least one of three or more, if any is wanted."""
    share = int(count * fraction + 0.5)
    return max(share, 1) if fraction > 0 and count >= 3 else share


def _lot(seed: int, group: str) -> str:
    return hashlib.sha256(f"{seed}/{group}".encode()).hexdigest()


def _root(parents: Mapping[str, str], name: str) -> str:
    while name in parents:
        name = parents[name]
    return name
