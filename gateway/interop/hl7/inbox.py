"""What becomes of a message that came in: orders are remembered, merges proposed; once, however often it is sent."""

from dataclasses import dataclass
from uuid import UUID

from gateway.assessing.patient_merges import PatientMergeUseCases
from gateway.interop.hl7.announced import MERGE, ORDERS, Merged, merges_of, orders_of
from gateway.interop.hl7.reading import NotTaken, Received
from gateway.platform.audit import Audit
from gateway.platform.database.engine import Sessions
from gateway.platform.encryption import installation_key
from gateway.platform.identity.scopes import RESTRICTED, Principal
from gateway.records.assessments import Assessments
from gateway.records.orders import AnnouncedMessage, Orders
from gateway.records.patient_merges import PatientMerges
from gateway.records.patient_records import PatientRecords
from gateway.records.patients import Patients
from gateway.settings import GatewaySettings
from shared.problems import Conflict, InvalidInput

LONGEST_ACTOR = 100


def inbox_of(settings: GatewaySettings, sessions: Sessions, organisation_id: UUID) -> "Inbox":
    """The inbox of an organisation.

    Args:
        sessions: of a database whose commits last.
    """
    kek = installation_key(settings)
    patients = Patients(sessions, kek)
    records, assessments = PatientRecords(sessions, patients), Assessments(sessions, kek)
    merges = PatientMergeUseCases(PatientMerges(sessions, patients), records, assessments, Audit(sessions))
    return Inbox(Orders(sessions, patients), merges, patients, organisation_id, settings.hl7_accession)


@dataclass(frozen=True)
class Inbox:
    """Does what messages ask, for one organisation.

    Args:
        orders: its commits last: what is acknowledged is not sent again.
        merges: proposals, which a person decides.
        patients: find the patients.
        accession_field: of an order, as `OBR-18`.
    """

    orders: Orders
    merges: PatientMergeUseCases
    patients: Patients
    organisation_id: UUID
    accession_field: str

    async def take(self, received: Received) -> None:
        """Do what a message asks, and return once that is stored.

        Raises:
            NotTaken: it is malformed, or of a kind that nothing is done with here.
        """
        header = received.header
        if header.processing != "P":
            raise NotTaken(
                f"MSH-11 is '{header.processing}': only messages in production (P) are done here.",
                "AR",
                "hl7_processing_id",
                "202" if header.processing else "101",
            )
        message = AnnouncedMessage(f"hl7:{header.sender}"[:LONGEST_ACTOR], received.key)
        if header.kind in ORDERS:
            announced = orders_of(received, self.accession_field)
            if not await self.orders.heard(self.organisation_id, message):
                await self.orders.note(self.organisation_id, message, announced.wanted, announced.over)
        elif header.kind == MERGE:
            pairs = merges_of(received)
            if not await self.orders.heard(self.organisation_id, message):
                for pair in pairs:
                    await self._propose(pair, received, message.sender)
                await self.orders.note(self.organisation_id, message)
        else:
            raise NotTaken(
                f"{header.kind} is not taken here: send {', '.join((*ORDERS, MERGE))}.", "AR", "hl7_message_type", "200"
            )

    async def _propose(self, pair: Merged, received: Received, sender: str) -> None:
        """Let a person decide on a merge; nothing where the number that is given up is nobody's here."""
        retired = await self.patients.by_number(self.organisation_id, pair.retired)
        if retired is None:
            return
        # The site connected the sender, which says of every patient alike; a person decides in the end.
        scopes = frozenset({"patients:read", "patients:write", RESTRICTED})
        who = Principal(sender, self.organisation_id, scopes, "system")
        note = f"{received.header.kind} of {received.header.sender}, message {received.header.control_id}"
        try:
            surviving = await self.patients.get_or_create(self.organisation_id, pair.surviving, sender)
            await self.merges.propose(who, retired.id, surviving.id, note)
        except Conflict:  # both numbers lead to the same patient already
            return
        except InvalidInput as error:
            raise NotTaken(error.detail, "AE", "hl7_malformed", "102") from error
