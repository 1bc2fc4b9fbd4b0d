"""What a clinician adds to a patient by hand: a T-score, a bone density or a fracture, each with its date."""

import datetime as dt
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, StrictBool, TypeAdapter

from gateway.platform.clock import today
from shared.contracts.base import Contract
from shared.contracts.record import DensityMeasurement, DensityScore, FractureSite


def _past(day: dt.date) -> dt.date:
    if day > today() + dt.timedelta(days=1):  # a day of grace for the zones ahead of UTC
        raise ValueError("the date lies in the future")
    return day


Day = Annotated[dt.date, Field(ge=dt.date(1900, 1, 1), examples=["2026-11-24"]), AfterValidator(_past)]


class TScoreMeasured(DensityScore):
    """A T-score as printed on the report, with its date."""

    kind: Literal["t_score"]
    date: Day


class DensityMeasured(DensityMeasurement):
    """An areal bone mineral density as printed on the report, with its date."""

    kind: Literal["bone_density"]
    date: Day


class FractureSuffered(Contract):
    """A fracture; `low_trauma` is a fall from standing height or less."""

    kind: Literal["fracture"]
    date: Day
    site: FractureSite
    low_trauma: StrictBool | None = None


Measured = Annotated[TScoreMeasured | DensityMeasured | FractureSuffered, Field(discriminator="kind")]
_MEASURED: TypeAdapter[TScoreMeasured | DensityMeasured | FractureSuffered] = TypeAdapter(Measured)


def read_measured_json(stored: bytes) -> TScoreMeasured | DensityMeasured | FractureSuffered:
    """A measurement as it was stored."""
    return _MEASURED.validate_json(stored)


def read_measured(fields: dict[str, Any]) -> TScoreMeasured | DensityMeasured | FractureSuffered:
    """A measurement from the fields of a form.

    Raises:
        ValidationError: one cannot be used.
    """
    return _MEASURED.validate_python(fields)
