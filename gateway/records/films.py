"""Films that came in by themselves: taken in whole or not at all, once each, encrypted until they are assessed.

One transaction stores a film with the row that says so. A sender is told that it was taken only after that, so there is
never a film without a row, a row without a film, or half of one.
"""

import datetime as dt
import hashlib
import hmac
import json
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from gateway.platform.audit import audit_row
from gateway.platform.audit_actions import AuditAction
from gateway.platform.clock import now
from gateway.platform.database.engine import Sessions
from gateway.platform.database.ids import uuid7
from gateway.platform.database.tables import FilmRow, FilmSourceRow, FilmsTurnedAwayRow
from gateway.platform.encryption import encrypt
from gateway.records.patients import Patients

FilmState = Literal["waiting", "working", "done", "refused", "ignored", "dead", "erased"]
Taken = Literal["taken", "known", "ignored", "uid_reused"]
URGENT, ROUTINE, LATER = 0, 1, 2
UID_REUSED = "uid_reused"


@dataclass(frozen=True)
class ReceivedFilm:
    """A DICOM file as it arrived.

    Args:
        sop_uid: its SOPInstanceUID.
        pixels_sha256: of its pixel data alone: headers change on their way, by a corrected name.
        encoding: `native`, or the transfer syntax that the pixels are compressed by.
        header: what people need to find it again: UIDs, accession number, PatientID.
        data: the whole file (PS3.10); left out where it is ignored.
        ignored: why it is none of ours; null where it is to be assessed.
        priority: as the sender asks; `URGENT` goes first.
    """

    sop_uid: str
    pixels_sha256: bytes = field(repr=False)
    encoding: str
    header: dict[str, str | None] = field(repr=False)
    data: bytes = field(repr=False)
    ignored: str | None = None
    priority: int = ROUTINE


class Films:
    """Takes films in.

    Args:
        sessions: of the installation's database; commits have to be durable, as senders delete what was taken.
        patients: know the organisations' keys.
    """

    def __init__(self, sessions: Sessions, patients: Patients) -> None:
        self._sessions, self._patients = sessions, patients

    async def add(self, organisation_id: UUID, film: ReceivedFilm, source: str, cursor: str | None = None) -> Taken:
        """Take a film in. The same one again changes nothing; the same UID with other pixels is kept, and dead.

        Args:
            source: who sent it, as `dicom:CT1`; stands in the trail.
            cursor: how far the source is read with this film, stored in the same transaction.
        """
        key = await self._patients.organisation_key(organisation_id)
        row = _new_row(organisation_id, film, source, key)
        try:
            async with self._sessions.begin() as session:
                taken = await self._add(session, row, film)
                if cursor is not None:
                    await _read_until(session, organisation_id, source, cursor)
        except IntegrityError:  # the same film came by another way at the same moment
            if cursor is not None:
                await self.read_until(organisation_id, source, cursor)
            return "known"
        return taken

    async def known(self, organisation_id: UUID, sop_uids: Collection[str]) -> set[str]:
        """Those of these films that came before, whatever became of them."""
        key = await self._patients.organisation_key(organisation_id)
        by_hash = {keyed_hash(key, "uid", uid): uid for uid in sop_uids}
        mine = (FilmRow.organisation_id == organisation_id) & FilmRow.uid_hash.in_(list(by_hash))
        async with self._sessions() as session:
            found = await session.scalars(select(FilmRow.uid_hash).where(mine))
        return {by_hash[hashed] for hashed in found}

    async def cursor(self, organisation_id: UUID, source: str) -> str | None:
        """How far a source was read; null where it never was."""
        async with self._sessions() as session:
            row = await session.get(FilmSourceRow, (organisation_id, source))
        return row.cursor if row else None

    async def read_until(self, organisation_id: UUID, source: str, cursor: str) -> None:
        """A source was read so far, and the rest was no film."""
        async with self._sessions.begin() as session:
            await _read_until(session, organisation_id, source, cursor)

    async def turned_away(self, reason: str) -> None:
        """Count what was no film, or came from somebody who may send none."""
        async with self._sessions.begin() as session:
            row = await session.get(FilmsTurnedAwayRow, reason, with_for_update=True)
            if row is None:
                session.add(FilmsTurnedAwayRow(reason=reason, count=1, last_at=now()))
            else:
                row.count, row.last_at = row.count + 1, now()

    async def _add(self, session: AsyncSession, row: FilmRow, film: ReceivedFilm) -> Taken:
        same = (FilmRow.organisation_id == row.organisation_id) & (FilmRow.uid_hash == row.uid_hash)
        before = (await session.execute(select(FilmRow.pixels_hash, FilmRow.encoding).where(same))).all()
        # Compressed in another way, the same pixels are other bytes: they are not compared.
        if any(there.pixels_hash == row.pixels_hash or there.encoding != row.encoding for there in before):
            return "known"
        if before:
            row.state, row.reason, row.ended_at = "dead", UID_REUSED, now()
            row.last_error = "this SOPInstanceUID came before with other pixels"
        session.add(row)
        if film.ignored is not None:
            return "ignored"
        session.add(audit_row(row.organisation_id, row.source, AuditAction.FILM_TAKEN_IN, str(row.id)))
        return "uid_reused" if before else "taken"


def keyed_hash(key: bytes, what: Literal["uid", "pixels", "patient"], value: str | bytes) -> bytes:
    """Something about a film, so that an organisation finds it again and nobody else reads it: 32 bytes."""
    data = value.encode() if isinstance(value, str) else value
    return hmac.new(key, b"film " + what.encode() + b"\0" + data, hashlib.sha256).digest()


def _new_row(organisation_id: UUID, film: ReceivedFilm, source: str, key: bytes) -> FilmRow:
    identity, moment = uuid7(), now()
    kept: dict[str, Any] = {"state": "ignored", "reason": film.ignored, "ended_at": moment}
    if film.ignored is None:
        number = film.header.get("patient_id")
        kept = {
            "state": "waiting",
            "header": encrypt(key, json.dumps(film.header).encode(), identity.bytes + b"header"),
            "content": encrypt(key, film.data, identity.bytes + b"film"),
            "patient_hash": keyed_hash(key, "patient", number.strip()) if number else None,
        }
    return FilmRow(
        id=identity,
        organisation_id=organisation_id,
        source=source[:100],
        uid_hash=keyed_hash(key, "uid", film.sop_uid),
        pixels_hash=keyed_hash(key, "pixels", film.pixels_sha256),
        encoding=film.encoding[:64],
        priority=film.priority,
        attempts=0,
        next_at=moment,
        arrived_at=moment,
        **kept,
    )


async def _read_until(session: AsyncSession, organisation_id: UUID, source: str, cursor: str) -> None:
    row = await session.get(FilmSourceRow, (organisation_id, source))
    moment: dt.datetime = now()
    if row is None:
        session.add(FilmSourceRow(organisation_id=organisation_id, name=source, cursor=cursor, at=moment))
    else:
        row.cursor, row.at = cursor, moment
