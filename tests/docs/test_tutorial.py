"""The tutorial, run as a reader would: every block, in order, in one program."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

TUTORIAL = Path(__file__).parents[2] / "docs" / "tutorial.md"


@pytest.mark.slow
def test_every_block_runs(tmp_path):
    blocks = re.findall(r"^```python\n(.*?)^```$", TUTORIAL.read_text(), re.M | re.S)
    assert len(blocks) == 11
    done = subprocess.run(
        [sys.executable, "-c", "\n".join(blocks)],
        cwd=tmp_path,
        check=False,
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert done.returncode == 0, done.stderr
    assert "(512, 512) uint8" in done.stdout
    assert "predictions.csv is not an image" in done.stdout
    assert (tmp_path / "runs/first/evaluation/report.html").is_file()
