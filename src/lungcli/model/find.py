"""Which trained network a user means: a run, or one that came with lungcli."""

from collections.abc import Callable
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Final

from lungcli.errors import ModelError
from lungcli.model.info import MODEL_JSON
from lungcli.model.runs import LATEST, RUNS, RunFolder, find_run
from lungcli.system.files import real_path

BUNDLED: Final = "bundled"
MODELS: Final = Path(str(files("lungcli") / "models"))
_MAIN: Final = "lungs"  # the folder in MODELS that BUNDLED names

Announce = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelFolder:
    """A trained network on disk.

    Attributes:
        name: One of `bundled_models`, or the absolute path of the run.
        root: Folder with `model.json` and the weights.
        results: Folder that results go to by default: the run; for `bundled` the
            current folder, for another network that came with lungcli one of its
            name. Nothing is written among the program's files.
    """

    name: str
    root: Path
    results: RunFolder


def quiet(note: str) -> None:
    """Tell nobody."""
    del note


def find_model(
    given: str | Path | None, *, runs: Path = RUNS, announce: Announce = quiet
) -> ModelFolder:
    """Return the network that a user means.

    Args:
        given: A name of `bundled_models`; a run folder or its name inside `runs`; None
            for the latest run or, if there is none, the bundled network. A `Path`
            is always a folder: `bundled` may be a name, `./bundled` never is.
        runs: Folder of all runs.
        announce: Told if the bundled network was taken unasked.

    Raises:
        ModelError: If there is no such folder, or no bundled network.
    """
    shipped = bundled_models()
    if isinstance(given, str) and given in shipped:
        return _bundled(given)
    try:
        run = find_run(None if given is None else Path(given), runs=runs)
    except ModelError:
        if isinstance(given, str) and given.startswith(f"{BUNDLED}-"):
            msg = (
                f"no run and no bundled network is called {given}. Bundled: "
                f"{', '.join(shipped)}. Name one of them, or a run."
            )
            raise ModelError(msg) from None
        if given is not None:
            raise
        found = _bundled(BUNDLED)
        announce(
            f"no run in {runs / LATEST}: the model that came with lungcli is used "
            f"(--model {BUNDLED})."
        )
        return found
    place = real_path(run.root)
    for name, root in shipped.items():
        if real_path(root) == place:
            return _bundled(name)
    return ModelFolder(name=str(place), root=run.root, results=run)


def bundled_models() -> dict[str, Path]:
    """Return the names of the networks that came with lungcli, and their folders.

    `bundled` is the one to use; `bundled-tiny`, in the folder `tiny`, is faster.
    """
    others = {
        f"{BUNDLED}-{path.parent.name}": path.parent
        for path in sorted(MODELS.glob(f"*/{MODEL_JSON}"))
        if path.parent.name != _MAIN
    }
    return {BUNDLED: MODELS / _MAIN, **others}


def _bundled(name: str) -> ModelFolder:
    root = bundled_models()[name]
    if not (root / MODEL_JSON).is_file():
        msg = (
            f"this installation has no bundled network ({root / MODEL_JSON} is "
            "missing): reinstall lungcli, or name a run with --model."
        )
        raise ModelError(msg)
    place = Path() if name == BUNDLED else Path(name)
    return ModelFolder(name=name, root=root, results=RunFolder(place))
