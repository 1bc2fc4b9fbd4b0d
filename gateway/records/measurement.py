"""What a clinician adds to a patient by hand: a T-score, a bone density or a fracture, each with its date."""

import datetime as dt
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, StrictBool, TypeAdapter

from gateway.platform.clock import today
from shared.contracts.base import Contract
from shared.contracts.record import BoneSite, DensityDevice, DensityMethod, FractureSite, Number


def _past(day: dt.date) -> dt.date:
    if day > today() + dt.timedelta(days=1):  # a day of grace for the zones ahead of UTC
        raise ValueError("the date lies in the future")
    return day


Day = Annotated[dt.date, Field(ge=dt.date(1900, 1, 1), examples=["2026-11-24"]), AfterValidator(_past)]


class TScoreMeasured(Contract):
    """A T-score as printed on the report."""

    kind: Literal["t_score"]
    date: Day
    site: BoneSite
    value: Annotated[Number, Field(ge=-10, le=10)]
    method: DensityMethod = "dxa"


class DensityMeasured(Contract):
    """An areal bone mineral density as printed on the report."""

    kind: Literal["bone_density"]
    date: Day
    site: BoneSite
    g_per_cm2: Annotated[Number, Field(gt=0, le=3)]
    device: DensityDevice | None = None


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
