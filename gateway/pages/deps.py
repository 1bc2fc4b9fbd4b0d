"""What the pages' routes share: the context, who is signed in, and whether they may."""

from typing import Annotated

from fastapi import Depends

from gateway.context import AppContext, Context
from gateway.pages.page import current_user
from gateway.pages.sessions import CurrentUser
from gateway.platform.identity.scopes import Principal, Scope
from shared.problems import NotAuthorised

__all__ = ["Admitted", "Context", "User", "allowed"]

User = Annotated[CurrentUser, Depends(current_user)]


async def allowed(user: CurrentUser, scope: Scope, ctx: AppContext) -> Principal:
    """The principal, who must have this scope: the very check of the REST API, with its line of the trail.

    Raises:
        NotAuthenticated: nobody is signed in.
        NotAuthorised: the scope is missing.
    """
    who = user.known()
    try:
        return await ctx.authentication.require(who, scope)
    except NotAuthorised as error:
        raise NotAuthorised(error.detail, reason="scope") from error


async def admitted(user: User, ctx: Context) -> Principal:
    """Somebody who may ask for one more assessment; asked before the form is read.

    Raises:
        TooManyRequests: more than one caller may ask for within the time.
    """
    who = await allowed(user, "assessments:write", ctx)
    await ctx.admission.count_assessment(who)
    return who


Admitted = Annotated[Principal, Depends(admitted)]
