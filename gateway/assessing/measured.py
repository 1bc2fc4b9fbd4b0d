"""How often answers like this one were right: figures from the card of the very version that gave it.

Nothing is typed in here. A version whose card is not at hand has no figures, and the words then say so.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from gateway.assessing.services import Services
from gateway.records.stored_risk import AnyRisk
from shared.components import SERVICE_NAMES
from shared.contracts.assessment import Assessment
from shared.contracts.base import ModelReference
from shared.contracts.findings import ClinicalFinding, ImagingFinding, Knee
from shared.contracts.models import ModelCard
from shared.contracts.risk import RiskRequest
from shared.problems import TrabeculaError

# The age from which the estimate was judged, and where the younger of its two groups ends; years.
JUDGED_FROM, OLDER_FROM = 50, 65
# A spine that gets an answer is a DXA image or a cut-out one. The finding does not say which.
SITES = {"knee": ("within_knees",), "spine": ("within_spine_dxa", "within_spine_cut_out")}
Metrics = dict[str, Any]


@dataclass(frozen=True)
class Interval:
    """A share of one with its 95 % interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Estimate:
    """Of people with this answer, of this `group` of age and sex, the share that had osteoporosis in the scan."""

    group: str
    answer: str
    share: Interval


@dataclass(frozen=True)
class Film:
    """Of films with osteoporosis, the share that is called so; of those without, the share that is not."""

    sensitivity: Interval
    specificity: Interval


@dataclass(frozen=True)
class Grades:
    """Of knees that were graded as surely as the less sure one here: the share that readers grade alike."""

    right: float
    within_one: float | None


@dataclass(frozen=True)
class Measured:
    """What was measured of each part; null where the part gave no answer, or its card no figure for it."""

    estimate: Estimate | None = None
    film: Film | None = None
    grades: Grades | None = None


NOT_MEASURED = Measured()


@dataclass(frozen=True)
class MeasuredFigures:
    """Finds the figures. Cards are fetched when a version is met that none of them is of.

    Args:
        services: whose cards they are.
    """

    services: Services
    _cards: dict[str, Sequence[ModelCard]] = field(default_factory=dict)

    async def of(self, assessment: Assessment, risk: AnyRisk | None) -> Measured:
        """The figures for an answer.

        Args:
            risk: the record behind it, for the age and the sex.
        """
        clinical, imaging, staging = assessment.clinical, assessment.imaging, assessment.staging
        return Measured(
            estimate(await self._metrics("clinical", clinical.model), clinical, risk) if clinical else None,
            film(await self._metrics("imaging", imaging.model), imaging) if imaging else None,
            grades(await self._metrics("staging", staging.model), staging.knees) if staging else None,
        )

    async def _metrics(self, service: str, model: ModelReference) -> Metrics:
        found = self._known(service, model)
        if found is None:
            client = self.services.all()[SERVICE_NAMES.index(service)]
            try:
                self._cards[service] = await self.services.cards(client)
            except TrabeculaError:  # the answer is there, and is shown without them
                return {}
            found = self._known(service, model)
        return found or {}

    def _known(self, service: str, model: ModelReference) -> Metrics | None:
        wanted = (model.name, model.version)
        cards = (card.metrics for card in self._cards.get(service, ()) if (card.name, card.version) == wanted)
        return next(cards, None)


def estimate(metrics: Metrics, clinical: ClinicalFinding, risk: AnyRisk | None) -> Estimate | None:
    """What became of people with this category; none where a rule gave it, or people like this were not judged."""
    if not isinstance(risk, RiskRequest) or clinical.decided_by != "model" or clinical.category is None:
        return None
    age, sex = risk.record.age, {"female": "women", "male": "men"}.get(risk.record.gender)
    if sex is None or age < JUDGED_FROM:
        return None
    older = age >= OLDER_FROM
    group = f"{sex} of {OLDER_FROM} and over" if older else f"{sex} of {JUDGED_FROM} to {OLDER_FROM - 1}"
    answers = metrics.get("categories", {}).get("held_out", {}).get(group, {}).get("answers", {})
    figures = answers.get("high" if clinical.category == "high" else "moderate or high", {})
    share = figures.get("osteoporosis_among_the_others" if clinical.category == "low" else "ppv")
    if share is None:
        return None
    return Estimate(f"{sex}_{OLDER_FROM if older else JUDGED_FROM}", clinical.category, Interval(*share))


def film(metrics: Metrics, imaging: ImagingFinding) -> Film | None:
    """How well films of this part of the body are told apart; of two kinds of spine, those of the worse."""
    if imaging.indeterminate:
        return None
    found = [metrics[site] for site in SITES[imaging.anatomy] if site in metrics]
    if not found:
        return None
    worst = min(found, key=lambda site: float(site["sensitivity"]["value"] + site["specificity"]["value"]))
    return Film(Interval(**worst["sensitivity"]), Interval(**worst["specificity"]))


def grades(metrics: Metrics, knees: Sequence[Knee]) -> Grades | None:
    """How often a grade is right, apart for those that are called uncertain."""
    unsure = any(knee.quality == "uncertain" for knee in knees)
    apart = metrics.get("uncertain", {})
    right = apart.get("accuracy_of_the_uncertain" if unsure else "accuracy_of_the_others")
    if right is None:
        return None
    return Grades(float(right), None if unsure else metrics.get("within_one_grade", {}).get("value"))
