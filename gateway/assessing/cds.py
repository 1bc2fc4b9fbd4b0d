"""Cards for record systems (CDS Hooks): who may ask, what a record comes to, and what is stored of it: nothing, unless
the site says so."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from gateway.assessing.admission import Admission
from gateway.assessing.assessments import AssessmentUseCases
from gateway.assessing.case import Case
from gateway.platform.audit import Audit, Outcome
from gateway.platform.audit_actions import AuditAction
from gateway.platform.clock import now
from gateway.platform.database.ids import uuid7
from gateway.platform.identity.accounts import Accounts
from gateway.platform.identity.assertions import (
    Assertion,
    read_assertion,
    require_registered_address,
    verified_claims,
)
from gateway.platform.identity.published_keys import PublishedKeys
from gateway.platform.identity.scopes import Principal, cds_actor
from gateway.platform.identity.used_tokens import UsedTokens
from gateway.platform.paging import Window
from gateway.records.assessments import Selection
from gateway.records.cds_clients import CdsClient, CdsClients
from shared.contracts.assessment import Assessment
from shared.problems import NotAuthenticated, PatientRestricted

# What a record system's call may do; it sees no restricted record.
SCOPES = frozenset({"assessments:read", "assessments:write"})
# Without a token, where the operator allows that on this very machine.
UNNAMED = cds_actor("unnamed")
# Earlier assessments among which one with a radiograph is looked for.
LOOK_BACK = 20


@dataclass(frozen=True)
class CdsCaller:
    """A record system that showed who it is, and the FHIR servers that may be asked for it."""

    who: Principal
    fhir_servers: tuple[str, ...] = ()


@dataclass(frozen=True)
class CdsUseCases:
    """What record systems do.

    Args:
        published: fetches keys from registered addresses.
        used: keeps a token from being good twice.
    """

    clients: CdsClients
    published: PublishedKeys
    used: UsedTokens
    accounts: Accounts
    assessments: AssessmentUseCases
    admission: Admission
    audit: Audit

    async def caller(self, token: str | None, audiences: Sequence[str], from_here: bool) -> CdsCaller:
        """The record system behind a call.

        Args:
            token: the JWT that came as the bearer of the call; null where none did.
            audiences: the address of the service, which the token has to be for; several where it has two names.
            from_here: whether the call came from this very machine, and from nobody behind it.

        Raises:
            NotAuthenticated: no token, or one that is not valid, not of a registered system, or was used before.
            TooManyRequests: more than one caller may send within a minute, or one address with bad tokens.
            ServiceUnavailable: the system's keys cannot be had from its address.
        """
        if token is None and from_here and self.assessments.settings.cds_open:
            organisation = await self.accounts.first_organisation(self.assessments.settings.organisation)
            found = CdsCaller(Principal(UNNAMED, organisation, SCOPES, "system"))
        else:
            try:
                found = await self._known(token, audiences)
            except NotAuthenticated:
                await self.admission.count_bad_credential()
                await self.audit.write(None, "nobody", AuditAction.ACCESS, "credential", "refused")
                raise
        await self.admission.count_request(found.who)
        return found

    async def assess(self, who: Principal, case: Case) -> Assessment:
        """What a record comes to: clinical findings and rules alone. It is stored only where the site says so.

        Raises:
            TooManyRequests, TooBusy: as for any assessment.
            Conflict: the patient was erased meanwhile, where it is stored.
        """
        if self.assessments.settings.cds_store:
            await self.admission.count_assessment(who)
            return (await self.assessments.assess_case(who, case, None, False)).visible.assessment
        async with self.admission.turn(who):
            findings = await self.assessments.workflow.assess(case)
        return findings.assessment(uuid7(), now(), case.patient_number)

    async def newest_film(self, who: Principal, patient_number: str | None) -> Assessment | None:
        """The newest assessment that is stored of the same patient and has a radiograph that was read.

        Null where there is none, or the patient's record is restricted.
        """
        patients = self.assessments.patients
        known = await patients.by_number(who.organisation_id, patient_number) if patient_number else None
        if known is None:
            return None
        try:
            page = await self.assessments.assessments.page(who, LOOK_BACK, Window(), Selection(known.id))
        except PatientRestricted:
            return None
        seen = (stored.assessment for stored in page.items)
        return next((one for one in seen if one.imaging is not None and not one.is_withdrawn), None)

    async def note_call(self, who: Principal, service: str, outcome: Outcome = "done") -> None:
        """A line of the trail for a call of a service."""
        await self.audit.write(who.organisation_id, who.id, AuditAction.CDS_CARDS_GIVEN, f"service:{service}", outcome)

    async def note_feedback(self, who: Principal, card: UUID, outcome: str) -> None:
        """A line of the trail for what became of a card."""
        subject = f"card:{card}:{outcome}"
        await self.audit.write(who.organisation_id, who.id, AuditAction.CDS_FEEDBACK, subject)

    async def _known(self, token: str | None, audiences: Sequence[str]) -> CdsCaller:
        if token is None:
            raise NotAuthenticated("Send 'Authorization: Bearer <JWT>', signed as CDS Hooks 2.0.1 has it.")
        read = read_assertion(token)
        client = await self._client(read)
        keys = await self.published.of(client.key_set, read.kid)
        claims = verified_claims(read, keys, *audiences, dated=True)
        await self.used.use("CDS call", claims)
        return CdsCaller(Principal(cds_actor(client.id), client.organisation_id, SCOPES, "system"), client.fhir_servers)

    async def _client(self, read: Assertion) -> CdsClient:
        client = await self.clients.by_issuer(read.issuer)
        if client is None:
            raise NotAuthenticated("No CDS client of this `iss` is registered here: see trabecula cds add.")
        require_registered_address(read, client.key_set)
        return client
