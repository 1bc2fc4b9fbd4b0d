"""What the API's routes share: who is asking, what they need, pages, and parameters that nobody knows."""

from collections.abc import Awaitable, Callable, Iterator
from typing import Annotated
from uuid import UUID

from fastapi import Depends, Header, Query, Request, Response
from fastapi.dependencies.models import Dependant
from fastapi.openapi.models import OAuthFlowClientCredentials, OAuthFlowPassword, OAuthFlows
from fastapi.security import APIKeyHeader, OAuth2
from pydantic import AwareDatetime

from gateway.context import Context
from gateway.platform.database.idempotency import IdempotentRequest, request_digest
from gateway.platform.identity.scopes import Principal, Scope
from gateway.platform.paging import Window
from gateway.platform.validators import Printable
from shared.problems import InvalidInput, NotAuthenticated, NotAuthorised

SCOPE_MEANINGS: dict[Scope, str] = {
    "assessments:write": "Make assessments",
    "assessments:read": "Read assessments",
    "patients:read": "Read patients, timelines and alerts",
    "patients:write": "Add to patients, invite and erase them",
    "patients:restricted": "Read restricted patients' records too; the operator alone gives it to a hospital system",
    "models:read": "Read the model cards",
    "audit:read": "Read the audit trail",
    "admin": "Administer accounts, invitations, keys and webhooks",
}
# Parameters of earlier versions, and what they are called now.
RENAMED = {"patient_id": "the hospital's own identifier is called patient_number", "state": "it is called status"}
_FLOWS = OAuthFlows(
    password=OAuthFlowPassword(tokenUrl="/v1/tokens", refreshUrl="/v1/tokens/refresh", scopes={}),
    clientCredentials=OAuthFlowClientCredentials(tokenUrl="/v1/tokens", scopes=dict(SCOPE_MEANINGS)),
)
_authorization = OAuth2(flows=_FLOWS, scheme_name="oauth2", auto_error=False)
_key = APIKeyHeader(name="X-API-Key", scheme_name="api_key", auto_error=False)


async def principal(
    ctx: Context,
    authorization: Annotated[str | None, Depends(_authorization)],
    api_key: Annotated[str | None, Depends(_key)],
) -> Principal:
    """The person or the hospital system behind the request.

    Raises:
        NotAuthenticated: no credential, two, or one that is not valid.
    """
    scheme, _, token = (authorization or "").partition(" ")
    bearer = token.strip() if scheme.lower() == "bearer" else ""
    return await ctx.authentication.principal(bearer or None, api_key)


def needs(scope: Scope) -> Callable[..., Awaitable[Principal]]:
    """A dependency: the principal, who must have this scope. A refusal is a line of the audit trail."""

    async def check(who: Annotated[Principal, Depends(principal)], ctx: Context) -> Principal:
        return await ctx.authentication.require(who, scope)

    return check


async def admitted(who: Annotated[Principal, Depends(needs("assessments:write"))], ctx: Context) -> Principal:
    """Somebody who may ask for one more assessment; asked before the body is read.

    Raises:
        TooManyRequests: more than a caller, or an organisation, may ask for within the time.
    """
    await ctx.admission.count_assessment(who)
    return who


async def still_valid(
    ctx: Context,
    authorization: Annotated[str | None, Depends(_authorization)],
    api_key: Annotated[str | None, Depends(_key)],
) -> Callable[[], Awaitable[bool]]:
    """A dependency of streams, which last: asks anew whether the request's credential is good."""

    async def ask() -> bool:
        try:
            await principal(ctx, authorization, api_key)
        except (NotAuthenticated, NotAuthorised):
            return False
        return True

    return ask


AnyPrincipal = Annotated[Principal, Depends(principal)]
AssessmentReader = Annotated[Principal, Depends(needs("assessments:read"))]
AssessmentWriter = Annotated[Principal, Depends(needs("assessments:write"))]
AdmittedWriter = Annotated[Principal, Depends(admitted)]
PatientReader = Annotated[Principal, Depends(needs("patients:read"))]
PatientWriter = Annotated[Principal, Depends(needs("patients:write"))]
ModelReader = Annotated[Principal, Depends(needs("models:read"))]
AuditReader = Annotated[Principal, Depends(needs("audit:read"))]
Administrator = Annotated[Principal, Depends(needs("admin"))]


async def releaser(who: PatientWriter, ctx: Context) -> Principal:
    """Somebody who may add to patients, and read the assessment that they release and are answered with."""
    return await ctx.authentication.require(who, "assessments:read")


Releaser = Annotated[Principal, Depends(releaser)]

Limit = Annotated[int, Query(ge=1, le=100)]
Before = Annotated[UUID | None, Query(description="`next` of the page before")]
IdempotencyKey = Annotated[
    Printable | None,
    Header(
        min_length=1,
        max_length=255,
        description="Makes it happen once: the same request with the same key is answered again, another one is a 409",
    ),
]
REPLAYED = "Idempotency-Replayed"


After = Annotated[UUID | None, Query(description="From old to new, after this one: `next` of the page before")]
Since = Annotated[AwareDatetime | None, Query(description="Made at this moment or later")]
Until = Annotated[AwareDatetime | None, Query(description="Made before this moment")]


def one_direction(before: object, after: object) -> None:
    """Raise `InvalidInput` where a list is to go both ways."""
    if before is not None and after is not None:
        raise InvalidInput("after: a list goes one way: send `before` or `after`, not both.", field="after")


async def wanted_window(
    before: Before = None, after: After = None, since: Since = None, until: Until = None
) -> Window[UUID]:
    """A dependency of lists: the part that is wanted.

    Raises:
        InvalidInput: both ways at once.
    """
    one_direction(before, after)
    return Window(before, after, since, until)


Wanted = Annotated[Window[UUID], Depends(wanted_window)]


async def idempotent_request(
    request: Request, who: AnyPrincipal, ctx: Context, idempotency_key: IdempotencyKey = None
) -> IdempotentRequest | None:
    """A dependency of operations that make something of a small body: the key that makes it happen once, or null."""
    if idempotency_key is None:
        return None
    digest = request_digest(request.url.path.encode(), await request.body())
    return IdempotentRequest(
        idempotency_key, digest, await ctx.assessments.patients.organisation_key(who.organisation_id)
    )


Idempotent = Annotated[IdempotentRequest | None, Depends(idempotent_request)]


def note_repeat(response: Response, is_repeated: bool) -> None:
    """Say in the answer that it is the one to an earlier request, and that nothing was made."""
    if is_repeated:
        response.headers[REPLAYED] = "true"


async def known_parameters_only(request: Request) -> None:
    """Refuse a query parameter that the operation does not have: a filter with a slip in it would filter nothing.

    Raises:
        InvalidInput: with the names that there are.
    """
    if not request.query_params:
        return
    known = set(query_names(request.scope["route"].dependant))
    for name in request.query_params:
        if name not in known:
            there_are = f"there are {', '.join(sorted(known))}" if known else "it has none"
            hint = RENAMED.get(name, there_are)
            raise InvalidInput(f"There is no query parameter '{name[:60]}' here: {hint}.", field=name[:60])


def query_names(dependant: Dependant) -> Iterator[str]:
    """The query parameters that an operation and its dependencies have."""
    for parameter in dependant.query_params:
        yield parameter.alias
    for dependency in dependant.dependencies:
        yield from query_names(dependency)
