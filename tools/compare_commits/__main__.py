"""Prove that a restructuring changed no behaviour: run two commits, compare the rest.

    python tools/compare_commits HEAD~3                  # against the work tree
    python tools/compare_commits HEAD~3 --after HEAD --only predict --only export

The source of both is laid out in a temporary folder, and the commands of `session.py`
are run with each: on phantoms, and on the real X-rays where these are there. Then all
files that were written, what was said and the exit statuses are compared, byte for byte
but for what is never the same twice: times, durations and rates, folders of this
comparison, ports. Exit status 0 if nothing else differs, 1 if something does, 2 if the
comparison could not be made.
"""

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Final

import typer
from comparing import compare
from layout import CHECKOUT, CannotCompareError, Side, lay_out
from running import Outcome, run_all
from session import STEPS, Step

DATA: Final = Path("../shared/data")
MOST_SHOWN: Final = 12  # differences a step


Before = Annotated[str, typer.Argument(help="Commit before the restructuring.")]
After = Annotated[
    str | None, typer.Option(help="Commit after it.", show_default="the work tree")
]
Data = Annotated[Path, typer.Option(help="Folder of the real X-rays.")]
Keep = Annotated[Path | None, typer.Option(help="Keep everything in this new folder.")]
Only = Annotated[
    list[str] | None,
    typer.Option(help="Only this step and those it needs; may be repeated."),
]
Slow = Annotated[bool, typer.Option("--slow", help="Slow steps, too.")]
Jobs = Annotated[int, typer.Option(help="Steps at a time.", min=1)]
ShowList = Annotated[bool, typer.Option("--list", help="List the steps, and stop.")]


def main(
    before: Before,
    after: After = None,
    data: Data = DATA,
    keep: Keep = None,
    only: Only = None,
    slow: Slow = False,
    jobs: Jobs = 2,
    show_list: ShowList = False,
) -> None:
    """Run the commands of two commits and compare all that they write and say."""
    try:
        steps = choose(only or [], data.resolve(), slow=slow)
        if show_list:
            show_steps(steps)
            return
        with _folder(keep) as folder:
            sides = [Side(name, folder / name) for name in ("old", "new")]
            for side, commit in zip(sides, (before, after), strict=True):
                lay_out(commit, side)
            total = run_and_compare(steps, sides, data.resolve(), jobs)
    except CannotCompareError as error:
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(2) from error
    raise typer.Exit(1 if total else 0)


def run_and_compare(
    steps: Sequence[Step], sides: Sequence[Side], data: Path, jobs: int
) -> int:
    """Print a table of all steps; return the number of differences."""
    total = 0
    for step, outcomes in run_all(steps, sides, data, jobs):
        found = compare(*outcomes)
        show_outcome(step, outcomes, found)
        total += len(found)
    typer.echo(f"{len(steps)} steps: {total or 'no'} differences")
    return total


def choose(only: Sequence[str], data: Path, *, slow: bool) -> list[Step]:
    """Return the steps that are asked for, and those that they need, in order.

    Raises:
        CannotCompareError: If there is no step of a name.
    """
    names = [step.name for step in STEPS]
    unknown = sorted({*only} - {*names})
    if unknown:
        msg = f"no step {', '.join(unknown)}. There are: {', '.join(names)}"
        raise CannotCompareError(msg)
    wanted = set(only) or {step.name for step in STEPS if slow or not step.slow}
    for step in reversed(STEPS):
        if step.name in wanted:
            wanted |= step.needs
    chosen: list[Step] = []
    for step in (step for step in STEPS if step.name in wanted):
        missing = [name for name in step.sets if not (data / name).is_dir()]
        missing += step.needs - {step.name for step in chosen}
        if missing:
            typer.echo(f"{step.name}: passed over, for want of {', '.join(missing)}")
        else:
            chosen.append(step)
    return chosen


@contextmanager
def _folder(keep: Path | None) -> Iterator[Path]:
    """Yield the folder of everything."""
    if keep is None:
        with tempfile.TemporaryDirectory() as folder:
            yield Path(folder).resolve()
        return
    if keep.exists() or keep.resolve().is_relative_to(CHECKOUT):
        msg = f"{keep} is there, or in the checkout, where real X-rays may not lie"
        raise CannotCompareError(msg)
    yield keep.resolve()


def show_steps(steps: Sequence[Step]) -> None:
    """Print the steps, and their commands."""
    for step in steps:
        needs = f" (after {', '.join(sorted(step.needs))})" if step.needs else ""
        typer.echo(f"{step.name}{needs}{', slow' if step.slow else ''}")
        for command in step.commands:
            typer.echo(f"    {command}")


def show_outcome(step: Step, outcomes: Sequence[Outcome], found: Sequence[str]) -> None:
    """Print a row of the table, and the first differences below it."""
    seconds = " | ".join(f"{outcome.seconds:6.1f}" for outcome in outcomes)
    size = f"{len(step.commands):3} commands {len(outcomes[0].files):4} files"
    verdict = f"{len(found)} DIFFER" if found else "equal"
    typer.echo(f"{step.name:20} {seconds} s {size}  {verdict}")
    for text in found[:MOST_SHOWN]:
        typer.echo("    " + text.replace("\n", "\n      "))
    if len(found) > MOST_SHOWN:
        typer.echo(f"    ... and {len(found) - MOST_SHOWN} more")


if __name__ == "__main__":
    typer.run(main)
