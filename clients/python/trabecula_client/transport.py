"""How calls are made: credentials, retries that make nothing twice, problems as exceptions, and pages of lists."""

import random
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from types import TracebackType
from typing import Any, Self

import httpx

AGAIN = frozenset({429, 502, 503, 504})
SAFE = frozenset({"GET", "PUT", "DELETE"})
KEY = "Idempotency-Key"
FIRST_WAIT_S, LONGEST_WAIT_S = 0.5, 60.0


class Problem(Exception):
    """An answer that is a problem document (RFC 9457). Programs decide by `type`.

    Args:
        status: of HTTP.
        document: the whole problem, with members such as `errors`, `reason` or `retry_after_s`.
    """

    def __init__(self, status: int, document: Mapping[str, Any]) -> None:
        self.status, self.document = status, dict(document)
        self.type = str(document.get("type", "about:blank"))
        self.detail = str(document.get("detail", ""))
        self.documentation_url = str(document.get("documentation_url", ""))
        super().__init__(f"{status} {self.type}: {self.detail}")


class Transport:
    """One installation, called with one credential.

    Args:
        base_url: such as https://trabecula.hospital.example.
        api_key: of a hospital system.
        token: an access token, in place of the key.
        attempts: how often a call is made at most.
        timeout_s: for each of them.
        http: a client of one's own, as for a proxy or a certificate authority.
    """

    def __init__(
        self,
        base_url: str,
        api_key: str | None = None,
        token: str | None = None,
        *,
        attempts: int = 5,
        timeout_s: float = 60.0,
        http: httpx.Client | None = None,
    ) -> None:
        credential = {"X-API-Key": api_key} if api_key else {"Authorization": f"Bearer {token}"} if token else {}
        self._root, self._headers, self._attempts = base_url.rstrip("/"), credential, attempts
        self._http = http or httpx.Client(timeout=timeout_s)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def every(self, operation: Callable[..., Any], *arguments: Any, **query: Any) -> Iterator[Any]:
        """Every item of a list, page by page; with `after`, from old to new.

        Args:
            operation: a list's method, such as `list_assessments`.
        """
        goes_on = "after" if "after" in query or operation.__name__ in ("list_events", "list_cases") else "before"
        while True:
            page = operation(*arguments, **query)
            yield from page["items"]
            if page["next"] is None:
                return
            query[goes_on] = page["next"]

    def _call(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, Any] | None = None,
        makes: bool = False,
        idempotency_key: str | None = None,
        **body: Any,
    ) -> httpx.Response:
        """Make a call, again where that helps and makes nothing twice.

        Args:
            makes: whether the operation takes an Idempotency-Key.

        Raises:
            Problem: it was refused, or failed at the last attempt.
            httpx.TransportError: no answer came.
        """
        headers = dict(self._headers)
        if makes:
            headers[KEY] = idempotency_key or str(uuid.uuid4())
        attempts = self._attempts if makes or method in SAFE else 1
        known = {name: _written(value) for name, value in (query or {}).items() if value is not None}
        for attempt in range(1, attempts + 1):
            try:
                answer = self._http.request(method, self._root + path, params=known, headers=headers, **body)
            except httpx.TransportError:
                if attempt == attempts:
                    raise
                time.sleep(_pause_s(attempt, None))
                continue
            if answer.status_code not in AGAIN or attempt == attempts:
                return _checked(answer)
            time.sleep(_pause_s(attempt, answer.headers.get("Retry-After")))
        raise AssertionError("the last attempt either returns or raises")


def _checked(answer: httpx.Response) -> httpx.Response:
    if answer.is_success:
        return answer
    try:
        document = answer.json()
    except ValueError:
        document = {"detail": answer.text[:200]}
    raise Problem(answer.status_code, document if isinstance(document, dict) else {})


def _pause_s(attempt: int, retry_after: str | None) -> float:
    """Seconds before the next attempt: as the installation says, else doubled each time, up to a fifth more or less."""
    if retry_after is not None and retry_after.isdecimal():
        return min(float(retry_after), LONGEST_WAIT_S)
    wait_s: float = min(FIRST_WAIT_S * 2.0 ** (attempt - 1), LONGEST_WAIT_S)
    return wait_s * random.uniform(0.8, 1.2)  # noqa: S311 -- no secret


def _written(value: Any) -> Any:
    """A value as a query has it."""
    if isinstance(value, bool):
        return str(value).lower()
    return value
