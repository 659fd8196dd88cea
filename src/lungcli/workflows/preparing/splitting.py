"""Who trains and who tests, and what is wrong with that."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lungcli.data.audit import copy_findings, leak_findings, list_findings
from lungcli.data.case import AuditFinding, Case, CaseKey
from lungcli.data.duplicates import Copy, find_copies
from lungcli.data.split_file import SplitList, apply_split_list
from lungcli.data.splits import divided, patient_groups, split_by_group
from lungcli.data.storing import StoredCase


@dataclass(frozen=True, slots=True, kw_only=True)
class SplitPlan:
    """How to split.

    Attributes:
        listed: A list of splits; None draws by patient.
        val: Fraction of each source's patients to validate on, if drawn.
        test: Fraction of each source's patients to test on, if drawn.
        seed: Of the draw.
        resplit: Whether sources that come split are drawn anew.
    """

    listed: SplitList | None
    val: float
    test: float
    seed: int
    resplit: bool = False

    def describe(self) -> dict[str, Any]:
        """Return what `dataset.json` says about it."""
        if self.listed is not None:
            return {"method": "list", "name": self.listed.name}
        return {"method": "patient", "val": self.val, "test": self.test}

    def follows(self, case: Case) -> bool:
        """Tell whether a case stays in the split that its source has it in."""
        return bool(case.split) and self.listed is None and not self.resplit


def split_and_audit(
    stored: Sequence[StoredCase], plan: SplitPlan
) -> tuple[dict[CaseKey, str], tuple[AuditFinding, ...]]:
    """Find copies, choose the split of every case with mask, and report.

    Patients whose images are copies of one another are drawn as one patient. A list
    is followed to the letter: what it tears apart is reported.

    Args:
        stored: Every case, in the order of the sources.
        plan: How to split.

    Returns:
        Split of each case that has one, and the findings about copies and splits.
    """
    usable = [each for each in stored if each.look is not None]
    copies = find_copies([each.look for each in usable if each.look is not None])
    if plan.listed is None:
        splits, findings = _draw(usable, copies, plan)
    else:
        splits, findings = _follow(stored, plan.listed)
    cases = [each.case for each in usable]
    return splits, (*copy_findings(cases, copies, splits), *findings)


def _draw(
    usable: Sequence[StoredCase], copies: Sequence[Copy], plan: SplitPlan
) -> tuple[dict[CaseKey, str], tuple[AuditFinding, ...]]:
    """Draw by patient, but for cases whose source has a split of its own."""
    keys = [each.case.key for each in usable]
    patients = {each.case.key: each.case.patient_id for each in usable}
    pairs = [(keys[copy.first], keys[copy.second]) for copy in copies]
    groups = patient_groups(patients, pairs)
    with_mask = _with_mask(usable)
    given = {key: c.split for key, c in with_mask.items() if plan.follows(c)}
    free = {key: groups[key] for key in keys if key in with_mask and key not in given}
    drawn = split_by_group(free, val=plan.val, test=plan.test, seed=plan.seed)
    return drawn | given, _leaks(with_mask, given)


def _leaks(
    cases: Mapping[CaseKey, Case], splits: Mapping[CaseKey, str]
) -> tuple[AuditFinding, ...]:
    """Report the patients that are in two splits."""
    patients = {key: f"{key[0]}/{cases[key].patient_id}" for key in splits}
    first_cases: dict[str, Case] = {}
    for key, patient in patients.items():
        first_cases.setdefault(patient, cases[key])
    return leak_findings(first_cases, divided(patients, splits))


def _follow(
    stored: Sequence[StoredCase], listed: SplitList
) -> tuple[dict[CaseKey, str], tuple[AuditFinding, ...]]:
    known = _known_by(stored, listed)
    applied = apply_split_list(listed, list(known))
    with_mask = _with_mask(stored)
    splits = {
        known[key]: split
        for key, split in applied.splits.items()
        if known[key] in with_mask
    }
    leaks = _leaks(with_mask, splits)
    keys = (known[key] for key in applied.not_listed)
    not_listed = [key for key in keys if key in with_mask]
    return splits, (
        *leaks,
        *list_findings(listed.name, not_listed, applied.not_found),
    )


def _known_by(
    stored: Sequence[StoredCase], listed: SplitList
) -> dict[CaseKey, CaseKey]:
    """Return the key of each case by what a list calls it: its id, or its files."""
    ids = {case_id for _, case_id in listed.splits}
    return {
        (
            case.source,
            case.case_id if case.case_id in ids else case.name or case.case_id,
        ): case.key
        for case in (each.case for each in stored)
    }


def _with_mask(stored: Sequence[StoredCase]) -> Mapping[CaseKey, Case]:
    return {
        each.case.key: each.case
        for each in stored
        if each.row is not None and each.row.has_mask
    }
