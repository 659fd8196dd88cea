"""Inputs of the steps beside the phantoms: what is odd, damaged, or somebody else's."""

import shutil
import zipfile
from pathlib import Path
from typing import Any, Final

import numpy as np
from PIL import Image

Pixels = np.ndarray[Any, Any]

FEW: Final = 4  # X-rays taken of a large set
_SIDES: Final = ("leftMask", "rightMask")


def _films(folder: Path, name: str = "phantoms") -> list[Path]:
    return sorted((folder / name / "CXR_png").iterdir())


def _mask_sides(film: Path) -> list[Pixels]:
    masks = film.parent.parent / "ManualMask"
    return [np.asarray(Image.open(masks / side / film.name)) for side in _SIDES]


def copy_few(folder: Path) -> None:
    """Copy a few X-rays of large sets, below `few`."""
    for name in ("wingspan", "kermany-v7", "covid-v7"):
        (folder / "few" / name).mkdir(parents=True)
        for path in sorted((folder / name / "images").iterdir())[:FEW]:
            shutil.copy(path, folder / "few" / name)


def make_inputs(folder: Path) -> None:
    """Make what `predict` may meet, below `inputs`."""
    inputs, films = folder / "inputs", _films(folder)
    for name in ("empty", "wide"):
        (inputs / name).mkdir(parents=True)
    pixels = np.asarray(Image.open(films[0]))
    _write_pictures(inputs, pixels)
    _write_dicom(inputs / "chest.dcm", pixels, "MONOCHROME2")
    _write_dicom(inputs / "film.dcm", 255 - pixels, "MONOCHROME1")
    (inputs / "broken.png").write_bytes(films[0].read_bytes()[:900])
    (inputs / "notes.txt").write_text("no X-ray\n", encoding="utf-8")
    (inputs / "broken.zip").write_bytes(b"PK\x03\x04 no archive")
    names = [f"phantoms/CXR_png/{path.name}" for path in films[:3]]
    listed = "\n".join([*names, "inputs/wide"]) + "\n"
    (inputs / "list.txt").write_text(listed, encoding="utf-8")
    with zipfile.ZipFile(inputs / "films.zip", "w") as archive:
        for path in films[3:6]:
            archive.writestr(zipfile.ZipInfo(f"ward/{path.name}"), path.read_bytes())
        archive.writestr(zipfile.ZipInfo("ward/broken.png"), b"no picture")


