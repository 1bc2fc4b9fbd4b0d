"""How the gateway calls a service: the same over HTTP and, within one process, over httpx's ASGITransport."""

from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any, TypeVar

import anyio
import httpx
import stamina
from pydantic import BaseModel

from shared import internal_token
from shared.logs import REQUEST_ID, TRACE_PARENT, request_id, trace_parent
from shared.problems import PROBLEMS, TYPE_PREFIX, ServiceBrokeOff, ServiceUnavailable, TooBusy, TrabeculaError

Answer = TypeVar("Answer", bound=BaseModel)
Read = TypeVar("Read")
CONNECT_TIMEOUT_S = 1.0
READ_TIMEOUT_S = 10.0
# Every call is a pure computation, so one that met nobody, or a 503, is made again, twice at most and soon. One that
# timed out is not: the service has it, and is slow.
NOT_TAKEN = (httpx.ConnectError, httpx.ConnectTimeout, httpx.HTTPStatusError)
# A connection that broke: a question of a few kilobytes is asked again. An image is not, once any of it was sent: it
# may be what ended the service, and would end the next replica too.
BROKE_OFF = (httpx.NetworkError, httpx.RemoteProtocolError)
ATTEMPTS = 3
FIRST_WAIT_S = 0.05
LONGEST_WAIT_S = 0.2
_ERROR_BY_TYPE = {TYPE_PREFIX + problem.slug: error for error, problem in PROBLEMS.items()}


class ServiceClient:
    """Calls one service with bounded concurrency.

    Args:
        name: the service's name, which internal tokens are issued for.
        http: made once in the lifespan, with the service's base URL; a client per request would cost 50 ms each.
        secret: signs the internal tokens.
        max_in_flight: calls at the same time; more wait no longer than the read timeout.
    """

    def __init__(self, name: str, http: httpx.AsyncClient, secret: str, max_in_flight: int = 16) -> None:
        self.name = name
        self._http, self._secret = http, secret
        self._slots = anyio.CapacityLimiter(max_in_flight)

    async def post_json(self, path: str, body: BaseModel, answer: type[Answer]) -> Answer:
        """Send a contract, receive a contract. Raises as `_send` does."""
        content = body.model_dump_json(exclude_unset=True)
        headers = {"content-type": "application/json"}
        return await self._send("POST", path, answer.model_validate_json, content=content, headers=headers)

    async def post_image(
        self, path: str, image: bytes, media_type: str, read: Callable[[bytes], Read], asked: dict[str, str]
    ) -> Read:
        """Send an image as it is, receive what `read` makes of the answer. Raises as `_send` does, and:

        Args:
            read: raises a ValueError where an answer is not its contract.
            asked: query parameters.

        Raises:
            ServiceBrokeOff: the connection broke after some of the image was sent.
        """
        headers = {"content-type": media_type}
        try:
            return await self._send(
                "POST", path, read, again_on=NOT_TAKEN, content=image, params=asked, headers=headers
            )
        except ServiceUnavailable as error:
            if isinstance(error.__cause__, BROKE_OFF) and not isinstance(error.__cause__, NOT_TAKEN):
                raise ServiceBrokeOff(f"The {self.name} service ended while it had the image.") from error
            raise

    async def get(self, path: str, answer: type[Answer], asked: Mapping[str, str] | None = None) -> Answer:
        """Receive a contract; `asked` are query parameters. Raises as `_send` does."""
        return await self._send("GET", path, answer.model_validate_json, params=asked)

    async def is_ready(self) -> bool:
        """Whether the service says that it is ready, within a second."""
        try:
            response = await self._http.get("/health/ready", timeout=CONNECT_TIMEOUT_S)
        except httpx.HTTPError:
            return False
        return response.is_success

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def _send(
        self,
        method: str,
        path: str,
        read: Callable[[bytes], Read],
        again_on: tuple[type[Exception], ...] = (*NOT_TAKEN, *BROKE_OFF),
        **request: Any,
    ) -> Read:
        """One call.

        Args:
            read: the answer of its bytes; raises a ValueError where they are not its contract.
            again_on: the errors after which it is made again.

        Raises:
            ServiceUnavailable: no answer in time, an answer that is no contract, or an error of the service's own.
            TrabeculaError: the service's own refusal, as it gave it.
        """
        headers = {internal_token.HEADER: internal_token.issue(self._secret, self.name), **request.pop("headers", {})}
        if identity := request_id():
            headers[REQUEST_ID] = identity
        if trace := trace_parent():
            headers[TRACE_PARENT] = trace
        try:
            with anyio.fail_after(CONNECT_TIMEOUT_S + READ_TIMEOUT_S):
                async with self._slots:
                    response = await self._patiently(again_on, method, path, headers=headers, **request)
        except (httpx.HTTPError, TimeoutError) as error:
            raise ServiceUnavailable(f"The {self.name} service does not answer.") from error
        return self._read(response, read)

    async def _patiently(
        self, again_on: tuple[type[Exception], ...], method: str, path: str, **request: Any
    ) -> httpx.Response:
        """The response, after another try or two where that is safe and may help."""
        tries = stamina.retry_context(
            on=again_on,
            attempts=ATTEMPTS,
            timeout=None,
            wait_initial=FIRST_WAIT_S,
            wait_max=LONGEST_WAIT_S,
            wait_jitter=FIRST_WAIT_S,
        )
        async for attempt in tries:
            with attempt:
                response = await self._http.request(method, path, **request)
                if response.status_code == HTTPStatus.SERVICE_UNAVAILABLE and attempt.num < ATTEMPTS:
                    response.raise_for_status()
                return response
        raise AssertionError("the last attempt either returns or raises")

    def _read(self, response: httpx.Response, read: Callable[[bytes], Read]) -> Read:
        if response.is_success:
            try:
                return read(response.content)
            except ValueError as error:
                raise ServiceUnavailable(f"The {self.name} service answered with what is not its contract.") from error
        raise self._refusal(response)

    def _refusal(self, response: httpx.Response) -> TrabeculaError:
        """The service's problem document as the error it was, where the caller can mend it; else unavailable."""
        try:
            document = response.json()
            error = _ERROR_BY_TYPE[document["type"]]
        except (ValueError, KeyError, TypeError):
            return ServiceUnavailable(f"The {self.name} service failed ({response.status_code}).")
        known = {"type", "title", "status", "detail", "documentation_url", "instance"}
        members = {key: value for key, value in document.items() if key not in known}
        if response.status_code >= 500 and error is not TooBusy:
            return ServiceUnavailable(f"The {self.name} service is not available: {document['detail']}")
        return error(document["detail"], **members)


def service_http(base_url: str, transport: httpx.AsyncBaseTransport | None = None) -> httpx.AsyncClient:
    """The httpx client of one service; `transport` is the in-process one, or None for the network."""
    timeout = httpx.Timeout(READ_TIMEOUT_S, connect=CONNECT_TIMEOUT_S)
    # A clinic's proxy settings are for the internet, not for calls between the gateway and its services.
    return httpx.AsyncClient(base_url=base_url, transport=transport, timeout=timeout, trust_env=False)
