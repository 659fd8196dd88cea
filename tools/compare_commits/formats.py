"""What is in files of formats that hold times or names by chance beside what counts."""

import csv
import hashlib
import io
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import numpy as np

# Fields of JSON documents, and columns of tables: durations, rates, times of files,
# and the size of an export, which has random names inside.
VARYING: Final = (
    "seconds",
    "images_per_second",
    "seconds_per_epoch",
    "input_share",
    "limited_by",
    "mtime_ns",
    "bytes",
)
_TEXTS: Final = (".html", ".json", ".jsonl", ".svg", ".tex", ".toml", ".txt")


def read(path: Path) -> str:
    """Return what is in a file, as a text that can be compared."""
    if path.name.startswith("events.out.tfevents"):
        return _read_events(path)
    reader = _READERS.get(path.name) or _READERS.get(path.suffix)
    return reader(path) if reader else _describe_bytes(path)


def _read_text(path: Path) -> str:
    """Return a file with its line ends, and with bytes that are no text as such."""
    return path.read_bytes().decode("utf-8", "surrogateescape")


def _describe_bytes(path: Path) -> str:
    return f"{path.stat().st_size} bytes, SHA-256 {_hash(path.read_bytes())}"


def _read_csv(path: Path) -> str:
    """Return a table without the columns that may differ; others stay as they are."""
    text = _read_text(path)
    rows = list(csv.reader(io.StringIO(text, newline="")))
    varying = [i for i, name in enumerate(rows[0] if rows else []) if name in VARYING]
    if not varying:
        return text
    for row in rows[1:]:
        for i in varying:
            row[i] = "<varies>"
    written = io.StringIO(newline="")
    csv.writer(written).writerows(rows)
    return written.getvalue()


def _read_h5(path: Path) -> str:
    import h5py  # noqa: PLC0415 - slow

    lines: list[str] = []

    def visit(name: str, item: Any) -> None:
        said = [f"{key}={value!r}" for key, value in sorted(item.attrs.items())]
        values = _describe_array(item) if isinstance(item, h5py.Dataset) else ""
        lines.append(f"{name} {said} {values}")

    with h5py.File(path) as file:
        visit("/", file)
        file.visititems(visit)
    return "\n".join(lines)


def _describe_array(array: Any) -> str:
    values = np.asarray(array)
    return f"{values.dtype} {values.shape} {_hash(values.tobytes())}"


def _hash(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:16]


def _read_dicom(path: Path) -> str:
    """Return all but dates, times and identifiers.

    lungcli derives these from the image and the model's name, which is the path of a
    run, and has no time of its own: files of bundled models are equal to the byte.
    """
    from pydicom import dcmread  # noqa: PLC0415 - slow

    dataset = dcmread(path)
    dataset.walk(_blank)
    dataset.file_meta.walk(_blank)
    return f"{dataset}\n{dataset.PixelData.hex()}"


def _blank(_dataset: Any, element: Any) -> None:
    if element.VR in {"DA", "TM", "DT", "UI"}:
        element.value = ""


def _read_pdf(path: Path) -> str:
    return re.sub(r"/CreationDate \([^)]*\)", "/CreationDate", _read_text(path))


def _read_onnx(path: Path) -> str:
    """Return a network without the names that tf2onnx gives in no certain order.

    Each tensor is named after what it holds, or after how it is computed.
    """
    import onnx  # noqa: PLC0415 - slow

    model = onnx.load(path)
    graph = model.graph
    held = {
        tensor.name: _hash(_tensor(tensor).encode()) for tensor in graph.initializer
    }
    names = {"": "-"} | {value.name: value.name for value in graph.input} | held
    computed = set()
    for node in graph.node:
        attributes = sorted(map(_attribute, node.attribute))
        inputs = [names[name] for name in node.input]
        called = f"{node.op_type} {node.domain} {attributes} {inputs}"
        for number, output in enumerate(node.output):
            names[output] = _hash(f"{number} {called}".encode())
        computed.add(called)
    lines = sorted(set(held.values())) + sorted(computed)
    lines += [f"{value} {names[value.name]}" for value in graph.output]
    lines += [str(value) for value in graph.input]
    return "\n".join([*lines, str(model.metadata_props), str(model.opset_import)])


def _tensor(tensor: Any) -> str:
    from onnx import numpy_helper  # noqa: PLC0415 - slow

    return _describe_array(numpy_helper.to_array(tensor))


def _attribute(attribute: Any) -> str:
    if attribute.HasField("t"):
        return f"{attribute.name} {_tensor(attribute.t)}"
    return str(attribute.SerializeToString().hex())


def _read_fingerprint(path: Path) -> str:
    """Return that of a saved model, without the random number at its end."""
    return re.sub(rb":.\d{20,39}$", b"", path.read_bytes(), flags=re.DOTALL).hex()


def _read_events(path: Path) -> str:
    """Return the values of a TensorBoard log, without their times.

    Each record is its length, a checksum of that, an event, and a checksum of that.
    """
    from tensorboard.compat.proto.event_pb2 import Event  # noqa: PLC0415 - of the tests

    content, start, lines = path.read_bytes(), 0, []
    while start < len(content):
        length = int.from_bytes(content[start : start + 8], "little")
        event = Event.FromString(content[start + 12 : start + 12 + length])
        lines.append(f"{event.step} {event.summary}")
        start += length + 16
    return "\n".join(lines)


_READERS: Final[dict[str, Callable[[Path], str]]] = {
    **dict.fromkeys(_TEXTS, _read_text),
    ".csv": _read_csv,
    ".h5": _read_h5,
    ".dcm": _read_dicom,
    ".pdf": _read_pdf,
    ".onnx": _read_onnx,
    "fingerprint.pb": _read_fingerprint,
}
