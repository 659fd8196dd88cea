"""How X-rays are labelled, and what is written; imports nothing slow."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from lungcli.anatomy import LUNGS, Structure
from lungcli.errors import ConfigError
from lungcli.model.engine import Engine
from lungcli.workflows.predicting.formats import FORMATS, PNG
from lungcli.workflows.predicting.shards import WHOLE, Shard


class OnDoubt(StrEnum):
    """What becomes of a doubtful X-ray."""

    WARN = "warn"  # labelled as it is
    FIX = "fix"  # turned and inverted first where the pixels say so
    REFUSE = "refuse"


class Written(StrEnum):
    """Which structures are written, of those that the model draws."""

    LUNGS = "lungs"
    ALL = "all"


@dataclass(frozen=True, slots=True, kw_only=True)
class PredictSettings:
    """How X-rays are labelled, and what is written.

    Attributes:
        formats: Names in `FORMATS`.
        structures: A `Written`: `lungs` or `all`.
        on_doubt: An `OnDoubt`: `warn`, `fix` or `refuse`.
        engine: An `Engine`: `auto`, `onnx` or `keras`.
        review: Whether to draw a sheet of the most doubtful masks.
        resume: Whether to skip what an earlier call has finished.
        shard: Which part of the X-rays to label.
        cluster: Address of a Ray cluster; None works on this machine.

    Raises:
        ConfigError: If a value is impossible.
    """

    formats: tuple[str, ...] = (PNG,)
    structures: str = Written.LUNGS
    on_doubt: str = OnDoubt.WARN
    engine: str = Engine.AUTO
    review: bool = False
    resume: bool = False
    shard: Shard = WHOLE
    cluster: str | None = None

    def __post_init__(self) -> None:
        """Reject impossible values before any work."""
        if self.on_doubt not in tuple(OnDoubt):
            msg = f"--on-doubt {self.on_doubt!r}: choose one of {', '.join(OnDoubt)}."
            raise ConfigError(msg)
        if self.structures not in tuple(Written):
            names = ", ".join(Written)
            msg = f"--structures {self.structures!r}: choose one of {names}."
            raise ConfigError(msg)
        if not self.formats or not set(self.formats) <= set(FORMATS):
            msg = f"formats {self.formats}: choose from {', '.join(FORMATS)}."
            raise ConfigError(msg)
        if self.review and PNG not in self.formats:
            msg = "--review draws the label maps: add png to --format."
            raise ConfigError(msg)
        if self.review and not self.shard.is_whole:
            msg = (
                "--review draws the sheet of all X-rays: merge the parts, then repeat "
                "the command with --resume --review and without --shard."
            )
            raise ConfigError(msg)
        if self.cluster is not None:
            from lungcli.workflows.shared.ray_session import (  # noqa: PLC0415 - slow
                check_address,
            )

            check_address(self.cluster)

    def written(self, drawn: Sequence[Structure]) -> tuple[Structure, ...]:
        """Return which of the structures that a model draws are written."""
        return tuple(drawn) if self.structures == Written.ALL else LUNGS
