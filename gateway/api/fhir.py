"""`/fhir`: assessments as HL7 FHIR R4, to read and to search."""

from http import HTTPStatus
from importlib.metadata import version
from typing import Annotated, Any

import anyio
from fastapi import APIRouter, Depends, Path, Query, Request, Response

from gateway.api.deps import AssessmentReader
from gateway.api.fhir_errors import BASE
from gateway.api.fhir_messages import FhirResponse, JsonIsWanted, PublicRoot, fhir_response, result_from
from gateway.api.fhir_search import (
    UUID_LENGTH,
    CommonSearch,
    Cursor,
    IgnoredParameters,
    Search,
    as_uuid,
    has_code,
    ignored_parameters,
    of_codes,
    of_report,
    with_patient,
)
from gateway.assessing.results import ResultContent
from gateway.context import AppContext, Context
from gateway.interop.fhir.conformance import READABLE, capability_statement, code_system
from gateway.interop.fhir.outcome import ignored as ignored_outcome
from gateway.interop.fhir.resource import FHIR_JSON, Resource
from gateway.interop.fhir.writing.bundles import resources_of, searchset
from gateway.interop.fhir.writing.identities import patient as patient_resource
from gateway.interop.fhir.writing.result import Result
from gateway.platform.identity.scopes import Principal
from gateway.platform.paging import Window
from gateway.records.assessments import Selection
from shared.problem_responses import problem_responses
from shared.problems import InvalidSearch, NotAcceptable, NotAuthenticated, NotAuthorised, NotFound, TooManyRequests

HOW = [JsonIsWanted, Depends(ignored_parameters)]
OF_ALL = problem_responses(InvalidSearch, NotAcceptable)
GUARDED = problem_responses(NotAuthenticated, NotAuthorised, TooManyRequests)
router = APIRouter(prefix=BASE, tags=["fhir"], dependencies=HOW, responses=OF_ALL, default_response_class=FhirResponse)


def answers(description: str, status: HTTPStatus = HTTPStatus.OK) -> dict[int | str, dict[str, Any]]:
    """The `responses` of an operation that answers with a resource."""
    content = {FHIR_JSON: {"schema": {"type": "object"}}}
    return {status.value: {"description": description, "content": content}}


@router.get("/metadata", summary="CapabilityStatement", responses=answers("A CapabilityStatement"))
@router.head("/metadata", include_in_schema=False)
async def get_capability_statement(request: Request, root: PublicRoot) -> Response:
    """What this FHIR API can do. Needs no credential."""
    return fhir_response(request, capability_statement(f"{root}{BASE}", version("trabecula")))


@router.get("/CodeSystem/finding", summary="The project's own codes", responses=answers("A CodeSystem"))
@router.head("/CodeSystem/finding", include_in_schema=False)
async def get_code_system(request: Request) -> Response:
    """The codes for what no standard code system has a code for. Needs no credential."""
    return fhir_response(request, code_system())


@router.get(
    "/DiagnosticReport", summary="Search reports", responses={**answers("A Bundle of the type searchset"), **GUARDED}
)
@router.head("/DiagnosticReport", include_in_schema=False)
async def search_reports(
    request: Request,
    who: AssessmentReader,
    ctx: Context,
    root: PublicRoot,
    search: CommonSearch,
    ignored: IgnoredParameters,
    identifier: Annotated[str | None, Query(description="The assessment's id, also as `urn:uuid:`")] = None,
) -> Response:
    """Reports, the newest first, a page at a time; the link `next` leads to the following page."""
    found = await with_patient(of_report(search, identifier), who, ctx)
    return await _searched(request, "DiagnosticReport", found, who, ctx, root, ignored)


@router.get(
    "/Observation", summary="Search observations", responses={**answers("A Bundle of the type searchset"), **GUARDED}
)
@router.head("/Observation", include_in_schema=False)
async def search_observations(
    request: Request,
    who: AssessmentReader,
    ctx: Context,
    root: PublicRoot,
    search: CommonSearch,
    ignored: IgnoredParameters,
    code: Annotated[str | None, Query(description="`code` or `system|code`; several separated by commas")] = None,
) -> Response:
    """Observations, those of the newest assessment first. A page may have fewer than were asked for, and a next one."""
    found = await with_patient(of_codes(search, code), who, ctx)
    return await _searched(request, "Observation", found, who, ctx, root, ignored)


