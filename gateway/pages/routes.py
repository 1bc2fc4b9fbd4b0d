"""The pages' routes in one, and the files that go with them."""

from http import HTTPStatus
from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, Depends, FastAPI, Request
from starlette.responses import FileResponse, RedirectResponse, Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from gateway.pages import (
    account,
    administration,
    alerts,
    authentication,
    batches,
    emergency_access,
    feedback,
    keys,
    new,
    patient_merges,
    patients,
    provider,
    results,
    reviews,
    routing,
    second_factor,
    work_list,
)
from gateway.pages.page import STATIC, OpenPageRoute, current_user, nothing_here, stamp
from gateway.pages.sessions import CurrentUser

FOR_EVER = "public, max-age=31536000, immutable"
start = APIRouter(route_class=OpenPageRoute, include_in_schema=False)
router = APIRouter()


@start.get("/")
async def root(request: Request, user: Annotated[CurrentUser, Depends(current_user)]) -> Response:
    """People to where their work begins; programs to the documentation."""
    if "text/html" not in request.headers.get("accept", ""):
        return RedirectResponse(f"{request.scope.get('root_path', '')}/docs")
    first = "/sign-in" if user.who is None else "/work-list" if user.is_staff else "/new"
    return RedirectResponse(first, HTTPStatus.SEE_OTHER)


@start.get("/service-worker.js")
async def service_worker() -> Response:
    """At the root, so that it may serve every page without a connection."""
    source = (STATIC / "service-worker.js").read_text(encoding="utf-8").replace("STAMP", stamp())
    return Response(source, media_type="text/javascript", headers={"Cache-Control": "no-cache"})


@start.get("/manifest.webmanifest")
async def manifest() -> Response:
    """What makes the pages an app on a phone."""
    return FileResponse(
        STATIC / "manifest.webmanifest",
        media_type="application/manifest+json",
        headers={"Cache-Control": "no-cache"},
    )


@start.get("/favicon.ico")
async def favicon() -> Response:
    """The drawing that browsers ask for unasked."""
    return FileResponse(STATIC / "icon.svg", media_type="image/svg+xml", headers={"Cache-Control": "max-age=86400"})


class Stamped(StaticFiles):
    """Files below a folder that is named after what they are: `/static/<stamp>/app.css`."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        """A file whatever the stamp says; kept for ever by browsers only where the stamp is today's."""
        given, _, name = path.replace("\\", "/").partition("/")
        response = await super().get_response(str(Path(name)), scope)
        response.headers["Cache-Control"] = FOR_EVER if given == stamp() else "no-cache"
        response.headers["X-Content-Type-Options"] = "nosniff"
        return response


def install(app: FastAPI) -> None:
    """Serve the pages' style sheet, modules and icons, and a page for what is not there."""
    app.add_exception_handler(HTTPStatus.NOT_FOUND.value, nothing_here)
    app.mount("/static", Stamped(directory=STATIC), name="pages-static")


for module in (
    authentication,
    provider,
    new,
    results,
    reviews,
    feedback,
    work_list,
    batches,
    emergency_access,
    patient_merges,
    routing,
    patients,
    alerts,
    account,
    second_factor,
    administration,
    keys,
):
    router.include_router(module.router)
router.include_router(start)
router.include_router(new.open_router)
