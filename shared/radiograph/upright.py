"""Putting a radiograph the right way: head up, bone bright."""

from dataclasses import dataclass, replace

import numpy as np

from shared.contracts.findings import Degrees
from shared.radiograph.radiograph import Radiograph


@dataclass(frozen=True)
class Correction:
    """What was done to a picture: turned back by so many degrees counter-clockwise, its tones inverted."""

    turned_degrees: Degrees = 0
    inverted: bool = False


def corrected(radiograph: Radiograph, what: Correction) -> Radiograph:
    """The radiograph with the correction made; the same one where there is nothing to correct."""
    if what == Correction():
        return radiograph
    pixels = 255 - radiograph.pixels if what.inverted else radiograph.pixels
    quarters = what.turned_degrees // 90
    spacing = radiograph.pixel_spacing_mm
    width, height = radiograph.original_size
    sideways = quarters % 2 == 1
    return replace(
        radiograph,
        pixels=np.ascontiguousarray(np.rot90(pixels, quarters)),
        patient_orientation=turned_orientation(radiograph.patient_orientation, quarters),
        original_size=(height, width) if sideways else (width, height),
        pixel_spacing_mm=(spacing[1], spacing[0]) if spacing and sideways else spacing,
    )


OPPOSITE = str.maketrans("LRAPHF", "RLPAFH")


def turned_orientation(orientation: tuple[str, str] | None, quarters: int) -> tuple[str, str] | None:
    """PatientOrientation of a picture that was turned so many quarters counter-clockwise."""
    for _ in range(quarters if orientation else 0):
        assert orientation is not None  # noqa: S101 - the range is empty without one
        rows, columns = orientation
        orientation = columns, rows.translate(OPPOSITE)
    return orientation
