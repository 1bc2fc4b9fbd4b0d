"""What becomes of a message that came in: orders are remembered, merges proposed; once, however often it is sent."""

from dataclasses import dataclass
from uuid import UUID

import structlog

from gateway.assessing.patient_merges import PatientMergeUseCases
from gateway.interop.hl7.announced import MERGE, ORDERS, Merged, merges_of, orders_of
from gateway.interop.hl7.reading import NotTaken, Received
from gateway.platform.audit import Audit
from gateway.platform.database.engine import Sessions
from gateway.platform.encryption import installation_key
from gateway.platform.identity.scopes import RESTRICTED, Principal
from gateway.records.assessments import Assessments
from gateway.records.films import Films
from gateway.records.late_orders import LateOrders
from gateway.records.orders import AnnouncedMessage, Orders
from gateway.records.patient_merges import PatientMerges
from gateway.records.patient_records import PatientRecords
from gateway.records.patients import Patients
from gateway.settings import GatewaySettings
from shared.problems import Conflict, InvalidInput

LONGEST_ACTOR = 100
# How an order is counted whose accession number stands on another patient's film.
OTHER_PATIENT = "hl7_other_patient"


def inbox_of(settings: GatewaySettings, sessions: Sessions, organisation_id: UUID) -> "Inbox":
    """The inbox of an organisation.

    Args:
        sessions: of a database whose commits last.
    """
    kek = installation_key(settings)
    patients = Patients(sessions, kek)
    records, assessments = PatientRecords(sessions, patients), Assessments(sessions, kek)
    merges = PatientMergeUseCases(PatientMerges(sessions, patients), records, assessments, Audit(sessions))
    orders = Orders(sessions, patients)
    late, films = LateOrders(sessions, kek, orders), Films(sessions, patients)
    return Inbox(orders, late, merges, patients, films, organisation_id, settings.hl7_accession)


@dataclass(frozen=True)
class Inbox:
    """Does what messages ask, for one organisation.

    Args:
        orders: its commits last: what is acknowledged is not sent again.
        late: joins orders to films that came before them.
        merges: proposals, which a person decides.
        patients: find the patients.
        films: count what cannot be done.
        accession_field: of an order, as `OBR-18`.
    """

    orders: Orders
    late: LateOrders
    merges: PatientMergeUseCases
    patients: Patients
    films: Films
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
            is_new = not await self.orders.heard(self.organisation_id, message)
            if is_new:
                await self.orders.note(self.organisation_id, message, announced.wanted, announced.over)
            # Where the message came before, too: the process may have ended between the one and the other.
            for order in announced.wanted:
                await self._join(order.accession, message.sender, is_new)
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

    async def _join(self, accession: str, sender: str, is_new: bool) -> None:
        """Join an order to films that came before it; a person looks into one that is of another patient."""
        found = await self.late.join(self.organisation_id, accession, sender)
        for assessment in found.of_others:
            structlog.get_logger("trabecula").warning(
                "an order is of another patient than its film", sender=sender, assessment=str(assessment)
            )
            if is_new:
                await self.films.turned_away(OTHER_PATIENT)

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
