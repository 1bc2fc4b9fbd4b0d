"""Clinicians sign, amend and withdraw assessments. Until one has, an answer is preliminary."""

from dataclasses import dataclass
from uuid import UUID

from gateway.platform.identity.scopes import Principal
from gateway.records.reviews import Reviews
from shared.contracts.assessment import Assessment
from shared.contracts.review import AmendedFindings, Review
from shared.problems import Conflict, NotAuthorised


@dataclass(frozen=True)
class ReviewUseCases:
    """What a clinician does with an assessment once it was made.

    Every one of them raises NotAuthorised where a patient, an administrator or a hospital system asks, NotFound where
    there is no such assessment that the caller may see, PatientRestricted where the caller has to open the patient's
    record first, and Conflict where it was withdrawn before.
    """

    reviews: Reviews

    async def sign(self, assessment_id: UUID, who: Principal) -> Assessment:
        """Stand by the answer as it is. What is signed stays signed: once more changes nothing."""

        def allowed(review: Review) -> bool:
            _not_withdrawn(review)
            return review.status == "preliminary"

        _is_clinician(who)
        return (await self.reviews.add(assessment_id, who, "signed", allowed)).assessment

    async def amend(self, assessment_id: UUID, who: Principal, reason: str, findings: AmendedFindings) -> Assessment:
        """Say what is right instead, and sign that. The software's answer stays to be seen beside it."""

        def allowed(review: Review) -> bool:
            _not_withdrawn(review)
            return True

        _is_clinician(who)
        return (await self.reviews.add(assessment_id, who, "amended", allowed, reason, findings)).assessment

    async def withdraw(self, assessment_id: UUID, who: Principal, reason: str) -> Assessment:
        """Take the answer back, as where it is of another patient: nobody may rely on it, and its alerts are closed."""

        def allowed(review: Review) -> bool:
            _not_withdrawn(review)
            return True

        _is_clinician(who)
        return (await self.reviews.add(assessment_id, who, "withdrawn", allowed, reason)).assessment


def _is_clinician(who: Principal) -> None:
    if who.role != "clinician":
        raise NotAuthorised("Clinicians sign, amend and withdraw assessments, each with an account of their own.")


def _not_withdrawn(review: Review) -> None:
    if review.status == "withdrawn":
        raise Conflict("This assessment was withdrawn: make a new one.")
