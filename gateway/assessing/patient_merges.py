"""Two numbers that are one patient's: proposed by anybody who writes patients, decided by a person of the clinic."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal
from uuid import UUID

from pydantic import BaseModel, Field

from gateway.platform.audit import Audit
from gateway.platform.audit_actions import AuditAction
from gateway.platform.identity.scopes import Principal
from gateway.platform.paging import Page
from gateway.records.assessments import Assessments
from gateway.records.patient_merges import MergeStatus, PatientMerge, PatientMerges
from gateway.records.patient_records import PatientRecords
from gateway.records.patients import Patient
from shared.contracts.risk import RiskRequest
from shared.problems import NotAuthorised, NotFound, PatientRestricted

# Ages are given in whole years, so one year either way is the same year of birth.
SAME_BIRTH_YEARS = 1


class MergeDifference(BaseModel):
    """What the latest records of both say and cannot both be right."""

    field: Literal["sex", "birth_year"]
    surviving: str
    retired: str


class PatientMergeView(BaseModel):
    """`retired_number` is said to be one more number of the patient `surviving_number`. Null where erased since."""

    id: UUID
    status: MergeStatus
    surviving_id: UUID
    surviving_number: str | None
    retired_id: UUID
    retired_number: str | None
    note: str | None = Field(description="Why, in the words of whoever proposed it")
    differences: list[MergeDifference] | None = Field(
        description="What speaks against it, while it waits; null where a record is closed to this caller"
    )
    proposed_at: dt.datetime
    proposed_by: str
    decided_at: dt.datetime | None
    decided_by: str | None
    undone_at: dt.datetime | None
    undone_by: str | None


@dataclass(frozen=True)
class PatientMergeUseCases:
    """What hospital systems and people do where one patient has two numbers."""

    merges: PatientMerges
    records: PatientRecords
    assessments: Assessments
    audit: Audit

    async def propose(self, who: Principal, retired: str | UUID, surviving: str | UUID, note: str) -> PatientMergeView:
        """Say that a number is one more number of another patient. Nothing changes until a person merges them.

        Raises:
            NotAuthorised: a patient's own account asks.
            NotFound: one of the two is no patient here.
            PatientRestricted: the caller has to open one of the records first.
            Conflict: both are the same patient already.
        """
        if who.is_patient:
            raise NotAuthorised("The clinic merges records, not the patient: ask it to.")
        sides = []
        for field, identity in (("retired", retired), ("surviving", surviving)):
            patient = await self.records.known(who, identity)
            if patient is None:
                raise NotFound(f"{field}: there is no patient of this number or id.", field=field)
            sides.append(patient)
        return await self._view(who, await self.merges.propose(who, sides[0], sides[1], note))

    async def page(
        self, who: Principal, limit: int, before: UUID | None, statuses: Sequence[MergeStatus]
    ) -> Page[PatientMergeView, UUID]:
        """The organisation's in these states, newest first."""
        found = await self.merges.page(who, limit, before, statuses)
        return Page.model_construct(items=[await self._view(who, merge) for merge in found.items], next=found.next)

    async def merge(self, merge_id: UUID, who: Principal) -> PatientMergeView:
        """Give everything of the retired patient to the surviving one; its number leads there from then on.

        Raises:
            NotAuthorised: no person asks.
            NotFound: the organisation has no such proposal.
            PatientRestricted: the caller has to open one of the records first.
            Conflict: it was decided before, one of them was erased or merged since, or a case is being assessed.
        """
        await self._must_be_staff(who, AuditAction.PATIENTS_MERGED)
        return await self._view(who, await self.merges.merge(merge_id, who))

    async def refuse(self, merge_id: UUID, who: Principal) -> PatientMergeView:
        """They are two people.

        Raises:
            NotAuthorised, NotFound, PatientRestricted, Conflict: as `merge`.
        """
        await self._must_be_staff(who, AuditAction.PATIENT_MERGE_REFUSED)
        return await self._view(who, await self.merges.refuse(merge_id, who))

    async def undo(self, merge_id: UUID, who: Principal) -> PatientMergeView:
        """Take two patients apart again: what came from the retired one goes back, what came since stays.

        Raises:
            NotAuthorised, NotFound, PatientRestricted: as `merge`.
            Conflict: they are not merged, or a later merge has to be undone first.
        """
        await self._must_be_staff(who, AuditAction.PATIENT_MERGE_UNDONE)
        return await self._view(who, await self.merges.undo(merge_id, who))

    async def _must_be_staff(self, who: Principal, action: AuditAction) -> None:
        if who.account_id is None or who.is_patient:
            await self.audit.write(who.organisation_id, who.id, action, outcome="refused")
            raise NotAuthorised("A member of staff decides this, with their own account.")

    async def _view(self, who: Principal, merge: PatientMerge) -> PatientMergeView:
        differences = await self._differences(who, merge) if merge.status == "proposed" else []
        return PatientMergeView(**vars(merge), differences=differences)

    async def _differences(self, who: Principal, merge: PatientMerge) -> list[MergeDifference] | None:
        facts = []
        for patient_id in (merge.surviving_id, merge.retired_id):
            try:
                patient = await self.records.find(who, patient_id, AuditAction.PATIENT_READ)
            except NotFound:  # erased since
                return []
            except PatientRestricted:
                return None
            facts.append(await self._facts(patient))
        surviving, retired = facts
        return [
            MergeDifference(field=field, surviving=surviving[field], retired=retired[field])
            for field in ("sex", "birth_year")
            if field in surviving and field in retired and _differ(surviving[field], retired[field])
        ]

    async def _facts(self, patient: Patient) -> dict[str, str]:
        """What the patient's latest record says of sex and year of birth."""
        for stored in reversed(await self.assessments.of_patient(patient.id)):
            if isinstance(stored.risk, RiskRequest):
                record = stored.risk.record
                sex = record.sex_recorded_at_birth or record.gender
                known = {"sex": sex} if sex in ("female", "male") else {}
                return {**known, "birth_year": str(stored.assessment.created_at.year - int(record.age))}
        return {}


def _differ(one: str, other: str) -> bool:
    if one.isdigit() and other.isdigit():
        return abs(int(one) - int(other)) > SAME_BIRTH_YEARS
    return one != other
