"""Attenuation along the rays to a film.

Every structure adds thickness times its attenuation to the line integral, so that
overlaps look as they do on film; the lungs' air takes flesh away.
"""

import numpy as np

from lungcli.arrays import LEFT, RIGHT, Gray, LabelMap
from lungcli.phantom import film
from lungcli.phantom.canvas import Field, blur
from lungcli.phantom.findings import draw_devices, draw_opacities
from lungcli.phantom.patient import Scene, between_lungs
from lungcli.phantom.skeleton import draw_bones
from lungcli.phantom.tissue import body_depth, gas, lung_air
from lungcli.phantom.vessels import draw_airways, draw_vessels

# attenuation per unit of thickness: the picture's side (about 40 cm) for soft
# tissue, one rib for bone, one windpipe for airways, one electrode for metal
_FLESH = 5.5
_VESSEL = 42.0  # far above flesh: the lines stand for all the vessels in their depth
_BONE = 0.35
_AIRWAY = 0.38
_METAL = 1.2


def render(scene: Scene, labels: LabelMap, rng: np.random.Generator) -> Gray:
    """Return the film of a scene, shape `(size, size)`.

    Args:
        scene: The patient on the detector.
        labels: The lung fields, which the exposure is metered on.
        rng: Source of everything that is not the patient's shape.
    """
    # the noise draws as many numbers as there are pixels: apart, so that all else
    # is the same at every size
    bodies, findings, settings, noise = rng.spawn(4)
    attenuation = _attenuation(scene, bodies)
    devices = draw_devices(scene.patient.habitus, scene.canvas_of, findings)
    attenuation += _METAL * devices
    picture = film.expose(attenuation, labels > 0, between_lungs(labels), settings)
    picture = film.mark(picture, settings)
    picture = film.develop(picture, noise)
    picture = film.collimate(picture, labels, settings)
    return np.round(np.clip(picture, 0.0, 1.0) * 255.0).astype(np.uint8)


def _attenuation(scene: Scene, rng: np.random.Generator) -> Field:
    patient, canvas_of = scene.patient, scene.canvas_of
    habitus = patient.habitus
    opaque = draw_opacities(habitus, patient.disease, canvas_of, rng)
    air = lung_air(scene, rng) * (1 - np.clip(opaque, 0.0, 0.9))
    depth = body_depth(scene, rng)
    total = _FLESH * (depth - np.minimum(0.85 * air, 0.9 * depth))
    total -= _FLESH * gas(scene, rng)
    bones = draw_bones(habitus, patient.outlines, canvas_of, rng)
    total += _BONE * rng.uniform(0.75, 1.3) * blur(bones, 0.0016)
    vessels = blur(draw_vessels(habitus, canvas_of, rng), 0.0012)
    vessels += 1.2 * blur(vessels, 0.018)  # the smallest ones, too many to draw
    seen = 0.25 + 0.75 * (scene.lungs[RIGHT] + scene.lungs[LEFT])
    total += _VESSEL * rng.uniform(0.6, 1.15) * vessels * seen
    airways = draw_airways(habitus, canvas_of, rng)
    total -= _AIRWAY * blur(airways, 0.003)
    return np.asarray(np.maximum(total, 0.0), dtype=np.float32)
