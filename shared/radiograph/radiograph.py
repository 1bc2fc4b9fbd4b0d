"""The radiograph as every later step sees it: gray pixels at working size, and what the file said about them."""

from dataclasses import dataclass
from typing import Literal

from shared.contracts.film import DicomIdentity, FilmWarning
from shared.contracts.joint_space import SpacingPlane
from shared.radiograph.prepare import GrayPixels

# Long side of the working pixels. The networks look at 224 pixels of a joint or a spine, and a joint spans at least
# a quarter of the long side of a two-leg radiograph: 1024 keeps all that they use and makes each later step cheap.
WORKING_SIZE = 1024

Format = Literal["jpeg", "png", "dicom", "tiff", "webp", "heic"]
Laterality = Literal["left", "right"]


@dataclass(frozen=True, eq=False)
class Radiograph:
    """One decoded radiograph.

    Attributes:
        pixels: uint8, (height, width), long side at most `WORKING_SIZE`, bone bright and air dark.
        format: the kind of file it came from.
        original_size: (width, height) in pixels as shown upright, before the reduction to working size.
        coloured: the picture has colour clearly above zero, as a photograph has and a radiograph has not.
        body_part: DICOM BodyPartExamined, upper case, or None. Often empty or wrong: a hint, never a verdict.
        laterality: DICOM ImageLaterality (else Laterality) where it names one side.
        view: DICOM ViewPosition, such as "AP", or None.
        patient_orientation: DICOM PatientOrientation, upper case: where the rows and the columns run to, such as
            ("L", "F"): rows to the patient's left, columns to the feet. None where the file does not say both.
        patient_age: DICOM PatientAge in years, or None.
        warnings: what decoding found that the reader has to weigh.
        source: whom and what a DICOM file says it is of.
        jpeg_quality: of a JPEG, 1 to 100 by its quantisation table; None for other pictures.
        pixel_spacing_mm: (vertical, horizontal) distance of two neighbours in `pixels`, millimetres.
        spacing_plane: where these hold: in the "patient", at the "detector", or "unstated" by the file.
    """

    pixels: GrayPixels
    format: Format
    original_size: tuple[int, int]
    coloured: bool = False
    body_part: str | None = None
    laterality: Laterality | None = None
    view: str | None = None
    patient_orientation: tuple[str, str] | None = None
    patient_age: float | None = None
    warnings: tuple[FilmWarning, ...] = ()
    source: DicomIdentity | None = None
    jpeg_quality: float | None = None
    pixel_spacing_mm: tuple[float, float] | None = None
    spacing_plane: SpacingPlane | None = None
