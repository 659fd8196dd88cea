"""Phantoms on disk, in the layouts of the Montgomery set and of SCR."""

import multiprocessing
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path

import numpy as np
from PIL import Image

from lungcli.anatomy import LUNGS, STRUCTURES, Structure
from lungcli.arrays import Gray, Mask
from lungcli.phantom.drawing import Phantom, draw_phantom
from lungcli.phantom.findings import Finding
from lungcli.system.cores import num_cores
from lungcli.system.files import whole_folder
from lungcli.system.progress import Progress, silent

_TASK = "draw phantoms"
_COLUMNS = "case_id,finding,sex,age"


def write_montgomery(
    folder: Path,
    *,
    count: int,
    seed: int = 0,
    size: int = 512,
    workers: int | None = None,
    progress: Progress = silent,
) -> None:
    """Write phantoms as the NLM published the Montgomery set, whole or not at all.

    Args:
        folder: Gets `CXR_png`, `ManualMask/leftMask` and `rightMask` (the patient's
            sides; 0 and 255) and `ClinicalReadings`. Replaced if it exists.
        count: Number of phantoms.
        seed: Of the set; another seed shares no phantom with it.
        size: Side of the pictures in pixels.
        workers: Number of processes, all cores by default; the bytes do not
            depend on it.
        progress: Told after each phantom.

    Raises:
        OutputError: If the folder cannot be written.
    """
    masks = [f"ManualMask/{lung.side}Mask" for lung in LUNGS]
    with whole_folder(folder) as part:
        for name in ("CXR_png", "ClinicalReadings", *masks):
            (part / name).mkdir(parents=True)
        _run(_write_one, _jobs(part, count, seed, size), workers, progress)


def write_structures(
    folder: Path,
    *,
    count: int,
    seed: int = 0,
    size: int = 512,
    workers: int | None = None,
    progress: Progress = silent,
) -> None:
    """Write phantoms with a folder of masks for each structure, whole or not at all.

    They are those that `write_montgomery` writes.

    Args:
        folder: Gets `images`, `masks/right_lung`, `masks/left_lung`, `masks/heart` (0
            and 255) and `cases.csv`. Replaced if it exists.
        count: Number of phantoms.
        seed: Of the set.
        size: Side of the pictures in pixels.
        workers: Number of processes, all cores by default.
        progress: Told after each phantom.

    Raises:
        OutputError: If the folder cannot be written.
    """
    with whole_folder(folder) as part:
        for name in ("images", *(f"masks/{_file_name(each)}" for each in STRUCTURES)):
            (part / name).mkdir(parents=True)
        rows = _run(_write_apart, _jobs(part, count, seed, size), workers, progress)
        table = "".join(f"{row}\n" for row in (_COLUMNS, *rows))
        (part / "cases.csv").write_text(table, encoding="utf-8", newline="")


_Job = tuple[Path, int, int, int]  # folder, number, seed, size


def _jobs(folder: Path, count: int, seed: int, size: int) -> list[_Job]:
    seeds = np.random.SeedSequence(seed).generate_state(count, np.uint64)
    return [(folder, number, int(one), size) for number, one in enumerate(seeds, 1)]


def _run(
    write: Callable[[_Job], str],
    jobs: list[_Job],
    workers: int | None,
    progress: Progress,
) -> list[str]:
    """Return what `write` returns for each phantom, in their order."""
    progress(_TASK, 0, len(jobs))
    num_processes = min(workers or num_cores(), len(jobs))
    if num_processes <= 1:
        written = []
        for done, job in enumerate(jobs, start=1):
            written.append(write(job))
            progress(_TASK, done, len(jobs))
        return written
    # spawn: a fork of a process that holds TensorFlow's threads may hang
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(num_processes, mp_context=context) as pool:
        futures = [pool.submit(write, job) for job in jobs]
        for done, future in enumerate(as_completed(futures), start=1):
            future.result()
            progress(_TASK, done, len(jobs))
        return [future.result() for future in futures]


def _write_one(job: _Job) -> str:
    folder, number, seed, size = job
    phantom = draw_phantom(seed, size)
    ill = phantom.finding != Finding.NORMAL
    stem = f"PHANTOM_{number:04d}_{int(ill)}"
    _save(phantom.image, folder / "CXR_png" / f"{stem}.png")
    for lung in LUNGS:
        path = folder / "ManualMask" / f"{lung.side}Mask" / f"{stem}.png"
        _save(_drawn(phantom.labels == lung.label), path)
    reading = folder / "ClinicalReadings" / f"{stem}.txt"
    reading.write_text(_reading(phantom), encoding="utf-8", newline="")
    return stem


def _write_apart(job: _Job) -> str:
    folder, number, seed, size = job
    phantom = draw_phantom(seed, size)
    stem = f"phantom{number:04d}"
    _save(phantom.image, folder / "images" / f"{stem}.png")
    labels = phantom.all_labels
    for each in STRUCTURES:
        path = folder / "masks" / _file_name(each) / f"{stem}.png"
        _save(_drawn(labels == each.label), path)
    return f"{stem},{phantom.finding},{_sex(phantom)},{phantom.age}"


def _file_name(structure: Structure) -> str:
    return structure.name.replace(" ", "_")


def _drawn(mask: Mask) -> Gray:
    return mask.astype(np.uint8) * 255


def _save(pixels: Gray, path: Path) -> None:
    # a third of the time for a tenth more bytes
    Image.fromarray(pixels).save(path, compress_level=3)


def _sex(phantom: Phantom) -> str:
    return "F" if phantom.female else "M"


def _reading(phantom: Phantom) -> str:
    return (
        f"Patient's Sex: {_sex(phantom)}\nPatient's Age: {phantom.age:03d}Y\n"
        f"{phantom.finding}\n"
    )
