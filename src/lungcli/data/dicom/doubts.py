"""What the header of a DICOM X-ray gives a person reason to check."""

from typing import Final

from pydicom.dataset import Dataset

from lungcli.data.dicom.orientation import read_view
from lungcli.data.dicom.tags import code

# CR, digital, film, fluoroscopy and secondary capture; RF and XA hold plain images, too
_PLAIN: Final = frozenset({"", "CR", "DR", "DX", "OT", "RF", "RG", "XA", "XC", "SC"})
# Terms of PS3.16 Annex L that no chest X-ray has; many chests have free text.
_OTHER_PARTS: Final = frozenset({
    "ANKLE", "ARM", "BREAST", "CALCANEUS", "CSPINE", "ELBOW", "EXTREMITY", "FEMUR",
    "FINGER", "FOOT", "FOREARM", "HAND", "HEAD", "HIP", "HUMERUS", "JAW", "KNEE",
    "LEG", "LOWEREXTREMITY", "LSPINE", "MANDIBLE", "MAXILLA", "NECK", "PATELLA",
    "PELVIS", "RADIUS", "SKULL", "TIBIA", "TOE", "ULNA", "UPPEREXTREMITY", "WRIST",
    "ZYGOMA",
})  # fmt: skip
_FRONTAL: Final = frozenset({"", "PA", "AP"})


def read_doubts(dataset: Dataset, *, num_frames: int) -> tuple[str, ...]:
    """Return short sentences for a person; empty if nothing is doubtful."""
    doubts = []
    if code(dataset, "PresentationIntentType") == "FOR PROCESSING":
        doubts.append("FOR PROCESSING: raw, not meant to be looked at")
    if num_frames > 1:
        doubts.append(f"first of {num_frames} frames")
    modality = code(dataset, "Modality")
    if modality not in _PLAIN:
        doubts.append(f"modality {modality}: no plain X-ray")
    part = code(dataset, "BodyPartExamined")
    if part.replace(" ", "") in _OTHER_PARTS:
        doubts.append(f"body part {part}: no chest")
    view = read_view(dataset)
    if view not in _FRONTAL:
        doubts.append(f"no frontal view ({view})")
    return tuple(doubts)
