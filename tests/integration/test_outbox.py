"""The outbox: told once, never forgotten, tried again at growing distances, and a destination in trouble left alone."""

import asyncio
import datetime as dt
from collections import Counter

import pytest
from pydantic import SecretStr
from sqlalchemy import func, select, update

from gateway.assessing import outbox_worker
from gateway.assessing.administration import prepare
from gateway.assessing.outbox_worker import AwaitsCommitment, CircuitBreaker, NotDelivered, OutboxWorker
from gateway.platform.clock import now
from gateway.platform.database.engine import database_of
from gateway.platform.database.ids import uuid7
from gateway.platform.database.tables import DeliveryRow, EventRow
from gateway.platform.encryption import installation_key
from gateway.platform.identity.accounts import Accounts
from gateway.platform.identity.scopes import operator_of
from gateway.records import events as records
from gateway.records.destinations import Destinations
from gateway.records.events import Events, record_event
from gateway.records.outbox import RETRY_S, Backlog, Outbox
from gateway.records.patients import Patients
from gateway.settings import GatewaySettings
from shared.problems import Conflict, NotFound

SECRET = "a secret of the receiver's"


class Receiver:
    """Takes deliveries, or does what it was told to do in place of it."""

    def __init__(self):
        self.had, self.troubles = [], []

    async def deliver(self, delivery, destination):
        assert destination.settings == {"secret": SECRET}
        if self.troubles:
            raise self.troubles.pop(0)
        await asyncio.sleep(0)
        self.had.append(delivery.event_id)


class Site:
    def __init__(self, settings):
        self.database = database_of(settings)
        self.sessions = self.database.sessions
        self.destinations = Destinations(self.sessions, Patients(self.sessions, installation_key(settings)))
        self.outbox, self.receiver = Outbox(self.sessions), Receiver()

    def worker(self, breaker=None):
        return OutboxWorker(self.outbox, self.destinations, {"webhook": self.receiver}, breaker or CircuitBreaker())

    async def happened(self, kind="assessment.completed", subject=None):
        async with self.sessions.begin() as session:
            return await record_event(session, self.who.organisation_id, kind, subject or uuid7())

    async def add(self, name="ward", events=("assessment.completed",)):
        return await self.destinations.add(self.who, "webhook", name, events, {"secret": SECRET})

    async def everything_due(self):
        async with self.sessions.begin() as session:
            await session.execute(update(DeliveryRow).where(DeliveryRow.state == "waiting").values(next_at=now()))

    async def once(self, breaker=None):
        worker, breaker = self.worker(breaker), breaker or CircuitBreaker()
        while claim := await self.outbox.claim(breaker.paused()):
            await worker.work_on(claim)


@pytest.fixture
async def site(tmp_path, database_url):
    settings = GatewaySettings(state_dir=tmp_path, database_url=SecretStr(database_url), _env_file=None)
    prepare(settings)
    site = Site(settings)
    site.who = operator_of(await Accounts(site.sessions).first_organisation("Clinic"))
    yield site
    await site.database.close()


async def test_what_was_asked_for_is_told_once_and_in_order(site):
    await site.add()
    wanted = [await site.happened() for _ in range(3)]
    await site.happened("alert.opened")
    await site.once()
    assert site.receiver.had == wanted
    await site.once()
    assert site.receiver.had == wanted
    assert (await site.outbox.backlog())["webhook"].waiting == 0


async def test_an_event_falls_with_what_it_tells_of(site):
    await site.add()
    async with site.sessions() as session:
        await record_event(session, site.who.organisation_id, "assessment.completed", uuid7())
        await session.flush()
        await session.rollback()
    async with site.sessions() as session:
        assert await session.scalar(select(func.count()).select_from(EventRow)) == 0
    assert await site.outbox.claim() is None


async def test_many_workers_send_each_delivery_once(site):
    await site.add()
    wanted = [await site.happened() for _ in range(40)]
    await asyncio.gather(*(site.once() for _ in range(6)))
    assert Counter(site.receiver.had) == Counter(wanted)


async def test_what_fails_is_tried_again_later_and_later_and_then_is_dead(site):
    await site.add()
    event = await site.happened()
    waits = []
    for attempt in range(1, len(RETRY_S) + 2):
        site.receiver.troubles = [NotDelivered("it answered 503")]
        await site.everything_due()
        await site.once()
        [delivery] = await site.outbox.page(site.who.organisation_id, 10)
        assert (delivery.attempts, delivery.last_error) == (attempt, "it answered 503")
        waits.append((delivery.next_at - now()).total_seconds())
        assert delivery.state == ("dead" if attempt > len(RETRY_S) else "waiting")
    for wait, least in zip(waits, RETRY_S, strict=False):
        assert least * 0.7 < wait < least * 1.3
    assert (await site.outbox.backlog())["webhook"].dead == 1
    assert site.receiver.had == []
    # Somebody sends it again, and it begins anew.
    await site.outbox.send_again(delivery.id, site.who)
    await site.once()
    assert site.receiver.had == [event]


