"""Nobody's name in a prepared data set: identities of DICOM files become salted hashes.

A hash alone hides nothing: who has a list of patients can hash them all and compare.
The salt is what only the hospital has. It lies beside the data set, never in it.
"""

import csv
import hashlib
import hmac
import io
import os
import re
import secrets
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from lungcli.data.audit import segmentation_finding, writing_finding
from lungcli.data.case import ABOUT_MANY, AuditFinding, Case, SourceListing
from lungcli.data.dicom.facts import DicomFacts, read_facts
from lungcli.data.storing import numbered
from lungcli.errors import DatasetError
from lungcli.system.files import csv_cell, make_folder, whole_file

_DIGITS: Final = 12  # of 16 values: a million cases meet with a chance of 1 in 500
_LEAST_SALT: Final = 16  # bytes
_UNNAMED: Final = "unnamed"
_PRIVATE: Final = 0o600


@dataclass(frozen=True, slots=True)
class Salt:
    """What makes a hash useless to those who do not have it."""

    secret: bytes

    def hashed(self, kind: str, text: str) -> str:
        """Return a short name for a text; another one for the same text of a kind.

        References:
            RFC 2104 (HMAC), with SHA-256.
        """
        message = f"{kind}\n{text}".encode(errors="surrogateescape")
        return hmac.new(self.secret, message, hashlib.sha256).hexdigest()[:_DIGITS]


def read_salt(path: Path) -> Salt:
    """Read a salt; where there is none, draw one and keep it for this user alone.

    Raises:
        DatasetError: If it cannot be read or written, or is too short to be one.
    """
    try:
        make_folder(path.parent)
        with suppress(FileExistsError):
            _write_private(path, secrets.token_hex(32) + "\n")
        secret = path.read_bytes().strip()
    except OSError as error:
        msg = (
            f"cannot use the salt {path} ({error.strerror}). Name another --salt-file."
        )
        raise DatasetError(msg) from error
    if len(secret) < _LEAST_SALT:
        msg = (
            f"{path} has {len(secret)} bytes: too few for a salt (at least "
            f"{_LEAST_SALT}). Remove it, and a new one is drawn."
        )
        raise DatasetError(msg)
    return Salt(secret)


@dataclass(frozen=True, slots=True)
class Identified:
    """Sources whose cases tell what DICOM headers say of them.

    Attributes:
        listings: The sources; what is no X-ray is left out, with a finding.
        facts: Of each DICOM file that is the image of a case.
    """

    listings: tuple[SourceListing, ...]
    facts: Mapping[Path, DicomFacts]

    def hidden(self, salt: Salt, *, keep_names: bool) -> tuple[SourceListing, ...]:
        """Return the sources with hashes for patients, and for the names of files.

        Args:
            salt: Of the hashes.
            keep_names: Whether cases stay called as their files.
        """
        return tuple(self._hide(each, salt, keep_names) for each in self.listings)

    def _hide(
        self, listing: SourceListing, salt: Salt, keep_names: bool
    ) -> SourceListing:
        if not any(case.image_path in self.facts for case in listing.cases):
            return listing
        ids, taken = {}, set[str]()
        for case in listing.cases:
            found = self.facts.get(case.image_path)
            if found is not None and not keep_names:
                image = found.instance or f"{case.source}\n{case.case_id}"
                ids[case.case_id] = numbered(salt.hashed("image", image), taken)
        cases = (_hide_case(case, salt, ids) for case in listing.cases)
        findings = (
            replace(finding, case_id=ids.get(finding.case_id, finding.case_id))
            for finding in listing.findings
        )
        return replace(listing, cases=tuple(cases), findings=tuple(findings))


def identify(listings: Sequence[SourceListing]) -> Identified:
    """Read the headers of all DICOM images: patient, age, sex, view.

    What a `cases.csv` says goes first. A patient of whom neither says anything is one
    case.
    """
    facts = {
        case.image_path: found
        for listing in listings
        for case in listing.cases
        if (found := read_facts(case.image_path)) is not None
    }
    return Identified(tuple(_known(each, facts) for each in listings), facts)


def _known(listing: SourceListing, facts: Mapping[Path, DicomFacts]) -> SourceListing:
    cases, findings = [], list(listing.findings)
    for case in listing.cases:
        found = facts.get(case.image_path)
        if found is None:
            cases.append(case)
        elif found.is_segmentation:
            findings.append(segmentation_finding(case))
        else:
            cases.append(_with_facts(case, found))
            findings += [writing_finding(case)] * found.has_writing
    return replace(listing, cases=tuple(cases), findings=tuple(findings))


def _with_facts(case: Case, facts: DicomFacts) -> Case:
    is_told = case.patient_id != case.case_id  # by a table
    return replace(
        case,
        patient_id=case.patient_id if is_told else facts.patient or case.case_id,
        age=case.age or facts.age,
        sex=case.sex or facts.sex,
        view=case.view or facts.view,
    )


def _hide_case(case: Case, salt: Salt, ids: Mapping[str, str]) -> Case:
    # Of every case of the source: else one patient's PNG and DICOM would be two.
    patient = salt.hashed("patient", case.patient_id)
    hidden = ids.get(case.case_id)
    if hidden is None:
        return replace(case, patient_id=patient)
    return replace(case, case_id=hidden, patient_id=patient, name=case.case_id)


class Veil:
    """Keeps the names of files that became hashes out of what is written of them.

    Args:
        listings: The sources, after `Identified.hidden`.
    """

    def __init__(self, listings: Iterable[SourceListing]) -> None:
        cases = [case for listing in listings for case in listing.cases]
        self._hidden = {case.key: case for case in cases if case.name}
        self._shown = {case.key for case in cases if not case.name}
        self._sources = {source for source, _ in self._hidden}

    def over(self, finding: AuditFinding) -> AuditFinding:
        """Return a finding that quotes no name of a file of a hidden case."""
        key = finding.source, finding.case_id
        case = self._hidden.get(key)
        if case is not None:
            detail = _names_of(case).sub(case.case_id, finding.detail)
            return replace(finding, path=Path(case.case_id), detail=detail)
        of_no_case = key not in self._shown and finding.issue not in ABOUT_MANY
        if of_no_case and finding.source in self._sources:
            unnamed = "a file of no case"  # which may be called as a patient
            return replace(finding, case_id="", path=Path(_UNNAMED), detail=unnamed)
        return finding


def _names_of(case: Case) -> re.Pattern[str]:
    masks = case.masks.paths if case.masks else ()
    files = (case.image_path, *masks)
    names = {*map(str, files), *(path.name for path in files), case.name}
    longest_first = sorted(names, key=len, reverse=True)
    return re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, longest_first))})(?!\w)")


def write_names(path: Path, listings: Iterable[SourceListing]) -> None:
    """Write which file became which case, for this user alone.

    Raises:
        OutputError: If it cannot be written.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(("source", "case_id", "patient_id", "image"))
    for listing in listings:
        writer.writerows(
            map(
                csv_cell,
                (case.source, case.case_id, case.patient_id, str(case.image_path)),
            )
            for case in listing.cases
            if case.name
        )
    with whole_file(path) as part:
        part.chmod(_PRIVATE)
        part.write_text(text.getvalue(), encoding="utf-8", errors="backslashreplace")


def _write_private(path: Path, text: str) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _PRIVATE)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
