"""FHIR over HTTP: which formats are asked for, what body came, how a resource is answered."""

import datetime as dt
from collections.abc import Mapping
from email.utils import format_datetime
from http import HTTPStatus
from importlib.metadata import version
from typing import Annotated, Any

import anyio
from fastapi import Depends, Query, Request, Response

from gateway.api.conditional import etag_of, matches
from gateway.assessing.results import ResultContent
from gateway.context import AppContext, Context
from gateway.interop.fhir.reading.parsing import parse_json
from gateway.interop.fhir.resource import FHIR_JSON, Resource, to_bytes
from gateway.interop.fhir.writing.result import Result
from shared.problems import NotAcceptable, UnsupportedMediaType

WRITTEN = ("json", "application/json", "text/json", FHIR_JSON)
ACCEPTED = (*WRITTEN, "*/*", "application/*", "text/*")
SENT = (FHIR_JSON, "application/json", "text/json")


class FhirResponse(Response):
    """A resource as JSON."""

    media_type = FHIR_JSON


async def json_is_wanted(
    request: Request,
    format_: Annotated[str | None, Query(alias="_format", description="`json`; stands above the header Accept")] = None,
) -> None:
    """Refuse a request for another format than JSON.

    Raises:
        NotAcceptable: by `_format`, or by every range in the header Accept.
    """
    wanted = request.headers.get("accept", "*/*").split(",")
    if format_ is not None:
        wanted = [format_.replace(" ", "+")]  # an unescaped plus sign is a space in a query
    ranges = {part.partition(";")[0].strip().lower() for part in wanted}
    if ranges.isdisjoint(WRITTEN if format_ is not None else ACCEPTED):
        raise NotAcceptable(f"Only JSON is written here: ask for {FHIR_JSON}.")


JsonIsWanted = Depends(json_is_wanted)


async def read_json(request: Request) -> Any:
    """The body as parsed JSON, read beside the event loop.

    Raises:
        UnsupportedMediaType: it is no JSON by its headers, or compressed.
        MalformedBody: it is no JSON.
        InvalidInput: it holds more values than are read.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind not in SENT:
        raise UnsupportedMediaType(f"Content-Type {kind[:40] or '(none)'} is not read here: send {FHIR_JSON}.")
    encoding = request.headers.get("content-encoding", "").strip().lower()
    if encoding not in ("", "identity"):
        raise UnsupportedMediaType(
            f"The body has Content-Encoding {encoding[:40]}, which is not read: send it as it is (identity)."
        )
    return await anyio.to_thread.run_sync(parse_json, await request.body())


async def public_root(request: Request, ctx: Context) -> str:
    """The gateway's address as other systems reach it: as the site says, else as this caller did."""
    return (ctx.settings.public_url or str(request.base_url)).rstrip("/")


PublicRoot = Annotated[str, Depends(public_root)]


def result_from(ctx: AppContext, root: str, content: ResultContent) -> Result:
    """A result ready to be translated."""
    return Result(content, root, ctx.settings.fhir_patient_system, version("trabecula"))


def fhir_response(
    request: Request,
    resource: Resource,
    status: HTTPStatus = HTTPStatus.OK,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """A resource as JSON with an ETag of its bytes; 304 without it where the caller has the same."""
    changed = resource.get("meta", {}).get("lastUpdated")
    dated = {"Last-Modified": format_datetime(dt.datetime.fromisoformat(changed), usegmt=True)} if changed else {}
    return bytes_response(request, to_bytes(resource), status, {**dated, **(headers or {})})


def bytes_response(
    request: Request, content: bytes, status: HTTPStatus = HTTPStatus.OK, headers: Mapping[str, str] | None = None
) -> Response:
    """The same for a resource that was written already."""
    etag = etag_of(content)
    more = {"ETag": etag, **(headers or {})}
    if request.method in ("GET", "HEAD") and matches(request.headers.get("if-none-match", ""), etag):
        return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=more)
    return FhirResponse(content, status, more)
