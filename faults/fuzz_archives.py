"""Fuzz the listing and unpacking of zip archives."""

from contextlib import suppress

from fuzzing import fuzz


def load():
    """Import the reader, make the seeds."""
    import zipfile  # noqa: PLC0415 - watched

    from bad_input import archives  # noqa: PLC0415

    from lungcli.data.inputs.archive import (  # noqa: PLC0415
        image_members,
        member_state,
        unpacked,
    )
    from lungcli.errors import ImageError  # noqa: PLC0415

    def read(path):
        for member in image_members(path):
            member_state(path, member)
            with suppress(ImageError), unpacked(path, member) as copy:
                copy.read_bytes()

    files = {name: content for name, (content, _) in archives.specimens().items()}
    small = {"a.png": bytes(300), "IM1": bytes(128) + b"DICM"}
    for method in (zipfile.ZIP_STORED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA):
        files[f"method-{method}"] = archives.make(small, method)
    return read, {name: each for name, each in files.items() if len(each) < 20_000}


if __name__ == "__main__":
    fuzz(load, suffix=".zip")
