"""What the recommender is asked and what it answers."""

from typing import Annotated, Literal

from pydantic import Field

from shared.contracts.base import Contract, ModelReference
from shared.contracts.findings import ClinicalFinding, ImagingFinding, StagingFinding
from shared.contracts.language import TranslatedLanguage
from shared.contracts.policy import AsOf, ClinicPolicy
from shared.contracts.record import ClinicalRecord

ItemKind = Literal["medication", "exercise", "diet", "follow_up", "referral"]
DrugClass = Literal[
    "oral_bisphosphonate", "iv_bisphosphonate", "denosumab", "anabolic", "romosozumab", "raloxifene", "hormone_therapy"
]
Status = Literal["consider", "check_first", "blocked"]
Urgency = Literal["routine", "soon", "urgent", "emergency"]
Review = Literal["sourced", "house", "needs clinician sign-off", "signed by a clinician"]


class RecommendationRequest(Contract):
    """Everything that is known of one case; each part may be missing."""

    imaging: ImagingFinding | None = None
    staging: StagingFinding | None = None
    clinical: ClinicalFinding | None = None
    record: ClinicalRecord | None = None
    policy: ClinicPolicy = ClinicPolicy()
    as_of: AsOf = None


class Translation(Contract):
    """The patient's text in another language. Show the English beside one whose status is not a person's review."""

    language: TranslatedLanguage
    text: str
    status: Annotated[str, Field(description="`machine translation, unreviewed`, or who reviewed it and when")]


class Interval(Contract):
    """When a follow-up is due, in months from the assessment: from `after_months`, overdue past `by_months`."""

    after_months: Annotated[float, Field(ge=0)]
    by_months: Annotated[float, Field(ge=0)]


class NextDxa(Contract):
    """When bone density should be measured next, in months from the assessment; the one interval of an answer."""

    after_months: Annotated[float, Field(ge=0)]
    by_months: Annotated[float, Field(ge=0)]
    basis: str


class MessageKey(Contract):
    """An item's text by its rule, for a system that has its own words: the rule's id and the numbers it quotes."""

    key: str
    params: dict[str, str] = {}


class Recommendation(Contract):
    """One thing to consider, with its reason and its source. Never a dose, never a prescription."""

    id: str
    kind: ItemKind
    drug_class: DrugClass | None = None
    status: Status | None = None
    checks: Annotated[
        list[str] | None, Field(description="Record fields to check first; null where not medication")
    ] = None
    text: Annotated[str, Field(description="For clinicians; a patient's account gets `patient_text` in its place")]
    patient_text: Annotated[str, Field(description="For patients: plain, one action, no withheld drug by name")]
    message: MessageKey
    rationale: str
    citation: str
    url: str | None = None
    strength: str | None = None
    review: Annotated[Review, Field(description="Whether the rule's fact has a read source")] = (
        "needs clinician sign-off"
    )
    rule_version: str | None = None
    reasons: Annotated[list[str], Field(description="Medication: why it is blocked, or what to check and why")] = []
    further_sources: Annotated[
        list[str], Field(description="Other frameworks that name the same drug class, each with its own words")
    ] = []
    interval: Annotated[Interval | None, Field(description="When a follow-up with a set time is due")] = None
    translations: list[Translation] = []


class Link(Contract):
    """A page for the patient or the clinician."""

    title: str
    url: str


class Consult(Contract):
    """Whether to see a doctor, how soon and why."""

    advised: bool
    urgency: Urgency | None = None
    reason: Annotated[str | None, Field(description="For clinicians, the most urgent first")] = None
    patient_reason: Annotated[str | None, Field(description="For patients: plain, no withheld drug by name")] = None
    links: list[Link] = []
    translations: list[Translation] = []


class ReferralLetter(Contract):
    """What a referral letter should carry; the clinician completes and signs it."""

    to: list[str]
    urgency: Urgency
    reasons: list[str]
    findings: list[str]
    history: list[str]
    not_known: Annotated[list[str], Field(description="Record fields that the rules asked for and nobody filled in")]
    models: list[ModelReference] = []


class RecommendationSet(Contract):
    """The recommender's answer."""

    items: list[Recommendation]
    consult: Consult
    rules: Annotated[ModelReference | None, Field(description="The rule set behind the items")] = None
    next_dxa: Annotated[NextDxa | None, Field(description="Null where nothing on the record calls for a scan")] = None
    letter: Annotated[ReferralLetter | None, Field(description="Null where nobody is to be referred")] = None
