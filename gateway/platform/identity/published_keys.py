"""Public keys that hospital systems publish at an address: kept for an hour, asked for anew where one is not known."""

from collections.abc import Sequence
from functools import partial
from typing import Any

from gateway.platform.identity.oidc_provider import PAUSE_S, KeptAnswer
from gateway.platform.identity.public_keys import MOST_KEYS, KeySet
from shared.outside import ask
from shared.problems import ServiceUnavailable


class PublishedKeys:
    """Knows the keys of every key set that is stored here; an address that a token names is never asked.

    Args:
        networks: private networks in which the addresses may lie.
    """

    def __init__(self, networks: Sequence[str]) -> None:
        self._networks = networks
        self._kept: dict[str, KeptAnswer[list[Any]]] = {}

    async def of(self, key_set: KeySet, kid: str) -> list[Any]:
        """The keys of a set.

        Args:
            kid: of the key that is looked for; where it is not among those known the address is asked again, once a
                minute at most.

        Raises:
            ServiceUnavailable: the address does not answer, or not with a JWK Set of up to 20 keys.
        """
        if key_set.jwks is not None:
            return list(key_set.jwks["keys"])
        url = key_set.jwks_url or ""
        kept = self._kept.setdefault(url, KeptAnswer(partial(self._fetch, url)))
        keys = await kept.get()
        if any(isinstance(key, dict) and key.get("kid") == kid for key in keys):
            return keys
        return await kept.get(younger_than_s=PAUSE_S)

    async def _fetch(self, url: str) -> list[Any]:
        answer = await ask("GET", url, networks=self._networks)
        keys = answer.document.get("keys")
        if answer.status != 200 or not isinstance(keys, list) or len(keys) > MOST_KEYS:
            raise ServiceUnavailable(f"The address of the system's public keys does not answer with up to {MOST_KEYS}.")
        return keys
