"""What a site decides about reading a record: assumptions and thresholds that no source settles for everybody.

The gateway sends one policy, and one day to count from, with every question of one case, so that no two services can
read the same record differently.
"""

import datetime as dt
from typing import Annotated, Literal

from pydantic import Field

from shared.contracts.base import Contract
from shared.contracts.record import FraxCountry

AsOf = Annotated[dt.date | None, Field(description="The day that dates are counted from; today (UTC) where absent")]
PerCent = Annotated[float, Field(gt=0, le=100)]


class FraxLine(Contract):
    """From which FRAX ten-year risk a site treats, per cent; null where it draws no line for that fracture."""

    major: PerCent | None = None
    hip: PerCent | None = None


class ClinicPolicy(Contract):
    """A site's choices. `postmenopausal_from` null: a menopause that nobody recorded is never assumed."""

    postmenopausal_from: Annotated[
        Literal[50, 60] | None, Field(description="Age from which an unrecorded menopause is taken as past")
    ] = 50
    frax_thresholds: Annotated[
        dict[FraxCountry | Literal["unknown"], FraxLine],
        Field(description="The site's own treatment lines by FRAX country; `unknown` is FRAX without a country"),
    ] = {}
