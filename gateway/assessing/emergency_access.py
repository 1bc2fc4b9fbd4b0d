"""Emergency access to a restricted patient's record: a reason, some hours, and a review by somebody else."""

import datetime as dt
from dataclasses import dataclass
from functools import partial
from uuid import UUID

import structlog
from limits import RateLimitItemPerHour
from prometheus_client import Counter

from gateway.assessing.patient_views import EmergencyAccessView
from gateway.platform.audit import Audit
from gateway.platform.audit_actions import AuditAction
from gateway.platform.database.idempotency import Earlier, IdempotentRequest, Repeats
from gateway.platform.identity.rate_limits import RateLimits
from gateway.platform.identity.scopes import Principal
from gateway.platform.paging import Page
from gateway.records.emergency_accesses import EmergencyAccesses, EmergencyReason
from gateway.records.patient_records import PatientRecords
from gateway.records.patients import Patient
from gateway.settings import GatewaySettings
from shared.problems import Conflict, NotAuthorised, NotFound, TooManyRequests

# Of one person: more is no emergency, or somebody looks through all of them.
MOST_AN_HOUR = 10
BEGUN = Counter("trabecula_emergency_accesses", "Restricted records that were opened", ["reason"], registry=None)


@dataclass(frozen=True)
class EmergencyAccessUseCases:
    """What people do to open a restricted record, and administrators to look into it."""

    records: PatientRecords
    accesses: EmergencyAccesses
    limits: RateLimits
    audit: Audit
    repeats: Repeats
    settings: GatewaySettings

    async def begin(
        self,
        who: Principal,
        patient: str | UUID,
        reason: EmergencyReason,
        note: str,
        request: IdempotentRequest | None = None,
    ) -> tuple[EmergencyAccessView, bool]:
        """Open a restricted patient's record to one person for some hours; and whether the same request did before.

        Raises:
            NotAuthorised: a hospital system or a patient's account asks: a person of the clinic answers for it.
            NotFound: there is no such patient in the caller's organisation.
            Conflict: the record is not restricted, or the request's key was used for another one.
            TooManyRequests: one person opens more records within an hour than emergencies explain.
        """
        await self._must_be_staff(who)
        known = await self.records.known(who, patient)
        if known is None:
            raise NotFound("There is no such patient.")

        async def again(before: Earlier) -> EmergencyAccessView:
            return EmergencyAccessView.of(await self.accesses.get(known, UUID(before.subject)))

        make = partial(self._begin, who, known, reason, note, request)
        return await self.repeats.once("emergency access", who.id, request, make, again)

    async def _begin(
        self, who: Principal, known: Patient, reason: EmergencyReason, note: str, request: IdempotentRequest | None
    ) -> EmergencyAccessView:
        if known.restricted_at is None:
            raise Conflict("This patient's record is not restricted: read it as it is.")
        if wait_s := await self.limits.wait_s(RateLimitItemPerHour(MOST_AN_HOUR), "emergency access", who.id):
            raise TooManyRequests(f"That is more than emergencies explain: wait {wait_s} s.", retry_after_s=wait_s)
        lasts = dt.timedelta(hours=self.settings.emergency_access_hours)
        access = await self.accesses.begin(who, known, reason, note, lasts, request)
        BEGUN.labels(reason).inc()
        structlog.get_logger("trabecula").warning("emergency access", id=str(access.id), by=who.id, reason=reason)
        return EmergencyAccessView.of(access)

    async def number_of(self, who: Principal, patient: str | UUID) -> str | None:
        """The hospital's number of a patient, which the lists show whether the record is restricted or not.

        Raises:
            NotFound: there is no such patient in the caller's organisation.
        """
        known = await self.records.known(who, patient)
        if known is None:
            raise NotFound("There is no such patient.")
        return known.patient_number

    async def page(
        self, who: Principal, limit: int, before: UUID | None, reviewed: bool | None
    ) -> Page[EmergencyAccessView, UUID]:
        """The organisation's, newest first, for those who review them."""
        return (await self.accesses.page(who, limit, before, reviewed)).map(EmergencyAccessView.of)

    async def review(self, access_id: UUID, who: Principal, note: str) -> EmergencyAccessView:
        """Say what came of looking into one.

        Raises:
            NotFound: the organisation has none under this id.
            NotAuthorised: it is the reviewer's own, or a hospital system asks.
            Conflict: it was reviewed before.
        """
        await self._must_be_staff(who)
        return EmergencyAccessView.of(await self.accesses.review(access_id, who, note))

    async def waiting(self, who: Principal) -> int:
        """How many wait for a review by somebody like the caller; none for those who review nothing."""
        return await self.accesses.waiting(who.organisation_id) if "admin" in who.scopes else 0

    async def open_until(self, who: Principal, patient_id: UUID) -> dt.datetime | None:
        """Until when a record is open to the caller by emergency access; null where it is not."""
        return await self.accesses.open_until(who, patient_id)

    async def _must_be_staff(self, who: Principal) -> None:
        if who.account_id is None or who.is_patient:
            action = AuditAction.EMERGENCY_ACCESS_BEGUN
            await self.audit.write(who.organisation_id, who.id, action, outcome="refused")
            raise NotAuthorised("A member of staff opens or reviews this, with their own account.")
