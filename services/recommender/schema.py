"""What a rule file may say. Anything else stops the start, with the file, the rule and the field."""

import datetime as dt
import hashlib
import re
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from services.recommender.conditions import Condition
from shared.clinic.drug_names import bone_drug_named
from shared.contracts.recommendation import DrugClass, ItemKind, Review, Urgency

# The guideline that a house judgement cites: it is ours, and no source.
HOUSE = "Trabecula house rules"
PLACEHOLDER = re.compile(r"\{(\w+)\}")


def well_formed(url: str) -> str:
    """An https address with a host and no credentials; whether it answers is not asked.

    Raises:
        ValueError: it is not of that form.
    """
    parts = urlsplit(url)
    if parts.scheme != "https" or not parts.hostname or "." not in parts.hostname or "@" in parts.netloc or " " in url:
        raise ValueError(f"{url!r} is not a plain https address")
    return url


Url = Annotated[str, AfterValidator(well_formed)]
Doi = Annotated[str, Field(pattern=r"^10\.\d{4,9}/\S+$")]
Id = Annotated[str, Field(pattern=r"^[a-z0-9_]+(\.[a-z0-9_]+)*$")]
Text = Annotated[str, Field(min_length=10)]


class Schema(BaseModel):
    """What every part of a rule file has in common: unknown keys are refused, nothing changes once read."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class Citation(Schema):
    """Where a fact comes from: the guideline, its year, and the place in it or its DOI."""

    guideline: Annotated[str, Field(min_length=2)]
    year: Annotated[int, Field(ge=1976, le=2100)]
    section: str | None = None
    doi: Doi | None = None
    url: Url | None = None

    @model_validator(mode="after")
    def names_a_place(self) -> Self:
        if not (self.section or self.doi):
            raise ValueError("needs a section or a DOI")
        return self

    def __str__(self) -> str:
        place = [part for part in (self.section, f"doi:{self.doi}" if self.doi else None) if part]
        return f"{self.guideline} ({self.year}), {', '.join(place)}"


class Signature(Schema):
    """A clinician's sign-off, which holds for the rule as it stood; any change of the rule undoes it."""

    by: Annotated[str, Field(min_length=3)]
    role: Annotated[str, Field(min_length=3)]
    date: dt.date
    digest: Annotated[str, Field(pattern=r"^[0-9a-f]{12}$")]


class Statement(Schema):
    """What every rule carries beside its condition: identity, reason, source and state of review.

    `read` says how the source was read: `primary` (the issuing body's text), `secondary` (a restatement) or
    `unsourced`; `house` is a judgement of our own. Only a fact read in its primary source is `sourced`; a house
    judgement says `house`, never `sourced`; everything else asks for a sign-off.
    """

    id: Id
    version: Annotated[str, Field(pattern=r"^\d+\.\d+\.\d+$")]
    condition: Condition
    rationale: Text
    citation: Citation
    read: Literal["primary", "secondary", "unsourced", "house"]
    review: Literal["sourced", "house", "needs clinician sign-off"]
    signature: Signature | None = None
    enabled: bool = True

    @model_validator(mode="after")
    def review_follows_reading(self) -> Self:
        if self.review == "sourced" and self.read != "primary":
            raise ValueError(f"review cannot be 'sourced' where the source was read as {self.read}")
        if (self.read == "house") != (self.citation.guideline == HOUSE) or (self.review == "house") > (
            self.read == "house"
        ):
            raise ValueError(f"a house judgement is read 'house', cites {HOUSE!r}, and nothing else does")
        if "restat" in self.citation.guideline.lower():
            raise ValueError("a restatement is no citation: name the source itself")
        if self.signature and self.signature.digest != self.digest:
            raise ValueError(f"the signature is for another wording; the digest is now {self.digest}")
        return self

    @property
    def digest(self) -> str:
        """Twelve characters that change with any change of the rule, its signature aside."""
        content = self.model_dump_json(exclude={"signature"}, by_alias=True, exclude_defaults=True)
        return hashlib.sha256(content.encode()).hexdigest()[:12]

    @property
    def state(self) -> Review:
        """The review status that an item shows."""
        return "signed by a clinician" if self.signature else self.review


