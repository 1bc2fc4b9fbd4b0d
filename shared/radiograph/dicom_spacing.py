"""How far the pixels of a DICOM radiograph lie apart, and in which plane that holds (PS3.3 C.8.11.7 and 10.7.1.3).

ImagerPixelSpacing holds at the detector, where a knee is shown larger than it is. It is carried to the patient by a
calibration (PixelSpacing with PixelSpacingCalibrationType) or by EstimatedRadiographicMagnificationFactor.
"""

from typing import TYPE_CHECKING

from shared.contracts.joint_space import SpacingPlane
from shared.radiograph.dicom_elements import code, numbers

if TYPE_CHECKING:
    from pydicom import Dataset

# Pixels that are longer than wide by more than this, or less, are taken for a slip of the pen.
LONGEST_PIXEL, SQUARE_ENOUGH = 4.0, 0.01
# A leg on the table or at the stand is magnified by no more than this; anything else is no magnification factor.
LEAST_MAGNIFICATION, MOST_MAGNIFICATION = 1.0, 2.0
# Two distances that differ by less, in shares, are the same one written with other digits.
SAME_DISTANCE = 0.001


def spacings(dataset: "Dataset", name: str) -> tuple[float, float] | None:
    """Two numbers above zero, the vertical one first."""
    found = [value for value in numbers(dataset, name) if value is not None and value > 0]
    return (found[0], found[1]) if len(found) == 2 else None


def distances(dataset: "Dataset") -> tuple[float, float] | None:
    """(vertical, horizontal) distance of pixels, mm: PixelSpacing (calibrated), else ImagerPixelSpacing."""
    return spacings(dataset, "PixelSpacing") or spacings(dataset, "ImagerPixelSpacing")


def pixel_aspect(dataset: "Dataset") -> float:
    """Height of a pixel over its width; 1 where the file says nothing, or nothing plausible."""
    vertical, horizontal = distances(dataset) or spacings(dataset, "PixelAspectRatio") or (1.0, 1.0)
    aspect = vertical / horizontal
    plausible = 1 / LONGEST_PIXEL <= aspect <= LONGEST_PIXEL and abs(aspect - 1) > SQUARE_ENOUGH
    return aspect if plausible else 1.0


def square_size(columns: int, rows: int, aspect: float) -> tuple[int, int]:
    """(width, height) in square pixels, of the finer of the two distances."""
    return (columns, round(rows * aspect)) if aspect >= 1 else (round(columns / aspect), rows)


def spacing(dataset: "Dataset", reduction: float) -> tuple[tuple[float, float], SpacingPlane] | tuple[None, None]:
    """(vertical, horizontal) distance of two working pixels, mm, and the plane in which it holds."""
    found = distances(dataset)
    if found is None:
        return None, None
    if pixel_aspect(dataset) != 1.0:
        found = (min(found), min(found))
    plane, magnified = spacing_plane(dataset), 1.0
    if plane == "detector" and (factor := magnification(dataset)):
        plane, magnified = "patient", factor
    return (found[0] * reduction / magnified, found[1] * reduction / magnified), plane


def spacing_plane(dataset: "Dataset") -> SpacingPlane:
    """Where the distances hold as they stand in the file."""
    calibrated, imager = spacings(dataset, "PixelSpacing"), spacings(dataset, "ImagerPixelSpacing")
    if calibrated is None:
        return "detector"
    if code(dataset, "PixelSpacingCalibrationType") in ("GEOMETRY", "FIDUCIAL"):
        return "patient"
    if imager is None:
        return "unstated"
    same = all(abs(one / other - 1) < SAME_DISTANCE for one, other in zip(calibrated, imager, strict=True))
    return "detector" if same else "unstated"


def magnification(dataset: "Dataset") -> float | None:
    """How much larger the detector shows the patient, by EstimatedRadiographicMagnificationFactor, where plausible."""
    found = numbers(dataset, "EstimatedRadiographicMagnificationFactor")
    factor = found[0] if found else None
    return factor if factor is not None and LEAST_MAGNIFICATION <= factor <= MOST_MAGNIFICATION else None