@router.get(
    "/RiskAssessment", summary="Search risks", responses={**answers("A Bundle of the type searchset"), **GUARDED}
)
@router.head("/RiskAssessment", include_in_schema=False)
async def search_risks(
    request: Request,
    who: AssessmentReader,
    ctx: Context,
    root: PublicRoot,
    search: CommonSearch,
    ignored: IgnoredParameters,
) -> Response:
    """Risk assessments, the newest first. A page may have fewer than were asked for, and a next one."""
    found = await with_patient(search, who, ctx)
    return await _searched(request, "RiskAssessment", found, who, ctx, root, ignored)


@router.get(
    "/{resource_type}/{resource_id}",
    summary="Read a resource",
    responses={**answers("The resource"), **GUARDED, **problem_responses(NotFound)},
)
@router.head("/{resource_type}/{resource_id}", include_in_schema=False)
async def read_resource(
    request: Request,
    resource_type: Annotated[str, Path(json_schema_extra={"enum": list(READABLE)})],
    resource_id: Annotated[str, Path(max_length=64)],
    who: AssessmentReader,
    ctx: Context,
    root: PublicRoot,
) -> Response:
    """One resource of an assessment, as the caller may see it; `ETag` changes with its content."""
    not_found = NotFound(f"There is no {resource_type[:40]} {resource_id[:64]}.")
    identity = as_uuid(resource_id[:UUID_LENGTH])
    if resource_type not in READABLE or identity is None:
        raise not_found
    if resource_type == "Patient" and len(resource_id) == UUID_LENGTH:
        newest = await ctx.results.page(who, 1, Window(), Selection(identity))
        if not newest.items:
            raise not_found
        return fhir_response(request, patient_resource(result_from(ctx, root, newest.items[0])))
    resources = resources_of(result_from(ctx, root, await ctx.results.one(identity, who))).all
    for resource in resources:
        if (resource["resourceType"], resource["id"]) == (resource_type, resource_id):
            return fhir_response(request, resource)
    raise not_found


async def _searched(
    request: Request,
    kind: str,
    search: Search,
    who: Principal,
    ctx: AppContext,
    root: str,
    ignored: list[str],
) -> Response:
    base = f"{root}{BASE}"
    found, following = await _page(kind, search, who, ctx, root)
    links = {"self": search.address(base, kind)}
    if following is not None:
        links["next"] = search.address(base, kind, str(following))
    warnings = [f"The parameter '{name}' is not known here and was ignored." for name in ignored]
    return fhir_response(request, searchset(base, found, links, ignored_outcome(warnings)))


async def _page(
    kind: str, search: Search, who: Principal, ctx: AppContext, root: str
) -> tuple[list[Resource], Cursor | None]:
    """The resources of one page, and where the next one goes on: as many assessments are looked at as it may hold."""
    if search.selection is None:
        return [], None
    before = search.cursor.before if search.cursor else None
    page = await ctx.results.page(who, search.count, Window(before), search.selection)

    def translated() -> list[tuple[ResultContent, list[Resource]]]:
        return [(content, _wanted(kind, search, result_from(ctx, root, content))) for content in page.items]

    found: list[Resource] = []
    for content, resources in await anyio.to_thread.run_sync(translated):  # beside the event loop
        for position in range(_done(search.cursor, content), len(resources)):
            if len(found) == search.count:
                return found, Cursor(content.assessment.id, position)
            found.append(resources[position])
    return found, Cursor(page.next) if page.next else None


def _done(cursor: Cursor | None, content: ResultContent) -> int:
    """How many resources of an assessment earlier pages had."""
    here = cursor is not None and cursor.assessment_id == content.assessment.id
    return cursor.done or 0 if cursor is not None and here else 0


def _wanted(kind: str, search: Search, result: Result) -> list[Resource]:
    of_kind = (one for one in resources_of(result).all if one["resourceType"] == kind)
    return [one for one in of_kind if search.resource_id in (None, one["id"]) and has_code(one, search.codes)]
