"""Fuzz what lungcli wrote and somebody changed: a prepared data set, `model.json`."""

import json
import tempfile
from contextlib import suppress
from pathlib import Path

from fuzzing import fuzz

MODEL = {
    "format": 1,
    "lungcli": "0.1.0",
    "preprocessing": "",
    "network": {"arch": "unet", "size": 64, "filters": 4, "depth": 2},
    "convention": "heart-excluded",
    "threshold": 0.5,
    "data": [{"name": "a", "fingerprint": "0", "cases": ["a/1"], "validation": []}],
    "initial": None,
    "license": "",
}


def load():
    """Import the readers, make the seeds."""
    from bad_input import data_sets, tables  # noqa: PLC0415 - watched

    from lungcli.data.prepared import open_prepared  # noqa: PLC0415
    from lungcli.errors import LungcliError  # noqa: PLC0415
    from lungcli.model.info import load_info  # noqa: PLC0415

    root = Path(tempfile.mkdtemp(prefix="fuzz-"))
    rows = (data_sets.COLUMNS, data_sets.ROW.values())
    table = "".join(",".join(cells) + "\n" for cells in rows).encode()
    facts = json.dumps(data_sets.FACTS).encode()

    def open_with(facts, cases):
        (root / "dataset.json").write_bytes(facts)
        (root / "cases.csv").write_bytes(cases)
        with suppress(LungcliError):
            open_prepared(root)

    def read(path):
        content = path.read_bytes()
        open_with(content, table)
        open_with(facts, content)
        (root / "model.json").write_bytes(content)
        load_info(root)

    damaged = {**tables.damaged_tables(), **tables.damaged_facts()}
    small = {n: text.encode() for n, (text, _) in damaged.items() if len(text) < 9000}
    good = {"facts": facts, "cases": table, "model": json.dumps(MODEL).encode()}
    return read, small | good


if __name__ == "__main__":
    fuzz(load, suffix=".json")
