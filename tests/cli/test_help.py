"""Help, version and start-up: fast and complete."""

import json
import re
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest
import typer.main
from typer.testing import CliRunner

from lungcli.cli.app import app

ROOT = Path(__file__).parents[2]
COMMANDS = sorted(typer.main.get_command(app).commands)
HEAVY = ("tensorflow", "keras", "skimage", "scipy", "imageio", "PIL", "numpy")


def test_commands():
    assert COMMANDS == [
        "augment-preview",
        "demo",
        "evaluate",
        "export",
        "info",
        "merge",
        "predict",
        "prepare",
        "stress",
        "train",
        "visualize",
    ]


@pytest.mark.parametrize("command", [[], *([name] for name in COMMANDS)])
def test_help_loads_nothing_heavy(command):
    code = (
        "import json, sys\n"
        "from lungcli.cli.app import app\n"
        "try:\n"
        f"    app({[*command, '--help']!r})\n"
        "except SystemExit as stop:\n"
        "    assert stop.code == 0\n"
        "print(json.dumps(list(sys.modules)))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True
    )
    text, _, modules = done.stdout.rstrip().rpartition("\n")
    loaded = {name.partition(".")[0] for name in json.loads(modules)}
    assert "Usage" in text
    assert not loaded & set(HEAVY)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_and_option_is_explained(name):
    command = typer.main.get_command(app).commands[name]
    assert command.help
    for parameter in command.params:
        if parameter.name not in ("help", "install_completion", "show_completion"):
            assert getattr(parameter, "help", None), (name, parameter.name)


@pytest.mark.parametrize("name", COMMANDS)
def test_files_are_checked_in_the_workflows(name):
    """Else a folder that may not be read would be a usage error, without a remedy."""
    for parameter in typer.main.get_command(app).commands[name].params:
        kind = parameter.type
        assert not getattr(kind, "readable", False), parameter.name
        assert not getattr(kind, "exists", False), parameter.name


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_and_option_has_its_page(name):
    page = (ROOT / "docs" / "commands" / f"{name}.md").read_text(encoding="utf-8")
    assert page.startswith(f"# lungcli {name}\n")
    command = typer.main.get_command(app).commands[name]
    flags = {flag for parameter in command.params for flag in parameter.opts}
    missing = sorted(
        flag for flag in flags if flag.startswith("--") and f"`{flag}" not in page
    )
    assert not missing


def test_every_page_speaks_of_options_that_exist():
    for name in COMMANDS:
        page = (ROOT / "docs" / "commands" / f"{name}.md").read_text(encoding="utf-8")
        command = typer.main.get_command(app).commands[name]
        known = {flag for parameter in command.params for flag in parameter.opts}
        table = set(re.findall(r"^\| `(--[a-z-]+)", page, flags=re.MULTILINE))
        assert table <= known, name


@pytest.mark.parametrize(
    "start",
    [[sys.executable, "-m", "lungcli"], [str(Path(sys.executable).parent / "lungcli")]],
)
def test_version_both_ways(start):
    done = subprocess.run(
        [*start, "--version"], check=True, capture_output=True, text=True
    )
    assert done.stdout == f"lungcli {version('lungcli')}\n"


def test_no_arguments_shows_help():
    result = CliRunner().invoke(app, [])
    assert "prepare" in result.output
    assert "Traceback" not in result.output


def test_unknown_option_is_a_usage_error():
    assert CliRunner().invoke(app, ["train", "--colour", "red"]).exit_code == 2


def test_completion_is_offered():
    result = CliRunner().invoke(app, ["--help"])
    assert "--install-completion" in result.output
