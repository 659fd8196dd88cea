"""Source folders in, a prepared data set out."""

from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path

from lungcli.data.case import AuditFinding, CaseKey, SourceListing
from lungcli.data.gathering import common_convention, gather
from lungcli.data.prepared import (
    CONTACT_SHEET,
    PreparedCase,
    open_prepared,
)
from lungcli.data.prepared_writer import (
    DatasetFacts,
    join_fingerprints,
    write_audit,
    write_cases,
    write_facts,
)
from lungcli.data.replacing import check_apart, check_replaceable
from lungcli.data.said_labels import parse_labels
from lungcli.data.split_file import read_split_list
from lungcli.data.storing import (
    IMAGES,
    MASKS,
    REFERENCES,
    Job,
    StoredCase,
    file_stems,
    store_case,
)
from lungcli.data.unreviewed import check_reviewed
from lungcli.errors import DatasetError
from lungcli.system.files import whole_folder
from lungcli.system.locks import locked
from lungcli.system.progress import Progress, silent
from lungcli.system.urls import path_or_url
from lungcli.workflows.preparing.contact_sheet import write_contact_sheet
from lungcli.workflows.preparing.pairs import check_any_pair
from lungcli.workflows.preparing.privacy import privacy_of
from lungcli.workflows.preparing.processes import map_in_processes
from lungcli.workflows.preparing.remote import check_early, local_out, local_sources
from lungcli.workflows.preparing.second_look import look_again
from lungcli.workflows.preparing.settings import PrepareSettings
from lungcli.workflows.preparing.splitting import SplitPlan, split_and_audit
from lungcli.workflows.preparing.structures import leave_out_incomplete
from lungcli.workflows.preparing.totals import (
    PrepareReport,
    count_cases,
    describe_sources,
)
from lungcli.workflows.shared.cluster import map_on_cluster


def prepare(
    sources: Sequence[str | Path],
    *,
    settings: PrepareSettings | None = None,
    progress: Progress = silent,
) -> PrepareReport:
    """Audit sources, split them by patient, and write a prepared data set.

    A case that cannot be used becomes a finding, and the rest goes on. The data set
    appears whole or not at all; the same sources, settings and seed give the same
    bytes for any number of workers.

    With more than one worker, a script that calls this must guard its entry point
    with `if __name__ == "__main__":`, as always when Python spawns processes.

    Args:
        sources: Folders; each may hold several sources.
        settings: How to prepare; None for the defaults.
        progress: Told after each case.

    Raises:
        DatasetError: If a source is missing or of no known layout, mask conventions
            differ, a split file is wrong, no image can be used, or `out` may not be
            replaced.
        OutputError: If the data set cannot be written.
        RemoteError: If a URL cannot be read or written.
    """
    settings = settings or PrepareSettings()
    place = path_or_url(settings.out)
    plan = _plan(settings)
    check_early(place, settings.force, sources)
    with (
        local_out(place, settings.force, progress) as out,
        local_sources(sources, place, progress) as local,
    ):
        report = _prepare(local.folders, out, plan, settings, progress)
        findings = tuple(local.finding(found) for found in report.findings)
    return replace(report, out=place, findings=findings)


