"""Fuzz what lungcli wrote and somebody changed: a prepared data set, `model.json`."""

import json
import tempfile
from contextlib import suppress
from pathlib import Path

from fuzzing import fuzz

COLUMNS = (
    "case_id,patient_id,source,split,image,mask,reference,original_height,"
    "original_width,side,top,left,content_height,content_width,spacing_row_mm,"
    "spacing_column_mm,sides,window_low,window_high,finding,sex,age,view,notes"
)
ROW = (
    "1,1,a,test,images/1.png,masks/1.png,references/1.png,130,160,96,9,0,78,96,0.1,"
    "0.2,given,0,255,normal,F,33,PA,8-bit"
)
FACTS = {
    "format_version": 1,
    "name": "a",
    "size": 96,
    "convention": "heart-excluded",
    "fingerprint": "0" * 64,
}
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
    from lungcli.data.prepared import open_prepared  # noqa: PLC0415 - watched
    from lungcli.errors import LungcliError  # noqa: PLC0415
    from lungcli.model_info import load_info  # noqa: PLC0415

    root = Path(tempfile.mkdtemp(prefix="fuzz-"))
    table = f"{COLUMNS}\n{ROW}\n".encode()
    facts = json.dumps(FACTS).encode()

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

    read_once = {"facts": facts, "cases": table, "model": json.dumps(MODEL).encode()}
    return read, read_once


if __name__ == "__main__":
    fuzz(load, suffix=".json")
