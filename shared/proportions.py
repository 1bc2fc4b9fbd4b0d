"""Intervals of shares, without NumPy: the gateway shows them too."""

import math

# Standard errors on either side of a 95 % interval.
Z = 1.959964


def wilson(hits: int, of: int) -> tuple[float, float]:
    """The 95 % interval of a share (Wilson 1927); of nobody it is everything.

    It holds for independent observations; where one patient gives several, it is a little too narrow.
    """
    if of == 0:
        return 0.0, 1.0
    share, z = hits / of, Z
    centre = (share + z * z / (2 * of)) / (1 + z * z / of)
    half = z / (1 + z * z / of) * math.sqrt(share * (1 - share) / of + z * z / (4 * of * of))
    return max(0.0, centre - half), min(1.0, centre + half)
