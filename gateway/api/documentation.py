"""`/docs` and `/openapi.json`: the integrators' documentation, with nothing loaded from elsewhere."""

from typing import Any

from fastapi import APIRouter, FastAPI, Request
from fastapi.openapi.docs import get_swagger_ui_html
from fastapi.openapi.utils import get_openapi
from pydantic.json_schema import models_json_schema
from starlette.responses import HTMLResponse
from starlette.staticfiles import StaticFiles

from gateway.api.batch_form import Manifest
from shared.contracts.record import ClinicalRecord
from shared.contracts.risk import LifestyleRecord
from shared.problem_responses import body_problems, only_problems, parameter_problems

# Swagger UI's own files, from the package that carries them: a clinic's network may have no way to a CDN.
STATIC = "/docs/static"
SCHEMAS = "#/components/schemas/{model}"

router = APIRouter(include_in_schema=False)


@router.get("/docs")
async def docs(request: Request) -> HTMLResponse:
    """Swagger UI."""
    root = request.scope.get("root_path", "")
    return get_swagger_ui_html(
        openapi_url=f"{root}/openapi.json",
        title="Trabecula: API",
        swagger_js_url=f"{root}{STATIC}/swagger-ui-bundle.js",
        swagger_css_url=f"{root}{STATIC}/swagger-ui.css",
        swagger_favicon_url=f"{root}{STATIC}/favicon.png",
    )


def install(app: FastAPI) -> None:
    """Serve Swagger UI's files, and describe in the OpenAPI document what travels inside the form."""
    app.mount(STATIC, StaticFiles(packages=[("fastapi_offline", "static")]), name="docs-static")

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = describe(app)
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]  # FastAPI's documented way to extend the document


def describe(app: FastAPI) -> dict[str, Any]:
    """The OpenAPI document with the clinical records among its schemas: a form's JSON part has no other place."""
    document = get_openapi(
        title=app.title,
        version=app.version,
        summary=app.summary,
        description=app.description,
        routes=app.routes,
        license_info=app.license_info,
    )
    _, records = models_json_schema(
        [(model, "validation") for model in (ClinicalRecord, LifestyleRecord, Manifest)], ref_template=SCHEMAS
    )
    document["components"]["schemas"].update(records["$defs"])
    body_problems(document)
    parameter_problems(document, "/v1/")
    only_problems(document)
    return document
