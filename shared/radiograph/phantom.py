"""The QA phantom: a knee or a lumbar spine drawn from geometry, so that the project ships no patient's picture.

Bones are solids with a cortical shell and a trabecular inside whose attenuation grows with `bone_density`
(1 is a healthy young adult). The same arguments give the same picture.
"""

import numpy as np

from shared.radiograph import phantom_knee, phantom_spine
from shared.radiograph.phantom_beam import Field, Plane, add_bone, developed, exposed, noise, soft_tissue
from shared.radiograph.phantom_files import as_dicom, as_jpeg, as_png16
from shared.radiograph.prepare import GrayPixels

__all__ = ["as_dicom", "as_jpeg", "as_png16", "knee", "lumbar_spine"]

SIZE = (2400, 2000)
# A pixel in air. The noise of a real exposure is part of the detail that the networks look for; the trunk lets a
# hundredth of a limb's photons through.
KNEE_PHOTONS, SPINE_PHOTONS = 1.5e3, 3e5


def knee(bone_density: float = 1.0, seed: int = 0, size: tuple[int, int] = SIZE) -> GrayPixels:
    """An antero-posterior radiograph of one right knee: uint8, (height, width) = `size`, bone bright."""
    rng = np.random.default_rng(seed)
    field = field_of(size, phantom_knee.FIELD_MM, phantom_knee.ORIGIN)
    attenuation = soft_tissue(field, phantom_knee.LEG, phantom_knee.LEG_DEPTH_MM, phantom_knee.MUSCLES)
    attenuation *= 1.0 + 0.012 * noise(field, rng, (2.5, 40.0))
    texture = trabeculae(field, rng)
    for bone in phantom_knee.BONES:
        add_bone(attenuation, field, bone, bone_density, texture)
    signal = exposed(attenuation, field, size, KNEE_PHOTONS, rng)
    return developed(signal, phantom_knee.FIELD_MM / size[0], dark=0.2, bright=2.9)


def lumbar_spine(bone_density: float = 1.0, seed: int = 0, size: tuple[int, int] = SIZE) -> GrayPixels:
    """An antero-posterior radiograph of T11 to the sacrum: uint8, (height, width) = `size`, bone bright."""
    rng = np.random.default_rng(seed)
    field = field_of(size, phantom_spine.FIELD_MM, phantom_spine.ORIGIN)
    attenuation = soft_tissue(field, phantom_spine.TRUNK, phantom_spine.TRUNK_DEPTH_MM, phantom_spine.MUSCLES)
    attenuation *= 1.0 + 0.010 * noise(field, rng, (12.0, 12.0))
    attenuation -= 0.35 * np.clip(noise(field, rng, (9.0, 6.0)) - 1.4, 0.0, 1.5)  # gas in the bowel
    texture = trabeculae(field, rng)
    for bone in phantom_spine.BONES:
        add_bone(attenuation, field, bone, bone_density, texture)
    signal = exposed(attenuation, field, size, SPINE_PHOTONS, rng)
    return developed(signal, phantom_spine.FIELD_MM / size[0], dark=1.4, bright=4.2)


def field_of(size: tuple[int, int], height_mm: float, origin: tuple[float, float]) -> Field:
    """The grid on which tissue is drawn: half the picture's, as the beam blurs finer detail away."""
    half = max(1, size[0] // 2), max(1, size[1] // 2)
    pixel = height_mm / half[0]
    return Field(half, pixel, (origin[0] * half[1] * pixel, origin[1] * height_mm))


def trabeculae(field: Field, rng: np.random.Generator) -> Plane:
    """Trabecular texture around 1: struts along the load, a finer net, and patches of stronger and weaker bone."""
    struts, net = noise(field, rng, (0.35, 1.6)), noise(field, rng, (0.5, 0.5))
    patches = noise(field, rng, (6.0, 6.0))
    return np.asarray(1.0 + 0.11 * struts + 0.08 * net + 0.10 * patches, np.float32)
