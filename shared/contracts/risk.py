"""What the clinical service is asked: one record or many, by either of its two models."""

from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, StrictBool, Tag

from shared.contracts.base import Contract
from shared.contracts.findings import ClinicalFinding
from shared.contracts.policy import AsOf, ClinicPolicy
from shared.contracts.record import ClinicalRecord, Number, Sex

ClinicalModel = Literal["bone_density", "lifestyle"]
LARGEST_BATCH = 10_000


class LifestyleRecord(Contract):
    """The seed system's questionnaire. Its categories carry no units and do not map from the clinical record."""

    age: Annotated[Number, Field(ge=0, le=120, description="Age, years")]
    gender: Sex
    hormonal_changes: Literal["normal", "postmenopausal"]
    family_history: StrictBool
    ethnicity: Literal["african_american", "asian", "caucasian"]
    body_weight: Literal["normal", "underweight"]
    calcium_intake: Literal["low", "adequate"]
    vitamin_d_intake: Literal["insufficient", "sufficient"]
    physical_activity: Literal["sedentary", "active"]
    smoking: StrictBool
    alcohol_consumption: Literal["none", "moderate"]
    medical_conditions: Literal["none", "hyperthyroidism", "rheumatoid_arthritis"]
    medications: Literal["none", "corticosteroids"]
    prior_fractures: StrictBool


class RiskRequest(Contract):
    """One clinical record for the bone-density model, the default."""

    record: ClinicalRecord
    clinical_model: Literal["bone_density"] = "bone_density"
    policy: ClinicPolicy = ClinicPolicy()
    as_of: AsOf = None


class LifestyleRiskRequest(Contract):
    """One questionnaire for the seed system's model."""

    record: LifestyleRecord
    clinical_model: Literal["lifestyle"]


def _model_named(body: Any) -> str:
    named = body.get("clinical_model") if isinstance(body, dict) else getattr(body, "clinical_model", None)
    return "lifestyle" if named == "lifestyle" else "bone_density"


AnyRiskRequest = Annotated[
    Annotated[RiskRequest, Tag("bone_density")] | Annotated[LifestyleRiskRequest, Tag("lifestyle")],
    Discriminator(_model_named),
]


class RiskBatchRequest(Contract):
    """Many clinical records for the bone-density model in one call."""

    records: Annotated[list[ClinicalRecord], Field(min_length=1, max_length=LARGEST_BATCH)]
    policy: ClinicPolicy = ClinicPolicy()
    as_of: AsOf = None


class RiskBatchAnswer(Contract):
    """One finding a record, in the order of the request."""

    findings: list[ClinicalFinding]
