"""The additive model's inputs: one row of numbers from the variables, unknown made explicit.

Age and weight are straight lines between knots, so that the learned effect can be held monotonic; each optional
variable has a column for its value (0 where unknown) and a column that says "unknown". Given age and sex, no two
fields share a column: the log odds are a sum over fields, which is what makes the contributions exact.
"""

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from services.clinical.variables import VARIABLES, WOMEN_ONLY, Columns
from shared.clinic.expected import YOUNGEST_AGE

AGE_KNOTS = (40.0, 55.0, 65.0, 80.0)
WEIGHT_KNOTS = (30.0, 60.0, 80.0, 130.0)
HEIGHT_RANGE = (140.0, 195.0)
REFERENCE_HEIGHT = {"women": 160.0, "men": 174.0}
MENOPAUSE_RANGE, REFERENCE_MENOPAUSE = (30.0, 58.0), 48.0
# Above this NHANES has too few drinkers for a slope; in UK units (8 g).
MOST_ALCOHOL_UNITS = 4.0
BY_SEX = ("alcohol_units_per_day", "active", "diabetes")
_BODY = ("weight_kg", "height_cm")
_OPTIONAL = tuple(name for name in VARIABLES if name not in ("female", "age", *_BODY))


def encode(columns: Columns) -> NDArray[np.float64]:
    """The model's input matrix, one row a person, columns in the order of `COLUMN_NAMES`.

    Args:
        columns: every name of `VARIABLES` with one value a person; NaN is unknown.
    """
    return np.column_stack(list(_encoded(columns).values()))


def _encoded(columns: Columns) -> dict[str, NDArray[np.float64]]:
    women = columns["female"]
    encoded: dict[str, NDArray[np.float64]] = {"women": women}
    for sex, member in (("women", women), ("men", 1 - women)):
        encoded |= _age_and_body(columns, sex, member)
    for name in _OPTIONAL:
        encoded |= _optional(name, columns[name], women)
    return encoded


def _age_and_body(columns: Columns, sex: str, member: NDArray[np.float64]) -> dict[str, NDArray[np.float64]]:
    age, weight, height = columns["age"], columns["weight_kg"], columns["height_cm"]
    encoded = {f"age from {lo:g} {sex}": member * _ramp(age, lo, hi) for lo, hi in _pairs(AGE_KNOTS)}
    for lo, hi in _pairs(WEIGHT_KNOTS):
        encoded[f"weight from {lo:g} {sex}"] = member * _known(_ramp(weight, lo, hi))
    no_weight = np.isnan(weight).astype(float)
    encoded[f"weight unknown {sex}"] = member * no_weight
    # Weight falls with age, so age says more where the weight is not known.
    encoded[f"age, weight unknown {sex}"] = member * no_weight * _ramp(age, YOUNGEST_AGE, AGE_KNOTS[-1])
    centred = (np.clip(height, *HEIGHT_RANGE) - REFERENCE_HEIGHT[sex]) / 10
    encoded[f"height {sex}"] = member * _known(centred)
    encoded[f"height unknown {sex}"] = member * np.isnan(height)
    return encoded


def _optional(name: str, values: NDArray[np.float64], women: NDArray[np.float64]) -> dict[str, NDArray[np.float64]]:
    asked = women if name in WOMEN_ONLY else np.ones_like(women)
    if name == "menopause_age":
        values = (np.clip(values, *MENOPAUSE_RANGE) - REFERENCE_MENOPAUSE) / 10
    elif name == "alcohol_units_per_day":
        values = np.minimum(values, MOST_ALCOHOL_UNITS)
    known, unknown = asked * _known(values), asked * np.isnan(values)
    if name not in BY_SEX:
        return {name: known, f"{name} unknown": unknown}
    return {
        f"{name} women": known * women,
        f"{name} men": known * (1 - women),
        f"{name} women unknown": unknown * women,
        f"{name} men unknown": unknown * (1 - women),
    }


def _pairs(knots: tuple[float, ...]) -> list[tuple[float, float]]:
    return list(pairwise(knots))


def _ramp(values: NDArray[np.float64], low: float, high: float) -> NDArray[np.float64]:
    """Tens of years or kilograms above `low`, flat from `high` on."""
    return (np.clip(values, low, high) - low) / 10


def _known(values: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.where(np.isnan(values), 0.0, values)


COLUMN_NAMES: tuple[str, ...] = tuple(_encoded({name: np.zeros(1) for name in VARIABLES}))
OUTCOMES = ("osteoporosis", "low_bone_mass")
# The model's outputs: the log odds of each outcome by the calibration of each sex.
OUTPUTS: tuple[tuple[str, str], ...] = tuple((sex, outcome) for sex in ("women", "men") for outcome in OUTCOMES)


def of_own_sex(outputs: NDArray[np.float64], female: NDArray[np.float64]) -> NDArray[np.float64]:
    """Both log odds of each person by the calibration of the person's sex; `female` is 1 for a woman, else 0."""
    women, men = outputs[:, : len(OUTCOMES)], outputs[:, len(OUTCOMES) :]
    return np.where(female[:, None] == 1, women, men)