def _write_pictures(folder: Path, pixels: Pixels) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (90, 120), np.uint8)
    pictures = {
        "turned.png": np.rot90(pixels),
        "inverted.png": 255 - pixels,
        "mirrored.png": pixels[:, ::-1],
        "narrow.png": (pixels // 8 + 100).astype(np.uint8),
        "noise.png": noise,
        "black.png": np.zeros((80, 80), np.uint8),
        "deep.tif": pixels.astype(np.uint16) * 100,
        "wide/chest.jpg": pixels[20:140],
        "colour.bmp": np.stack([pixels] * 3, axis=-1),
        "tiny.png": pixels[:4, :4],
    }
    for name, picture in pictures.items():
        Image.fromarray(np.ascontiguousarray(picture)).save(folder / name)


def _write_dicom(path: Path, pixels: Pixels, photometric: str) -> None:
    from pydicom import Dataset  # noqa: PLC0415 - slow
    from pydicom.dataset import FileMetaDataset  # noqa: PLC0415
    from pydicom.uid import ExplicitVRLittleEndian  # noqa: PLC0415

    film = Dataset()
    film.file_meta = FileMetaDataset()
    film.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    film.SOPClassUID = "1.2.840.10008.5.1.4.1.1.1"
    film.SOPInstanceUID = f"2.25.1{len(photometric + path.name)}"
    film.SeriesInstanceUID = film.StudyInstanceUID = "2.25.2"
    film.PatientName, film.PatientID, film.Modality = "Phantom^One", "P1", "CR"
    film.StudyDate = film.ContentDate = "20200102"
    film.PixelSpacing = [0.4, 0.5]
    film.PhotometricInterpretation, film.SamplesPerPixel = photometric, 1
    film.Rows, film.Columns = pixels.shape
    film.BitsAllocated = film.BitsStored = 8
    film.HighBit, film.PixelRepresentation = 7, 0
    film.PixelData = np.ascontiguousarray(pixels).tobytes()
    film.save_as(path, enforce_file_format=True)


def make_sources(folder: Path) -> None:
    """Make a source with all faults and one without, and lists of splits."""
    (folder / "empty").mkdir()
    (folder / "unknown" / "some").mkdir(parents=True)
    (folder / "unknown" / "some" / "notes.txt").write_text("none", encoding="utf-8")
    _write_faulty(folder / "faulty", _films(folder)[:9])
    _write_clinic(folder / "clinic", _films(folder, "other"))
    splits = ["train"] * 7 + ["validation"] * 2 + ["test"] * 2
    pairs = zip(_films(folder)[:11], splits, strict=True)
    lines = [f"{path.stem},{split}" for path, split in pairs]
    listed = "\n".join(["case_id,split", *lines, "nobody,train"])
    (folder / "splits.csv").write_text(listed, encoding="utf-8")
    (folder / "wrong.csv").write_text("case_id,split\na,never\n", encoding="utf-8")


def _write_faulty(folder: Path, films: list[Path]) -> None:
    images, masks = folder / "images", folder / "masks"
    images.mkdir(parents=True)
    masks.mkdir()
    for number, path in enumerate(films):
        both = Image.fromarray(np.maximum(*_mask_sides(path)))
        shutil.copy(path, images / f"{number}.png")
        both.save(masks / f"{number}{'_mask' if number % 2 else ''}.png")
    shutil.copy(images / "0.png", images / "copy.png")
    shutil.copy(masks / "0.png", masks / "copy.png")
    shutil.copy(masks / "0.png", masks / "orphan.png")
    shutil.copy(images / "1.png", masks / "1_mask.png")
    (masks / "2.png").unlink()
    Image.open(masks / "4.png").resize((50, 50)).save(masks / "4.png")
    Image.new("L", (160, 160)).save(masks / "6.png")
    (images / "broken.png").write_bytes(b"no picture")
    rows = ["case_id,patient_id,finding,sex,age"]
    rows += [f"{i},p{i // 2},normal,F,{40 + i}" for i in range(len(films))]
    (folder / "cases.csv").write_text("\n".join(rows), encoding="utf-8")


def _write_clinic(folder: Path, films: list[Path]) -> None:
    """Lay phantoms out as somebody's own, so that their source has a name."""
    for name in ("images", "masks"):
        (folder / name).mkdir(parents=True)
    for path in films:
        left, right = _mask_sides(path)
        labels = np.where(right > 0, 1, 2 * (left > 0)).astype(np.uint8)
        shutil.copy(path, folder / "images")
        Image.fromarray(labels).save(folder / "masks" / path.name)


def make_settings(folder: Path) -> None:
    """Write files with settings of a training."""
    good = (
        'epochs = 1\nsize = 64\nfilters = 8\ndepth = 2\nbatch-size = 4\nhead="cells"\n'
    )
    (folder / "settings.toml").write_text(good, encoding="utf-8")
    (folder / "wrong.toml").write_text("epoch = 1\n", encoding="utf-8")


def make_masks(folder: Path) -> None:
    """Make the masks of somebody else from the references, a pixel or two off."""
    for name in ("theirs", "mine", "xrays", "faulty"):
        (folder / name).mkdir()
    paths = sorted((folder / "prepared" / "references").rglob("*.png"))
    for number, path in enumerate(paths):
        labels = np.asarray(Image.open(path))
        moved = np.roll(labels, (1 + number % 3, number % 2), axis=(0, 1))
        Image.fromarray(moved).save(folder / "theirs" / path.name)
        binary = Image.fromarray((moved > 0).astype(np.uint8) * 255)
        binary.save(folder / "faulty" / f"{path.stem}_mask.png")
        shutil.copy(path, folder / "mine")
        film = next((folder / "phantoms" / "CXR_png").glob(f"{path.stem}*"))
        shutil.copy(film, folder / "xrays")
    first, second, third, *_ = sorted((folder / "faulty").iterdir())
    first.unlink()
    Image.open(second).resize((30, 30)).save(second)
    third.write_bytes(b"no picture")


def make_site(folder: Path) -> None:
    """Make what the servers serve: X-rays to segment, and a set to prepare."""
    ward = folder / "site" / "ward"
    ward.mkdir(parents=True)
    for path in _films(folder)[:3]:
        shutil.copy(path, ward)
    (ward / "broken.png").write_bytes(b"no picture")
    shutil.copytree(folder / "other", folder / "site" / "other")
