"""A phantom: random patient, attenuation along the rays, film, and exact masks.

Every structure adds thickness times its attenuation to the line integral, so that
overlaps look as they do on film; the lungs' air takes flesh away.
"""

from dataclasses import dataclass

import numpy as np
from PIL import Image
from scipy import ndimage

from lungcli.arrays import LEFT, RIGHT, Gray, LabelMap, Mask
from lungcli.data.phantom import film
from lungcli.data.phantom.anatomy import (
    SIDES,
    Habitus,
    Outlines,
    draw_habitus,
    draw_outlines,
)
from lungcli.data.phantom.canvas import Field, Placement, fill
from lungcli.data.phantom.curves import disc
from lungcli.data.phantom.findings import (
    Disease,
    draw_devices,
    draw_disease,
    draw_opacities,
)
from lungcli.data.phantom.skeleton import draw_bones
from lungcli.data.phantom.vessels import draw_airways, draw_vessels

# attenuation per unit of thickness, one unit being the picture's side (about 40 cm)
_FLESH = 5.5
_BODY_DEPTH = 0.50
_LUNG_DEPTH = 0.36
_BONE = 0.30
_VESSEL = 24.0
_METAL = 1.2


@dataclass(frozen=True, slots=True, kw_only=True)
class Patient:
    """Everything random about a phantom but its film."""

    habitus: Habitus
    outlines: Outlines
    disease: Disease
    placement: Placement


def draw_patient(rng: np.random.Generator) -> Patient:
    """Draw a random patient before the detector."""
    habitus = draw_habitus(rng)
    outlines = draw_outlines(habitus, rng)
    disease = draw_disease(habitus, rng)
    return Patient(
        habitus=habitus,
        outlines=outlines,
        disease=disease,
        placement=_place(habitus, rng),
    )


def _place(habitus: Habitus, rng: np.random.Generator) -> Placement:
    zoom = rng.normal(1.05, 0.06)
    squash = rng.normal(1.0, 0.05)
    # the lungs stay in the picture, as on any film that is accepted
    across = min(zoom * squash, 0.455 / habitus.half_width)
    down = min(zoom / squash, 0.86 / habitus.height)
    top = 0.5 + (habitus.apex - 0.5) * down
    low = 0.5 + (habitus.apex + habitus.height - 0.5) * down
    shift = rng.normal(0.0, 0.03)
    return Placement(
        scale=(across, down),
        angle=float(np.deg2rad(rng.normal(0.0, 1.8))),
        shift=(
            rng.normal(0.0, 0.012),
            float(np.clip(shift, 0.04 - top, max(0.95 - low, 0.04 - top))),
        ),
    )


def render(
    patient: Patient, size: int, rng: np.random.Generator
) -> tuple[Gray, LabelMap]:
    """Return the film of a patient and the lung fields, both `(size, size)`."""
    bodies, findings, grain = rng.spawn(3)
    fields = _lung_fields(patient, size)
    labels = _labels(fields)
    lungs = labels > 0
    attenuation = _attenuation(patient, size, fields, bodies)
    devices = draw_devices(patient.habitus, (size, patient.placement), findings)
    attenuation += _METAL * devices
    picture = film.expose(attenuation, lungs, _between(labels), grain)
    picture = film.mark(picture, grain)
    picture = film.develop(picture, grain)
    picture = film.collimate(picture, labels, grain)
    return np.round(np.clip(picture, 0.0, 1.0) * 255.0).astype(np.uint8), labels


def _lung_fields(patient: Patient, size: int) -> dict[int, Field]:
    """Return each visible, aerated lung field: what an annotator would outline."""
    place, outlines = patient.placement, patient.outlines
    centre = fill(size, place, outlines.centre)
    fields = {}
    for side in SIDES:
        field = fill(size, place, outlines.cavities[side]) * (1 - centre)
        field *= 1 - fill(size, place, outlines.abdomen[side])
        if patient.disease.fluid is not None and patient.disease.side == side:
            field *= 1 - fill(size, place, patient.disease.fluid)
        fields[side] = field
    return fields


def _labels(fields: dict[int, Field]) -> LabelMap:
    labels = np.zeros(fields[RIGHT].shape, dtype=np.uint8)
    for side in SIDES:
        labels[_largest(fields[side] >= 0.5)] = side
    return labels


def _largest(mask: Mask) -> Mask:
    """Return the largest connected region: outlines may cut off slivers."""
    regions, _ = ndimage.label(mask)
    areas = np.bincount(regions.ravel())
    areas[0] = 0
    return np.asarray(regions == areas.argmax())


def _between(labels: LabelMap) -> Mask:
    """Return the gap between the lungs in the rows that hold both."""
    right = np.maximum.accumulate((labels == RIGHT)[:, ::-1], axis=1)[:, ::-1]
    left = np.maximum.accumulate(labels == LEFT, axis=1)
    both = (labels == RIGHT).any(1) & (labels == LEFT).any(1)
    return np.asarray(both[:, None] & ~right & ~left)


