"""One of several equal parts of all X-rays, as an array of jobs takes them."""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePath, PurePosixPath
from typing import Any, Final, Self, TypeVar

from lungcli.errors import ConfigError

_TEXT: Final = re.compile(r"([0-9]{1,6})/([0-9]{1,6})")

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Shard:
    """A part of all X-rays: every `count`-th, beginning with the `number`-th.

    Neighbours, which are often of one size, so go to different parts.

    Attributes:
        number: Which part, from 1.
        count: How many parts there are.

    Raises:
        ConfigError: If there is no such part.
    """

    number: int
    count: int

    def __post_init__(self) -> None:
        """Reject what is no part."""
        if not 1 <= self.number <= self.count:
            msg = (
                f"--shard {self}: there is no such part. Take 1/{max(self.count, 1)} "
                f"to {max(self.count, 1)}/{max(self.count, 1)}."
            )
            raise ConfigError(msg)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the part that a text like `2/3` means.

        Raises:
            ConfigError: If it means none.
        """
        found = _TEXT.fullmatch(text.strip())
        if found is None:
            msg = f"--shard {text!r}: write which part of how many, like 2/3."
            raise ConfigError(msg)
        return cls(int(found[1]), int(found[2]))

    def __str__(self) -> str:
        return f"{self.number}/{self.count}"

    @property
    def is_whole(self) -> bool:
        """Whether it is all X-rays."""
        return self.count == 1

    def share(self, of_all: Sequence[_T]) -> tuple[_T, ...]:
        """Return this part of what there is one of for each X-ray.

        Examples:
            >>> [Shard(number, 3).share(range(7)) for number in (1, 2, 3)]
            [(0, 3, 6), (1, 4), (2, 5)]
        """
        return tuple(of_all[self.number - 1 :: self.count])

    def index(self, position: int) -> int:
        """Return the place among all of what has this place in the share."""
        return self.number - 1 + position * self.count

    def named(self, name: str) -> str:
        """Return what a file of the output folder is called in this part.

        Examples:
            >>> Shard(2, 3).named("rle.csv"), WHOLE.named("rle.csv")
            ('rle.2-of-3.csv', 'rle.csv')
        """
        if self.is_whole:
            return name
        path = PurePath(name)
        return f"{path.stem}.{self.number}-of-{self.count}{path.suffix}"

    def conditions(self, stems: Sequence[PurePosixPath]) -> dict[str, Any]:
        """Return what the results of a part depend on, beside those of all.

        Args:
            stems: Of all X-rays, not of the part only.
        """
        if self.is_whole:
            return {}
        names = "\0".join(map(str, stems)).encode(errors="surrogateescape")
        digest = hashlib.sha256(names).hexdigest()
        return {"shard": str(self), "inputs": [len(stems), digest]}


WHOLE: Final = Shard(1, 1)
OWN_CONDITIONS: Final = ("shard", "inputs")  # that results of all X-rays do not have
