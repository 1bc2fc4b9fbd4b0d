"""Everything that goes wrong below `/fhir` as an OperationOutcome, whoever refused it and why."""

import json
from typing import Any

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway.interop.fhir.outcome import from_problem
from gateway.interop.fhir.resource import FHIR_JSON, to_bytes
from shared.problem_responses import PROBLEM_JSON, unforeseen

BASE = "/fhir"


def is_fhir(path: str) -> bool:
    """Whether an address belongs to the FHIR API."""
    return path == BASE or path.startswith(f"{BASE}/")


class FhirErrorsMiddleware:
    """Turns problem documents below `/fhir` into OperationOutcomes; what nobody foresaw is answered here as well."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not is_fhir(scope["path"]):
            await self.app(scope, receive, send)
            return
        answer = _Answer(send)
        try:
            await self.app(scope, receive, answer.send)
        except Exception as error:
            if answer.has_begun:
                raise
            # The app's own handler stands outside of this and would answer with a problem document.
            await unforeseen(error)(scope, receive, answer.send)


class _Answer:
    """Passes an answer on; a problem document is held until it is whole, and changed."""

    def __init__(self, send: Send) -> None:
        self._send, self._held, self._body = send, None, bytearray()
        self.has_begun = False

    _held: Message | None

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start" and _is_problem(message):
            self._held = message
        elif self._held is not None and message["type"] == "http.response.body":
            self._body += message.get("body", b"")
            if not message.get("more_body", False):
                await self._send_outcome(self._held)
        else:
            self.has_begun = True
            await self._send(message)

    async def _send_outcome(self, start: Message) -> None:
        problem: dict[str, Any] = json.loads(bytes(self._body))
        content = to_bytes(from_problem(problem))
        headers = MutableHeaders(raw=list(start["headers"]))
        headers["Content-Type"], headers["Content-Length"] = FHIR_JSON, str(len(content))
        self.has_begun = True
        await self._send({**start, "headers": headers.raw})
        await self._send({"type": "http.response.body", "body": content})


def _is_problem(start: Message) -> bool:
    return any(name == b"content-type" and value.startswith(PROBLEM_JSON.encode()) for name, value in start["headers"])


def outcomes_for_problems(document: dict[str, Any]) -> None:
    """Say in an OpenAPI document that errors below `/fhir` are OperationOutcomes."""
    document["components"]["schemas"]["OperationOutcome"] = OPERATION_OUTCOME
    content = {FHIR_JSON: {"schema": {"$ref": "#/components/schemas/OperationOutcome"}}}
    for path, operations in document["paths"].items():
        for operation in operations.values() if is_fhir(path) else ():
            for answer in operation["responses"].values():
                if PROBLEM_JSON in answer.get("content", {}):
                    answer["content"] = content


OPERATION_OUTCOME: dict[str, Any] = {
    "type": "object",
    "title": "OperationOutcome",
    "description": "FHIR R4. `details.coding` has the code of the problem, `diagnostics` is meant for people",
    "required": ["resourceType", "issue"],
    "properties": {
        "resourceType": {"const": "OperationOutcome"},
        "issue": {
            "type": "array",
            "minItems": 1,
            "items": {
                "type": "object",
                "required": ["severity", "code"],
                "properties": {
                    "severity": {"enum": ["error", "warning"]},
                    "code": {"type": "string"},
                    "details": {"type": "object"},
                    "diagnostics": {"type": "string"},
                },
            },
        },
    },
}
