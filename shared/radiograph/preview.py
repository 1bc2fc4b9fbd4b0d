"""The de-identified preview: the gray pixels and nothing else of the file."""

import cv2

from shared.radiograph.radiograph import Radiograph

# Level 1 is three times as fast as the default and a tenth larger; a preview is made for every assessment.
COMPRESSION = 1


def preview_png(radiograph: Radiograph) -> bytes:
    """The working pixels as an 8-bit gray PNG. It is written from the pixels alone, so no tag of the file is in it."""
    written, encoded = cv2.imencode(".png", radiograph.pixels, [cv2.IMWRITE_PNG_COMPRESSION, COMPRESSION])
    if not written:
        raise RuntimeError("the preview could not be encoded")
    return encoded.tobytes()
