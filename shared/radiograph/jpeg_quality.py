"""How much a JPEG was compressed, 1 to 100, as its encoder's setting is usually named."""

import numpy as np
from PIL import Image

# The luminance table of quality 50 (ISO 10918-1, table K.1), in the zigzag order in which a file holds it. libjpeg and
# most others scale it; the sum alone tells by how much, whatever the order.
SUM_AT_50 = 3688


def jpeg_quality(image: Image.Image) -> float | None:
    """By the first quantisation table of a JPEG that Pillow has opened; None where it has none."""
    tables = getattr(image, "quantization", None)
    if not tables:
        return None
    percent = 100.0 * float(np.sum(tables[min(tables)])) / SUM_AT_50
    return float(np.clip(5000.0 / percent if percent > 100 else (200.0 - percent) / 2, 1.0, 100.0))
