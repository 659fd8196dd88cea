"""Contestants in processes of their own, which take turns round by round.

TensorFlow, JAX and PyTorch each start their own threads, and slow each other down in
one process. So each contestant has a process, gets ready (imports, compiles, warms up)
while the others sleep, and then waits for its turns. Messages are JSON, one a line.
"""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from time import perf_counter
from types import TracebackType
from typing import Any, Self

FOLDER = Path(__file__).parent
GO = "go\n"


class ContestantError(Exception):
    """A contestant's process ended before its last turn."""


class Contestant:
    """The parent's end: one process that waits for its turns.

    Args:
        name: For the tables.
        script: File in this folder that the process runs.
        job: Its settings; becomes the script's only argument.
        env: Environment variables on top of the parent's.
    """

    def __init__(
        self, name: str, script: str, job: Mapping[str, Any], env: Mapping[str, str]
    ) -> None:
        self.name = name
        self.command = contestant_command(script, job)
        self.env = {**os.environ, **env}
        self.facts: dict[str, Any] = {}

    def __enter__(self) -> Self:
        """Start the process and return once it has warmed up."""
        began = perf_counter()
        self._errors = tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace")
        self._process = subprocess.Popen(
            self.command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            env=self.env,
            text=True,
        )
        self._orders: Any = self._process.stdin
        self._answers: Any = self._process.stdout
        try:
            self.facts = self._listen()
        except BaseException:
            self.__exit__(None, None, None)
            raise
        self.facts["start_s"] = perf_counter() - began
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._process.kill()
        self._process.communicate()
        self._errors.close()

    def take_turn(self) -> float:
        """Let it work for one round; return its images per second."""
        with suppress(BrokenPipeError):  # listening tells why
            self._orders.write(GO)
            self._orders.flush()
        answer = self._listen()
        return float(answer["images"] / answer["seconds"])

    def _listen(self) -> dict[str, Any]:
        """Return the next message.

        Raises:
            ContestantError: If the process has ended; with its last words.
        """
        line = self._answers.readline()
        if not line:
            self._process.wait()
            self._errors.seek(0)
            msg = f"{self.name} failed: {last_words(self._errors.read())}"
            raise ContestantError(msg)
        message: dict[str, Any] = json.loads(line)
        return message


class Turns:
    """The contestant's end; keeps stdout for messages, whatever libraries print."""

    def __init__(self) -> None:
        self._channel = os.fdopen(os.dup(1), "w", encoding="utf-8")
        os.dup2(2, 1)

    def ready(self, facts: Mapping[str, Any]) -> None:
        """Say that the warm-up is over, and what has been built."""
        self._send(facts)

    def wait(self) -> None:
        """Sleep until it is this contestant's turn.

        Raises:
            SystemExit: If the parent has gone.
        """
        if sys.stdin.readline() != GO:
            raise SystemExit

    def done(self, *, images: int, seconds: float) -> None:
        """Say how long the round took."""
        self._send({"images": images, "seconds": seconds})

    def _send(self, message: Mapping[str, Any]) -> None:
        self._channel.write(json.dumps(message) + "\n")
        self._channel.flush()


def contestant_command(script: str, job: Mapping[str, Any]) -> list[str]:
    """Return the command line of a contestant."""
    return [sys.executable, str(FOLDER / script), json.dumps(job)]


def alternate(
    contestants: Sequence[Contestant], *, rounds: int
) -> dict[str, list[float]]:
    """Let the contestants take turns, so that a noisy spell hits all of them.

    Every other round runs backwards: a machine that slows down favours nobody.

    Returns:
        The images per second of each, one value a round.
    """
    rates: dict[str, list[float]] = {one.name: [] for one in contestants}
    for number in range(rounds):
        for one in contestants if number % 2 == 0 else reversed(contestants):
            rates[one.name].append(one.take_turn())
    return rates


def last_words(text: str) -> str:
    """Return the last line of an error output that says something."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else "no message"
