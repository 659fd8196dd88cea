"""A random patient before the detector, and where each region falls on it."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from lungcli.anatomy import BACKGROUND
from lungcli.arrays import LEFT, RIGHT, LabelMap, Mask
from lungcli.phantom.anatomy import (
    SIDES,
    Habitus,
    Outlines,
    draw_habitus,
    draw_outlines,
)
from lungcli.phantom.canvas import Canvas, Field, Placement, blur
from lungcli.phantom.curves import Points
from lungcli.phantom.findings import Disease, draw_disease


@dataclass(frozen=True, slots=True, kw_only=True)
class Patient:
    """Everything random about a phantom but its tissue's texture and its film."""

    habitus: Habitus
    outlines: Outlines
    disease: Disease
    placement: Placement


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """A patient on a detector of `size` pixels a side.

    Attributes:
        patient: Who stands there.
        size: Side of the picture in pixels.
        lungs: Visible, aerated lung fields, keyed by label.
        cavity: Inside of the rib cage.
        centre: Mediastinum and heart.
        heart: The heart alone.
        belly: What lies below the domes of the diaphragm.
        fluid: A pleural effusion.
    """

    patient: Patient
    size: int
    lungs: dict[int, Field]
    cavity: Field
    centre: Field
    heart: Field
    belly: Field
    fluid: Field

    @property
    def canvas_of(self) -> tuple[int, Placement]:
        """What a `Canvas` needs to know."""
        return self.size, self.patient.placement

    def fill(self, *polygons: Points) -> Field:
        """Return the share of each pixel that lies in any of the polygons."""
        return _fill(self.canvas_of, *polygons)

    def level_of_rows(self) -> NDArray[np.float32]:
        """Return 0 at the apices' level to 1 at the base's, shape `(size, 1)`."""
        place, habitus = self.patient.placement, self.patient.habitus
        rows = (np.arange(self.size, dtype=np.float32)[:, None] + 0.5) / self.size
        y = 0.5 + (rows - 0.5 - place.shift[1]) / place.scale[1]
        return np.asarray((y - habitus.apex) / habitus.height, dtype=np.float32)


def draw_patient(rng: np.random.Generator) -> Patient:
    """Draw a random patient before the detector."""
    habitus = draw_habitus(rng)
    return Patient(
        habitus=habitus,
        outlines=draw_outlines(habitus, rng),
        disease=draw_disease(habitus, rng),
        placement=_place(habitus, rng),
    )


def _place(habitus: Habitus, rng: np.random.Generator) -> Placement:
    zoom = rng.normal(1.05, 0.06)
    squash = rng.normal(1.0, 0.05)
    # the lungs stay in the picture, as on any film that is accepted
    across = min(zoom * squash, 0.455 / habitus.half_width)
    down = min(zoom / squash, 0.86 / habitus.height)
    top = 0.5 + (habitus.apex - 0.5) * down
    low = top + habitus.height * down
    highest = 0.04 - top
    shift = np.clip(rng.normal(0.0, 0.03), highest, max(0.95 - low, highest))
    return Placement(
        scale=(across, down),
        angle=float(np.deg2rad(rng.normal(0.0, 1.8))),
        shift=(rng.normal(0.0, 0.012), float(shift)),
    )


def lay_out(patient: Patient, size: int) -> Scene:
    """Return where the patient's regions fall on a detector of `size` pixels."""
    canvas_of = (size, patient.placement)
    outlines, disease = patient.outlines, patient.disease
    cavities = {side: _fill(canvas_of, outlines.cavities[side]) for side in SIDES}
    abdomen = {side: _fill(canvas_of, outlines.abdomen[side]) for side in SIDES}
    centre = _fill(canvas_of, outlines.centre)
    fluid = np.zeros((size, size), dtype=np.float32)
    if disease.fluid is not None:
        fluid = _fill(canvas_of, disease.fluid)
    lungs = {}
    for side in SIDES:
        field = cavities[side] * (1 - centre) * (1 - abdomen[side])
        lungs[side] = _rounded(field * (1 - fluid) if side == disease.side else field)
    return Scene(
        patient=patient,
        size=size,
        lungs=lungs,
        cavity=np.maximum(cavities[RIGHT], cavities[LEFT]),
        centre=centre,
        heart=_fill(canvas_of, outlines.heart),
        belly=np.maximum(abdomen[RIGHT], abdomen[LEFT]),
        fluid=fluid,
    )


def label_lungs(scene: Scene) -> LabelMap:
    """Return each pixel's lung: the one that covers at least half of it."""
    labels = np.zeros((scene.size, scene.size), dtype=np.uint8)
    for side in SIDES:
        labels[_largest(scene.lungs[side] >= 0.5)] = side
    return labels


def mask_heart(scene: Scene, labels: LabelMap) -> Mask:
    """Return the heart's shadow between the lungs, above the diaphragm.

    Args:
        scene: The patient on the detector.
        labels: The lung fields, none of whose pixels is heart.
    """
    shadow = (scene.heart >= 0.5) & (scene.belly < 0.5)
    return _largest(shadow & (labels == BACKGROUND))


def between_lungs(labels: LabelMap) -> Mask:
    """Return the gap between the lungs in the rows that hold both."""
    right = np.maximum.accumulate((labels == RIGHT)[:, ::-1], axis=1)[:, ::-1]
    left = np.maximum.accumulate(labels == LEFT, axis=1)
    both = (labels == RIGHT).any(1) & (labels == LEFT).any(1)
    return np.asarray(both[:, None] & ~right & ~left)


def _fill(canvas_of: tuple[int, Placement], *polygons: Points) -> Field:
    canvas = Canvas(*canvas_of, mode="L")  # a quarter of the bytes of floats
    for polygon in polygons:
        canvas.polygon(polygon, 255)
    return canvas.field() / np.float32(255)


def _rounded(field: Field) -> Field:
    """Return the field with its corners rounded, as pleura and annotators do."""
    soft = blur(field, 0.009)
    return np.asarray(np.clip(0.5 + (soft - 0.5) * 6.0, 0.0, 1.0))


def _largest(mask: Mask) -> Mask:
    """Return the largest connected region: outlines may cut off slivers."""
    regions, _ = ndimage.label(mask)
    areas = np.bincount(regions.ravel())
    areas[0] = 0
    return np.asarray(regions == areas.argmax())
