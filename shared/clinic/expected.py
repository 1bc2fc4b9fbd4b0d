"""Which T-score age, sex and weight let one expect, so that a slip of the sign or of the unit can be noticed.

Straight lines with survey weights over adults of 40 and over (NHANES 2005-2010 and 2013-2014), T-scores by the
references of `reference.py`; `make clinical-figures` derives them anew. Nobody's T-score is ever estimated by it.
"""

from functools import cache
from pathlib import Path
from typing import Annotated

from pydantic import Field, TypeAdapter

from shared.contracts.base import Contract
from shared.contracts.record import BoneSite, Sex

FILE = Path(__file__).with_name("expected_t.json")
# The survey measured nobody younger, and gives every age above as this one.
YOUNGEST_AGE, OLDEST_AGE = 40.0, 80.0


class AgeLine(Contract):
    """The T-score that age alone leads one to expect, and the spread (SD) of people about it."""

    intercept: float
    per_year: float
    sd: Annotated[float, Field(gt=0)]


class ExpectedTScore(Contract):
    """The T-score at one site that age and weight lead one to expect, and the spread (SD) of people about it."""

    intercept: float
    per_year: float
    per_kg: float
    sd: Annotated[float, Field(gt=0)]
    without_weight: AgeLine

    def expected(self, age: float, weight_kg: float | None) -> float:
        """The expected T-score; ages count as the oldest of the survey from there on."""
        years = min(age, OLDEST_AGE)
        if weight_kg is None:
            return self.without_weight.intercept + self.without_weight.per_year * years
        return self.intercept + self.per_year * years + self.per_kg * weight_kg

    def sds_above(self, t_score: float, age: float, weight_kg: float | None) -> float:
        """How many standard deviations a T-score lies above what is expected; below zero where it lies under it."""
        sd = self.without_weight.sd if weight_kg is None else self.sd
        return (t_score - self.expected(age, weight_kg)) / sd


Expected = dict[Sex, dict[BoneSite, ExpectedTScore]]
_EXPECTED: TypeAdapter[Expected] = TypeAdapter(Expected)


@cache
def expected_t_scores() -> Expected:
    """The lines of both sexes and every site that has one."""
    return _EXPECTED.validate_json(FILE.read_bytes())


def write_expected(lines: Expected, file: Path = FILE) -> None:
    """Renew the file, for the training."""
    file.write_bytes(_EXPECTED.dump_json(lines, indent=1) + b"\n")


def deviation(sex: Sex, site: BoneSite, t_score: float, age: float, weight_kg: float | None) -> float | None:
    """How many standard deviations a T-score lies above what is expected; None below 40 or at another site."""
    line = expected_t_scores()[sex].get(site)
    return None if line is None or age < YOUNGEST_AGE else line.sds_above(t_score, age, weight_kg)