class Definition(Statement):
    """A condition with a name, such as a framework's very high risk, that rules refer to."""

    words: Text


class Population(Schema):
    """Whom a rule is for. A rule is withheld only from those who are known to be outside."""

    id: Id
    words: Annotated[str, Field(min_length=5)]
    condition: Condition


class Due(Schema):
    """When a follow-up is due, in months: from `after`, overdue past `by`.

    `elapsed` names a fact, in months, that the time already counts from, such as the last dose of a drug; while that is
    unknown no time is given.
    """

    after: Annotated[float, Field(ge=0, le=240)]
    by: Annotated[float, Field(ge=0, le=240)]
    elapsed: str | None = None

    @model_validator(mode="after")
    def ends_after_it_begins(self) -> Self:
        if self.by < self.after:
            raise ValueError("by lies before after")
        return self


class Output(Schema):
    """What a rule says when it fires. `{fact}` in the text stands for a number of the case."""

    kind: ItemKind
    drug_class: DrugClass | None = None
    checks: list[str] = []
    refer_to: Annotated[str | None, Field(description="Whom a referral letter is for")] = None
    group: Annotated[str | None, Field(description="Of the rules of a group only the first that fires speaks")] = None
    due: Annotated[
        Due | Literal["next_dxa"] | None,
        Field(description="When a follow-up with a set time is due; `next_dxa`: when the next scan is"),
    ] = None
    text: Annotated[Text, Field(description="For clinicians")]
    patient_text: Annotated[Text, Field(description="For patients: plain, one action, no bone drug by name")]

    @model_validator(mode="after")
    def fields_fit_the_kind(self) -> Self:
        if (self.kind == "medication") != (self.drug_class is not None):
            raise ValueError("drug_class goes with kind medication, and only with it")
        if self.checks and self.kind != "medication":
            raise ValueError("checks go with kind medication only")
        if self.kind != "medication" and (drug := bone_drug_named(self.patient_text)):
            raise ValueError(f"patient_text may not name a bone drug: {drug!r}")
        if self.due and self.kind != "follow_up":
            raise ValueError("due goes with kind follow_up only")
        if self.group and self.kind == "medication":
            raise ValueError("group does not go with kind medication: drug classes are grouped by themselves")
        if (self.kind == "referral") != (self.refer_to is not None):
            raise ValueError("refer_to goes with kind referral, and only with it")
        return self

    @property
    def placeholders(self) -> set[str]:
        """The facts that the texts quote."""
        return set(PLACEHOLDER.findall(self.text)) | set(PLACEHOLDER.findall(self.patient_text))


class Rule(Statement):
    """One thing to consider, for whom, when, and why."""

    population: str
    strength: Annotated[str, Field(min_length=3)]
    guidance: Annotated[str | None, Field(description="A key of links.yaml: the page for the patient")] = None
    output: Output


class Contraindication(Statement):
    """Blocks drug classes where it holds, or asks for a check first; unknown always means check first."""

    drug_classes: Annotated[list[DrugClass], Field(min_length=1)]
    effect: Literal["block", "check"]
    reason: Text
    checks: Annotated[list[str], Field(description="Fields to name where a `check` holds")] = []


class ConsultRule(Statement):
    """When a doctor should be seen, and how soon."""

    population: str = "everyone"
    urgency: Urgency
    reason: Annotated[Text, Field(description="For clinicians")]
    patient_reason: Annotated[Text, Field(description="For patients: plain, no bone drug by name")]

    @model_validator(mode="after")
    def patients_read_no_drug(self) -> Self:
        if drug := bone_drug_named(self.patient_reason):
            raise ValueError(f"patient_reason may not name a bone drug: {drug!r}")
        return self


class RuleFile(Schema):
    """One file of the rules directory; each list may be absent. `sources` holds YAML anchors for citations.

    The file calls contraindications `limits`.
    """

    sources: dict[str, Any] = {}
    populations: list[Population] = []
    definitions: list[Definition] = []
    rules: list[Rule] = []
    contraindications: Annotated[list[Contraindication], Field(alias="limits")] = []
    consults: list[ConsultRule] = []
