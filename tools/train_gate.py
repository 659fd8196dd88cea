"""Train the gate, measure it on what it has not seen, and put it into the package.

    python tools/train_gate.py ../shared/data
    python tools/train_gate.py ../shared/data --others FOLDER

The thresholds and all figures come from cross-validation over patients; the network
that ships is then trained on everything with the same settings.
"""

import os
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
from gate_material import (
    Chest,
    draw_chests,
    known_kinds,
    read_chests,
    read_others,
    unknown_kinds,
)
from gate_measure import (
    Asked,
    ask_about_chests,
    ask_about_others,
    choose_thresholds,
    false_alarms,
    found,
    judge_folds,
    refused,
)
from gate_network import Pool, ask, draw_pool, export, join, train
from gate_variation import reduce_to_gate

from lungcli.arrays import Gray
from lungcli.checks.gate import GATE_JSON, GATE_ONNX, SIDE, Gate
from lungcli.errors import ModelError
from lungcli.system.files import whole_folder, write_json

MODEL = Path(__file__).parents[1] / "src" / "lungcli" / "models" / "gate"
LICENSE = "CC-BY-NC-SA-4.0"
PHANTOMS = range(1000, 1100)  # seeds that no test uses
FINAL_SEED = 99
TOLERANCE = 1e-3  # of a logit, ONNX against Keras


def train_gate(
    data: Annotated[Path, typer.Argument(help="Folder of the data sets.")],
    others: Annotated[
        Path | None, typer.Option(help="Images that are no frontal chest, to test on.")
    ] = None,
    out: Annotated[Path, typer.Option(help="Folder of the gate.")] = MODEL,
    folds: Annotated[int, typer.Option(min=2)] = 4,
    versions: Annotated[int, typer.Option(help="Pictures drawn of a chest.")] = 8,
    passes: Annotated[int, typer.Option(help="Times it sees each.")] = 16,
) -> None:
    """Cross-validate, choose thresholds, train on everything, write the gate."""
    real, phantoms = read_chests(data), draw_chests(PHANTOMS)
    parts = deal(real, folds)
    pools = [
        draw_pool(
            part + phantoms[index::folds], known_kinds(part), versions, _rng(index)
        )
        for index, part in enumerate(parts)
    ]
    files = read_others(others) if others else {}
    asked = [
        list(hold_out(index, part, pools, passes, files))
        for index, part in enumerate(parts)
    ]
    rest = draw_pool(real[::folds], unknown_kinds(real), versions, _rng(FINAL_SEED))
    network = train(join([*pools, rest]), passes, seed=FINAL_SEED)
    recipe = {"folds": folds, "versions": versions, "passes": passes}
    document = describe(asked, [*real, *phantoms], recipe)
    with whole_folder(out) as part:
        export(network, part / GATE_ONNX)
        write_json(part / GATE_JSON, document)
        compare(network, Gate.load(part), [chest.thumbnail for chest in phantoms])
    typer.echo((out / GATE_JSON).read_text(encoding="utf-8"))


def deal(chests: Sequence[Chest], folds: int) -> list[list[Chest]]:
    """Deal whole patients into parts of about the same size."""
    patients = sorted({chest.patient_id for chest in chests})
    order = _rng(0).permutation(len(patients))
    part_of = {patients[place]: turn % folds for turn, place in enumerate(order)}
    return [
        [chest for chest in chests if part_of[chest.patient_id] == part]
        for part in range(folds)
    ]


def hold_out(
    index: int,
    part: Sequence[Chest],
    pools: Sequence[Pool],
    passes: int,
    files: Mapping[str, Gray],
) -> Iterator[Asked]:
    """Train on all pools but one and ask about what was left out."""
    learned = [pool for other, pool in enumerate(pools) if other != index]
    network = train(join(learned), passes, seed=index)
    rng = _rng(1000 + index)
    kinds = known_kinds(part) | unknown_kinds(part)
    yield from ask_about_chests(partial(ask, network), part, rng)
    yield from ask_about_others(partial(ask, network), kinds, files, rng)


def describe(
    asked: Sequence[Sequence[Asked]],
    chests: Sequence[Chest],
    recipe: Mapping[str, int],
) -> dict[str, Any]:
    """Return the document beside the network: thresholds, figures, licence.

    The thresholds are chosen on all folds; the figures of each fold come from
    thresholds chosen on the others.
    """
    thresholds = choose_thresholds([each for fold in asked for each in fold])
    judged = judge_folds(asked)
    return {
        "license": LICENSE,
        "trained_on": dict(Counter(chest.source for chest in chests)),
        "recipe": {**recipe, "pixels": SIDE},
        "thresholds": asdict(thresholds),
        "cross_validated": {
            "false_alarms": false_alarms(judged),
            "set_right": found(judged),
            "refused": refused(judged),
            "kinds_not_trained_on": sorted(unknown_kinds(chests)),
        },
    }


def compare(network: keras.Model, gate: Gate, pictures: Sequence[Gray]) -> None:
    """Check that the written network answers as the trained one does.

    Raises:
        ModelError: If it does not.
    """
    small = [reduce_to_gate(picture) for picture in pictures]
    answers = np.stack([gate.answer(picture) for picture in small])
    difference = float(np.abs(answers - ask(network, small)).max())
    if not difference < TOLERANCE:
        msg = f"the network exported to ONNX differs by {difference:.2g} from Keras'."
        raise ModelError(msg)


def _rng(seed: int) -> np.random.Generator:
    return np.random.default_rng(seed)


if __name__ == "__main__":
    typer.run(train_gate)
