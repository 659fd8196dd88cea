"""What the masks of a source know of each structure."""

from collections.abc import Container, Iterable, Mapping
from typing import Any, Final

from lungcli.anatomy import LUNGS, STRUCTURES, Knowledge
from lungcli.data.case import Convention

_OF_LUNGS: Final = {
    Convention.HEART_EXCLUDED: Knowledge.EXACT,
    Convention.HEART_INCLUDED: Knowledge.WITH_HEART,
    Convention.UNKNOWN: Knowledge.UNDECLARED,
}


def of_convention(
    convention: Convention, drawn: Container[str] = ()
) -> dict[str, Knowledge]:
    """Return what masks know of each structure, by its key.

    Args:
        convention: Of the lungs.
        drawn: Keys of the other structures that all masks show.
    """
    others = {
        each.key: Knowledge.EXACT if each.key in drawn else Knowledge.ABSENT
        for each in STRUCTURES
        if each not in LUNGS
    }
    return {lung.key: _OF_LUNGS[convention] for lung in LUNGS} | others


def read_knowledge(
    sources: Iterable[Mapping[str, Any]], convention: Convention
) -> dict[str, dict[str, Knowledge]]:
    """Return what `dataset.json` says of each source, by its name.

    Older data sets only say the convention; their masks show the lungs alone.

    Args:
        sources: Its list of sources.
        convention: Of the data set, which settles what a source's own says.

    Raises:
        AttributeError, KeyError, TypeError, ValueError: If the list is damaged.
    """
    return {str(each["name"]): _knowledge(each, convention) for each in sources}


def _knowledge(
    source: Mapping[str, Any], convention: Convention
) -> dict[str, Knowledge]:
    if convention == Convention.UNKNOWN:
        convention = Convention(source.get("convention", convention))
    said = source.get("structures", {})
    known = {key: Knowledge(value) for key, value in said.items()}
    return of_convention(convention) | known
