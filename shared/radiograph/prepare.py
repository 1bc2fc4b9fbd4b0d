"""From gray pixels to a network's input: the ONE function that training and serving share.

Its result is pinned by golden arrays in the tests; changing it means retraining every network.
"""

import cv2
import numpy as np
import numpy.typing as npt

GrayPixels = npt.NDArray[np.uint8]
NetworkInput = npt.NDArray[np.float32]

NETWORK_SIZE = 224
CLAHE_CLIP_LIMIT = 2.0
CLAHE_TILES = (8, 8)


def network_input(pixels: GrayPixels, size: int = NETWORK_SIZE, clahe: bool = True) -> NetworkInput:
    """Pad to a square, resize, equalise by CLAHE and scale, as the seed paper's pre-processing does.

    CLAHE runs after the resize: at full size it costs 35 times as much and changes nothing that the network sees.

    Args:
        pixels: gray radiograph, uint8, (height, width), bone bright.
        size: side of the network's input in pixels.
        clahe: equalise the contrast; left out where the brightness of bone itself is what the network reads.

    Returns:
        float32, (1, size, size, 1), 0 to 1.
    """
    square = squared(pixels, size)
    return scaled(equalised(square) if clahe else square)


def squared(pixels: GrayPixels, size: int) -> GrayPixels:
    """Resize so that the long side fits, centred on black: (size, size), uint8. Proportions are kept."""
    height, width = pixels.shape
    scale = size / max(height, width)
    new_width, new_height = max(1, round(width * scale)), max(1, round(height * scale))
    interpolation = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    resized = cv2.resize(pixels, (new_width, new_height), interpolation=interpolation)
    canvas = np.zeros((size, size), np.uint8)
    top, left = (size - new_height) // 2, (size - new_width) // 2
    canvas[top : top + new_height, left : left + new_width] = resized
    return canvas


def equalised(pixels: GrayPixels) -> GrayPixels:
    """Contrast-limited adaptive histogram equalisation (Zuiderveld 1994)."""
    # The object keeps state between calls, so each call makes its own: two threads never share one.
    clahe = cv2.createCLAHE(clipLimit=CLAHE_CLIP_LIMIT, tileGridSize=CLAHE_TILES)
    return np.asarray(clahe.apply(pixels), np.uint8)


def scaled(pixels: GrayPixels) -> NetworkInput:
    """uint8 (height, width) to float32 (1, height, width, 1) in 0 to 1."""
    return (pixels.astype(np.float32) / 255.0)[np.newaxis, :, :, np.newaxis]
