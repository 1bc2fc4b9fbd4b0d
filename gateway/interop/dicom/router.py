"""`trabecula route serve`: films and messages come in, and archives are asked for what is new. One a site."""

import asyncio
import datetime as dt
from collections.abc import AsyncIterator, Coroutine, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, cast
from uuid import UUID

import anyio
import structlog

from gateway.assessing.administration import organisation_of
from gateway.interop.dicom.destinations import DicomWebDestination
from gateway.interop.dicom.door_tls import ServerContext
from gateway.interop.dicom.installed import require_installed
from gateway.interop.dicom.pull import Archive, DicomWeb, Orthanc, orthanc
from gateway.interop.dicom.receive import Door, disk_is_low, open_door
from gateway.interop.dicom.received import received_film
from gateway.interop.hl7.door import Hl7Door, open_hl7_door
from gateway.interop.hl7.inbox import Inbox, inbox_of
from gateway.platform.background import every, in_background
from gateway.platform.clock import now
from gateway.platform.database.engine import database_of
from gateway.platform.encryption import installation_key
from gateway.platform.identity.accounts import Accounts
from gateway.records.films import Films, ReceivedFilm, Taken
from gateway.records.outbox import Outbox
from gateway.records.patients import Patients
from gateway.settings import GatewaySettings
from shared.problems import InvalidInput
from shared.service import CannotStart

# Seconds between two questions; how far back each goes; and how far the nightly one that finds what was lost.
CHANGES_S, QIDO_S, NIGHT_S = 1, 60, 24 * 3600
OVERLAP, RECONCILED = dt.timedelta(hours=24), dt.timedelta(hours=48)
# Longer than a commit may wait for the database; then the sender is told to try again.
STORING_S = 30
ORTHANC, QIDO = "orthanc", "qido"


@dataclass(frozen=True)
class Router:
    """Takes films in for one organisation.

    Args:
        films: where they go.
        organisation_id: whose they are.
        folder: on the disk that must not run full.
        inbox: does what HL7 v2 messages ask.
        outbox: knows what archives are asked to confirm.
    """

    films: Films
    organisation_id: UUID
    folder: Path
    inbox: Inbox
    outbox: Outbox

    async def take_in(self, film: ReceivedFilm, source: str) -> Taken:
        """Store a film that was sent."""
        return await self.films.add(self.organisation_id, film, source)

    async def follow(self, there: Orthanc) -> None:
        """Take in what Orthanc got since the last time; each film with its number in one transaction."""
        done = False
        while not done:
            since = int(await self.films.cursor(self.organisation_id, ORTHANC) or 0)
            changed, last, done = await anyio.to_thread.run_sync(there.changes, since)
            for number, instance in changed:
                if instance is not None and await anyio.to_thread.run_sync(there.is_film, instance):
                    await self._fetch(there, (instance,), ORTHANC, str(number))
            if last > since:
                await self.films.read_until(self.organisation_id, ORTHANC, str(last))

    async def reconcile(self, there: Archive, source: str, back: dt.timedelta) -> int:
        """Take in what an archive has of the last days and this system has not; the number of films."""
        since = (now() - back).date()
        found = await anyio.to_thread.run_sync(lambda: list(there.recent(since)))
        known = await self.films.known(self.organisation_id, {film.sop_uid for film in found}) if found else set()
        new = [film for film in found if film.sop_uid not in known]
        for film in new:
            await self._fetch(there, film.at, source, None)
        return len(new)

    async def _fetch(self, there: Archive, at: tuple[str, ...], source: str, cursor: str | None) -> None:
        if disk_is_low(self.folder):
            await self.films.turned_away("disk_low")
            raise OSError("the disk is nearly full: nothing more is taken in")
        data = await anyio.to_thread.run_sync(there.fetch, at)
        if data is None:
            return
        try:
            film = await anyio.to_thread.run_sync(received_film, data)
        except InvalidInput as error:
            await self.films.turned_away(error.members.get("reason", "not_dicom"))
            return
        await self.films.add(self.organisation_id, film, source, cursor)


