"""Intervals and tests of shares, without NumPy: the gateway shows them too."""

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


def fisher_p(hits: int, of: int, other_hits: int, other_of: int) -> float:
    """p of Fisher's exact test, two-sided, that two shares are the same: what is as unlikely as this, or more so."""
    total_hits, total = hits + other_hits, of + other_of
    least, most = max(0, total_hits - other_of), min(of, total_hits)

    def log_ways(n: int, k: int) -> float:
        return math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1)

    all_ways = log_ways(total, of)
    logs = {
        k: log_ways(total_hits, k) + log_ways(total - total_hits, of - k) - all_ways for k in range(least, most + 1)
    }
    return min(1.0, sum(math.exp(log) for log in logs.values() if log <= logs[hits] + 1e-9))
