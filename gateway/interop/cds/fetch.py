"""What a client did not send along is asked for at its FHIR server, where that is one that the operator allowed."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote, urljoin

from gateway.interop.cds.call import Call
from gateway.interop.fhir.reading.nodes import Node, nodes, text
from gateway.interop.fhir.resource import FHIR_JSON
from shared.outside import ask
from shared.problems import PrefetchMissing, ServiceUnavailable

# A search may come in pages. Of more than these nothing is used: half of the conditions would look like all of them.
MOST_PAGES, MOST_BYTES = 5, 2_000_000
NOT_FOUND = (404, 410)


async def with_missing(
    call: Call, missing: Mapping[str, str], servers: Sequence[str], networks: Sequence[str]
) -> dict[str, Any]:
    """The data of all keys: as it came along, and as the client's FHIR server gives it.

    Args:
        missing: the queries to ask, by key.
        servers: base addresses that the operator allowed for this client.
        networks: private networks in which they may lie.

    Raises:
        PrefetchMissing: something is missing and there is no way to ask for it, or no whole answer.
    """
    data = {key: value for key, value in call.prefetch.items() if key not in missing}
    if not missing:
        return data
    names = ", ".join(missing)
    server = (call.fhir_server or "").rstrip("/")
    if not server or call.access_token is None or server not in {allowed.rstrip("/") for allowed in servers}:
        raise PrefetchMissing(
            f"prefetch: {names} did not come along, and there is no fhirServer with fhirAuthorization that may be "
            "asked. Send them, or let the operator allow the server (trabecula cds add --fhir-server).",
            missing=list(missing),
        )
    token = call.access_token
    try:
        answers = await asyncio.gather(*(_asked(f"{server}/", query, token, networks) for query in missing.values()))
    except ServiceUnavailable as error:
        raise PrefetchMissing(f"prefetch: {names} cannot be had: {error.detail}", missing=list(missing)) from error
    return {**data, **dict(zip(missing, answers, strict=True))}


async def _asked(base: str, query: str, token: str, networks: Sequence[str]) -> Node | None:
    """The answer to a query, with all its pages in one; null where the record is not there."""
    url, entries = urljoin(base, quote(query, safe="/?&=:|,_-.")), []
    headers = {"Accept": FHIR_JSON, "Authorization": f"Bearer {token}"}
    for _ in range(MOST_PAGES):
        answer = await ask("GET", url, headers=headers, networks=networks, most_bytes=MOST_BYTES)
        if answer.status in NOT_FOUND:
            return None
        if answer.status != 200:
            raise ServiceUnavailable(f"the FHIR server answers with {answer.status}.")
        if text(answer.document, "resourceType") != "Bundle":
            return answer.document
        entries += nodes(answer.document, "entry")
        following = next((one for one in nodes(answer.document, "link") if text(one, "relation") == "next"), None)
        if following is None:
            return {**answer.document, "entry": entries}
        url = urljoin(base, text(following, "url") or "")
        if not url.startswith(base):
            raise ServiceUnavailable("the next page of an answer lies at another server.")
    raise ServiceUnavailable(f"an answer has more than {MOST_PAGES} pages.")
