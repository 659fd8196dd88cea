"""Phantoms on disk, in the layout of the Montgomery set."""

import multiprocessing
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path

import numpy as np
from PIL import Image

from lungcli.arrays import LEFT, RIGHT
from lungcli.phantom.drawing import Phantom, draw_phantom
from lungcli.phantom.findings import Finding
from lungcli.system.cores import num_cores
from lungcli.system.files import whole_folder
from lungcli.system.progress import Progress, silent

_TASK = "draw phantoms"


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
    seeds = np.random.SeedSequence(seed).generate_state(count, np.uint64)
    with whole_folder(folder) as part:
        for name in ("CXR_png", "ClinicalReadings"):
            (part / name).mkdir()
        for name in ("leftMask", "rightMask"):
            (part / "ManualMask" / name).mkdir(parents=True)
        jobs = [
            (part, number, int(one), size) for number, one in enumerate(seeds, start=1)
        ]
        _run(jobs, workers or num_cores(), progress)


_Job = tuple[Path, int, int, int]  # folder, number, seed, size


def _run(jobs: list[_Job], workers: int, progress: Progress) -> None:
    progress(_TASK, 0, len(jobs))
    if min(workers, len(jobs)) <= 1:
        for done, job in enumerate(jobs, start=1):
            _write_one(job)
            progress(_TASK, done, len(jobs))
        return
    # spawn: a fork of a process that holds TensorFlow's threads may hang
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(min(workers, len(jobs)), mp_context=context) as pool:
        futures = [pool.submit(_write_one, job) for job in jobs]
        for done, future in enumerate(as_completed(futures), start=1):
            future.result()
            progress(_TASK, done, len(jobs))


def _write_one(job: _Job) -> None:
    folder, number, seed, size = job
    phantom = draw_phantom(seed, size)
    ill = phantom.finding != Finding.NORMAL
    stem = f"PHANTOM_{number:04d}_{int(ill)}"
    Image.fromarray(phantom.image).save(
        folder / "CXR_png" / f"{stem}.png",
        compress_level=3,  # a third of the time for a tenth more bytes
    )
    for name, side in (("leftMask", LEFT), ("rightMask", RIGHT)):
        mask = (phantom.labels == side).astype(np.uint8) * 255
        path = folder / "ManualMask" / name / f"{stem}.png"
        Image.fromarray(mask).save(path, compress_level=3)
    reading = folder / "ClinicalReadings" / f"{stem}.txt"
    reading.write_text(_reading(phantom), encoding="utf-8", newline="")


def _reading(phantom: Phantom) -> str:
    sex = "F" if phantom.female else "M"
    return (
        f"Patient's Sex: {sex}\nPatient's Age: {phantom.age:03d}Y\n{phantom.finding}\n"
    )
