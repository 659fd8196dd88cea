"""The command `lungcli`: puts the subcommands together and ends in main()."""

import sys
from typing import Annotated

import typer

from lungcli._version import __version__
from lungcli.cli.augment_preview import augment_preview
from lungcli.cli.demo import demo
from lungcli.cli.evaluate import evaluate
from lungcli.cli.export import export
from lungcli.cli.faults import fault_of_machine
from lungcli.cli.info import info
from lungcli.cli.merge import merge
from lungcli.cli.output import flush_output, print_error
from lungcli.cli.predict import predict
from lungcli.cli.prepare import prepare
from lungcli.cli.signals import INTERRUPTED, StopSignals
from lungcli.cli.stress import stress
from lungcli.cli.train import train
from lungcli.cli.visualize import visualize
from lungcli.errors import LungcliError

app = typer.Typer(
    help="Lung segmentation in chest X-rays with a U-Net.",
    epilog="A whole session: prepare data/, train, evaluate, visualize --gif.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for command in (
    prepare,
    augment_preview,
    train,
    evaluate,
    stress,
    visualize,
    predict,
    export,
    merge,
    demo,
    info,
):
    app.command()(command)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"lungcli {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool,
        typer.Option(
            "--version",
            callback=_print_version,
            is_eager=True,
            help="Print the version and exit.",
        ),
    ] = False,
) -> None:
    """Lung segmentation in chest X-rays with a U-Net."""


def main() -> None:
    """Run lungcli; an expected error becomes one line and exit status 1."""
    with StopSignals() as stops:
        try:
            _run()
        except KeyboardInterrupt:
            sys.exit(stops.status)
        except SystemExit as done:
            if done.code == INTERRUPTED:
                sys.exit(stops.status)
            raise


def _run() -> None:
    try:
        app()
    except LungcliError as error:
        print_error(str(error))
        sys.exit(1)
    except (MemoryError, OSError) as error:
        fault = fault_of_machine(error)
        if fault is None:
            raise
        print_error(fault)
        sys.exit(1)
    finally:
        if not flush_output():
            sys.exit(1)
