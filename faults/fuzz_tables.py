"""Fuzz what people write: split lists, `cases.csv` beside images, TOML settings."""

from contextlib import suppress

from fuzzing import fuzz


def load():
    """Import the readers, make the seeds."""
    from bad_input import tables  # noqa: PLC0415 - watched

    from lungcli.data.sources.case_table import read_case_table  # noqa: PLC0415
    from lungcli.data.split_file import (  # noqa: PLC0415
        apply_split_list,
        read_split_list,
    )
    from lungcli.errors import LungcliError  # noqa: PLC0415
    from lungcli.model.config import TrainConfig  # noqa: PLC0415
    from lungcli.model.settings_file import read_settings  # noqa: PLC0415

    keys = [("a", "a"), ("a", "b"), ("b", "a"), ("b", "a.png")]

    def read(path):
        with suppress(LungcliError):
            apply_split_list(read_split_list(str(path)), keys)
        with suppress(LungcliError):
            read_case_table(path, {"a", "b"})
        TrainConfig.from_dict(read_settings(path), where=str(path))

    files = {**tables.split_lists(), **tables.configs()}
    good = {
        "good": b'epochs = 3\narch = "unet"\nlearning-rate = 1e-3\nkeep = "last"\n',
        "sources": b"case_id,split,source,patient_id\na.png,val,A,1\nb,test,B,2\n",
    }
    contents = {name: content for name, (content, _) in files.items()} | good
    return read, {name: each for name, each in contents.items() if len(each) < 9000}


if __name__ == "__main__":
    fuzz(load, suffix=".toml")
