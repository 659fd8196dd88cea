"""The report as a file, or as a folder where there are too many pictures for a file."""

import base64
import hashlib
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

from lungcli import anatomy
from lungcli._version import __version__
from lungcli.errors import OutputError
from lungcli.report.content import CasePictures, Report, ReportCase
from lungcli.report.curves import curves
from lungcli.report.overview import alarms, cards, size_of, tables
from lungcli.report.rows import Row, columns_of, parts_in, rows_of, score_labels
from lungcli.report.strips import Scored, distribution
from lungcli.report.texts import cleaned
from lungcli.system.files import remove_file, whole_file, whole_folder

REPORT_HTML: Final = "report.html"
REPORT_FOLDER: Final = "report"
INLINE_BYTES: Final = 50_000_000  # of pictures, as text

_IMAGES = "images"
_TEMPLATE = "report.html.j2"
_SCRIPTS = ("page.js", "table.js", "zoom.js", "viewer.js")
_MARK = '<meta name="generator" content="lungcli'
_TYPES: Final = {".webp": "image/webp", ".png": "image/png"}
_FAILURE_DICE = 0.9  # where the summary does not say

_Pictures = dict[str, Any]  # of one case, as the page's script reads them


def write_report(
    folder: Path,
    report: Report,
    cases: Sequence[ReportCase],
    *,
    inline_bytes: int = INLINE_BYTES,
) -> Path:
    """Write the report, whole or not at all, and return the page to open.

    The page is `report.html`, complete in itself: its Content-Security-Policy forbids
    it to load anything. If the pictures would make it too large, it is the folder
    `report/` with `index.html` and the pictures beside it. What an earlier call left
    of the other kind is removed.

    Args:
        folder: Where it goes; made if need be.
        report: What is said about all cases together.
        cases: In any order. They are gone through twice, so that a sequence which
            reads them from disk keeps memory flat.
        inline_bytes: Pictures that take more than this as text go into a folder.

    Raises:
        OutputError: If it cannot be written, or `report/` holds something else.
    """
    stored = folder / REPORT_FOLDER
    check_report_folder(folder)
    content, num_bytes = _content(report, cases)
    if num_bytes <= inline_bytes:
        path = folder / REPORT_HTML
        with whole_file(path) as part:
            _render(part, content, _inline(cases), img_src="data:")
        _remove_folder(stored)
        return path
    with whole_folder(stored) as part:
        (part / _IMAGES).mkdir()
        # 'self' is the folder on a web server; files have no origin
        pictures = _beside(cases, part / _IMAGES)
        _render(part / "index.html", content, pictures, img_src="'self' file:")
    remove_file(folder / REPORT_HTML)
    return stored / "index.html"


def check_report_folder(folder: Path) -> None:
    """Refuse a place where `report/` is somebody else's; to be asked before the work.

    Raises:
        OutputError: If it holds anything but a report of lungcli.
    """
    stored = folder / REPORT_FOLDER
    is_used = stored.is_dir() and any(stored.iterdir())
    if is_used and not _is_ours(stored / "index.html"):
        msg = (
            f"{stored} is not a report of lungcli, and would be replaced by one. "
            "Rename it, or choose another place with --out."
        )
        raise OutputError(msg)


def remove_report(folder: Path) -> None:
    """Remove the report of an earlier call, of either kind; nobody else's.

    Raises:
        OutputError: If it cannot be removed.
    """
    if _is_ours(folder / REPORT_HTML):
        remove_file(folder / REPORT_HTML)
    if _is_ours(folder / REPORT_FOLDER / "index.html"):
        _remove_folder(folder / REPORT_FOLDER)


def _is_ours(page: Path) -> bool:
    try:
        with page.open(encoding="utf-8") as lines:
            return _MARK in lines.read(2000)
    except (OSError, UnicodeDecodeError):
        return False


def _remove_folder(stored: Path) -> None:
    try:
        shutil.rmtree(stored)
    except FileNotFoundError:
        return
    except OSError as error:
        msg = f"cannot remove the report of an earlier call, {stored} ({error})."
        raise OutputError(msg) from error


