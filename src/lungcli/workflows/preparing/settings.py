"""How `prepare` prepares."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from lungcli.data.case import Convention, Layout
from lungcli.data.said_labels import parse_labels
from lungcli.data.sources.pattern import parse_pattern
from lungcli.data.splits import check_fractions
from lungcli.errors import ConfigError
from lungcli.system.urls import Url
from lungcli.workflows.shared.ray_session import check_address

_LEAST_SIZE: Final = 32  # pixels


@dataclass(frozen=True, slots=True, kw_only=True)
class PrepareSettings:
    """How to prepare.

    Attributes:
        out: Folder of the data set, or its URL.
        size: The largest side of a stored square, in pixels.
        layout: One of `data.case.Layout`.
        mask_pattern: Of the masks of folders that have no layout; None for none.
        images: Where the X-rays of folders of masks lie; None for where the layout or
            the journal of `predict` says.
        labels: What values of mask files mean, as `127=right,255=left`; None has each
            file tell.
        splits: Path of a split file or a built-in name; None draws by patient.
        val: Fraction of each source's patients to validate on, if drawn.
        test: Fraction of each source's patients to test on, if drawn.
        seed: Of the draw.
        resplit: Whether sources that come split, in folders, are drawn anew.
        workers: Processes; 0 takes all cores.
        cluster: Address of a Ray cluster; None works on this machine.
        force: Whether an older prepared data set may be replaced.
        convention: Of the masks; None takes what the sources say.
        unreviewed: Whether masks that `lungcli predict` has drawn may be references.
        check: Whether the bundled networks look at images and masks, too.
        keep_names: Whether DICOM cases are called as their files; else by a hash.
        salt_file: Of the hashes; None takes the file beside `out`.
    """

    out: str | Path | Url = Path("prepared")
    size: int = 512
    layout: str = Layout.AUTO
    mask_pattern: str | None = None
    images: Path | None = None
    labels: str | None = None
    splits: str | None = None
    val: float = 0.15
    test: float = 0.15
    seed: int = 0
    resplit: bool = False
    workers: int = 0
    cluster: str | None = None
    force: bool = False
    convention: Convention | None = None
    unreviewed: bool = False
    check: bool = True
    keep_names: bool = False
    salt_file: Path | None = None

    def __post_init__(self) -> None:
        """Reject impossible values once, here."""
        check_fractions(self.val, self.test)
        if self.size < _LEAST_SIZE or self.workers < 0:
            msg = (
                f"--size {self.size} must be at least {_LEAST_SIZE}, and --workers "
                f"{self.workers} not negative."
            )
            raise ConfigError(msg)
        if self.mask_pattern is not None:
            _check_pattern(self.mask_pattern, self.layout)
        if self.labels is not None:
            parse_labels(self.labels)
        if self.cluster is not None:
            check_address(self.cluster)


def _check_pattern(pattern: str, layout: str) -> None:
    parse_pattern(pattern)
    if layout != Layout.AUTO:
        msg = f"--mask-pattern stands for a layout: leave out --layout {layout}."
        raise ConfigError(msg)
