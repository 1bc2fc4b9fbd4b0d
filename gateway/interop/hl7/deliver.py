"""Sending results as HL7 v2 messages: what holds when it is sent, until the other side has taken it."""

import re
from dataclasses import dataclass
from functools import partial
from uuid import UUID

import anyio
from pydantic import ValidationError

from gateway.assessing.assessments import AssessmentUseCases
from gateway.assessing.outbox_worker import NotDelivered, Withheld
from gateway.assessing.results import ResultUseCases
from gateway.interop.dicom.installed import require_installed
from gateway.interop.fhir.writing.result import Result
from gateway.interop.hl7.destinations import Hl7Destination
from gateway.interop.hl7.result_message import ResultMessage, result_message
from gateway.interop.hl7.transmit import REFUSED, transmit
from gateway.platform.identity.scopes import Principal, destination_actor
from gateway.records.destinations import Destination
from gateway.records.outbox import Delivery, Outbox
from shared.problems import NotFound, NotInstalled

# A result that changes while it is sent is sent as it then stands.
MOST_CHANGES = 3


@dataclass(frozen=True)
class Hl7Deliverer:
    """Sends to systems that take ORU^R01. Whatever the event was, what goes out is how the result stands now.

    Args:
        results: what messages are made of.
        assessments: make the report.
        outbox: knows what went out before.
        version: of the gateway.
    """

    results: ResultUseCases
    assessments: AssessmentUseCases
    outbox: Outbox
    version: str

    async def deliver(self, delivery: Delivery, destination: Destination) -> None:
        """Send the message, and return once it was acknowledged.

        Raises:
            Withheld: there is nothing to send: it names no patient, or was withdrawn before anything went out.
            NotDelivered: it was not taken; for good where the other side refuses it.
        """
        to, sent = _read(destination), None
        for _ in range(MOST_CHANGES):
            made = await self._message(delivery, destination, to)
            if made.control_id == sent:
                return
            answer = await transmit(made.data, made.control_id, to)
            if answer.code in REFUSED:
                words = _without_names(answer.words, made) or "without a reason"
                raise NotDelivered(f"it answered {answer.code}: {words}", for_good=True)
            sent = made.control_id

    async def _message(self, delivery: Delivery, destination: Destination, to: Hl7Destination) -> ResultMessage:
        try:
            require_installed()
        except NotInstalled as error:
            raise NotDelivered(error.detail) from error
        who = Principal(
            destination_actor(destination.id),
            destination.organisation_id,
            # The operator named the system, which has the patient and rules of its own about who sees what.
            frozenset({"assessments:read", "patients:restricted"}),
            "system",
        )
        try:
            content = await self.results.one(UUID(delivery.subject), who)
        except (NotFound, ValueError) as error:  # it was erased, or is no result
            raise Withheld("there is no such result any more") from error
        if content.assessment.patient_number is None:
            raise Withheld("it names no patient")
        if content.assessment.is_withdrawn and not await self.outbox.was_tried(delivery):
            raise Withheld("it was withdrawn before it was sent")
        pdf = await self._pdf(UUID(delivery.subject), who) if to.pdf else None
        result = Result(content, "", None, self.version)
        return await anyio.to_thread.run_sync(partial(result_message, result, to, pdf))

    async def _pdf(self, assessment_id: UUID, who: Principal) -> bytes:
        from gateway.reports.report import pdf_of  # with the fonts' libraries

        report = await self.assessments.report_content(assessment_id, who, "clinician")
        pdf, _ = await anyio.to_thread.run_sync(pdf_of, report, "en")
        return pdf


def _read(destination: Destination) -> Hl7Destination:
    """The destination's settings, which may name files that are gone."""
    try:
        return Hl7Destination.model_validate(destination.settings)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        raise NotDelivered(f"its settings cannot be used: {first['msg']}") from error


def _without_names(words: str, made: ResultMessage) -> str:
    """What the other side says, without what names the patient: errors stand in lists and logs."""
    for name in made.names:
        words = re.sub(re.escape(name), "(patient)", words, flags=re.IGNORECASE)
    return words
