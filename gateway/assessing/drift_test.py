"""Whether cases differ from those of the reference: a test of whole windows, with a stated rate of false alarms.

Every feature is counted in windows of 50 and of 250 cases that follow each other, and the share of each of its values
is compared with the reference's by Fisher's exact test, which holds for few cases too. A window raises an alarm where a
p-value lies below `LEVEL` divided by the number of features and of the feature's values (Bonferroni). So of windows in
which nothing has changed at most one in a hundred raises one: a false alarm in 5,000 cases by the short windows, and
one in 25,000 by the long ones. The short ones find a large change soon, the long ones a small one.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from shared.proportions import fisher_p

SHORT, LONG = 50, 250
WINDOWS = (SHORT, LONG)
REFERENCE = 300
LEVEL = 0.01

Counts = Mapping[str, Mapping[str, int]]


@dataclass(frozen=True)
class Changed:
    """A feature in one window beside the reference: p of the difference, and what is seen of it."""

    feature: str
    window: int
    p: float
    alarm: bool
    now: Mapping[str, float]
    reference: Mapping[str, float]


def counted(observations: Sequence[Mapping[str, str]]) -> dict[str, dict[str, int]]:
    """How often each feature has each value."""
    counts: dict[str, Counter[str]] = {}
    for observation in observations:
        for feature, value in observation.items():
            counts.setdefault(feature, Counter())[value] += 1
    return {feature: dict(of_feature) for feature, of_feature in counts.items()}


def compared(reference: Counts, window: Sequence[Mapping[str, str]]) -> list[Changed]:
    """Each feature of a window beside the reference, the most different first."""
    now = counted(window)
    features = sorted({*reference, *now})
    level = LEVEL / max(1, len(features))
    found = []
    for feature in features:
        before, after = reference.get(feature, {}), now.get(feature, {})
        p = difference(before, after)
        found.append(Changed(feature, len(window), p, p < level, _shares(after), _shares(before)))
    return sorted(found, key=lambda changed: changed.p)


def difference(before: Mapping[str, int], after: Mapping[str, int]) -> float:
    """p that both are of one distribution: the least of any value's, times how many values there are."""
    of_before, of_after, values = sum(before.values()), sum(after.values()), {*before, *after}
    if not of_before or not of_after:
        return 1.0
    least = min(fisher_p(after.get(value, 0), of_after, before.get(value, 0), of_before) for value in values)
    return min(1.0, least * len(values))


def _shares(counts: Mapping[str, int]) -> dict[str, float]:
    total = sum(counts.values())
    return {value: round(count / total, 4) for value, count in sorted(counts.items(), key=lambda item: -item[1])}
