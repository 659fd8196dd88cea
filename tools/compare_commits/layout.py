"""The two sources laid out side by side, and that each is what gets imported."""

import io
import os
import re
import shutil
import subprocess
import sys
import tarfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from servers import S3_KEYS

CHECKOUT: Final = Path(__file__).resolve().parents[2]
_NOT_TAKEN: Final = (
    "COLUMNS", "PYTHON", "KERAS_", "TF_", "JAX_", "XLA_", "AWS_", "OMP_",
)  # fmt: skip


class CannotCompareError(Exception):
    """The comparison cannot be made: a sentence for people."""


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two sources, and the folders of its commands.

    Attributes:
        name: `old` or `new`: equally long, so that tables with paths are as wide.
        root: Everything of this side.
    """

    name: str
    root: Path

    @property
    def src(self) -> Path:
        """The source."""
        return self.root / "src"

    @property
    def bucket(self) -> str:
        """The name of the bucket in S3."""
        return f"lungs-{self.name}"

    def folder(self, step: str) -> Path:
        """Return the working folder of a step."""
        return self.root / "work" / step

    def environment(self) -> dict[str, str]:
        """Return the same for both sides, but for where the source is."""
        kept = {k: v for k, v in os.environ.items() if not k.startswith(_NOT_TAKEN)}
        return kept | {
            **S3_KEYS,
            "COLUMNS": "100",
            "NO_COLOR": "1",
            "TERM": "dumb",
            "PYTHONPATH": str(self.src),
            "PYTHONSAFEPATH": "1",
            "PYTHONHASHSEED": "0",
        }

    def module_of(self, name: str) -> str:
        """Return the module that has a class, wherever it was moved.

        Raises:
            CannotCompareError: If none has.
        """
        for path in sorted(self.src.rglob("*.py")):
            text = path.read_text(encoding="utf-8")
            if re.search(rf"^class {name}\b", text, re.MULTILINE):
                return ".".join(path.relative_to(self.src).with_suffix("").parts)
        msg = f"the {self.name} source has no class {name}"
        raise CannotCompareError(msg)


def lay_out(commit: str | None, side: Side) -> None:
    """Write the source of a commit, or of the work tree, and see that it is imported.

    Raises:
        CannotCompareError: If there is no such commit, or another source is imported.
    """
    if commit is None:
        skipped = shutil.ignore_patterns("__pycache__")
        shutil.copytree(CHECKOUT / "src", side.src, ignore=skipped)
    else:
        _extract(commit, side.root)
    code = "import lungcli; print(lungcli.__file__)"
    done = subprocess.run(  # noqa: S603 - the code above
        [sys.executable, "-c", code],
        env=side.environment(),
        cwd=side.root,
        capture_output=True,
        text=True,
        check=False,
    )
    where = done.stdout.strip()
    if not Path(where).is_relative_to(side.src):
        msg = f"imported {where or 'nothing'}, not {side.src}\n{done.stderr}"
        raise CannotCompareError(msg)


def _extract(commit: str, folder: Path) -> None:
    command = ["git", "-C", str(CHECKOUT), "archive", "--format=tar", commit, "src"]
    done = subprocess.run(command, capture_output=True, check=False)  # noqa: S603
    if done.returncode:
        msg = f"git archive {commit}: {done.stderr.decode().strip()}"
        raise CannotCompareError(msg)
    with tarfile.open(fileobj=io.BytesIO(done.stdout)) as archive:
        archive.extractall(folder, filter="data")
