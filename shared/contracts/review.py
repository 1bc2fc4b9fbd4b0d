"""What clinicians made of an assessment: signed, amended, withdrawn. The answer itself stays as it was given."""

import datetime as dt
from typing import Annotated, Literal

from pydantic import Field

from shared.contracts.base import Contract
from shared.contracts.findings import RiskCategory

ReviewStatus = Literal["preliminary", "signed", "amended", "withdrawn"]
ReviewAction = Literal["signed", "amended", "withdrawn"]
# Characters of a reason.
SHORTEST_REASON, LONGEST_REASON = 3, 1000


class AmendedKnee(Contract):
    """The grade that a clinician gives to a knee."""

    side: Literal["left", "right"]
    kl_grade: Annotated[int, Field(ge=0, le=4)]


class AmendedFindings(Contract):
    """What a clinician finds instead, as far as it fits in fields; null where the answer stands."""

    knees: Annotated[list[AmendedKnee], Field(max_length=2)] = []
    bone: Annotated[
        Literal["normal", "low"] | None, Field(description="How the bone looks on the film; never a measurement")
    ] = None
    category: RiskCategory | None = None


class ReviewStep(Contract):
    """One thing that a clinician did."""

    action: ReviewAction
    at: dt.datetime
    by: Annotated[str, Field(description="`account:<id>`, as the audit trail names people; patients read `clinician`")]
    reason: str | None = None
    findings: AmendedFindings | None = None


class Review(Contract):
    """`preliminary` until a clinician signs or amends. What is `withdrawn` must not be relied on, by anybody."""

    status: ReviewStatus = "preliminary"
    changed_at: Annotated[dt.datetime | None, Field(description="Since when it stands so; null: since it was made")] = (
        None
    )
    steps: Annotated[list[ReviewStep], Field(description="Oldest first")] = []
