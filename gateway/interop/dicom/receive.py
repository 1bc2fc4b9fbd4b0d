"""C-STORE and C-ECHO as a service class provider (PS3.4 annexes B and A), and archives' answers of storage commitment.

An association carries no work: its answer means that the film is stored. Who may send is a list of AE titles with
their addresses; everybody else is rejected before a byte of a film is read.
"""

import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import TYPE_CHECKING, Any

import structlog

from gateway.interop.dicom.door_tls import ServerContext
from gateway.interop.dicom.received import FILM_CLASSES, SYNTAXES, received_film
from gateway.interop.dicom.store import COMMITMENT
from gateway.records.films import LATER, ROUTINE, URGENT, ReceivedFilm, Taken
from shared.problems import InvalidInput

if TYPE_CHECKING:
    from pydicom import Dataset
    from pynetdicom.events import Event

VERIFICATION = "1.2.840.10008.1.1"
# PS3.4 B.2.3 and PS3.7 annex C.
SUCCESS, OUT_OF_RESOURCES, CANNOT_UNDERSTAND = 0x0000, 0xA700, 0xC000
PROCESSING_FAILURE, NOT_AUTHORISED = 0x0110, 0x0124
# Of the disk that must stay free, as the database, which shares it, must be able to go on.
FREE_SHARE = 0.05
ASSOCIATIONS = 8
# What a message has besides the film.
FRAME_BYTES = 100_000
# Seconds: for the handshake, between two messages, and without a byte: a peer that hangs is given up.
HANDSHAKE_S, MESSAGE_S, SILENCE_S = 15, 60, 60
# By the DIMSE priority (PS3.7 9.1.1.1.6): 0 medium, 1 high, 2 low.
PRIORITIES = {0: ROUTINE, 1: URGENT, 2: LATER}

TakeIn = Callable[[ReceivedFilm, str], Taken]
TurnAway = Callable[[str], None]
Confirm = Callable[[str, int], bool]


@dataclass(frozen=True)
class Door:
    """Where films come in.

    Args:
        aet: our AE title, which senders have to call.
        host: address to listen on.
        port: 104 or 11112; 0 takes any.
        peers: addresses or networks by AE title; nobody else is heard.
        tls: null where the network is trusted.
        folder: on the disk that must not run full.
        largest: bytes of one film.
    """

    aet: str
    host: str
    port: int
    peers: Mapping[str, tuple[str, ...]]
    tls: ServerContext | None
    folder: Path
    largest: int

    def knows(self, aet: str, address: str) -> bool:
        """Whether this peer may send from this address."""
        try:
            there = ip_address(address.removeprefix("::ffff:"))
        except ValueError:
            return False
        return any(there in ip_network(network) for network in self.peers.get(aet.strip(), ()))


@contextmanager
def open_door(door: Door, take_in: TakeIn, turn_away: TurnAway, confirm: Confirm) -> Iterator[int]:
    """Listen until the block ends; gives the port.

    Args:
        take_in: stores a film and returns once it is stored; called in threads of the associations.
        turn_away: counts what was refused, by reason.
        confirm: hears of a transaction of storage commitment, and how many of its objects are not kept; whether it was
            one of ours.
    """
    from pynetdicom import AE, evt

    entity = AE(ae_title=door.aet)
    entity.maximum_associations = ASSOCIATIONS
    entity.acse_timeout, entity.dimse_timeout, entity.network_timeout = HANDSHAKE_S, MESSAGE_S, SILENCE_S
    entity.require_called_aet = True
    # A list that is empty would let everybody in; who calls itself so is not known either, and aborted.
    entity.require_calling_aet = list(door.peers) or ["(NOBODY)"]
    for of_class in FILM_CLASSES:
        entity.add_supported_context(of_class, list(SYNTAXES))
    entity.add_supported_context(VERIFICATION)
    # An archive that answers a request of ours stays the provider of that service (PS3.4 J.3.3).
    entity.add_supported_context(COMMITMENT, scu_role=False, scp_role=True)
    receiving = _Receiving(door, take_in, turn_away, confirm)
    if door.tls is not None:
        door.tls.on_failure = receiving.on_no_handshake
    handlers: list[Any] = [
        (evt.EVT_ACCEPTED, receiving.on_accepted),
        (evt.EVT_REJECTED, receiving.on_rejected),
        (evt.EVT_PDU_RECV, receiving.on_pdu),
        (evt.EVT_CONN_CLOSE, receiving.on_closed),
        (evt.EVT_DIMSE_RECV, receiving.on_message),
        (evt.EVT_C_ECHO, receiving.on_echo),
        (evt.EVT_C_STORE, receiving.on_store),
        (evt.EVT_N_EVENT_REPORT, receiving.on_report),
    ]
    server = entity.start_server((door.host, door.port), block=False, evt_handlers=handlers, ssl_context=door.tls)
    assert server is not None and server.socket is not None  # noqa: S101, PT018 -- as it does not block
    try:
        yield server.socket.getsockname()[1]
    finally:
        server.shutdown()