async def test_what_is_refused_for_good_is_not_tried_again_and_told_of(site):
    watcher = await site.add("watcher", ["delivery.dead"])
    await site.add()
    await site.happened()
    site.receiver.troubles = [NotDelivered("it answered 410", for_good=True)]
    await site.once()
    deliveries = {item.event_type: item for item in await site.outbox.page(site.who.organisation_id, 10)}
    assert deliveries["assessment.completed"].state == "dead"
    assert deliveries["delivery.dead"].destination_id == watcher.id
    assert deliveries["delivery.dead"].subject == str(deliveries["assessment.completed"].id)


async def test_a_dead_word_of_a_dead_delivery_tells_nobody(site):
    await site.add("watcher", ["delivery.dead"])
    await site.happened("delivery.dead")
    site.receiver.troubles = [NotDelivered("no", for_good=True)] * 5
    await site.once()
    assert len(await site.outbox.page(site.who.organisation_id, 10)) == 1


async def test_the_destination_says_when_to_come_again(site):
    await site.add()
    await site.happened()
    site.receiver.troubles = [NotDelivered("busy", retry_after_s=7200)]
    await site.once()
    [delivery] = await site.outbox.page(site.who.organisation_id, 10)
    assert delivery.next_at > now() + dt.timedelta(seconds=7000)


async def test_a_lease_of_a_gateway_that_died_runs_out(site, monkeypatch):
    await site.add()
    event = await site.happened()
    first = await site.outbox.claim()
    assert await site.outbox.claim() is None
    async with site.sessions.begin() as session:
        await session.execute(update(DeliveryRow).values(leased_until=now() - dt.timedelta(seconds=1)))
    await site.once()
    assert site.receiver.had == [event]
    # The one that was thought dead comes back and has nothing to say any more.
    await site.outbox.failed(first, "late")
    [delivery] = await site.outbox.page(site.who.organisation_id, 10)
    assert delivery.state == "sent"


async def test_a_gateway_that_stops_gives_back_what_it_holds(site):
    await site.add()
    await site.happened()
    blocked = asyncio.Event()

    class Slow:
        async def deliver(self, delivery, destination):
            await blocked.wait()

    worker = OutboxWorker(site.outbox, site.destinations, {"webhook": Slow()})
    task = asyncio.create_task(worker.run())
    for _ in range(200):
        await asyncio.sleep(0.02)
        [delivery] = await site.outbox.page(site.who.organisation_id, 10)
        if delivery.state == "sending":
            break
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    [delivery] = await site.outbox.page(site.who.organisation_id, 10)
    assert (delivery.state, delivery.attempts) == ("waiting", 0)


async def test_a_destination_in_trouble_is_left_alone_and_holds_up_no_other(site, monkeypatch):
    monkeypatch.setattr(outbox_worker, "FIRST_PAUSE_S", 30.0)
    bad, good = await site.add("bad"), await site.add("good")

    class Two:
        tried = Counter()

        async def deliver(self, delivery, destination):
            self.tried[destination.name] += 1
            if destination.name == "bad":
                raise OSError("no route to host")

    two, breaker = Two(), CircuitBreaker()
    worker = OutboxWorker(site.outbox, site.destinations, {"webhook": two}, breaker)
    for _ in range(10):
        await site.happened()
    while claim := await site.outbox.claim(breaker.paused()):
        await worker.work_on(claim)
    assert two.tried == {"bad": outbox_worker.TROUBLED, "good": 10}
    assert breaker.paused() == {bad.id}
    assert good.id not in breaker.failures
    breaker.succeeded(bad.id)
    assert breaker.paused() == set()


async def test_a_deliverer_that_never_returns_is_given_up(site, monkeypatch):
    monkeypatch.setattr(outbox_worker, "LONGEST_S", 0.1)
    await site.add()
    await site.happened()

    class Hangs:
        async def deliver(self, delivery, destination):
            await asyncio.sleep(60)

    worker = OutboxWorker(site.outbox, site.destinations, {"webhook": Hangs()})
    await worker.work_on(await site.outbox.claim())
    [delivery] = await site.outbox.page(site.who.organisation_id, 10)
    assert (delivery.state, delivery.last_error) == ("waiting", "TimeoutError")