def _prepare(
    sources: Sequence[Path],
    out: Path,
    plan: SplitPlan,
    settings: PrepareSettings,
    progress: Progress,
) -> PrepareReport:
    found = gather(sources, settings.layout, settings.mask_pattern, settings.images)
    if not settings.unreviewed:
        check_reviewed(found)
    check_apart(out, [listing.root for listing in found])
    check_any_pair(found)
    privacy = privacy_of(
        path_or_url(settings.out), settings.salt_file, keep_names=settings.keep_names
    )
    gathered, told = privacy.hide(found)
    listings = [listing for listing in gathered if listing.cases]
    convention = common_convention(listings, settings.convention)
    with locked(out, outside=True), whole_folder(out) as folder:
        check_replaceable(out, settings.force)  # another one may have ended
        stored = leave_out_incomplete(
            _store_all(listings, folder, settings, progress), folder
        )
        if settings.check:
            stored = look_again(stored, folder, progress)
        splits, seen = split_and_audit(stored, plan)
        counts = tuple(count_cases(listing, stored, splits) for listing in listings)
        findings = _all_findings(gathered, stored, seen)
        facts = DatasetFacts(
            name="+".join(listing.name for listing in listings),
            size=settings.size,
            seed=settings.seed,
            split=plan.describe(),
            convention=convention,
            sources=describe_sources(listings, counts, stored, settings.convention),
            fingerprint=join_fingerprints(e.fingerprint for e in stored if e.row),
        )
        write_facts(folder, facts, _write_tables(folder, stored, splits))
        roots = {each.name: each.root for each in gathered}
        veil = privacy.veil(gathered)
        write_audit(folder, map(veil.over, findings), roots)
        _draw_sheet(folder, progress)
    return PrepareReport(
        out=out,
        convention=convention,
        sources=counts,
        findings=findings,
        notes=(*(f"{e.name}: {note}" for e in listings for note in e.notes), *told),
    )


def _plan(settings: PrepareSettings) -> SplitPlan:
    return SplitPlan(
        listed=read_split_list(settings.splits) if settings.splits else None,
        val=settings.val,
        test=settings.test,
        seed=settings.seed,
        resplit=settings.resplit,
    )


def _store_all(
    listings: Sequence[SourceListing],
    folder: Path,
    settings: PrepareSettings,
    progress: Progress,
) -> tuple[StoredCase, ...]:
    for name in (IMAGES, MASKS, REFERENCES):
        (folder / name).mkdir()
    cases = [case for listing in listings for case in listing.cases]
    said = parse_labels(settings.labels) if settings.labels else None
    jobs = [
        Job(case=case, stem=stem, folder=folder, size=settings.size, said=said)
        for case, stem in zip(cases, file_stems(cases), strict=True)
    ]
    progress("prepare", 0, len(jobs))
    stored = []
    with closing(_store_each(jobs, settings)) as results:
        for result in results:
            stored.append(result)
            progress("prepare", len(stored), len(jobs))
    if not any(each.row for each in stored):
        msg = "no image can be used."
        first = next((f for each in stored for f in each.findings), None)
        if first is not None:
            msg = f"none of {len(jobs)} images can be used; the first: {first.detail}"
        raise DatasetError(msg)
    return tuple(stored)


def _store_each(
    jobs: Sequence[Job], settings: PrepareSettings
) -> Generator[StoredCase, None, None]:
    if settings.cluster is None:
        yield from map_in_processes(store_case, jobs, settings.workers)
    else:
        yield from map_on_cluster(settings.cluster, _storing, jobs)


def _storing() -> Callable[[Job], StoredCase]:
    """Return what stores cases in a worker of a cluster."""
    return store_case


def _all_findings(
    listings: Sequence[SourceListing],
    stored: Sequence[StoredCase],
    seen: Sequence[AuditFinding],
) -> tuple[AuditFinding, ...]:
    of_files = [finding for listing in listings for finding in listing.findings]
    of_cases = [finding for each in stored for finding in each.findings]
    return (*of_files, *of_cases, *seen)


def _write_tables(
    folder: Path, stored: Sequence[StoredCase], splits: Mapping[CaseKey, str]
) -> list[PreparedCase]:
    rows = [
        replace(each.row, split=splits.get(each.case.key, ""))
        for each in stored
        if each.row is not None
    ]
    write_cases(folder, rows)
    return rows


def _draw_sheet(folder: Path, progress: Progress) -> None:
    progress("contact sheet", 0, 1)
    write_contact_sheet(open_prepared(folder), folder / CONTACT_SHEET)
    progress("contact sheet", 1, 1)
