"""Commands as a user types them, and what they leave."""

import csv
import sys

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from lungcli.cli.app import app, main


def invoke(*arguments, status=0):
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    assert result.exit_code == status, result.output
    return result


def fails(capsys, monkeypatch, *arguments):
    """Run main() as the script does; return the one line of its error."""
    monkeypatch.setattr(sys, "argv", ["lungcli", *map(str, arguments)])
    with pytest.raises(SystemExit) as stop:
        main()
    assert stop.value.code == 1
    stderr = capsys.readouterr().err
    lines = [line for line in stderr.splitlines() if line.startswith("error: ")]
    assert len(lines) == 1, stderr
    assert "Traceback" not in stderr
    return lines[0]


def table(path):
    with path.open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


def pixels(path):
    with Image.open(path) as image:
        return np.array(image)
