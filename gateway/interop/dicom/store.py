"""C-STORE, C-ECHO and storage commitment as a service class user (PS3.4 annexes B, A and J)."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from gateway.assessing.outbox_worker import NotDelivered
from gateway.interop.dicom.destinations import DimseDestination
from gateway.interop.dicom.objects import DicomObject
from shared.problems import TrabeculaError

if TYPE_CHECKING:
    from pynetdicom.association import Association

# Seconds: for a connection, for one answer, and for all of a delivery, which its lease outlasts.
CONNECTING_S, ANSWER_S, LONGEST_S = 10, 20, 60
ALREADY_THERE = 0x0111
# The storage commitment push model, and its one well-known instance (PS3.4 J.3.5).
COMMITMENT, COMMITMENT_INSTANCE = "1.2.840.10008.1.20.1", "1.2.840.10008.1.20.1.1"
# Trying the same object again is no use: not its SOP class, not understood, not supported, not authorised.
FOR_GOOD = (range(0xA900, 0xAA00), range(0xC000, 0xD000), range(0x0122, 0x0123), range(0x0124, 0x0125))


class NotReached(NotDelivered):
    """Nothing has left: there was no association, or no connection."""


def store(objects: Sequence[DicomObject], to: DimseDestination) -> None:
    """Send objects over one association, and return once the archive has confirmed each of them.

    Raises:
        NotReached: there was no association.
        NotDelivered: an object was not taken; those before it were.
    """
    began = time.monotonic()
    classes = sorted({item.reference.sop_class_uid for item in objects})
    with associated(to, classes) as association:
        for item in objects:
            if time.monotonic() - began > LONGEST_S:
                raise NotDelivered("the archive takes too long")
            store_one(item, association)


def store_one(item: DicomObject, association: "Association") -> None:
    """Send one object.

    Raises:
        NotDelivered: it was not taken, with the archive's own status.
    """
    from pynetdicom.status import code_to_category

    try:
        status = association.send_c_store(item.dataset).get("Status")
    except ValueError as error:  # what the archive did not agree to take when the association began
        raise NotDelivered(f"the archive does not take this kind of object ({item.kind})", for_good=True) from error
    except RuntimeError as error:
        raise NotDelivered("the archive ended the association") from error
    if status is None:
        raise NotDelivered("the archive did not answer")
    if status != ALREADY_THERE and code_to_category(status) not in ("Success", "Warning"):
        for_good = any(status in codes for codes in FOR_GOOD)
        raise NotDelivered(f"the archive answered 0x{status:04X} to {item.kind}", for_good=for_good)


def ask_commitment(objects: Sequence[DicomObject], uid: str, to: DimseDestination) -> None:
    """Ask the archive to confirm that it keeps these objects (N-ACTION, PS3.4 J.3.2); its answer comes to the door.

    Args:
        uid: of the transaction, by which the answer names the request.

    Raises:
        NotDelivered: it does not take the request.
    """
    from pydicom import Dataset
    from pydicom.sequence import Sequence as Items

    asked, items = Dataset(), []
    for one in objects:
        item = Dataset()
        item.ReferencedSOPClassUID, item.ReferencedSOPInstanceUID = one.reference.sop_class_uid, one.reference.sop_uid
        items.append(item)
    asked.TransactionUID, asked.ReferencedSOPSequence = uid, Items(items)
    with associated(to, [COMMITMENT]) as association:
        status, _ = association.send_n_action(asked, 1, COMMITMENT, COMMITMENT_INSTANCE)
        if status.get("Status") != 0x0000:
            told = f"answered 0x{status.Status:04X}" if "Status" in status else "did not answer"
            raise NotDelivered(f"the archive {told} to the request for storage commitment")


def echo(to: DimseDestination) -> None:
    """See that the archive answers.

    Raises:
        NotReached: there was no association.
        NotDelivered: it does not answer.
    """
    with associated(to, ["1.2.840.10008.1.1"]) as association:
        if association.send_c_echo().get("Status") != 0x0000:
            raise NotDelivered("the archive does not answer a C-ECHO")


@contextmanager
def associated(to: DimseDestination, classes: Sequence[str]) -> "Iterator[Association]":
    """An association for objects of these classes, released afterwards."""
    from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian
    from pynetdicom import AE

    entity = AE(ae_title=to.calling_aet)
    entity.connection_timeout, entity.acse_timeout = CONNECTING_S, CONNECTING_S
    entity.dimse_timeout, entity.network_timeout = ANSWER_S, ANSWER_S
    for of_class in classes:
        entity.add_requested_context(of_class, [ExplicitVRLittleEndian, ImplicitVRLittleEndian])
    try:
        tls = (to.tls.context(), to.host) if to.tls else None
    except OSError as error:
        raise NotReached(f"the files for TLS cannot be used: {error}") from error
    association = entity.associate(to.host, to.port, ae_title=to.called_aet, tls_args=tls)
    if not association.is_established:
        raise NotReached(why_not(association))
    try:
        yield association
    except TrabeculaError:
        association.release()
        raise
    else:
        association.release()


def why_not(association: "Association") -> str:
    """Why there is no association, for people."""
    if association.is_rejected:
        return "the archive rejects the association: do both sides know each other's AE titles?"
    if association.is_aborted:
        return "the archive cannot be reached: address, port, firewall, TLS?"
    return "the archive takes none of these objects"
