"""Every error as `application/problem+json` (RFC 9457), and how the OpenAPI page shows them."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from shared.logs import request_id
from shared.problem_catalogue import documentation_url
from shared.problems import (
    PROBLEMS,
    TYPE_PREFIX,
    InvalidInput,
    MalformedBody,
    TooManyRequests,
    TrabeculaError,
    UploadStalled,
    UploadTooLarge,
    problem_for,
)

PROBLEM_JSON = "application/problem+json"
ALWAYS = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
MOST_IN_DETAIL, MOST_ERRORS = 5, 50
# Stands for null in an example until the document is made.
NULL = "\ue000null"
# What is typed there is in no answer, whatever is wrong with it.
SECRET_FIELDS = {
    "password",
    "current_password",
    "new_password",
    "token",
    "refresh_token",
    "client_secret",
    "client_assertion",
    "registration_code",
    "second_factor",
}
# Raised as HTTPException by what stands before the body, and told as the problem that they are.
_OF_EVERY_BODY = (MalformedBody, UploadTooLarge, UploadStalled)
_OF_THE_UPLOAD = {PROBLEMS[error].status: PROBLEMS[error] for error in _OF_EVERY_BODY}
# What proxies write in their logs for a client that left (there is no status of the standard for it).
CLIENT_LEFT = 499


class ProblemDocument(BaseModel):
    """An error, RFC 9457. `type` is stable and meant for programs; `detail` is meant for people."""

    model_config = ConfigDict(extra="allow")

    type: str = Field(examples=["urn:trabecula:problem:invalid-record"])
    title: str = Field(examples=["The clinical record cannot be used"])
    status: int = Field(examples=[422])
    detail: str = Field(examples=["clinical.age: must be at least 0 (got -3)."])
    documentation_url: str = Field(
        examples=["/docs/problems/invalid-record"], description="Cause and cure, below the installation's address"
    )
    instance: str | None = Field(None, description="The request's id, to quote when asking for help")


def problem_response(
    status: int, slug: str, title: str, detail: str, headers: dict[str, str] | None = None, **members: Any
) -> JSONResponse:
    """One problem document as a response."""
    body = {
        "type": TYPE_PREFIX + slug,
        "title": title,
        "status": status,
        "detail": detail,
        "documentation_url": documentation_url(slug),
        **members,
    }
    if identity := request_id():
        body["instance"] = f"urn:trabecula:request:{identity}"
    # An answer to a failure of the app itself passes by everything that sets headers on the others.
    return JSONResponse(body, status, {**ALWAYS, **(headers or {})}, PROBLEM_JSON)


def install_problems(app: FastAPI) -> None:
    """Answer every error of an app with a problem document, the framework's own and unforeseen ones included."""
    app.add_exception_handler(TrabeculaError, _known)
    app.add_exception_handler(RequestValidationError, _invalid_request)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(ClientDisconnect, _left)
    app.add_exception_handler(Exception, _unforeseen)


def problem_responses(*errors: type[TrabeculaError]) -> dict[int | str, dict[str, Any]]:
    """The `responses` of an operation that can end in these errors, for its OpenAPI page."""
    responses: dict[int | str, dict[str, Any]] = {}
    for error in errors:
        problem = PROBLEMS[error]
        entry = responses.setdefault(problem.status.value, _empty_response())
        entry["description"] = "; ".join(filter(None, [entry["description"], problem.title]))
        entry["content"][PROBLEM_JSON]["examples"][problem.slug] = {
            "summary": problem.title,
            "value": {
                "type": problem.type,
                "title": problem.title,
                "status": problem.status.value,
                "detail": (error.__doc__ or "").strip(),
                "documentation_url": documentation_url(problem.slug),
            },
        }
    return responses


def only_problems(document: dict[str, Any]) -> None:
    """Say in an OpenAPI document that errors are problem documents and nothing else: the framework adds its own."""
    for operations in document["paths"].values():
        for operation in operations.values():
            for status, answer in operation["responses"].items():
                if status.startswith(("4", "5")) and _is_error(answer.get("content", {})):
                    content = answer["content"].get(PROBLEM_JSON) or _empty_response()["content"][PROBLEM_JSON]
                    answer["content"] = {PROBLEM_JSON: content}


def body_problems(document: dict[str, Any]) -> None:
    """Name in an OpenAPI document what every operation with a body can end in before its own code is reached."""
    for operations in document["paths"].values():
        for operation in operations.values():
            if "requestBody" in operation:
                for status, answer in problem_responses(*_OF_EVERY_BODY).items():
                    response = {part: answer[part] for part in ("description", "content")}
                    operation["responses"].setdefault(str(status), response)


def parameter_problems(document: dict[str, Any], prefix: str) -> None:
    """Name in an OpenAPI document that an unknown query parameter is refused, below a prefix."""
    for path, operations in document["paths"].items():
        if path.startswith(prefix):
            for operation in operations.values():
                for status, answer in problem_responses(InvalidInput).items():
                    described = {part: answer[part] for part in ("description", "content")}
                    operation["responses"].setdefault(str(status), described)


