"""`/v1/provider/sign-out`: the hospital's sign-in provider tells that somebody signed out there, or was signed out.

OpenID Connect Back-Channel Logout 1.0. The provider calls this itself; no browser does.
"""

from typing import Annotated

from fastapi import APIRouter, Form, Response

from gateway.context import Context
from shared.problem_responses import problem_responses
from shared.problems import InvalidInput, MalformedBody, NotAuthenticated, NotFound, ServiceUnavailable

router = APIRouter(prefix="/v1/provider", tags=["tokens"])
LONGEST = 30_000


@router.post(
    "/sign-out",
    responses={
        200: {"description": "The sessions are over", "content": {}},
        **problem_responses(InvalidInput, MalformedBody, NotFound, ServiceUnavailable),
    },
    response_class=Response,
)
async def sign_out_by_provider(
    logout_token: Annotated[str, Form(max_length=LONGEST, description="Signed by the provider")], ctx: Context
) -> Response:
    """End the sessions of somebody whom the sign-in provider signed out (OpenID Connect Back-Channel Logout 1.0).

    The provider's signature is the credential. Where an installation has no provider this is a 404.
    """
    provider = ctx.authentication.required_provider()
    try:
        await provider.sign_out(logout_token)
    except NotAuthenticated as error:
        await ctx.admission.count_bad_credential()
        raise MalformedBody(error.detail) from error  # 400, as the standard wants it
    return Response()
