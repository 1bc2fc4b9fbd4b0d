"""DICOM values to 8-bit gray: modality LUT, VOI LUT or window, inversion (PS3.3 C.11).

pydicom's own table look-ups are not used: their index has the type of the output, so an 8-bit table of a 12-bit picture
wraps, and 12-bit modality tables fail.
"""

from typing import TYPE_CHECKING

import numpy as np

from shared.contracts.film import FilmWarning
from shared.radiograph.dicom_elements import code, element, integer, items, number
from shared.radiograph.dicom_luts import looked_up
from shared.radiograph.dicom_windows import fitting_shares
from shared.radiograph.prepare import GrayPixels
from shared.radiograph.tones import Pixels, contrast_warnings, stretched, to_gray

if TYPE_CHECKING:
    from pydicom import Dataset

DX_FOR_PROCESSING = "1.2.840.10008.5.1.4.1.1.1.1.1"
UNPROCESSED = FilmWarning(
    type="not_for_presentation",
    detail="The DICOM file is the detector's raw picture (FOR PROCESSING), which looks unlike the radiographs that "
    "the networks learned from. Send the one for presentation.",
)
IGNORED = FilmWarning(
    type="window_ignored",
    detail="The window or table in the DICOM file would leave most of the picture black or white, so it was set aside "
    "and the tones were chosen by the picture itself. Check what the film looks like at its source.",
)


def gray_levels(stored: Pixels, dataset: "Dataset") -> tuple[GrayPixels, tuple[FilmWarning, ...]]:
    """Cleaned values, at any size, to uint8 with bone bright, and what has to be known about them.

    Without a VOI transform, or where none of the file's fits its data, the scaling is by the robust range.
    """
    warnings = contrast_warnings(stored)
    values = modality_values(stored, dataset)
    if is_for_processing(dataset):
        warnings += (UNPROCESSED,)
    turned = -1.0 if is_inverted(dataset) else 1.0
    if is_linear_signal(dataset):
        return stretched(turned * np.log(np.maximum(values, 1.0))), warnings
    shares, tried = fitting_shares(values, dataset)
    if shares is not None:
        return to_gray(shares if turned > 0 else 1.0 - shares), warnings
    return stretched(turned * values), warnings + (IGNORED,) * tried


def modality_values(values: Pixels, dataset: "Dataset") -> Pixels:
    """The modality LUT or the rescale slope and intercept; unchanged where there is neither, or neither is sound."""
    for item in items(dataset, "ModalityLUTSequence")[:1]:
        looked = looked_up(values, item, dataset)
        if looked is not None:
            return looked[0]
    slope, intercept = number(dataset, "RescaleSlope"), number(dataset, "RescaleIntercept")
    return values * slope + (intercept or 0.0) if slope else values


def is_for_processing(dataset: "Dataset") -> bool:
    """Whether the file says that it is the detector's raw picture, or belongs to the class of those."""
    intent = code(dataset, "PresentationIntentType")
    return intent == "FOR PROCESSING" or (
        intent is None and str(element(dataset, "SOPClassUID") or "").strip("\0 ") == DX_FOR_PROCESSING
    )


def is_linear_signal(dataset: "Dataset") -> bool:
    """Whether a raw picture holds the X-ray beam's intensity, of which tissue is the logarithm."""
    return is_for_processing(dataset) and code(dataset, "PixelIntensityRelationship") == "LIN"


def is_inverted(dataset: "Dataset") -> bool:
    """Whether the lowest value is the brightest: MONOCHROME1, or a presentation LUT that inverts.

    A raw picture is for no display; there the sign of the relationship to the beam says where bone is.
    """
    sign = integer(dataset, "PixelIntensityRelationshipSign")
    if is_for_processing(dataset) and sign in (1, -1):
        return sign == 1
    kinds = code(dataset, "PhotometricInterpretation"), code(dataset, "PresentationLUTShape")
    return kinds[0] == "MONOCHROME1" or kinds[1] == "INVERSE"


def darker(low: int, high: int, dataset: "Dataset") -> int:
    """Which of two stored values is shown darker: a negative slope or a falling table turns them round."""
    first, second = modality_values(np.asarray([low, high], np.int64), dataset)
    return low if (first <= second) != is_inverted(dataset) else high
