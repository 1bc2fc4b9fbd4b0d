"""Reading QR codes as a camera would."""

import cv2
import numpy as np
import numpy.typing as npt


def read_qr(picture: npt.NDArray[np.uint8]) -> str:
    """What a gray picture's QR code says, or nothing where there is none to be read.

    OpenCV misses about one code in a hundred at any one size, so it is asked at several.
    """
    for scale in (1.0, 1.5, 2.5, 4.0):
        sized = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_NEAREST)
        if read := cv2.QRCodeDetector().detectAndDecode(sized)[0]:
            return read
    return ""