async def test_a_removed_destination_gets_nothing_more(site):
    there = await site.add()
    await site.happened()
    await site.destinations.remove(there.id, site.who)
    await site.happened()
    await site.once()
    [delivery] = await site.outbox.page(site.who.organisation_id, 10)
    assert (delivery.state, site.receiver.had) == ("dead", [])
    with pytest.raises(NotFound):
        await site.destinations.remove(there.id, site.who)


async def test_a_destination_s_secret_is_not_in_the_database(site, tmp_path):
    await site.add()
    with pytest.raises(Conflict, match="name"):
        await site.add()
    if not site.database.is_shared:
        assert SECRET.encode() not in b"".join(file.read_bytes() for file in tmp_path.glob("*.db*"))


async def test_one_organisation_has_nothing_of_another(site):
    accounts = Accounts(site.sessions)
    elsewhere = operator_of(await accounts.get_or_create_organisation("Elsewhere"))
    there = await site.add()
    await site.happened()
    await site.once()
    [delivery] = await site.outbox.page(site.who.organisation_id, 10)
    assert await site.outbox.page(elsewhere.organisation_id, 10) == []
    assert await site.destinations.all(elsewhere.organisation_id) == []
    for attempt in (
        site.outbox.send_again(delivery.id, elsewhere),
        site.destinations.remove(there.id, elsewhere),
        site.destinations.get(elsewhere.organisation_id, there.id),
    ):
        with pytest.raises(NotFound):
            await attempt


async def test_the_feed_gives_every_event_once_and_none_that_may_still_be_overtaken(site, monkeypatch):
    events = Events(site.sessions)
    ids = [await site.happened() for _ in range(5)]
    assert (await events.after(site.who, None, 10)).items == []
    monkeypatch.setattr(records, "SETTLING", dt.timedelta(0))
    first = await events.after(site.who, None, 3)
    second = await events.after(site.who, first.next, 3)
    assert [event.id for event in [*first.items, *second.items]] == ids
    last = await events.after(site.who, second.next, 3)
    assert (last.items, last.next) == ([], None)


async def committing(site, uid):
    """A delivery that the archive took, and was asked to confirm."""
    claim = await site.outbox.claim()
    await site.outbox.expect(claim, uid)
    await site.outbox.committing(claim)
    return claim


async def stands(site):
    [row] = await site.outbox.page(site.who.organisation_id, 10)
    return row


async def test_what_an_archive_took_waits_until_it_confirms_that_it_keeps_it(site):
    await site.add()
    await site.happened()
    await committing(site, "2.25.1")
    assert (await stands(site)).state == "committing"
    # It is no delivery that is late: an archive may confirm at night what it took in the morning.
    assert (await site.outbox.backlog())["webhook"] == Backlog(committing=1)
    assert await site.outbox.claim() is None
    # Nobody's request changes nothing; what is not kept is sent again, under a request of its own.
    assert not await site.outbox.committed("2.25.999", 0)
    assert await site.outbox.committed("2.25.1", 2)
    again = await stands(site)
    assert (again.state, again.last_error) == ("waiting", "the archive does not keep 2 of the objects that it took")
    await site.everything_due()
    await committing(site, "2.25.2")
    assert not await site.outbox.committed("2.25.1", 0)
    assert await site.outbox.committed("2.25.2", 0)
    ended = await stands(site)
    assert (ended.state, ended.last_error, ended.attempts) == ("sent", None, 2)


async def test_an_answer_that_is_faster_than_the_note_of_its_request_counts(site):
    await site.add()
    await site.happened()
    claim = await site.outbox.claim()
    await site.outbox.expect(claim, "2.25.3")
    assert await site.outbox.committed("2.25.3", 0)
    await site.outbox.committing(claim)
    assert (await stands(site)).state == "sent"


async def test_an_archive_that_never_confirms_is_sent_to_again_and_dead_in_the_end(site):
    await site.add()
    await site.happened()
    for attempt in range(1, len(RETRY_S) + 2):
        assert (await committing(site, f"2.25.{attempt}")).attempts == attempt
        async with site.sessions.begin() as session:
            await session.execute(update(DeliveryRow).values(next_at=now()))
    dead = await stands(site)
    assert (dead.state, dead.last_error) == ("dead", "the archive took it, and never confirmed that it keeps it")


async def test_a_worker_leaves_to_the_archive_what_it_has_yet_to_confirm(site):
    await site.add()
    await site.happened()
    site.receiver.troubles = [AwaitsCommitment("asked")]
    await site.once()
    assert (await stands(site)).state == "committing"
