"""Figures with intervals, beside the card's, and in words which differences a table of this size can tell."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from gateway.evaluation.model import Estimate, SiteFigure, Verdict
from shared.figures import Array, with_interval

UNDEFINED = Estimate(value=None, low=None, high=None)
# Of a two-sided interval of 95 %, on either side.
TAIL = 0.025
# A 95 % interval is this many standard errors wide.
WIDTH_IN_ERRORS = 2 * 1.96
# The least difference that a two-sided test at 5 % finds with a power of 80 %, in standard errors: 1.96 + 0.84.
DETECTABLE_IN_ERRORS = 2.80
# The difference that a table is said to be large enough for.
SMALL_DIFFERENCE = 0.05


@dataclass(frozen=True)
class Bootstrap:
    """Intervals by resampling patients; the same seed gives the same interval."""

    resamples: int
    seed: int

    def __call__(self, figure: Callable[..., float], patients: npt.NDArray[np.str_], *arrays: Array) -> Estimate:
        """A figure of arrays that belong to these patients, row by row."""
        if not len(patients):
            return UNDEFINED
        return Estimate.model_validate(
            with_interval(figure, patients, *arrays, resamples=self.resamples, seed=self.seed)
        )

    def share(self, patients: npt.NDArray[np.str_], hits: npt.NDArray[np.bool_]) -> Estimate:
        """A share. Where all or none are hits, resampling would call that certain, so the bound is the exact one.

        It is Clopper and Pearson's (1934), counting patients, as those of one patient may well be alike.
        """
        if not len(patients) or 0 < hits.mean() < 1:
            return self(lambda of: float(of.mean()), patients, hits)
        bound = round(TAIL ** (1 / len(set(patients))), 4)
        if hits.all():
            return Estimate(value=1.0, low=bound, high=1.0)
        return Estimate(value=0.0, low=0.0, high=round(1 - bound, 4))


def beside_card(
    name: str,
    title: str,
    site: Estimate,
    card: Mapping[str, Any],
    people: tuple[int, str],
    less_is_better: bool = False,
) -> SiteFigure:
    """A site's figure beside the card's.

    Args:
        name: of the figure on the card. people: how many knees or films it rests on, and the word for them.
    """
    published = Estimate.model_validate(card[name]) if isinstance(card.get(name), dict) else None
    return SiteFigure(
        name=name,
        title=title,
        site=site,
        card=published,
        verdict=verdict(site, published, less_is_better),
        resolution=resolution(title, site, people, less_is_better),
    )


def verdict(site: Estimate, card: Estimate | None, less_is_better: bool = False) -> Verdict:
    """Whether the two intervals lie apart, and which way; one without width only says that all are alike."""
    if card is None or site.low is None or site.high is None or card.low is None or card.high is None:
        return "not_measured"
    if site.low == site.high:
        return "not_told_apart"
    if site.high < card.low:
        return "better" if less_is_better else "worse"
    if site.low > card.high:
        return "worse" if less_is_better else "better"
    return "not_told_apart"


def resolution(title: str, site: Estimate, people: tuple[int, str], less_is_better: bool = False) -> str | None:
    """The least difference that this many can tell, from the width of the interval, and how many a small one takes."""
    if site.value is None or site.low is None or site.high is None or site.high == site.low:
        return None
    count, word = people
    difference = DETECTABLE_IN_ERRORS * (site.high - site.low) / WIDTH_IN_ERRORS
    other = site.value + difference if less_is_better else site.value - difference
    needed = count * (difference / SMALL_DIFFERENCE) ** 2
    enough = difference <= SMALL_DIFFERENCE
    more = "" if enough else f" A difference of {SMALL_DIFFERENCE} takes about {_rounded_up(needed):,} {word}."
    return (
        f"{title}: with {count} {word} you cannot tell {site.value:.2f} from {other:.2f}, or from anything nearer "
        f"(difference {difference:.2f}, at 5 % two-sided and a power of 80 %).{more}"
    )


def _rounded_up(count: float) -> int:
    """To two digits, so that nobody takes it for exact."""
    step = 10 ** max(0, len(str(int(count))) - 2)
    return int(-(-count // step) * step)
