"""What no caller should send: in every text of every operation, on both databases, it is data and nothing more."""

import json

import pytest
from pydantic import SecretStr

from gateway.platform.audit import Audit
from gateway.platform.database.engine import database_of
from gateway.settings import GatewaySettings
from tests.integration.people import PASSWORD, client, invited

HOSTILE = [
    "'; DROP TABLE accounts; --' OR '1'='1",
    "x\r\nSet-Cookie: stolen=1\r\n\r\n<script>{{7*7}}../../etc/passwd",
    "nul\x00byte ٠١٢ \u202e ﷽",
    "lone surrogate \ud800",
    "x" * 70_000,
]
METHODS = {"get", "post", "put", "patch", "delete"}


@pytest.fixture(scope="module", params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def settings(request, tmp_path_factory):
    url = SecretStr(request.getfixturevalue("new_postgres_database")()) if request.param == "postgres" else None
    return GatewaySettings(
        state_dir=tmp_path_factory.mktemp("hostile"),
        database_url=url,
        logins_per_minute=100_000,
        logins_per_address_per_minute=100_000,
        _env_file=None,
    )


@pytest.fixture(scope="module")
async def document(api):
    return (await api.get("/openapi.json")).json()


def resolved(document, schema):
    while reference := schema.get("$ref"):
        schema = document["components"]["schemas"][reference.rsplit("/", 1)[1]]
    return schema


def texts(schema):
    """Whether a schema takes a text."""
    return schema.get("type") == "string" or any(texts(item) for item in schema.get("anyOf", []))


def example(schema):
    """A value that a property takes."""
    if "default" in schema:
        return schema["default"]
    if schema.get("examples"):
        return schema["examples"][0]
    return {"array": [], "integer": 1, "boolean": True, "object": {}}.get(schema.get("type"), "x")


def places(document):
    """Every place for a text: (method, path, where, name, the other properties of the same body)."""
    for path, found in document["paths"].items():
        for method in set(found) & METHODS:
            for parameter in found[method].get("parameters", []):
                if texts(parameter["schema"]):
                    yield method, path, parameter["in"], parameter["name"], {}
            content = found[method].get("requestBody", {}).get("content", {})
            for kind, media in content.items():
                properties = resolved(document, media["schema"]).get("properties", {})
                others = {name: example(resolved(document, property)) for name, property in properties.items()}
                for name, property in properties.items():
                    if texts(resolved(document, property)):
                        yield method, path, kind, name, others


async def send(caller, method, path, where, name, others, value):
    filled = (
        path.replace(f"{{{name}}}", "%27%3B--" if len(value) > 1000 else _quoted(value)) if where == "path" else path
    )
    filled = filled.replace("{", "").replace("}", "")
    if where == "application/json":
        body = json.dumps({**others, name: value})
        return await caller.request(method, filled, content=body, headers={"Content-Type": where})
    if where == "application/x-www-form-urlencoded":
        return await caller.request(method, filled, data={**others, name: _encodable(value)})
    if where == "multipart/form-data":
        parts = {name: (None, _encodable(value).encode())}
        return await caller.request(
            method, filled, files={"clinical": (None, '{"age": 67, "gender": "female"}'), **parts}
        )
    if where == "header":
        return await caller.request(method, filled, headers=[(name, _encodable(value).encode())])
    return await caller.request(method, filled, params={name: _encodable(value[:5000])} if where == "query" else None)


def _encodable(value):
    return value.encode("utf-8", "replace").decode()


def _quoted(value):
    from urllib.parse import quote

    return quote(_encodable(value), safe="")


async def test_every_text_field_takes_hostile_text_as_data(admin, api, settings, document):
    found = list(places(document))
    assert {where for _, _, where, *_ in found} >= {
        "path", "query", "header", "application/json", "application/x-www-form-urlencoded", "multipart/form-data",
    }  # fmt: skip
    async with client(api) as stranger, await invited(admin, api, "v@clinic.example", "clinician") as victim:
        callers = {"/v1/tokens": stranger, "/v1/accounts/me/password": victim}
        for place in found:
            # The administrator's own password is left alone: the sign-in has to last for the rest.
            caller = callers.get(place[1], admin)
            for value in HOSTILE:
                answer = await send(caller, *place, value)
                assert answer.status_code < 500, (place, value[:40], answer.text)
                assert "set-cookie" not in answer.headers, (place, value[:40])
                assert "stolen" not in str(answer.headers), (place, value[:40])
        await still_standing(stranger, settings)


async def still_standing(stranger, settings):
    """The tables are there, the account signs in, and the audit trail is whole and free of what was sent."""
    form = {"username": "root@clinic.example", "password": PASSWORD}
    assert (await stranger.post("/v1/tokens", data=form)).status_code == 200
    database = database_of(settings)
    trail = Audit(database.sessions)
    assert (await trail.verify()).fault is None
    from sqlalchemy import select

    from gateway.platform.database.tables import AuditRow

    async with database.sessions() as session:
        rows = (await session.scalars(select(AuditRow))).all()
    await database.close()
    written = " ".join(f"{row.actor} {row.action} {row.subject} {row.request_id}" for row in rows)
    for word in ("DROP", "OR '1'", "script", "passwd", "xxxxxxxx", "\r", "\n"):
        assert word not in written


async def test_a_condition_of_its_own_widens_no_list(admin, api):
    made = {"clinical": (None, '{"age": 67, "gender": "female"}'), "patient_number": (None, "MRN-1")}
    assert (await api.post("/v1/assessments", files=made)).status_code == 201
    for value in ("' OR '1'='1", "MRN-1' --", "%", "_RN-1", "MRN-1\x00"):
        answer = await admin.get("/v1/assessments", params={"patient_number": value})
        assert answer.status_code == 422 or answer.json()["items"] == [], value
        answer = await admin.get("/v1/audit", params={"actor": value})
        assert answer.status_code == 422 or answer.json()["items"] == [], value
