"""Which distance of pixels a DICOM file gives, and in which plane it holds."""

import pytest

from shared.radiograph.intake import decode
from shared.radiograph.prepare import GrayPixels
from tests.unit.shared.radiograph.dicom_files import changed

IMAGER, MAGNIFIED = "ImagerPixelSpacing", "EstimatedRadiographicMagnificationFactor"
PATIENT, KIND = "PixelSpacing", "PixelSpacingCalibrationType"
OWN = ["0.2", "0.2"]


@pytest.mark.parametrize(
    ("elements", "distance", "plane"),
    [
        ({IMAGER: OWN}, 0.2, "detector"),
        ({IMAGER: OWN, MAGNIFIED: "1.25"}, 0.16, "patient"),
        ({IMAGER: OWN, MAGNIFIED: "0.5"}, 0.2, "detector"),
        ({IMAGER: OWN, MAGNIFIED: "9"}, 0.2, "detector"),
        ({IMAGER: OWN, PATIENT: ["0.18", "0.18"], KIND: "FIDUCIAL"}, 0.18, "patient"),
        ({IMAGER: OWN, PATIENT: ["0.18", "0.18"], KIND: "GEOMETRY", MAGNIFIED: "1.25"}, 0.18, "patient"),
        ({IMAGER: OWN, PATIENT: OWN}, 0.2, "detector"),
        ({IMAGER: OWN, PATIENT: OWN, MAGNIFIED: "1.25"}, 0.16, "patient"),
        ({IMAGER: OWN, PATIENT: ["0.18", "0.18"]}, 0.18, "unstated"),
        ({IMAGER: None, PATIENT: OWN}, 0.2, "unstated"),
    ],
)
def test_the_distance_and_its_plane(knee: GrayPixels, elements: dict[str, object], distance: float, plane: str) -> None:
    radiograph = decode(changed(knee, **elements))
    assert radiograph.pixel_spacing_mm == pytest.approx((distance, distance))
    assert radiograph.spacing_plane == plane


def test_no_distance_has_no_plane(knee: GrayPixels) -> None:
    radiograph = decode(changed(knee, ImagerPixelSpacing=None))
    assert (radiograph.pixel_spacing_mm, radiograph.spacing_plane) == (None, None)
