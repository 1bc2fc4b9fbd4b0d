"""What every service has in common: health, problems, metrics, logs and the internal token."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Annotated, Any, TypeVar

import anyio
import structlog
from fastapi import APIRouter, Depends, FastAPI, Header, Query, Request
from prometheus_client import CollectorRegistry, ProcessCollector
from prometheus_fastapi_instrumentator import Instrumentator

from shared import internal_token
from shared.body_size_limit import BodySizeLimitMiddleware
from shared.body_timeout import BodyTimeoutMiddleware
from shared.contracts.models import ModelCard
from shared.logs import AccessLogMiddleware
from shared.manifest import verify_manifest
from shared.problem_responses import install_problems, problem_responses
from shared.problems import NotAuthenticated, ServiceUnavailable, TooBusy, TrabeculaError
from shared.settings import ServiceSettings
from shared.versions import Versions

Result = TypeVar("Result")
# How many requests may wait for each one being worked on before the answer is 503.
QUEUE_PER_WORKER = 8
# Seconds that the next piece of a body, and the whole of it, may take from the gateway, which is close by.
BODY_PIECE_S, BODY_WHOLE_S = 10.0, 60.0


class CannotStart(TrabeculaError):
    """The installation cannot start; the detail is the one line that says what to mend."""


class Workers:
    """Runs blocking work off the event loop: a bounded number at once, a bounded number waiting.

    Args:
        count: pictures worked on at the same time.
    """

    def __init__(self, count: int) -> None:
        self._limiter = anyio.CapacityLimiter(count)
        self._capacity = count * (1 + QUEUE_PER_WORKER)
        self._inside = 0

    async def run(self, work: Callable[..., Result], *arguments: Any) -> Result:
        """Run `work(*arguments)` in a thread.

        Raises:
            TooBusy: as many wait as may wait.
        """
        if self._inside >= self._capacity:
            raise TooBusy("This service has all the work it can hold: try again in a moment.", retry_after_s=2)
        self._inside += 1
        try:
            return await anyio.to_thread.run_sync(work, *arguments, limiter=self._limiter)
        finally:
            self._inside -= 1


def create_service_app(
    name: str,
    *,
    title: str,
    settings: ServiceSettings,
    load: Callable[[], Any],
    card: Callable[[Any], ModelCard],
    router: APIRouter,
    check: Callable[[Any], None] | None = None,
    close: Callable[[Any], None] | None = None,
    load_version: Callable[[str], Any] | None = None,
) -> FastAPI:
    """One inference service.

    Args:
        name: the audience that internal tokens have to name.
        title: for the service's own OpenAPI page.
        load: makes what the service works with (scorers, rules), once, at start; `loaded_model(request)` returns it.
        card: the model card of what was loaded, at `GET /v1/model`.
        router: the operations; each needs the internal token.
        check: raises `ServiceUnavailable` while what was loaded cannot be used, as when it is on another machine.
        close: gives back what `load` took, such as processes, when the service stops.
        load_version: the same as `load` of another version's package, which `loaded_version` then has beside it.
    """

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        for folder in settings.model_folders():
            verify_manifest(folder)
        app.state.loaded_model = await anyio.to_thread.run_sync(load)
        own = app.state.loaded_model
        app.state.versions = Versions(own, card(own).version, load_version)
        app.state.workers = Workers(settings.workers)
        structlog.get_logger("trabecula").info("ready", service=name)
        try:
            yield
        finally:
            loaded, app.state.loaded_model = app.state.loaded_model, None
            if close is not None:
                close(loaded)

    app = FastAPI(
        title=title,
        version=_version(),
        description="Internal: only the gateway calls this service, with an `X-Internal-Token`.",
        lifespan=lifespan,
    )
    app.state.loaded_model = None
    install_problems(app)
    install_metrics(app)
    app.add_middleware(BodySizeLimitMiddleware, max_bytes=settings.max_upload_bytes)
    app.add_middleware(BodyTimeoutMiddleware, piece_s=BODY_PIECE_S, whole_s=BODY_WHOLE_S)
    app.add_middleware(AccessLogMiddleware, component=name)
    app.include_router(_health(check))
    guarded = [Depends(_internal_only(settings.internal_secret.get_secret_value(), name))]
    responses = problem_responses(NotAuthenticated, ServiceUnavailable)
    app.include_router(_model(card), dependencies=guarded, responses=responses)
    app.include_router(router, dependencies=guarded, responses=responses)
    return app


def loaded_model(request: Request) -> Any:
    """What `load` made; a dependency of the operations.

    Raises:
        ServiceUnavailable: the service is still starting.
    """
    if request.app.state.loaded_model is None:
        raise ServiceUnavailable("The service is still starting: try again in a moment.", retry_after_s=2)
    return request.app.state.loaded_model


async def loaded_version(
    request: Request,
    version: Annotated[str, Query(max_length=64, description="Of the package; that of the settings if empty")] = "",
) -> Any:
    """What answers as the version that is asked for; a dependency like `loaded_model`.

    Raises:
        ServiceUnavailable: the service is still starting, or has no such package that may be loaded.
    """
    loaded = loaded_model(request)
    return await anyio.to_thread.run_sync(request.app.state.versions.of, version) if version else loaded


def workers(request: Request) -> Workers:
    """The app's workers; a dependency of the operations."""
    pool: Workers = request.app.state.workers
    return pool


def install_metrics(app: FastAPI, *guards: Callable[..., Any]) -> CollectorRegistry:
    """`GET /metrics` for Prometheus. Each app has a registry of its own: several may share a process.

    Args:
        guards: dependencies that let a request in, or not.

    Returns:
        The registry, for what else an app measures.
    """
    registry = CollectorRegistry(auto_describe=True)
    ProcessCollector(registry=registry)  # memory, processor time, when it started: restarts show
    instrumentator = Instrumentator(excluded_handlers=["/health/.*", "/metrics"], registry=registry)
    instrumentator.instrument(app).expose(
        app, include_in_schema=False, dependencies=[Depends(guard) for guard in guards]
    )
    return registry


def _health(check: Callable[[Any], None] | None) -> APIRouter:
    router = APIRouter(prefix="/health", tags=["health"])

    @router.get("/live")
    async def live() -> dict[str, str]:
        """The process answers."""
        return {"status": "live"}

    @router.get("/ready", responses=problem_responses(ServiceUnavailable))
    async def ready(request: Request) -> dict[str, str]:
        """The model is loaded, and where another machine holds it, available there."""
        loaded = loaded_model(request)
        if check is not None:
            await anyio.to_thread.run_sync(check, loaded)
        return {"status": "ready"}

    return router


def _model(card: Callable[[Any], ModelCard]) -> APIRouter:
    router = APIRouter(prefix="/v1", tags=["model"])

    @router.get("/model")
    async def model(loaded: Annotated[Any, Depends(loaded_version)]) -> ModelCard:
        """The card of the model behind the answers."""
        return card(loaded)

    return router


def _internal_only(secret: str, audience: str) -> Callable[..., None]:
    def check(x_internal_token: Annotated[str | None, Header()] = None) -> None:
        internal_token.verify(secret, audience, x_internal_token)

    return check


def _version() -> str:
    from importlib.metadata import version

    return version("trabecula")
