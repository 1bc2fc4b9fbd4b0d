"""`/health`: is the process alive, and what is the state of everything it depends on."""

from typing import Literal

import anyio
from fastapi import APIRouter, Response
from pydantic import BaseModel

from gateway.context import Context
from shared.client import ServiceClient
from shared.components import SERVICE_NAMES
from shared.problem_responses import example_response

router = APIRouter(prefix="/health", tags=["health"])
State = Literal["ready", "unavailable"]


READY = {
    "status": "ready",
    "dependencies": dict.fromkeys(("database", *SERVICE_NAMES), "ready"),
}


class Live(BaseModel):
    """The process answers."""

    status: Literal["live"] = "live"


class Ready(BaseModel):
    """`degraded`: assessments are made, without the part of a service that is unavailable, and local accounts sign in
    where the sign-in provider is."""

    status: Literal["ready", "degraded", "unavailable"]
    dependencies: dict[str, State]


@router.get("/live", responses=example_response({"status": "live"}))
async def live() -> Live:
    """Does the process answer? Looks at nothing else."""
    return Live()


@router.get(
    "/ready",
    responses={**example_response(READY), 503: {"model": Ready, "description": "The database does not answer"}},
)
async def ready(ctx: Context, response: Response) -> Ready:
    """The state of the database, of each service, and of the sign-in provider where there is one. Only the database
    makes it 503: one service down must not take the gateway out of the load balancer, where it can still answer the
    rest."""
    states: dict[str, State] = {"database": "ready" if await ctx.database.is_ready() else "unavailable"}

    async def ask(client: ServiceClient) -> None:
        states[client.name] = "ready" if await client.is_ready() else "unavailable"

    if provider := ctx.authentication.provider:
        # As the last look found it: strangers who ask here ask the provider nothing.
        states["sign_in_provider"] = "ready" if provider.client.provider.answers else "unavailable"
    async with anyio.create_task_group() as group:
        for client in ctx.services.all():
            group.start_soon(ask, client)
    if states["database"] == "unavailable":
        response.status_code = 503
        return Ready(status="unavailable", dependencies=states)
    return Ready(status="ready" if set(states.values()) == {"ready"} else "degraded", dependencies=states)