class _Receiving:
    """What is done at each event of an association; each runs in the association's own thread."""

    def __init__(self, door: Door, take_in: TakeIn, turn_away: TurnAway, confirm: Confirm) -> None:
        self._door, self._take_in, self._turn_away, self._confirm = door, take_in, turn_away, confirm
        self._bytes: dict[int, int] = {}
        self._log = structlog.get_logger("trabecula").bind(door=door.aet)

    def on_accepted(self, event: "Event") -> None:
        """The AE title is known: is it there that it calls from, and is there something to send that is read?"""
        peer = event.assoc.requestor
        if not self._knows(event):
            self._turned_away("address", peer.ae_title, peer.address)
            event.assoc.abort(block=False)
        elif any(context.result == 4 for context in event.assoc.rejected_contexts):
            self._turned_away("transfer_syntax", peer.ae_title, peer.address)

    def on_no_handshake(self, address: str, why: str) -> None:
        """TLS failed, as with a certificate that ran out, on either side."""
        self._turned_away("tls", why, address)

    def on_rejected(self, event: "Event") -> None:
        """An AE title that is not known, theirs or ours, or more associations than there may be."""
        peer = event.assoc.requestor
        known = peer.ae_title.strip() in self._door.peers
        asked = peer.primitive
        called = asked is not None and asked.called_ae_title.strip() == self._door.aet
        reason = "too_many_associations" if known and called else "called_aet" if known else "calling_aet"
        self._turned_away(reason, peer.ae_title, peer.address)

    def on_pdu(self, event: "Event") -> None:
        """Count the bytes of a message while they come, so that none grows without end."""
        from pynetdicom.pdu import P_DATA_TF

        if not isinstance(event.pdu, P_DATA_TF):
            return
        of, most = id(event.assoc), self._door.largest + FRAME_BYTES
        before = self._bytes.get(of, 0)
        self._bytes[of] = before + event.pdu.pdu_length
        if before <= most < self._bytes[of]:
            self._turned_away("too_large", event.assoc.requestor.ae_title, event.assoc.requestor.address)
            event.assoc.abort(block=False)

    def on_closed(self, event: "Event") -> None:
        """The connection is gone."""
        self._bytes.pop(id(event.assoc), None)

    def on_message(self, event: "Event") -> None:
        """A message is whole."""
        self._bytes.pop(id(event.assoc), None)

    def on_echo(self, event: "Event") -> int:
        """Answer a C-ECHO."""
        return SUCCESS if self._knows(event) else CANNOT_UNDERSTAND

    def on_store(self, event: "Event") -> int:
        """Take a film in; the answer is 0x0000 only once it is stored."""
        peer = event.assoc.requestor
        if not self._knows(event):
            return CANNOT_UNDERSTAND
        if disk_is_low(self._door.folder):
            self._turned_away("disk_low", peer.ae_title, peer.address)
            return OUT_OF_RESOURCES
        try:
            film = received_film(
                event.encoded_dataset(), PRIORITIES.get(getattr(event.request, "Priority", 0), ROUTINE)
            )
        except InvalidInput as error:
            self._turned_away(error.members.get("reason", "not_dicom"), peer.ae_title, peer.address)
            return CANNOT_UNDERSTAND
        if len(film.data) > self._door.largest:
            self._turned_away("too_large", peer.ae_title, peer.address)
            return CANNOT_UNDERSTAND
        try:
            self._take_in(film, f"dicom:{peer.ae_title.strip()}")
        except Exception:  # the database is away, say: the sender keeps the film and tries again
            self._log.exception("a film was not stored")
            return OUT_OF_RESOURCES
        return SUCCESS

    def on_report(self, event: "Event") -> "tuple[int, Dataset | None]":
        """Hear whether an archive keeps what it was sent (N-EVENT-REPORT); 0x0000 only once that is noted."""
        peer = event.assoc.requestor
        if not self._knows(event):
            return NOT_AUTHORISED, None
        told = event.event_information
        not_kept = len(told.get("FailedSOPSequence") or ())
        try:
            ours = self._confirm(str(told.get("TransactionUID", "")), not_kept)
        except Exception:  # the database is away, say: the request is made again in time
            self._log.exception("an answer of storage commitment was not noted")
            return PROCESSING_FAILURE, None
        if not ours:
            self._turned_away("commitment_unknown", peer.ae_title, peer.address)
        return SUCCESS, None

    def _knows(self, event: "Event") -> bool:
        peer = event.assoc.requestor
        return self._door.knows(peer.ae_title, peer.address or "")

    def _turned_away(self, reason: str, aet: str, address: str | None) -> None:
        self._log.warning("turned away", reason=reason, who=aet.strip()[:100], address=address)
        try:
            self._turn_away(reason)
        except Exception:
            self._log.exception("what was turned away is not counted")


def disk_is_low(folder: Path) -> bool:
    """Whether so little of the disk is free that nothing more is taken in."""
    there = shutil.disk_usage(folder)
    return there.free < there.total * FREE_SHARE
