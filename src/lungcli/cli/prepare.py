"""`lungcli prepare`: source folders in, a prepared data set and its audit out."""

import shlex
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table

from lungcli.cli.options import AsJson, Cluster, Seed
from lungcli.cli.output import (
    out,
    plain,
    print_error,
    print_json,
    print_note,
    print_paths,
)
from lungcli.cli.progress import progress_bars
from lungcli.data.case import TO_LOOK_AT, Convention, Layout
from lungcli.system.files import printable
from lungcli.system.urls import Url

if TYPE_CHECKING:
    from lungcli.workflows.preparing.totals import PrepareReport, SourceCounts


_MANY = 0.1  # of a source
_FEW = 3  # cases


def prepare(
    sources: Annotated[
        list[str],
        typer.Argument(
            metavar="SOURCE...",
            help="Folders of chest X-rays with masks; zip archives or URLs of them.",
        ),
    ],
    out_folder: Annotated[
        str,
        typer.Option(
            "--out",
            "-o",
            metavar="FOLDER",
            help="Folder of the prepared data set; its URL, too.",
        ),
    ] = "prepared",
    size: Annotated[
        int, typer.Option(help="Longer side of the stored images in pixels.", min=32)
    ] = 512,
    layout: Annotated[
        Layout, typer.Option(help="Folder layout of the sources.")
    ] = Layout.AUTO,
    mask_pattern: Annotated[
        str | None,
        typer.Option(
            help="Where masks lie below a source, if no layout fits: "
            "'labels/{stem}_m.png'; also with {structure}.",
            metavar="PATTERN",
            show_default="by the layout",
        ),
    ] = None,
    images: Annotated[
        Path | None,
        typer.Option(
            help="Folder of the X-rays, where SOURCE holds masks alone.",
            metavar="FOLDER",
            show_default="as the layout says",
            readable=False,
        ),
    ] = None,
    labels: Annotated[
        str | None,
        typer.Option(
            help="What values of masks mean: '127=right,255=left', '#ff0000=lungs'.",
            metavar="LIST",
            show_default="as each mask tells",
        ),
    ] = None,
    splits: Annotated[
        str | None,
        typer.Option(
            help="CSV file with the columns case_id and split, or gaal2020.",
            metavar="FILE",
            show_default="drawn by patient",
        ),
    ] = None,
    val: Annotated[
        float, typer.Option(help="Fraction of patients to validate on.", min=0, max=1)
    ] = 0.15,
    test: Annotated[
        float, typer.Option(help="Fraction of patients to test on.", min=0, max=1)
    ] = 0.15,
    seed: Seed = 0,
    resplit: Annotated[
        bool,
        typer.Option(
            "--resplit", help="Draw anew where train/, val/, test/ are given."
        ),
    ] = False,
    workers: Annotated[
        int, typer.Option(help="Processes.", min=0, show_default="all cores")
    ] = 0,
    cluster: Cluster = None,
    convention: Annotated[
        Convention | None,
        typer.Option(
            help="Whether the masks count the heart as lung.",
            show_default="what the sources say",
        ),
    ] = None,
    unreviewed: Annotated[
        bool,
        typer.Option(
            "--unreviewed", help="Take masks that lungcli predict drew as references."
        ),
    ] = False,
    check: Annotated[
        bool,
        typer.Option(
            "--check/--no-check", help="Have networks look at images and masks, too."
        ),
    ] = True,
    keep_names: Annotated[
        bool,
        typer.Option(
            "--keep-names", help="Call the cases of DICOM files as these are called."
        ),
    ] = False,
    salt_file: Annotated[
        Path | None,
        typer.Option(
            help="Salt of the hashes that DICOM patients and images are called by.",
            metavar="FILE",
            show_default="beside the data set",
            readable=False,
        ),
    ] = None,
    strict: Annotated[
        bool, typer.Option("--strict", help="Exit status 1 if the audit finds any.")
    ] = False,
    force: Annotated[
        bool, typer.Option("--force", help="Replace an older prepared data set.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Audit folders of chest X-rays, split by patient, write a prepared data set."""
    from lungcli.workflows.preparing import prepare as workflow
    from lungcli.workflows.preparing.settings import PrepareSettings

    settings = PrepareSettings(
        out=out_folder,
        size=size,
        layout=layout,
        mask_pattern=mask_pattern,
        images=images,
        labels=labels,
        unreviewed=unreviewed,
        check=check,
        keep_names=keep_names,
        salt_file=salt_file,
        splits=splits,
        val=val,
        test=test,
        seed=seed,
        resplit=resplit,
        workers=workers,
        cluster=cluster,
        force=force,
        convention=convention,
    )
    with progress_bars() as progress:
        report = workflow.prepare(sources, settings=settings, progress=progress)
    if as_json:
        print_json(_document(report))
    else:
        _print_report(report)
    if splits and not any(sum(each.splits.values()) for each in report.sources):
        print_note(f"{splits} lists none of the cases with mask: every split is empty.")
    if strict and report.findings:
        print_error(
            f"--strict: the audit found {len(report.findings)} things, listed in "
            f"{report.audit_path}. The data set is written all the same."
        )
        raise typer.Exit(1)


def _print_report(report: "PrepareReport") -> None:
    out.print(_source_table(report))
    if report.findings:
        out.print(_finding_table(report))
    out.print(f"Mask convention: {report.convention.value}. Written:")
    print_paths(out, report.paths)
    for note in (*report.notes, *_frequent(report)):
        print_note(note)
    unknown = [each.name for each in report.sources if each.convention == "unknown"]
    if report.convention == "unknown" and unknown:
        print_note(
            f"whether the masks of {', '.join(unknown)} count the heart as lung is "
            "not known. If you know, prepare again with --convention."
        )
    if isinstance(report.out, Url):
        print_note("training reads from disks: download the data set to train on it.")
        return
    train, val = (
        sum(source.splits[split] for source in report.sources)
        for split in ("train", "val")
    )
    if not train:
        print_note(
            "no case with mask is in the training split: there is nothing to train on. "
            "Masks belong beside the images; see the findings."
        )
        return
    command = "lungcli train"
    if not val:
        print_note(
            "no case is left to validate on: --final trains on all there are. To have "
            "some, add patients, or prepare again with another --val."
        )
        command += " --final"
    if report.out != Path("prepared"):
        command += f" --data {shlex.quote(printable(report.out))}"
    out.print(f"Next: [bold]{plain(command)}[/bold]", soft_wrap=True, highlight=False)


def _frequent(report: "PrepareReport") -> list[str]:
    """Say aloud what is doubtful of many cases of a source: so is then the source."""
    totals = {each.name: sum(_numbers(each)) for each in report.sources}
    counts = Counter(
        (finding.source, finding.issue)
        for finding in report.findings
        if finding.issue in TO_LOOK_AT
    )
    return [
        f"{count} of {totals[source]} cases of {source}: {issue.value}. Look at "
        f"{report.sheet_path} before you train."
        for (source, issue), count in counts.items()
        if source in totals and count >= max(_FEW, _MANY * totals[source])
    ]


def _source_table(report: "PrepareReport") -> Table:
    table = Table("source", title="Cases")
    for column in ("train", "val", "test", "not listed", "no mask", "left out"):
        table.add_column(column, justify="right")
    rows = [_numbers(source) for source in report.sources]
    for source, numbers in zip(report.sources, rows, strict=True):
        table.add_row(plain(source.name), *map(str, numbers))
    if len(rows) > 1:
        table.add_section()
        totals = (sum(column) for column in zip(*rows, strict=True))
        table.add_row("all", *map(str, totals))
    return table


def _numbers(source: "SourceCounts") -> list[int]:
    return [
        *source.splits.values(),
        source.not_listed,
        source.no_mask,
        source.left_out,
    ]


def _finding_table(report: "PrepareReport") -> Table:
    table = Table("finding", title="Audit")
    table.add_column("count", justify="right")
    table.add_column("what was done")
    table.add_column("for example", overflow="fold")
    groups: dict[tuple[str, str], list[str]] = {}
    for finding in report.findings:
        # A finding about many cases counts them in its detail.
        example = printable(finding.path.name if finding.case_id else finding.detail)
        groups.setdefault((finding.issue.value, finding.action), []).append(example)
    for (issue, action), examples in groups.items():
        table.add_row(issue, str(len(examples)), plain(action), plain(examples[0]))
    return table


def _document(report: "PrepareReport") -> dict[str, Any]:
    return {
        "out": str(report.out),
        "convention": report.convention.value,
        "sources": {
            source.name: {
                "layout": source.layout,
                **source.splits,
                "not_listed": source.not_listed,
                "no_mask": source.no_mask,
                "left_out": source.left_out,
            }
            for source in report.sources
        },
        "findings": [
            {
                "issue": finding.issue.value,
                "source": finding.source,
                "case_id": finding.case_id,
                "path": str(finding.path),
                "detail": finding.detail,
                "action": finding.action,
            }
            for finding in report.findings
        ],
        "notes": list(report.notes),
        "paths": [str(path) for path in report.paths],
    }
