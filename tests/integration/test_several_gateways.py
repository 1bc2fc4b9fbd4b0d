"""Two gateways on one database: what one caller has under way stays bounded, rates are one, and nobody is starved."""

import asyncio
import json
import time
from collections import Counter
from contextlib import asynccontextmanager
from dataclasses import fields

import pytest
from pydantic import SecretStr

from gateway.assessing.services import Services
from gateway.settings import GatewaySettings
from tests.conftest import open_gateway, shared_services
from tests.integration.people import client

PLACES, PER_CALLER, RATE, WORK_S = 4, 3, 10, 0.3
FLOOD, OTHER = 61, 62  # the age in a record tells the service here whose it is


class Watched(Services):
    """Services that take their time, and note how much is under way for whom."""

    async def risk(self, request):
        age = int(request.record.age)
        self.noted.under_way[age] += 1
        self.noted.peak[age] = max(self.noted.peak[age], self.noted.under_way[age])
        self.noted.whole = max(self.noted.whole, sum(self.noted.under_way.values()))
        try:
            await asyncio.sleep(WORK_S)
            return await super().risk(request)
        finally:
            self.noted.under_way[age] -= 1


class Noted:
    def __init__(self):
        self.under_way, self.peak, self.whole = Counter(), Counter(), 0


@pytest.fixture
async def gateways(database_url, tmp_path):
    """Two gateways with the same services, each with a client of its own key; and what the services noted."""
    noted = Noted()

    @asynccontextmanager
    async def source():
        async with shared_services()() as services:
            watched = Watched(**{field.name: getattr(services, field.name) for field in fields(Services)})
            object.__setattr__(watched, "noted", noted)
            yield watched

    settings = GatewaySettings(
        state_dir=tmp_path, database_url=SecretStr(database_url), max_in_flight=PLACES,
        max_in_flight_per_caller=PER_CALLER, assessments_per_minute=RATE, _env_file=None,
    )  # fmt: skip
    async with open_gateway(settings, source) as first, open_gateway(settings, source) as second:
        yield first, second, noted


async def assess(caller, age):
    began = time.monotonic()
    record = json.dumps({"age": age, "gender": "female"})
    answer = await caller.post("/v1/assessments", files={"clinical": (None, record)})
    return answer.status_code, time.monotonic() - began


async def test_one_caller_at_both_gateways_has_no_more_than_both_give_and_keeps_nobody_out(gateways):
    first, second, noted = gateways
    key = {"X-API-Key": first.headers["X-API-Key"]}
    async with client(second, **key) as beside:  # the same caller at the other gateway
        flood = [asyncio.create_task(assess(caller, FLOOD)) for _ in range(12) for caller in (first, beside)]
        await asyncio.sleep(WORK_S / 3)
        other = await asyncio.gather(*(assess(second, OTHER) for _ in range(2)))
        ended = await asyncio.gather(*flood)
    flooded = Counter(status for status, _ in ended)
    assert [status for status, _ in other] == [201, 201]
    # Behind the whole flood, the last of them would end a piece of work after it, however slow the machine is.
    last_of_flood = max(seconds for status, seconds in ended if status == 201)
    last = WORK_S / 3 + max(seconds for _, seconds in other)
    assert last < last_of_flood + WORK_S, "their turn comes before the flood's next"
    assert noted.peak[FLOOD] <= 2 * PER_CALLER
    assert noted.whole <= 2 * PLACES
    assert set(flooded) == {201, 429}
    assert flooded[201] <= RATE, "the rate is one for both gateways"
