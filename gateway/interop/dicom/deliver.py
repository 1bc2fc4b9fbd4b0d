"""Sending a result's objects to an archive: what holds when it is sent, and what takes back what was withdrawn."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar
from uuid import UUID, uuid4

import anyio
from pydantic import ValidationError

from gateway.assessing.dicom_results import DICOMWEB, DIMSE, DicomContent, DicomUseCases
from gateway.assessing.outbox_worker import AwaitsCommitment, Deliverer, NotDelivered
from gateway.interop.dicom.destinations import DicomWebDestination, DimseDestination
from gateway.interop.dicom.objects import REJECTION, DicomObject, objects_of
from gateway.interop.dicom.store import NotReached, ask_commitment, store
from gateway.interop.dicom.stow import stow
from gateway.platform.identity.scopes import Principal, destination_actor
from gateway.records.destinations import Destination
from gateway.records.outbox import Delivery, Outbox
from shared.problems import NoDicomSource, NotFound, NotInstalled

To = TypeVar("To", DimseDestination, DicomWebDestination)


@dataclass(frozen=True)
class DicomDeliverer(Generic[To]):
    """Sends to archives of one kind. Whatever the event was, what goes out is how the result stands now.

    Args:
        results: what objects are made of.
        kind: reads a destination's settings.
        send: takes the objects there, in a thread of its own.
        outbox: knows which requests for storage commitment are open.
    """

    results: DicomUseCases
    kind: type[To]
    send: Callable[[Sequence[DicomObject], To], None]
    outbox: Outbox

    async def deliver(self, delivery: Delivery, destination: Destination) -> None:
        """Send the objects; nothing where there are none, as of a picture that was no DICOM file.

        What is withdrawn while it is sent is taken back at once.

        Raises:
            NotDelivered: the archive does not have all of them.
            AwaitsCommitment: it took them, and was asked to confirm that it keeps them.
        """
        to, assessment_id = self._read(destination), UUID(delivery.subject)
        was_withdrawn, objects = await self._send_as_it_stands(assessment_id, destination, to)
        if not was_withdrawn and await self.results.is_withdrawn(assessment_id):
            _, objects = await self._send_as_it_stands(assessment_id, destination, to)
        if objects and isinstance(to, DimseDestination) and to.commitment:
            uid = f"2.25.{uuid4().int}"
            await self.outbox.expect(delivery, uid)
            await anyio.to_thread.run_sync(ask_commitment, objects, uid, to)
            raise AwaitsCommitment("the archive was asked to confirm that it keeps them")

    def _read(self, destination: Destination) -> To:
        """The destination's settings, which may name files that are gone."""
        try:
            return self.kind.model_validate(destination.settings)
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            raise NotDelivered(f"its settings cannot be used: {first['msg']}") from error

    async def _send_as_it_stands(
        self, assessment_id: UUID, destination: Destination, to: To
    ) -> tuple[bool, Sequence[DicomObject]]:
        """Send once; whether the result was withdrawn by then, and what was sent."""
        who = Principal(
            destination_actor(destination.id),
            destination.organisation_id,
            # The operator named the archive, which has the film and rules of its own about who sees what.
            frozenset({"assessments:read", "patients:restricted"}),
            "system",
        )
        try:
            content = await self.results.content(assessment_id, who, destination.id)
        except (NotFound, NoDicomSource):  # it was erased, or has no study to go to
            return True, ()
        objects = await self._objects(content, to)
        new = [] if content.assessment.is_withdrawn else await self._noted(assessment_id, destination, objects)
        if not objects:
            return content.assessment.is_withdrawn, ()
        try:
            await anyio.to_thread.run_sync(self.send, objects, to)
        except NotReached:
            await self.results.sent.forget(destination.id, [item.reference for item in new])
            raise
        return content.assessment.is_withdrawn, objects

    async def _objects(self, content: DicomContent, to: To) -> list[DicomObject]:
        """What there is to send; of a withdrawn result nothing where nothing went there before."""
        if content.assessment.is_withdrawn and not content.sent:
            return []
        try:
            return await anyio.to_thread.run_sync(objects_of, content, [*to.objects, REJECTION])
        except NotInstalled as error:
            raise NotDelivered(error.detail) from error

    async def _noted(
        self, assessment_id: UUID, destination: Destination, objects: Sequence[DicomObject]
    ) -> list[DicomObject]:
        """Note the objects before they leave; those that had not been noted before."""
        new = await self.results.sent.add(assessment_id, destination.id, [item.reference for item in objects])
        return [item for item in objects if item.reference in new]


def deliverers(results: DicomUseCases, outbox: Outbox) -> Mapping[str, Deliverer]:
    """The outbox's deliverers for DICOM objects, by kind of destination."""
    return {
        DIMSE: DicomDeliverer(results, DimseDestination, store, outbox),
        DICOMWEB: DicomDeliverer(results, DicomWebDestination, stow, outbox),
    }