@asynccontextmanager
async def opened(settings: GatewaySettings) -> AsyncIterator[Router]:
    """The router on the installation's database, whose commits last."""
    database = database_of(settings, durable=True)
    try:
        sessions, named = database.sessions, settings.dicom_organisation
        patients = Patients(sessions, installation_key(settings))
        organisation = await organisation_of(Accounts(sessions), settings, named)
        inbox = inbox_of(settings, sessions, organisation)
        yield Router(Films(sessions, patients), organisation, settings.state_dir, inbox, Outbox(sessions))
    finally:
        await database.close()


async def serve(settings: GatewaySettings) -> None:
    """Take films in until cancelled.

    Raises:
        CannotStart: the port is taken, or a file for TLS cannot be used.
    """
    require_installed()
    loop, log = asyncio.get_running_loop(), structlog.get_logger("trabecula")

    def wait(work: Coroutine[Any, Any, Any]) -> Any:
        """Have the loop do some work for a thread of an association, in time for the sender to be told."""
        return asyncio.run_coroutine_threadsafe(asyncio.wait_for(work, STORING_S), loop).result()

    async with opened(settings) as router, AsyncExitStack() as stack:
        try:
            port = stack.enter_context(
                open_door(
                    door_of(settings),
                    lambda film, source: cast(Taken, wait(router.take_in(film, source))),
                    lambda reason: wait(router.films.turned_away(reason)),
                    lambda uid, not_kept: bool(wait(router.outbox.committed(uid, not_kept))),
                )
            )
        except OSError as error:
            raise CannotStart(
                f"Films cannot come in at port {settings.dicom_port}: {error.strerror or error}."
            ) from error
        log.info("films are taken in", aet=settings.dicom_aet, port=port, peers=sorted(settings.dicom_peers))
        await _open_hl7(stack, router, settings)
        async with in_background(*questions(router, settings)):
            await asyncio.Event().wait()


async def _open_hl7(stack: AsyncExitStack, router: Router, settings: GatewaySettings) -> None:
    """Take HL7 v2 messages as well, where the site set a port for them.

    Raises:
        CannotStart: the port is taken, or a file for TLS cannot be used.
    """
    if settings.hl7_port is None:
        return
    certificate, key = settings.hl7_certificate, settings.hl7_key
    try:
        tls = ServerContext.of(certificate, key, settings.hl7_ca) if certificate and key else None
        door = Hl7Door(settings.hl7_host, settings.hl7_port, settings.hl7_peers, tls)
        port = await stack.enter_async_context(open_hl7_door(door, router.inbox.take, router.films.turned_away))
    except OSError as error:
        raise CannotStart(f"Messages cannot come in at port {settings.hl7_port}: {error.strerror or error}.") from error
    structlog.get_logger("trabecula").info("messages are taken in", port=port, peers=sorted(settings.hl7_peers))


def door_of(settings: GatewaySettings) -> Door:
    """Where films come in, as the site set it up.

    Raises:
        OSError: a file for TLS cannot be used.
    """
    certificate, key = settings.dicom_certificate, settings.dicom_key
    tls = ServerContext.of(certificate, key, settings.dicom_ca) if certificate and key else None
    return Door(
        settings.dicom_aet,
        settings.dicom_host,
        settings.dicom_port,
        settings.dicom_peers,
        tls,
        settings.state_dir,
        settings.max_upload_bytes,
    )


def questions(router: Router, settings: GatewaySettings) -> Iterator[Coroutine[Any, Any, None]]:
    """What archives are asked again and again, of those that the site named."""
    secret = settings.dicom_pull_authorization
    authorization = secret.get_secret_value() if secret else None
    if settings.dicom_orthanc is not None:
        there = orthanc(settings.dicom_orthanc, authorization, settings.max_upload_bytes)
        yield every(CHANGES_S, partial(router.follow, there))
        yield every(NIGHT_S, partial(router.reconcile, there, ORTHANC, RECONCILED))
    if settings.dicom_qido is not None:
        web = DicomWeb(DicomWebDestination(url=settings.dicom_qido, authorization=authorization))
        yield every(QIDO_S, partial(router.reconcile, web, QIDO, OVERLAP))
        yield every(NIGHT_S, partial(router.reconcile, web, QIDO, RECONCILED))
