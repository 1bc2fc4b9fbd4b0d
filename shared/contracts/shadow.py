"""What a version in the shadow answered to a case, as it would have counted: kept apart, and shown to nobody."""

from pydantic import Field

from shared.contracts.base import Contract
from shared.contracts.findings import ImagingFinding, StagingFinding


class ShadowAnswer(Contract):
    """The finding of one part, or why the picture was refused."""

    refused: str | None = Field(None, description="Why the version refused the picture, where it did")
    imaging: ImagingFinding | None = None
    staging: StagingFinding | None = None
