"""The assessment: one composed answer about one case."""

import datetime as dt
from typing import Annotated, Literal, get_args
from uuid import UUID

from pydantic import Field

from shared.contracts.base import Contract, ModelReference, Probability
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
from shared.contracts.review import Review

DISCLAIMER = (
    "Research software, not a medical device. It does not diagnose and does not prescribe: "
    "a clinician decides. A radiograph is never a bone density measurement."
)

AssessmentStatus = Literal["complete", "partial"]
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
# What a hospital system sent beside the record and the record has no place for.
LeftOutType = Literal["fhir_not_used"]


class Warning(Contract):
    """Something the reader has to know: a part that is missing, what is odd about a film, what was not used."""

    component: Component
    type: MissingPartType | FilmWarningType | LeftOutType
    detail: str
    reason: str | None = None

    @property
    def part_is_missing(self) -> bool:
        """Whether the component gave no finding. Otherwise it did, and this is to be weighed with it."""
        return self.type in MISSING_PART_TYPES

    @property
    def was_left_out(self) -> bool:
        """Whether it tells what was sent and not used."""
        return self.type == "fhir_not_used"


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


class RulesSignOff(Contract):
    """A clinician read this version of the rules and stands by it."""

    name: str
    role: str
    at: dt.datetime


class Assessment(Contract):
    """One assessment. A part nobody asked for is null and raises no warning."""

    id: UUID
    created_at: Annotated[dt.datetime, Field(description="UTC, ISO 8601")]
    status: AssessmentStatus
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
        list[Warning],
        Field(description="A missing part makes it partial; an odd film or what was not used does not"),
    ] = []
    released_at: Annotated[
        dt.datetime | None, Field(description="When a clinician released the medication items to the patient")
    ] = None
    rules_sign_off: Annotated[
        RulesSignOff | None,
        Field(description="Who signed this version of the rules off for the site, when it answered; null: nobody"),
    ] = None
    site_settings: Annotated[
        ModelReference | None,
        Field(description="The site's own settings that the findings were made with; null: the networks as they are"),
    ] = None
    review: Annotated[Review, Field(description="What clinicians made of it: preliminary until one signs")] = Review()
    test: Annotated[bool, Field(description="Made with a test key: of no patient, and deleted after 7 days")] = False
    disclaimer: str = DISCLAIMER

    @property
    def is_withdrawn(self) -> bool:
        """Whether a clinician took it back: nobody may rely on it."""
        return self.review.status == "withdrawn"


class AssessmentRenderings(Contract):
    """De-identified PNGs of one size: the radiograph as it was read, and where each network found its evidence."""

    preview: Rendering | None = None
    imaging: Rendering | None = None
    staging: Rendering | None = None


class AssessmentWithRenderings(Assessment):
    """An assessment just made with `pictures=true`: they travel in this one answer, kept by the site or not."""

    pictures: AssessmentRenderings | None = None
