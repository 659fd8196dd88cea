"""The page for those who carry on names files that are there."""

import re
from pathlib import Path

import pytest
import typer.main

import lungcli
from lungcli.cli.app import app

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
SOURCE = ROOT / "src" / "lungcli"
COMMANDS = sorted(typer.main.get_command(app).commands)


NAMED = sorted(set(re.findall(r"`([\w./-]+/[\w./-]*)`", PAGE)))  # as paths are
ROOMS = sorted(path.name for path in SOURCE.iterdir() if path.is_dir())
DRAWN = re.findall(rf"\b((?:{'|'.join(ROOMS)})/[a-z_]+)", PAGE)


@pytest.mark.parametrize("name", NAMED)
def test_what_is_named_is_there(name):
    assert (ROOT / name).exists() or (SOURCE / name).exists()


@pytest.mark.parametrize("room", sorted(set(DRAWN)))
def test_what_is_drawn_is_there(room):
    assert (SOURCE / room).is_dir() or (SOURCE / f"{room}.py").is_file()


def test_how_to_add_names_a_few_files_each():
    _, *entries = re.split(r"^\*\*", PAGE.partition("## How to add")[2], flags=re.M)
    assert len(entries) == 7
    for entry in entries:
        assert 2 <= len(set(re.findall(r"`src/[\w./]+`", entry))) <= 5, entry


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_is_a_function_of_the_library(command):
    assert command.replace("-", "_") in lungcli.__all__
