"""The assessment: one composed answer about one case."""

import datetime as dt
from typing import Annotated, Literal, get_args
from uuid import UUID

from pydantic import Field

from shared.contracts.base import Contract, Probability
from shared.contracts.film import FilmSource, FilmWarningType
from shared.contracts.findings import (
    ClinicalFinding,
    ImagingFinding,
    Rendering,
    RiskCategory,
    StagingFinding,
    WhoClass,
)
from shared.contracts.recommendation import RecommendationSet

DISCLAIMER = (
    "Research software, not a medical device. It does not diagnose and does not prescribe: "
    "a clinician decides. A radiograph is never a bone density measurement."
)

Component = Literal["imaging", "staging", "clinical", "recommender"]


# A part that is missing carries the type of the problem that there was with it.
MissingPartType = Literal[
    "urn:trabecula:problem:service-unavailable",
    "urn:trabecula:problem:too-busy",
    "urn:trabecula:problem:not-authenticated",
    "urn:trabecula:problem:invalid-input",
    "urn:trabecula:problem:unreadable-image",
    "urn:trabecula:problem:unsupported-image",
    "urn:trabecula:problem:image-too-large",
    "urn:trabecula:problem:image-refused",
]
MISSING_PART_TYPES: frozenset[str] = frozenset(get_args(MissingPartType))


class Warning(Contract):
    """Something the reader has to know: a part that is missing, or what is odd about a film that was read."""

    component: Component
    type: MissingPartType | FilmWarningType
    detail: str
    reason: str | None = None

    @property
    def part_is_missing(self) -> bool:
        """Whether the component gave no finding. Otherwise it did, and this is to be weighed with it."""
        return self.type in MISSING_PART_TYPES


class Diagnosis(Contract):
    """What DXA or a fracture has settled. It leads an answer, and the estimate is then no news."""

    who_class: WhoClass
    basis: str
    date: Annotated[dt.date | None, Field(description="Of the scan it rests on, where the record gives one")] = None


class Comparison(Contract):
    """The estimate beside that of other people, and who they are."""

    of_same_age_and_sex: Annotated[Probability, Field(description="The average estimate at this age and sex")]
    population: str


class Combined(Contract):
    """The findings joined by a stated rule; `basis` says what led to the category."""

    category: RiskCategory | None
    basis: list[str]
    diagnosis: Diagnosis | None = None
    probability_with_image: Annotated[
        Probability | None,
        Field(
            description="Null unless a likelihood ratio measured given the record shows that the film adds something"
        ),
    ] = None
    comparison: Comparison | None = None


class Assessment(Contract):
    """One assessment. A part nobody asked for is null and raises no warning."""

    id: UUID
    created_at: Annotated[dt.datetime, Field(description="UTC, ISO 8601")]
    status: Literal["complete", "partial"]
    patient_number: str | None = None
    source: Annotated[
        FilmSource | None, Field(description="Where a DICOM radiograph comes from; null for other files and records")
    ] = None
    imaging: ImagingFinding | None = None
    staging: StagingFinding | None = None
    clinical: ClinicalFinding | None = None
    combined: Combined
    recommendation: RecommendationSet | None = None
    warnings: Annotated[
        list[Warning], Field(description="A missing part makes the assessment partial; an odd film does not")
    ] = []
    released_at: Annotated[
        dt.datetime | None, Field(description="When a clinician released the medication items to the patient")
    ] = None
    disclaimer: str = DISCLAIMER


class AssessmentRenderings(Contract):
    """De-identified PNGs of one size: the radiograph as it was read, and where each network found its evidence."""

    preview: Rendering | None = None
    imaging: Rendering | None = None
    staging: Rendering | None = None


class AssessmentWithRenderings(Assessment):
    """An assessment just made with `pictures=true`: they travel in this one answer, kept by the site or not."""

    pictures: AssessmentRenderings
