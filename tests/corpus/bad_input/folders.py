"""Folders full of the corpus, with pipes, devices and links that no file can hold."""

import os
from pathlib import Path

from bad_input import dicoms, jpegs, masks, other_images, pngs, tiffs
from bad_input.specimen import phantom, save

LONG = "n" * 238
NOT_UTF8 = os.fsdecode(b"caf\xe9.png")


def images():
    """Return every image file of the corpus."""
    kinds = (pngs, jpegs, tiffs, other_images, dicoms)
    return [each for kind in kinds for each in kind.specimens()]


def write_images(folder):
    """Write them all into a folder; return them by name."""
    folder.mkdir(parents=True, exist_ok=True)
    made = {each.name: each for each in images()}
    for name, each in made.items():
        (folder / name).write_bytes(each.content)
    return made


def write_odd_places(folder):
    """Put into a folder what is called as an image, but is none; return the names.

    The picture of 250 characters and that whose name is not UTF-8 are good ones.
    """
    picture = save(phantom()[0], "PNG")
    (folder / "folder.png").mkdir()
    (folder / "device.png").symlink_to("/dev/zero")
    (folder / "itself.png").symlink_to("itself.png")
    (folder / "nowhere.png").symlink_to("no-such-file.png")
    (folder / "around").symlink_to(folder, target_is_directory=True)
    (folder / f"{LONG}.png").write_bytes(picture)
    Path(folder, NOT_UTF8).write_bytes(picture)
    os.mkfifo(folder / "pipe.png")
    return ["device.png", "itself.png", "nowhere.png", "pipe.png"]


def write_source(folder):
    """Write a source for `prepare`: every image has a mask, every mask an image.

    Returns:
        The image specimens and the mask specimens, by name.
    """
    pictures = write_images(folder / "images")
    drawn = save(phantom()[1], "PNG")
    for stem in {Path(name).stem for name in pictures}:
        (folder / "masks").mkdir(exist_ok=True)
        (folder / "masks" / f"{stem}.png").write_bytes(drawn)
    made = {each.name: each for each in masks.specimens()}
    picture = save(phantom()[0], "PNG")
    for name, each in made.items():
        (folder / "masks" / name).write_bytes(each.content)
        (folder / "images" / Path(name).with_suffix(".png")).write_bytes(picture)
    return pictures, made
