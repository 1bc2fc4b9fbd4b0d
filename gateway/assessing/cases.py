"""Cases as staff work through them: the list, how far somebody is, and whom a result is of."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from gateway.platform.audit_actions import AuditAction
from gateway.platform.clock import today
from gateway.platform.identity.accounts import Accounts
from gateway.platform.identity.scopes import Principal
from gateway.records.assessments import Assessments
from gateway.records.encrypted import StoredAssessment
from gateway.records.work_list import CasePage, CaseState, CaseStatus, Wanted, WorkList
from shared.contracts.assessment import Assessment
from shared.contracts.record import DensityScore, Fracture
from shared.contracts.risk import RiskRequest
from shared.problems import NotAuthorised

DAYS_A_YEAR = 365.25


@dataclass(frozen=True)
class PatientFacts:
    """What the last record says of a person, as a colleague would begin to tell of them.

    Args:
        age: years, today.
        day: of the record.
        t_score: the lowest of DXA.
    """

    day: dt.date
    age: int | None = None
    gender: str | None = None
    weight_kg: float | None = None
    height_cm: float | None = None
    fractures: Sequence[Fracture] = ()
    t_score: DensityScore | None = None


@dataclass(frozen=True)
class CaseContext:
    """What stands above a result: whom it is of, what was found before, and how far staff are with it.

    Args:
        film_before: the last assessment before this one with a film of the same part of the body.
    """

    patient_id: UUID | None
    facts: PatientFacts | None
    previous: Assessment | None
    film_before: Assessment | None
    state: CaseState
    by: str | None


@dataclass(frozen=True)
class CaseUseCases:
    """What staff do with the cases of their organisation; a patient's account does none of it."""

    work_list: WorkList
    assessments: Assessments
    accounts: Accounts

    async def page(self, who: Principal, limit: int, wanted: Wanted) -> CasePage:
        """A part of the work list.

        Raises:
            NotAuthorised: a patient's account asks.
        """
        _is_staff(who, "The work list is the clinic's. Your own results are under “My history”.")
        return await self.work_list.page(who, limit, wanted)

    async def emergencies(self, who: Principal) -> int:
        """How many emergencies nobody has closed yet; a patient's account is told of none."""
        return 0 if who.is_patient else await self.work_list.emergencies(who)

    async def set_status(self, assessment_id: UUID, status: CaseStatus, who: Principal) -> None:
        """Note how far staff are with a case.

        Raises:
            NotAuthorised: a patient's account asks.
            NotFound: there is none under this id that the caller may see.
            PatientRestricted: the caller has to open the patient's record first.
        """
        _is_staff(who, "The clinic says how far it is with a case, not the patient.")
        await self.work_list.set_status(assessment_id, status, who)

    async def names(self, who: Principal, states: Sequence[CaseState]) -> dict[str, str]:
        """The addresses of whoever set these states, by how the state names them."""
        return await self.accounts.emails(who.organisation_id, [state.by for state in states if state.by])

    async def context(self, assessment_id: UUID, who: Principal) -> CaseContext:
        """What stands above a result for staff.

        Raises:
            NotAuthorised: a patient's account asks.
            NotFound: there is none under this id that the caller may see.
            PatientRestricted: the caller has to open the patient's record first.
        """
        _is_staff(who, "Whom a result is of is the clinic's to see.")
        stored = await self.assessments.get(assessment_id, who, AuditAction.TIMELINE_READ)
        state = await self.work_list.state(assessment_id)
        names = await self.names(who, [state])
        earlier: list[StoredAssessment] = []
        if stored.patient_id is not None:
            known = await self.assessments.of_patient(stored.patient_id)
            earlier = [one for one in known if one.assessment.id < assessment_id and not one.assessment.is_withdrawn]
        previous = earlier[-1].assessment if earlier else None
        facts = facts_of([*earlier, stored])
        before = film_before(stored.assessment, [one.assessment for one in earlier])
        return CaseContext(stored.patient_id, facts, previous, before, state, names.get(state.by or ""))


def film_before(assessment: Assessment, earlier: Sequence[Assessment]) -> Assessment | None:
    """The last of the earlier ones with a film of the same part of the body; null where there is none."""
    if assessment.imaging is None:
        return None
    anatomy = assessment.imaging.anatomy
    return next((one for one in reversed(earlier) if one.imaging and one.imaging.anatomy == anatomy), None)


def facts_of(assessments: Sequence[StoredAssessment]) -> PatientFacts | None:
    """What the newest record says; null where there is none.

    Args:
        assessments: of one person, oldest first.
    """
    usable = [stored for stored in assessments if not stored.assessment.is_withdrawn]
    for stored in reversed(usable):
        if not isinstance(stored.risk, RiskRequest):
            continue
        record, day = stored.risk.record, stored.assessment.created_at.date()
        passed = int((today() - day).days / DAYS_A_YEAR)
        fractures = record.prior_fractures if isinstance(record.prior_fractures, list) else []
        measured = [score for score in record.t_scores or [] if score.method == "dxa"]
        return PatientFacts(
            day=day,
            age=None if record.age is None else int(record.age) + passed,
            gender=record.gender,
            weight_kg=record.weight_kg,
            height_cm=record.height_cm,
            fractures=fractures,
            t_score=min(measured, key=lambda score: score.value, default=None),
        )
    return None


def _is_staff(who: Principal, otherwise: str) -> None:
    if who.is_patient:
        raise NotAuthorised(otherwise)
