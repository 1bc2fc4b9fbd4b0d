"""The hospital's OpenID provider: where its endpoints are and which keys it signs with (OpenID Connect Discovery 1.0).

Nothing is asked of it before it is needed. What it said is kept for an hour. Its keys are asked for anew where a token
names one that is not among those known, once a minute at most.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar
from urllib.parse import urlsplit

import structlog

from shared.outside import ask, is_secure_url
from shared.outside_addresses import is_loopback
from shared.problems import ServiceUnavailable

Kept = TypeVar("Kept")
KEPT_S = 3600
# Not asked again for so long, whatever the answer was: a stranger cannot make the gateway hammer the provider.
PAUSE_S = 60
PAUSE_AFTER_FAILURE_S = 2


@dataclass(frozen=True)
class ProviderMetadata:
    """The part of a discovery document that is used here."""

    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    userinfo_endpoint: str | None
    end_session_endpoint: str | None
    secret_in_form: bool
    names_itself: bool


class KeptAnswer(Generic[Kept]):
    """An answer that is asked for when it is needed, and kept.

    Args:
        fetch: asks for it.
    """

    def __init__(self, fetch: Callable[[], Awaitable[Kept]]) -> None:
        self._fetch, self._lock = fetch, asyncio.Lock()
        self._answer: Kept | None = None
        self._asked_at = self._failed_at = float("-inf")

    async def get(self, younger_than_s: float = KEPT_S) -> Kept:
        """The answer, asked for anew where it is older; of many who wait, one asks.

        Raises:
            ServiceUnavailable: the provider does not answer.
        """
        async with self._lock:
            if self._answer is None or time.monotonic() - self._asked_at > younger_than_s:
                if time.monotonic() - self._failed_at < PAUSE_AFTER_FAILURE_S:
                    raise ServiceUnavailable("It did not answer a moment ago: try again soon.")
                try:
                    self._answer = await self._fetch()
                except ServiceUnavailable:
                    self._failed_at = time.monotonic()
                    raise
                self._asked_at = time.monotonic()
            return self._answer


class OidcProvider:
    """Knows one provider.

    Args:
        issuer: exactly as the provider names itself.
    """

    def __init__(self, issuer: str) -> None:
        self.issuer = issuer
        self._metadata = KeptAnswer(self._discover)
        self._keys = KeptAnswer(self._fetch_keys)
        # What the last look found; null before the first one.
        self.answers: bool | None = None

    async def metadata(self) -> ProviderMetadata:
        """Where its endpoints are.

        Raises:
            ServiceUnavailable: it does not answer, or not as the standard has it.
        """
        return await self._metadata.get()

    async def keys(self, kid: str | None) -> list[dict[str, Any]]:
        """Its public keys (JWK) of this id, or all of them where a token names none.

        Raises:
            ServiceUnavailable: it does not answer, or not as the standard has it.
        """
        found = _of_id(await self._keys.get(), kid)
        return found or _of_id(await self._keys.get(younger_than_s=PAUSE_S), kid)

    async def look(self) -> None:
        """See whether it answers, and say so in the log where that has changed."""
        try:
            await self._metadata.get(younger_than_s=PAUSE_S / 2)
            answers, why = True, ""
        except ServiceUnavailable as error:
            answers, why = False, error.detail
        if answers != self.answers:
            log = structlog.get_logger("trabecula")
            if answers:
                log.info("the sign-in provider answers", issuer=self.issuer)
            else:
                log.warning("the sign-in provider does not answer: local sign-in works", issuer=self.issuer, why=why)
        self.answers = answers

    async def _discover(self) -> ProviderMetadata:
        answer = await ask("GET", self.issuer.rstrip("/") + "/.well-known/openid-configuration")
        document = answer.document
        if answer.status != 200 or document.get("issuer") != self.issuer:
            raise ServiceUnavailable(f"{urlsplit(self.issuer).netloc} does not call itself {self.issuer}.")
        methods = document.get("token_endpoint_auth_methods_supported", ["client_secret_basic"])
        in_form = isinstance(methods, list) and "client_secret_basic" not in methods
        return ProviderMetadata(
            self._required(document, "authorization_endpoint"),
            self._required(document, "token_endpoint"),
            self._required(document, "jwks_uri"),
            self._endpoint(document, "userinfo_endpoint"),
            self._endpoint(document, "end_session_endpoint"),
            in_form,
            document.get("authorization_response_iss_parameter_supported") is True,
        )

    async def _fetch_keys(self) -> list[dict[str, Any]]:
        answer = await ask("GET", (await self.metadata()).jwks_uri)
        keys = answer.document.get("keys")
        if answer.status != 200 or not isinstance(keys, list):
            raise ServiceUnavailable("The sign-in provider does not answer with its keys.")
        return [key for key in keys if isinstance(key, dict)]

    def _required(self, document: dict[str, Any], name: str) -> str:
        found = self._endpoint(document, name)
        if found is None:
            raise ServiceUnavailable(f"The sign-in provider names no {name} that can be used.")
        return found

    def _endpoint(self, document: dict[str, Any], name: str) -> str | None:
        """An address of the document; one of this machine only where the provider itself is on this machine."""
        url = document.get(name)
        if not isinstance(url, str) or not is_secure_url(url):
            return None
        return None if is_loopback(url) and not is_loopback(self.issuer) else url


def _of_id(keys: list[dict[str, Any]], kid: str | None) -> list[dict[str, Any]]:
    return [key for key in keys if kid is None or key.get("kid") == kid]
