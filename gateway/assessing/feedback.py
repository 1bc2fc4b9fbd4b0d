"""Clinicians say what they know better of a finding, and everybody sees how far the software agreed over time."""

from dataclasses import dataclass
from uuid import UUID

from gateway.assessing.agreement import AgreementView, agreement
from gateway.platform.identity.scopes import Principal
from gateway.records.feedback import FeedbackStore
from shared.contracts.assessment import Assessment
from shared.contracts.feedback import Answered, Dxa, Feedback, Grade, Mark, StoredFeedback
from shared.contracts.findings import Knee
from shared.problems import InvalidInput, NotAuthorised


@dataclass(frozen=True)
class FeedbackUseCases:
    """What is said of assessments once they were made. It changes no answer, and is no part of the record."""

    store: FeedbackStore

    async def give(self, assessment_id: UUID, who: Principal, feedback: Feedback) -> StoredFeedback:
        """Store feedback of a clinician.

        Raises:
            NotAuthorised: a patient, an administrator or a hospital system asks.
            NotFound: there is no such assessment that the caller may see.
            PatientRestricted: the caller has to open the patient's record first.
            InvalidInput: the assessment has no such part, or no such knee.
        """
        if who.role != "clinician":
            raise NotAuthorised("Clinicians give feedback, each with an account of their own.")
        return await self.store.add(assessment_id, who, feedback, lambda made: answered_to(feedback, made))

    async def of_assessment(self, assessment_id: UUID, who: Principal) -> list[StoredFeedback]:
        """What was said of an assessment, oldest first.

        Raises:
            NotAuthorised: a patient's own account asks; the export has it.
            NotFound, PatientRestricted: as `give`.
        """
        _is_staff(who)
        return await self.store.of_assessment(assessment_id, who)

    async def agreement(self, who: Principal) -> AgreementView:
        """How far the software agreed, by month.

        Raises:
            NotAuthorised: a patient's own account asks.
        """
        _is_staff(who)
        return agreement(await self.store.all(who))


def visible_feedback(stored: StoredFeedback, who: Principal) -> StoredFeedback:
    """Feedback as the caller may see it: a patient reads neither a colleague's name nor the words meant for one."""
    if not who.is_patient:
        return stored
    without = stored.feedback.model_copy(update={"note": None})
    return stored.model_copy(update={"by": "clinician", "feedback": without})


def answered_to(feedback: Feedback, made: Assessment) -> Answered | None:
    """What the software had answered to the same question; none where it was not asked, or did not know.

    Raises:
        InvalidInput: the part that is marked, or the knee that is graded, is not in the answer.
    """
    match feedback:
        case Mark(part=part):
            if (finding := getattr(made, part)) is None:
                raise InvalidInput(f"This assessment has no finding of {part}.", field="part")
            return Answered(model=finding.model)
        case Grade(side=side):
            if made.staging is None:
                raise InvalidInput("In this assessment no knee was graded.", field="side")
            knee = _knee(made.staging.knees, side)
            if knee is None and side is not None and made.staging.knees:
                return None  # the network did not find that knee: the truth is kept all the same
            grade = knee.stage if knee else made.staging.kl_grade
            return Answered(model=made.staging.model, kl_grade=grade)
        case Dxa():
            imaging = made.imaging
            if imaging is None or imaging.indeterminate:
                return None
            return Answered(model=imaging.model, osteoporosis=imaging.label != "normal")


def _knee(knees: list[Knee], side: str | None) -> Knee | None:
    """The knee of a side, or the only one where its side is not known; none where the worse one is meant."""
    if side is None:
        return None
    found = [knee for knee in knees if knee.side == side]
    if not found and len(knees) == 1 and knees[0].side == "unknown":
        found = knees
    return found[0] if found else None


def _is_staff(who: Principal) -> None:
    if who.is_patient:
        raise NotAuthorised("Feedback is the clinic's; what is stored about you is in your export.")