def limit_problems(document: dict[str, Any]) -> None:
    """Name in an OpenAPI document that every operation with a credential is counted."""
    for operations in document["paths"].values():
        for operation in operations.values():
            if operation.get("security"):
                for status, answer in problem_responses(TooManyRequests).items():
                    described = {part: answer[part] for part in ("description", "content")}
                    operation["responses"].setdefault(str(status), described)


def with_nulls(document: Any) -> Any:
    """The document with nulls where its examples have them."""
    if isinstance(document, dict):
        return {name: with_nulls(part) for name, part in document.items()}
    if isinstance(document, list):
        return [with_nulls(part) for part in document]
    return None if document == NULL else document


def _without_nulls(example: Any) -> Any:
    """An example that gets through the framework, which leaves out every null of a document."""
    if isinstance(example, dict):
        return {name: _without_nulls(part) for name, part in example.items()}
    if isinstance(example, list):
        return [_without_nulls(part) for part in example]
    return NULL if example is None else example


def _is_error(content: dict[str, Any]) -> bool:
    """Whether it is a problem or the framework's own error, and not an answer such as that of `/health/ready`."""
    own = content.get("application/json", {}).get("schema", {}).get("$ref", "").endswith("/HTTPValidationError")
    return own or PROBLEM_JSON in content


def example_response(example: Any, status: HTTPStatus = HTTPStatus.OK) -> dict[int | str, dict[str, Any]]:
    """The `responses` of an operation with an example of what it answers, for its OpenAPI page."""
    return {status.value: {"content": {"application/json": {"example": _without_nulls(example)}}}}


def _empty_response() -> dict[str, Any]:
    schema = {"$ref": "#/components/schemas/ProblemDocument"}
    return {"description": "", "model": ProblemDocument, "content": {PROBLEM_JSON: {"schema": schema, "examples": {}}}}


def joined(errors: Sequence[Mapping[str, str]]) -> str:
    """The first few errors as one sentence, for the `detail` of a problem; `errors` has all of them."""
    return "; ".join(f"{error['field']}: {error['message']}" for error in errors[:MOST_IN_DETAIL])


def describe_error(error: dict[str, Any]) -> dict[str, str]:
    """One pydantic error as the field's path and a sentence that says what was wrong and what is accepted."""
    path = ".".join(str(part) for part in error["loc"])
    shown = "" if SECRET_FIELDS & set(map(str, error["loc"])) else _shown(error.get("input"))
    return {"field": path, "message": f"{error['msg']}{shown}", "code": error["type"]}


def describe_errors(errors: Sequence[Any]) -> list[dict[str, str]]:
    """Pydantic's errors as `describe_error` has them, the first of them where there are many."""
    return first_errors([describe_error(dict(error)) for error in errors[:MOST_ERRORS]], len(errors))


def first_errors(errors: Sequence[dict[str, str]], count: int | None = None) -> list[dict[str, str]]:
    """As many errors as an answer lists, and how many more there are.

    Args:
        count: how many there are in all, where `errors` are the first of them.
    """
    more = (len(errors) if count is None else count) - MOST_ERRORS
    rest = [{"field": "", "message": f"and {more} more", "code": "more"}] if more > 0 else []
    return [*errors[:MOST_ERRORS], *rest]


def _shown(value: object) -> str:
    """What was sent, where it is short. A number of thousands of digits cannot even be written out."""
    short = isinstance(value, float) or (isinstance(value, int) and value.bit_length() < 200)
    return f" (got {value!r})" if short or (isinstance(value, str) and len(value) <= 60) else ""


async def _known(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, TrabeculaError)  # noqa: S101 -- registered for this class only
    problem = problem_for(error)
    headers = {}
    if "retry_after_s" in error.members:
        headers["Retry-After"] = str(error.members["retry_after_s"])
    if problem.status is HTTPStatus.UNAUTHORIZED:
        headers["WWW-Authenticate"] = "Bearer"
    return problem_response(problem.status, problem.slug, problem.title, error.detail, headers, **error.members)


async def _invalid_request(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)  # noqa: S101 -- registered for this class only
    errors = describe_errors(error.errors())
    status = HTTPStatus.UNPROCESSABLE_ENTITY
    return problem_response(status, "invalid-request", "The request cannot be used", joined(errors), errors=errors)


async def _http(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)  # noqa: S101 -- registered for this class only
    status = HTTPStatus(error.status_code)
    known = _OF_THE_UPLOAD.get(status)
    slug, title = (known.slug, known.title) if known else (status.phrase.lower().replace(" ", "-"), status.phrase)
    headers = dict(error.headers) if error.headers else None
    return problem_response(status, slug, title, str(error.detail), headers)


async def _left(_: Request, __: Exception) -> JSONResponse:
    """The client went away within its own upload; nobody reads this answer, but the access log has it."""
    return problem_response(CLIENT_LEFT, "client-left", "The client left", "The upload broke off; nothing was stored.")


async def _unforeseen(_: Request, error: Exception) -> JSONResponse:
    return unforeseen(error)


def unforeseen(error: Exception) -> JSONResponse:
    """The answer to what nobody foresaw; the log has it whole."""
    structlog.get_logger("trabecula").error("unforeseen", exc_info=error)
    detail = "Something unforeseen went wrong here. Nothing was stored; quote the instance when you ask for help."
    return problem_response(500, "internal-error", "Internal error", detail)
