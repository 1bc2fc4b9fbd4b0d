"""How much of the installation one caller, one organisation and all patients' accounts may take."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from limits import RateLimitItemPerHour, RateLimitItemPerMinute

from gateway.assessing.fair_turns import FairTurns
from gateway.platform.identity.rate_limits import RateLimits
from gateway.platform.identity.scopes import Principal
from gateway.platform.identity.sign_in_delays import network
from gateway.platform.rate_notes import note_rate
from gateway.settings import GatewaySettings
from shared.problems import TooManyRequests


@dataclass(frozen=True)
class Admission:
    """Counts what callers ask for, and lets their assessments in by turns.

    Args:
        shared: counts assessments, for all gateways on one database.
        local: counts every request, for this gateway.
        turns: places for assessments, in this gateway.
    """

    shared: RateLimits
    local: RateLimits
    turns: FairTurns
    settings: GatewaySettings

    async def count_request(self, who: Principal) -> None:
        """One more request of any kind.

        Raises:
            TooManyRequests: more than one caller may send within a minute.
        """
        most = self.settings.patient_requests_per_minute if who.is_patient else self.settings.requests_per_minute
        limit, names = RateLimitItemPerMinute(most), ("requests", who.id)
        wait_s = await self.local.wait_s(limit, *names)
        note_rate(await self.local.left("requests", limit, *names))
        _refuse(wait_s)

    async def count_bad_credential(self) -> None:
        """One more request with a key or a token that is not valid, from this address.

        Raises:
            TooManyRequests: more than one address may send within a minute.
        """
        limit = RateLimitItemPerMinute(self.settings.logins_per_address_per_minute)
        _refuse(await self.local.wait_s(limit, "bad credentials", network()))

    async def count_assessment(self, who: Principal) -> None:
        """One more assessment; asked before anything of the upload is read.

        Raises:
            TooManyRequests: more than a caller, or an organisation, may ask for within the time.
        """
        if who.is_patient:
            hourly = RateLimitItemPerHour(self.settings.patient_assessments_per_hour)
            _refuse(await self.shared.wait_s(hourly, "assessments", who.id))
        else:
            own = RateLimitItemPerMinute(self.settings.assessments_per_minute)
            _refuse(await self.shared.wait_s(own, "assessments", who.id))
            whole = RateLimitItemPerMinute(self.settings.organisation_assessments_per_minute)
            _refuse(await self.shared.wait_s(whole, "assessments", str(who.organisation_id)))

    @asynccontextmanager
    async def turn(self, who: Principal) -> AsyncIterator[None]:
        """A place for one assessment until the block ends.

        Raises:
            TooManyRequests: the caller has as many under way as one may have.
            TooBusy: as many wait as may, or no place became free in time.
        """
        async with self.turns.turn(who):
            yield


def _refuse(wait_s: int | None) -> None:
    if wait_s is not None:
        raise TooManyRequests(f"That is more than one caller may ask for: wait {wait_s} s.", retry_after_s=wait_s)