def _attenuation(
    patient: Patient, size: int, fields: dict[int, Field], rng: np.random.Generator
) -> Field:
    canvas_of = (size, patient.placement)
    habitus, outlines = patient.habitus, patient.outlines
    opaque = draw_opacities(habitus, patient.disease, canvas_of, rng)
    air = _lung_air(patient, size, fields) * (1 - np.clip(opaque, 0, 0.9))
    air *= _texture(size, rng)
    depth = _body_depth(patient, size, rng)
    bones = draw_bones(habitus, outlines, canvas_of, rng)
    bones = ndimage.gaussian_filter(bones, 0.0016 * size)
    vessels = draw_vessels(habitus, canvas_of, rng)
    vessels = ndimage.gaussian_filter(vessels, 0.0012 * size)
    airways = draw_airways(habitus, canvas_of, rng)
    airways = ndimage.gaussian_filter(airways, 0.003 * size)
    lungs = fields[RIGHT] + fields[LEFT]
    total = _FLESH * (depth - np.minimum(0.85 * air, 0.9 * depth))
    total += _BONE * bones * rng.uniform(0.75, 1.3)
    total += _VESSEL * vessels * (0.25 + 0.75 * lungs) * rng.uniform(0.7, 1.3)
    total -= 0.045 * _FLESH * airways
    total -= _FLESH * _gas(patient, size, rng)
    return np.maximum(total, 0.0)


def _rim(field: Field, width: float) -> Field:
    """Return a rounded profile: 0 at the border of `field`, 1 from `width` inwards."""
    size = len(field)
    distance = ndimage.distance_transform_edt(field >= 0.5).astype(np.float32)
    inward = np.clip(distance / (width * size), 0.0, 1.0)
    return np.sqrt(1.0 - (1.0 - inward) ** 2)


def _lung_air(patient: Patient, size: int, fields: dict[int, Field]) -> Field:
    place, outlines = patient.placement, patient.outlines
    air = np.zeros((size, size), dtype=np.float32)
    cavity = fill(size, place, *outlines.cavities.values())
    # the lungs reach behind heart and domes: a thin, unsharp layer of air
    behind = _rim(cavity, 0.10) * 0.2
    behind *= 1 - 0.75 * fill(size, place, *outlines.abdomen.values())
    if patient.disease.fluid is not None:
        behind *= 1 - fill(size, place, patient.disease.fluid)
    behind = ndimage.gaussian_filter(behind, 0.012 * size)
    for side in SIDES:
        air += fields[side] * (0.25 + 0.75 * _rim(fields[side], 0.11))
    return _LUNG_DEPTH * np.maximum(air, behind * (cavity > 0))


def _body_depth(patient: Patient, size: int, rng: np.random.Generator) -> Field:
    place, outlines = patient.placement, patient.outlines
    trunk = fill(size, place, outlines.body, *outlines.arms.values())
    depth = _BODY_DEPTH * _rim(trunk, 0.24) * trunk
    centre = fill(size, place, outlines.centre)
    belly = fill(size, place, *outlines.abdomen.values())
    depth += 0.06 * _rim(centre, 0.08) + 0.12 * ndimage.gaussian_filter(
        belly * trunk, 0.02 * size
    )
    if patient.habitus.female:
        depth += _breasts(patient, size, rng)
    return ndimage.gaussian_filter(depth, 0.003 * size)


def _breasts(patient: Patient, size: int, rng: np.random.Generator) -> Field:
    depth = np.zeros((size, size), dtype=np.float32)
    thick = rng.uniform(0.0, 0.14)
    down = rng.normal(0.72, 0.07)
    radius = rng.uniform(0.13, 0.18)
    for side in SIDES:
        across = rng.normal(0.62, 0.04)
        centre = patient.habitus.at(side, across, down)
        shape = disc(centre, (radius, 0.85 * radius), rng)
        field = fill(size, patient.placement, shape)
        depth += thick * _rim(field, 0.12)
    return depth


def _gas(patient: Patient, size: int, rng: np.random.Generator) -> Field:
    """Return the depth of gas in stomach and bowel."""
    depth = np.zeros((size, size), dtype=np.float32)
    high = patient.habitus.dome_heights[1]
    for chance, scale in ((0.75, 1.0), (0.35, 0.8), (0.3, 0.8)):
        if rng.random() > chance:
            continue
        down = 1 - high + rng.uniform(0.05, 0.08) + (1 - scale) * rng.uniform(0, 1.5)
        centre = patient.habitus.at(LEFT, rng.uniform(0.3, 0.75), down)
        radii = (rng.uniform(0.025, 0.06) * scale, rng.uniform(0.012, 0.03) * scale)
        bubble = fill(size, patient.placement, disc(centre, radii, rng))
        depth = np.maximum(depth, rng.uniform(0.04, 0.11) * _rim(bubble, 0.02))
    belly = fill(size, patient.placement, patient.outlines.abdomen[LEFT])
    return ndimage.gaussian_filter(depth * belly, 0.003 * size)


def _texture(size: int, rng: np.random.Generator) -> Field:
    """Return the uneven aeration of the lung, around 1; equal at every size."""
    total = np.ones((size, size), dtype=np.float32)
    for cells, strength in ((6, 0.05), (40, 0.03), (160, 0.015)):
        noise = rng.standard_normal((cells, cells), dtype=np.float32)
        cloud = Image.fromarray(noise).resize((size, size), Image.Resampling.BICUBIC)
        total += strength * np.asarray(cloud)
    return total
