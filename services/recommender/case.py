"""One case as the rules see it: the request, and the readings of its record that the facts are taken from."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import TypeVar

from shared.clinic import Reading, readings_of
from shared.clinic.intervals import Interval
from shared.contracts.findings import ClinicalFinding, ImagingFinding, StagingFinding, WhoClass
from shared.contracts.recommendation import DrugClass, RecommendationRequest, Status, Urgency
from shared.contracts.record import ClinicalRecord

Value = TypeVar("Value")


@dataclass(frozen=True)
class Case:
    """The request, and what later rules depend on once it is resolved.

    Attributes:
        statuses: of the drug classes.
        urgency: how soon a doctor should be seen; null where none is advised.
    """

    request: RecommendationRequest
    statuses: dict[DrugClass, Status] = field(default_factory=dict)
    urgency: Urgency | None = None

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
    def readings(self) -> tuple[Reading, ...]:
        """One reading, one by each sex where that is open, or none without a record."""
        if self.record is None:
            return ()
        return readings_of(self.record, self.request.policy, self.request.as_of)

    def read(self, fact: Callable[[Reading], Value]) -> Value | None:
        """A fact that every reading agrees on; None where they do not, or there is no record."""
        values = [fact(reading) for reading in self.readings]
        return values[0] if values and all(value == values[0] for value in values) else None

    @cached_property
    def who_class(self) -> WhoClass | None:
        """The record's class; without a record, that of the clinical finding."""
        if self.record is None:
            return self.clinical.bone_density.who_class if self.clinical and self.clinical.bone_density else None
        return self.read(lambda reading: reading.who_class)

    @cached_property
    def density_class(self) -> WhoClass | None:
        """The class by density alone; without a record, the clinical finding's, which may rest on a fracture."""
        if self.record is None:
            return self.who_class
        return self.read(lambda reading: reading.density_class)

    @cached_property
    def lowest_t_score(self) -> float | None:
        """The lowest current T-score by DXA at a diagnostic site."""
        if self.record is None:
            return self.clinical.bone_density.t_score if self.clinical and self.clinical.bone_density else None
        return self.read(lambda reading: reading.lowest_t)

    @cached_property
    def next_scan(self) -> Interval | None:
        """When the scan on record has to be repeated, the sooner of two readings; None without a scan."""
        scans = [reading.next_scan for reading in self.readings if reading.next_scan is not None]
        return min(scans, key=lambda interval: interval.by, default=None)
