"""One phantom from one seed."""

from dataclasses import dataclass

import numpy as np

from lungcli.anatomy import HEART
from lungcli.arrays import Gray, LabelMap, Mask
from lungcli.phantom.findings import Finding
from lungcli.phantom.patient import draw_patient, label_lungs, lay_out, mask_heart
from lungcli.phantom.render import render


@dataclass(frozen=True, slots=True, kw_only=True)
class Phantom:
    """A synthetic frontal CXR.

    Attributes:
        image: The film, shape `(size, size)`.
        labels: The lung fields, exact by construction, same shape. As annotators
            of the public sets do it, a lung field excludes heart, mediastinum and
            what lies below the dome of the diaphragm; it includes opacities, and
            of a lung with an effusion only what lies above the fluid.
        heart: The heart's shadow, likewise: from the base of the great vessels to
            the diaphragm, and no pixel of a lung; same shape, boolean.
        finding: What a radiologist should read.
        female: The patient's sex.
        age: The patient's age in years.
    """

    image: Gray
    labels: LabelMap
    heart: Mask
    finding: Finding
    female: bool
    age: int

    @property
    def all_labels(self) -> LabelMap:
        """Lungs and heart as one label map."""
        return np.where(self.heart, np.uint8(HEART.label), self.labels)


def draw_phantom(seed: int, size: int = 512) -> Phantom:
    """Draw the phantom of a seed; the same seed gives the same bytes.

    Args:
        seed: Any integer >= 0. It fixes the patient and the film's settings.
        size: Side of the picture in pixels; only the noise differs between sizes.

    Returns:
        The phantom. The patient's right lung lies on the left of the picture.

    Raises:
        ValueError: If `size` is under 32 or `seed` is negative.
    """
    if size < 32 or seed < 0:
        msg = f"size {size} must be >= 32 and seed {seed} must be >= 0."
        raise ValueError(msg)
    bodily, filmic = np.random.default_rng(seed).spawn(2)
    patient = draw_patient(bodily)
    scene = lay_out(patient, size)
    labels = label_lungs(scene)
    return Phantom(
        image=render(scene, labels, filmic),
        labels=labels,
        heart=mask_heart(scene, labels),
        finding=patient.disease.finding,
        female=patient.habitus.female,
        age=patient.habitus.age,
    )
