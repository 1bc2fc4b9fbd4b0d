"""One case as the rules see it: the request, and the derived measures that several facts share."""

from dataclasses import dataclass, field
from functools import cached_property

from services.recommender import density, fractures, kidney
from shared.contracts.findings import ClinicalFinding, ImagingFinding, StagingFinding, WhoClass
from shared.contracts.recommendation import DrugClass, RecommendationRequest, Status
from shared.contracts.record import ClinicalRecord


@dataclass(frozen=True)
class Case:
    """The request, and, once the drug classes are resolved, their statuses (rules may look back at them)."""

    request: RecommendationRequest
    statuses: dict[DrugClass, Status] = field(default_factory=dict)

    @property
    def record(self) -> ClinicalRecord | None:
        return self.request.record

    @property
    def imaging(self) -> ImagingFinding | None:
        return self.request.imaging

    @property
    def staging(self) -> StagingFinding | None:
        return self.request.staging

    @property
    def clinical(self) -> ClinicalFinding | None:
        return self.request.clinical

    @cached_property
    def creatinine_clearance(self) -> float | None:
        """mL/min by Cockcroft-Gault, where creatinine and weight are known."""
        record = self.record
        if record is None or record.creatinine_umol_per_l is None or record.weight_kg is None:
            return None
        return kidney.creatinine_clearance(
            record.age, record.weight_kg, record.creatinine_umol_per_l, record.gender == "female"
        )

    @cached_property
    def egfr(self) -> float | None:
        """mL/min/1.73 m2: the laboratory's own figure, or CKD-EPI 2021 from the creatinine of an adult."""
        record = self.record
        if record is None or record.egfr_ml_per_min is not None:
            return record.egfr_ml_per_min if record else None
        if record.creatinine_umol_per_l is None or record.age < 18:
            return None
        return kidney.estimated_gfr(record.age, record.creatinine_umol_per_l, record.gender == "female")

    @cached_property
    def who_class(self) -> WhoClass | None:
        """The clinical service's class where it gave one, else the class of the record's own DXA scores."""
        if self.clinical and self.clinical.bone_density and self.clinical.bone_density.who_class:
            return self.clinical.bone_density.who_class
        return density.who_class(self.record, fractures.low_trauma_at(self.record)) if self.record else None

    @cached_property
    def lowest_t_score(self) -> float | None:
        """The lowest T-score by DXA at a diagnostic site, whoever of the record or the service names it."""
        own = density.lowest_score(self.record.t_scores) if self.record else None
        named = self.clinical.bone_density.t_score if self.clinical and self.clinical.bone_density else None
        return min((score for score in (own, named) if score is not None), default=None)