def _content(report: Report, cases: Sequence[ReportCase]) -> tuple[dict[str, Any], int]:
    """Return what the template shows, and the size of all pictures as text."""
    summary = cleaned(report.summary)
    limit = summary.get("failure_dice") or _FAILURE_DICE
    columns = columns_of(summary)
    sizes: list[int] = []
    drawn = {lung.key for lung in anatomy.LUNGS}
    rows = rows_of(_measured(cases, sizes, drawn), columns, limit)
    content = {
        "title": cleaned(report.title),
        "version": __version__,
        "summary": summary,
        "size": size_of(summary),
        "cards": cards(summary),
        "alarms": alarms(summary),
        "tables": tables(summary),
        "distribution": distribution([_scored(row) for row in rows], limit),
        "curves": curves(cleaned(report.history)),
        "columns": columns,
        "parts": [part.capitalize() for part in parts_in(columns)],
        "structures": [
            {"name": each.name, "swatch": each.name.replace(" ", "-")}
            for each in anatomy.named(drawn)
        ],
        "sources": sorted({row.source for row in rows}),
        "flags": sorted({flag for row in rows for flag in row.flags}),
        "document": {
            "columns": [asdict(column) for column in columns],
            "labels": score_labels(),
            "rows": [asdict(row) for row in rows],
        },
    }
    return content, sum(sizes)


def _measured(
    cases: Iterable[ReportCase], sizes: list[int], drawn: set[str]
) -> Iterator[ReportCase]:
    """Yield the cases, and note on the way what their pictures weigh and show."""
    for case in cases:
        pictures = {} if case.pictures is None else case.pictures.files()
        drawn |= set(() if case.pictures is None else case.pictures.structures)
        sizes.append(sum(4 * len(file) // 3 for file in pictures.values()))
        yield case


def _scored(row: Row) -> Scored:
    return Scored(row.source, row.name, row.link, row.dice)


def _inline(cases: Iterable[ReportCase]) -> Iterator[tuple[int, _Pictures]]:
    for index, case in enumerate(cases):
        if case.pictures is not None:
            urls = {
                Path(name).stem: f"data:{_TYPES[Path(name).suffix]};base64,"
                f"{base64.b64encode(file).decode('ascii')}"
                for name, file in case.pictures.files().items()
            }
            yield index, _sized(case.pictures, urls)


def _beside(
    cases: Iterable[ReportCase], images: Path
) -> Iterator[tuple[int, _Pictures]]:
    """Write pictures beside the page, named by number: case names may be anything."""
    for index, case in enumerate(cases):
        if case.pictures is not None:
            urls = {}
            for name, file in case.pictures.files().items():
                (images / f"{index:05d}-{name}").write_bytes(file)
                urls[Path(name).stem] = f"{images.name}/{index:05d}-{name}"
            yield index, _sized(case.pictures, urls)


def _sized(pictures: CasePictures, urls: Mapping[str, str]) -> _Pictures:
    return {"width": pictures.width, "height": pictures.height, **urls}


def _render(
    path: Path,
    content: Mapping[str, Any],
    pictures: Iterable[tuple[int, _Pictures]],
    *,
    img_src: str,
) -> None:
    """Write the page piece by piece; the pictures of one case are in memory."""
    from jinja2 import (  # noqa: PLC0415 - most commands write no report
        Environment,
        PackageLoader,
        StrictUndefined,
    )

    environment = Environment(
        loader=PackageLoader("lungcli.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.policies["json.dumps_kwargs"] = {
        "allow_nan": False,
        "separators": (",", ":"),
    }
    style, script = _asset("report.css"), "\n".join(map(_asset, _SCRIPTS))
    pieces = environment.get_template(_TEMPLATE).generate(
        **content,
        policy=_policy(style, script, img_src),
        style=style,
        script=script,
        pictures=pictures,
    )
    with path.open("w", encoding="utf-8", newline="\n") as page:
        page.writelines(pieces)


def _asset(name: str) -> str:
    return files("lungcli.report").joinpath("templates", name).read_text("utf-8")


def _policy(style: str, script: str, img_src: str) -> str:
    """Return a Content-Security-Policy that lets only our own style and script run.

    References:
        W3C, Content Security Policy Level 3, https://www.w3.org/TR/CSP3/
        W3C, Trusted Types, https://www.w3.org/TR/trusted-types/
    """
    return "; ".join(
        (
            "default-src 'none'",
            f"img-src {img_src}",
            f"style-src '{_sha256(style)}'",
            f"script-src '{_sha256(script)}'",
            "base-uri 'none'",
            "form-action 'none'",
            "require-trusted-types-for 'script'",
            "trusted-types 'none'",
        )
    )


def _sha256(text: str) -> str:
    digest = hashlib.sha256(text.encode("utf-8")).digest()
    return f"sha256-{base64.b64encode(digest).decode('ascii')}"
