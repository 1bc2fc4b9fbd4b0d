"""Every operation x every role x the own and another organisation's record. What has no row here is refused a place.

An operation's row says which scope it needs (or that it is open, or that any credential does), and whether it works on
one record. From that, and from what each role may do, follows what each caller must get:

- a stranger: 401, but on open operations; so everybody where a record system's own signed token alone counts;
- a caller without the scope: 403;
- another organisation's caller, or another patient, on a record: 404, as if it were not there;
- everybody else: what was asked for.

The pages have rows of the same kind; they know people alone, and send a stranger to sign in.
"""

from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from uuid import UUID

import pytest

from gateway.app import create_app
from gateway.embedded import in_process
from gateway.interop.dicom.received import received_film
from gateway.platform.database.engine import database_of
from gateway.platform.encryption import installation_key
from gateway.platform.identity.accounts import Accounts
from gateway.platform.identity.scopes import Principal
from gateway.records.emergency_accesses import EmergencyAccesses
from gateway.records.film_queue import FilmQueue
from gateway.records.films import Films
from gateway.records.patients import Patients
from gateway.settings import GatewaySettings
from tests.films import chest, file_of, film, pushed
from tests.integration.people import PASSWORD, administrator_of, client, invited, system_of

OPEN, ANYBODY, SIGNED = "open", "anybody", "signed"
HOUR = timedelta(hours=1)
CASE = {"clinical": (None, '{"age": 67, "gender": "female"}')}
BATCH = {"manifest": (None, '{"cases": [{"reference": "case-1", "clinical": {"age": 67, "gender": "female"}}]}')}
BUNDLE = {
    "resourceType": "Bundle",
    "type": "collection",
    "entry": [{"resource": {"resourceType": "Patient", "id": "p", "gender": "female", "birthDate": "1959-03-02"}}],
}
HOOK = {"url": "https://8.8.8.8/hook", "events": ["batch.done"], "description": "x"}
CHANGE = {"json": {"disabled": True}}


def measured(date, value):
    return {"json": {"kind": "t_score", "date": date, "site": "total_hip", "value": value, "method": "dxa"}}


@dataclass(frozen=True)
class Row:
    """What an operation needs, and what the test sends to it.

    Args:
        needs: a scope, `OPEN`, `ANYBODY`, or `SIGNED`.
        record: the path names one record of the organisation.
        refused: callers who are refused (403) although they have the scope.
        send: arguments of the request, with which it succeeds.
        uses_up: the patient it is done to is gone afterwards, so each caller gets one of its own.
    """

    needs: str
    record: bool = False
    refused: frozenset[str] = frozenset()
    send: dict = field(default_factory=dict)
    uses_up: bool = False


PATIENTS = frozenset({"patient", "other patient"})
SYSTEMS = frozenset({"system", "system elsewhere"})
NO_CLINICIANS = frozenset({"administrator", "administrator elsewhere", "system", "system elsewhere"})
MERGE = {"retired": "MRN-B", "surviving": "MRN-A", "note": "Registered twice."}
DXA_CAME = {"kind": "dxa", "t_score": "-2.7", "region": "total_hip", "date": "2026-11-01"}
MATRIX = {
    "GET /health/live": Row(OPEN),
    "GET /v1/problems": Row(OPEN),
    "GET /health/ready": Row(OPEN),
    "POST /v1/tokens": Row(OPEN),
    "POST /v1/tokens/refresh": Row(OPEN),
    "POST /v1/tokens/revoke": Row(OPEN, send={"data": {"token": "unknown"}}),
    "POST /v1/provider/sign-out": Row(OPEN),
    "POST /v1/accounts": Row(OPEN),
    "POST /v1/invitations/accept": Row(OPEN),
    "GET /v1/accounts/me": Row(ANYBODY),
    "PUT /v1/accounts/me/password": Row(ANYBODY),
    "GET /v1/accounts/me/sessions": Row(ANYBODY),
    "DELETE /v1/accounts/me/sessions/{session_id}": Row(ANYBODY),
    "GET /v1/accounts": Row("admin"),
    "PATCH /v1/accounts/{account_id}": Row("admin", record=True, send=CHANGE),
    "POST /v1/invitations": Row(
        "patients:write",
        send={"json": {"email": "new@home.example", "role": "patient", "patient_number": "MRN-NEW"}},
    ),
    "GET /v1/invitations": Row("admin"),
    "DELETE /v1/invitations/{invitation_id}": Row("admin", record=True),
    "POST /v1/keys": Row("admin", send={"json": {"name": "x", "scopes": ["models:read"]}}),
    "GET /v1/keys": Row("admin"),
    "POST /v1/keys/{key_id}/rotate": Row("admin", record=True),
    "DELETE /v1/keys/{key_id}": Row("admin", record=True),
    "GET /v1/keys/{key_id}/jwks": Row("admin", record=True),
    "PUT /v1/keys/{key_id}/jwks": Row(
        "admin", record=True, send={"json": {"jwks_url": "https://ehr.hospital.example/jwks.json"}}
    ),
    "POST /v1/assessments": Row("assessments:write", send={"files": CASE}),
    "GET /v1/assessments": Row("assessments:read"),
    "GET /v1/assessments/{assessment_id}": Row("assessments:read", record=True),
    "POST /v1/assessments/{assessment_id}/release": Row("patients:write", record=True),
    "POST /v1/assessments/{assessment_id}/sign": Row("patients:write", record=True, refused=NO_CLINICIANS),
    "POST /v1/assessments/{assessment_id}/feedback": Row(
        "patients:write", record=True, refused=NO_CLINICIANS, send={"json": DXA_CAME}
    ),
    "GET /v1/assessments/{assessment_id}/feedback": Row("assessments:read", record=True, refused=PATIENTS),
    "GET /v1/drift": Row("assessments:read", refused=PATIENTS),
    "GET /v1/recalls": Row("admin", send={"params": {"model": "staging:0.4.0"}}),
    "POST /v1/recalls/alerts": Row("admin", send={"json": {"model": "staging:0.0.1"}}),
    "GET /v1/feedback/agreement": Row("assessments:read", refused=PATIENTS),
    "POST /v1/assessments/{assessment_id}/amend": Row(
        "patients:write", record=True, refused=NO_CLINICIANS, send={"json": {"reason": "grade 2 on the left"}}
    ),
    "POST /v1/assessments/{assessment_id}/withdraw": Row(
        "patients:write",
        record=True,
        refused=NO_CLINICIANS,
        send={"json": {"reason": "another patient's film"}},
        uses_up=True,
    ),
    "GET /v1/assessments/{assessment_id}/heatmap.png": Row("assessments:read", record=True),
    "GET /v1/assessments/{assessment_id}/preview.png": Row("assessments:read", record=True),
    "GET /v1/assessments/{assessment_id}/report.pdf": Row("assessments:read", record=True),
    "GET /v1/assessments/{assessment_id}/sentences": Row("assessments:read", record=True),
    "GET /v1/assessments/{assessment_id}/dicom/{kind}.dcm": Row("assessments:read", record=True, refused=PATIENTS),
    "POST /v1/assessments/{assessment_id}/dicom/send": Row(
        "assessments:write", record=True, refused=PATIENTS, send={"json": {"destination": "archive"}}
    ),
    "DELETE /v1/assessments/{assessment_id}": Row("patients:write", record=True, uses_up=True),
    "GET /v1/assessments/{assessment_id}/fhir": Row("assessments:read", record=True),
    "GET /fhir/metadata": Row(OPEN),
    "GET /fhir/.well-known/smart-configuration": Row(OPEN),
    "GET /fhir/CodeSystem/finding": Row(OPEN),
    "GET /fhir/DiagnosticReport": Row("assessments:read"),
    "GET /fhir/Observation": Row("assessments:read"),
    "GET /fhir/RiskAssessment": Row("assessments:read"),
    "GET /fhir/{resource_type}/{resource_id}": Row("assessments:read", record=True),
    "POST /fhir/$map": Row("assessments:write", send={"json": BUNDLE}),
    "POST /fhir/$assess": Row("assessments:write", send={"json": BUNDLE}),
    "GET /cds-services": Row(OPEN),
    "POST /cds-services/{service_id}": Row(SIGNED),
    "POST /cds-services/{service_id}/feedback": Row(SIGNED),
    "POST /v1/batches": Row("assessments:write", refused=PATIENTS, send={"files": BATCH}),
    "GET /v1/batches": Row("assessments:read", refused=PATIENTS),
    "GET /v1/batches/{batch_id}": Row("assessments:read", record=True, refused=PATIENTS),
    "GET /v1/batches/{batch_id}/cases": Row("assessments:read", record=True, refused=PATIENTS),
    "GET /v1/batches/{batch_id}/events": Row("assessments:read", record=True, refused=PATIENTS),
    "POST /v1/batches/{batch_id}/cancel": Row("assessments:write", record=True, refused=PATIENTS),
    "GET /v1/patients": Row("patients:read"),
    "GET /v1/patients/{patient}": Row("patients:read", record=True),
    "GET /v1/patients/{patient}/timeline": Row("patients:read", record=True),
    "GET /v1/patients/{patient}/export": Row("patients:read", record=True),
    "POST /v1/patients/{patient}/measurements": Row("patients:write", record=True, send=measured("2025-11-03", -1.8)),
    "PUT /v1/patients/{patient}/restriction": Row("patients:write", record=True, uses_up=True),
    "DELETE /v1/patients/{patient}/restriction": Row("admin", record=True),
    "POST /v1/patients/{patient}/emergency-access": Row(
        "patients:read",
        record=True,
        refused=PATIENTS | SYSTEMS,
        send={"json": {"reason": "emergency", "note": "A fall."}},
    ),
    "GET /v1/emergency-accesses": Row("admin"),
    "POST /v1/emergency-accesses/{access_id}/review": Row(
        "admin", record=True, refused=SYSTEMS, send={"json": {"note": "Looked into."}}
    ),
    "POST /v1/patient-merges": Row("patients:write", record=True, send={"json": MERGE}),
    "GET /v1/patient-merges": Row("admin"),
    **{
        f"POST /v1/patient-merges/{{merge_id}}/{step}": Row("admin", record=True, refused=SYSTEMS)
        for step in ("confirm", "refuse", "undo")
    },
    "DELETE /v1/patients/{patient}": Row("patients:write", record=True, uses_up=True),
    "GET /v1/alerts": Row("patients:read"),
    "POST /v1/alerts/{alert_id}/acknowledge": Row("patients:write", record=True, refused=NO_CLINICIANS),
    "POST /v1/alerts/{alert_id}/close": Row("patients:write", record=True),
    "POST /dicom-web/studies": Row("assessments:write", refused=PATIENTS, send=pushed(chest())),
    "GET /v1/routing": Row("admin"),
    "POST /v1/routing/{item_id}/retry": Row("admin", record=True),
    "GET /v1/events": Row("assessments:read", refused=PATIENTS),
    "POST /v1/webhooks": Row("admin", send={"json": HOOK}),
    "GET /v1/webhooks": Row("admin"),
    "GET /v1/webhooks/{webhook_id}": Row("admin", record=True),
    "PATCH /v1/webhooks/{webhook_id}": Row("admin", record=True, send={"json": {"events": ["batch.done"]}}),
    "POST /v1/webhooks/{webhook_id}/rotate": Row("admin", record=True),
    "POST /v1/webhooks/{webhook_id}/test": Row("admin", record=True),
    "GET /v1/webhooks/{webhook_id}/deliveries": Row("admin", record=True),
    "POST /v1/webhooks/{webhook_id}/deliveries/{delivery_id}/redeliver": Row("admin", record=True),
    # Last, as there is one alone.
    "DELETE /v1/webhooks/{webhook_id}": Row("admin", record=True),
    "GET /v1/models": Row("models:read"),
    "GET /v1/audit": Row("audit:read"),
}
# Routes that are no operation of the API, and tell nothing of anybody.
UNLISTED = {
    "/", "/docs", "/docs/static", "/docs/problems/{slug}", "/openapi.json", "/metrics", "/static", "/favicon.ico",
    "/manifest.webmanifest", "/service-worker.js",
}  # fmt: skip
# The pages, under the same rules: what the API answers with 401 sends a browser to sign in.
FORM = {"age": "67", "gender": "female"}
STAFF = frozenset({"clinician", "administrator", "clinician elsewhere", "administrator elsewhere"})
PAGES = {
    "GET /sign-in": Row(OPEN),
    "POST /sign-in": Row(OPEN),
    "GET /sign-in/provider": Row(OPEN),
    "GET /sign-in/provider/callback": Row(OPEN),
    "GET /sign-in/provider/out": Row(OPEN),
    "GET /register": Row(OPEN),
    "POST /register": Row(OPEN),
    "GET /invitation": Row(OPEN),
    "POST /invitation": Row(OPEN),
    "POST /sign-out": Row(OPEN),
    "GET /language/{code}": Row(OPEN),
    "GET /session": Row(OPEN),
    "GET /new/offline": Row(OPEN),
    "GET /new": Row("assessments:write"),
    "POST /new": Row("assessments:write", send=FORM),
    "GET /assessments/{assessment_id}": Row("assessments:read", record=True),
    "GET /assessments/{assessment_id}/pictures/{kind}.webp": Row("assessments:read", record=True),
    "GET /assessments/{assessment_id}/report.pdf": Row("assessments:read", record=True),
    "POST /assessments/{assessment_id}/release": Row("patients:write", record=True),
    "POST /assessments/{assessment_id}/case": Row("patients:write", record=True, send={"status": "seen"}),
    "GET /work-list": Row("assessments:read", refused=PATIENTS),
    "GET /batches": Row("assessments:read", refused=PATIENTS),
    "POST /batches": Row("assessments:write", refused=PATIENTS),
    "GET /batches/{batch_id}": Row("assessments:read", record=True, refused=PATIENTS),
    "POST /batches/{batch_id}/cancel": Row("assessments:write", record=True, refused=PATIENTS),
    "GET /history": Row("assessments:read", refused=STAFF),
    "GET /patients": Row("patients:read"),
    "GET /patients/{patient_id}": Row("patients:read", record=True),
    "GET /patients/{patient_id}/export.json": Row("patients:read", record=True),
    "POST /patients/{patient_id}/measurements": Row(
        "patients:write",
        record=True,
        send={"kind": "t_score", "date": "2025-11-03", "site": "total_hip", "value": "-1.8"},
    ),
    "POST /patients/{patient_id}/invitation": Row("patients:write", record=True, send={"email": "new-a@home.example"}),
    "POST /patients/{patient_id}/erasure": Row("patients:write", record=True, send={"again": "not this one"}),
    "GET /patients/{patient_id}/emergency-access": Row("patients:read", record=True, refused=PATIENTS),
    "POST /patients/{patient_id}/emergency-access": Row(
        "patients:read", record=True, refused=PATIENTS, send={"reason": "emergency", "note": "A fall."}
    ),
    "POST /patients/{patient_id}/restriction": Row("patients:write", record=True, uses_up=True),
    "POST /patients/{patient_id}/restriction/lift": Row("admin", record=True),
    "GET /alerts": Row("patients:read"),
    "POST /alerts/{alert_id}/acknowledge": Row("patients:write", record=True, refused=NO_CLINICIANS),
    "POST /alerts/{alert_id}/close": Row("patients:write", record=True),
    "GET /account": Row(ANYBODY),
    "POST /account/password": Row(ANYBODY, send={"current": "not it", "password": "velvet-harbour-quill-7"}),
    "POST /account/sessions/{session_id}/end": Row(ANYBODY),
    "GET /account/second-factor": Row(ANYBODY),
    "POST /account/second-factor": Row(ANYBODY),
    "GET /administration": Row("admin"),
    "POST /administration/invitations": Row("admin", send={"email": "staff@here.example", "role": "clinician"}),
    "POST /administration/invitations/{invitation_id}/revoke": Row("admin", record=True),
    "POST /administration/accounts/{account_id}/password": Row("admin", record=True),
    "POST /administration/accounts/{account_id}": Row("admin", record=True, send={"disabled": "1"}),
    "POST /administration/accounts/{account_id}/link": Row("admin", record=True, send={"link": "1"}),
    "GET /administration/emergency-access": Row("admin"),
    "POST /administration/emergency-access/{access_id}/review": Row(
        "admin", record=True, send={"note": "Looked into."}
    ),
    "GET /administration/merges": Row("admin"),
    "POST /administration/merges": Row("admin", send={**MERGE, "retired": "MRN-NOBODY"}),
    **{
        f"POST /administration/merges/{{merge_id}}/{step}": Row("admin", record=True)
        for step in ("confirm", "refuse", "undo")
    },
    "GET /administration/routing": Row("admin"),
    "POST /administration/routing/{item_id}/retry": Row("admin", record=True),
    "GET /administration/keys": Row("admin"),
    "POST /administration/keys": Row("admin", send={"name": "x", "scopes": "models:read"}),
    "POST /administration/keys/{key_id}/rotate": Row("admin", record=True),
    "POST /administration/keys/{key_id}/revoke": Row("admin", record=True),
    "GET /administration/models": Row("models:read"),
    "GET /administration/audit": Row("audit:read"),
    "GET /administration/validation": Row("assessments:read", refused=PATIENTS),
    "GET /assessments/{assessment_id}/feedback": Row("assessments:read", record=True, refused=PATIENTS),
    "POST /assessments/{assessment_id}/feedback": Row(
        "patients:write", record=True, refused=NO_CLINICIANS, send=DXA_CAME
    ),
    "GET /administration/preflight": Row("admin"),
    # Last, as nothing can be done with what was withdrawn.
    "POST /assessments/{assessment_id}/sign": Row("patients:write", record=True, refused=NO_CLINICIANS),
    "POST /assessments/{assessment_id}/amend": Row(
        "patients:write", record=True, refused=NO_CLINICIANS, send={"reason": "grade 2", "kl_left": "2"}
    ),
    "POST /assessments/{assessment_id}/withdraw": Row(
        "patients:write", record=True, refused=NO_CLINICIANS, send={"reason": "another patient's film"}
    ),
}
# Refused for what they sent and not for who they are: a wrong password, a number that is not the patient's, emergency
# access to a record that is open, a merge that was refused before, an alert that is no emergency; nobody signs in by a
# provider here.
LET_IN = {
    "POST /administration/merges": 404,
    **{f"POST /administration/merges/{{merge_id}}/{step}": 409 for step in ("confirm", "refuse", "undo")},
    "POST /alerts/{alert_id}/acknowledge": 409,
    "POST /account/password": 401,
    "POST /batches": 422,  # no film was chosen
    "POST /patients/{patient_id}/erasure": 409,
    "POST /patients/{patient_id}/invitation": 409,
    "POST /patients/{patient_id}/emergency-access": 409,
    "GET /sign-in/provider": 404,
    "GET /sign-in/provider/callback": 404,
    "GET /sign-in/provider/out": 404,
}

WORK = {"assessments:write", "assessments:read", "patients:read", "patients:write", "models:read"}
EVERYTHING = WORK | {"audit:read", "admin"}
SCOPES = {
    "stranger": set(),
    "patient": WORK - {"patients:write"},
    "other patient": WORK - {"patients:write"},
    "clinician": WORK,
    "administrator": EVERYTHING,
    "system": EVERYTHING,
    "system that reads models": {"models:read"},
    "clinician elsewhere": WORK,
    "administrator elsewhere": EVERYTHING,
    "system elsewhere": EVERYTHING,
}
OUTSIDERS = {"other patient", "clinician elsewhere", "administrator elsewhere", "system elsewhere"}


@pytest.fixture(scope="module")
def settings(tmp_path_factory):
    return GatewaySettings(
        state_dir=tmp_path_factory.mktemp("matrix"),
        public_url="http://gateway",
        logins_per_minute=1000,
        logins_per_address_per_minute=1000,
        store_renderings=True,
        _env_file=None,
    )


@pytest.fixture(scope="module")
async def callers(settings, api):
    """A client of every role, here and in another organisation."""
    admin = await administrator_of(settings, api, "root@here.example")
    elsewhere = await administrator_of(settings, api, "root@elsewhere.example", "Elsewhere")
    everything = " ".join(sorted(EVERYTHING))
    found = {
        "stranger": client(api),
        "patient": await invited(admin, api, "a@home.example", "patient", patient_number="MRN-A"),
        "other patient": await invited(admin, api, "b@home.example", "patient", patient_number="MRN-B"),
        "clinician": await invited(admin, api, "c@here.example", "clinician"),
        "administrator": admin,
        "system": await system_of(settings, api, everything),
        "system that reads models": await system_of(settings, api, "models:read"),
        "clinician elsewhere": await invited(elsewhere, api, "c@elsewhere.example", "clinician"),
        "administrator elsewhere": elsewhere,
        "system elsewhere": await system_of(settings, api, everything, "Elsewhere"),
    }
    assert set(found) == set(SCOPES)
    yield found
    for item in found.values():
        await item.aclose()


async def webhook_there(admin):
    """The same one, until somebody removes it."""
    found = (await admin.get("/v1/webhooks")).json()["items"]
    return (found[0] if found else (await admin.post("/v1/webhooks", json=HOOK)).json())["id"]


@pytest.fixture(scope="module")
async def records(settings, api, callers, knee_jpeg):
    """Makes a record of this organisation, of the patient MRN-A where it is a patient's, by the path's name for it."""
    database = database_of(settings)
    accounts = Accounts(database.sessions)
    admin, number = callers["administrator"], iter(range(10_000))
    files = {**CASE, "image": ("knee.jpg", knee_jpeg), "patient_number": (None, "MRN-A")}
    assessment = (await callers["system"].post("/v1/assessments", files=files)).json()["id"]

    async def account():
        here = await accounts.first_organisation("")
        return str(await accounts.add_account(f"{next(number)}@here.example", "no hash", "clinician", here))

    async def invitation():
        body = {"email": f"{next(number)}@there.example", "role": "clinician"}
        return (await admin.post("/v1/invitations", json=body)).json()["id"]

    async def key():
        return (await admin.post("/v1/keys", json={"name": "x", "scopes": ["models:read"]})).json()["id"]

    batch = (await callers["system"].post("/v1/batches", files=BATCH)).json()["id"]
    await callers["system"].get(f"/v1/batches/{batch}/events", timeout=60)  # to its end

    for date, value in (("2023-01-10", -1.0), ("2025-01-10", -3.5)):
        await callers["clinician"].post("/v1/patients/MRN-A/measurements", **measured(date, value))
    alerts = (await callers["clinician"].get("/v1/alerts")).json()["items"]
    alert = next(open_alert["id"] for open_alert in alerts if open_alert["status"] == "worsening")

    internal = (await callers["clinician"].get("/v1/patients/MRN-A")).json()["id"]

    async def new_patient():
        reference = f"MRN-{next(number)}"
        files = {**CASE, "patient_number": (None, reference)}
        made = await callers["system"].post("/v1/assessments", files=files)
        assert made.status_code == 201
        known = (await callers["clinician"].get(f"/v1/patients/{reference}")).json()["id"]
        return {"patient": reference, "assessment_id": made.json()["id"], "patient_id": known}

    async def access():
        kek, opener = installation_key(settings), await callers["clinician"].get("/v1/accounts/me")
        who = Principal(opener.json()["id"], UUID(opener.json()["organisation_id"]), frozenset(), "clinician")
        patient = await Patients(database.sessions, kek).by_number(who.organisation_id, "MRN-A")
        begun = await EmergencyAccesses(database.sessions, kek).begin(who, patient, "emergency", "A fall.", HOUR)
        return str(begun.id)

    hook = await webhook_there(admin)
    delivery = (await admin.post(f"/v1/webhooks/{hook}/test")).json()["id"]
    merge = (await callers["system"].post("/v1/patient-merges", json=MERGE)).json()["id"]
    assert (await admin.post(f"/v1/patient-merges/{merge}/refuse")).status_code == 200

    async def the(known):
        return known

    yield {
        "assessment_id": partial(the, assessment), "batch_id": partial(the, batch), "account_id": account,
        "invitation_id": invitation, "key_id": key, "patient": partial(the, "MRN-A"),
        "resource_type": partial(the, "DiagnosticReport"), "resource_id": partial(the, assessment),
        "alert_id": partial(the, alert), "new patient": new_patient, "patient_id": partial(the, internal),
        "webhook_id": partial(webhook_there, admin), "delivery_id": partial(the, delivery),
        "merge_id": partial(the, merge), "item_id": partial(dead_film, settings, database, accounts),
        "access_id": access, "session_id": partial(the, "0199f7a1-7b1c-7c3e-8f00-3a5d9b1e2c4d"),
    }  # fmt: skip
    await database.close()


async def dead_film(settings, database, accounts):
    """A film that was given up."""
    patients = Patients(database.sessions, installation_key(settings))
    here = await accounts.first_organisation("")
    films, queue = Films(database.sessions, patients), FilmQueue(database.sessions, patients)
    while True:  # the gateway works on films meanwhile
        await films.add(here, received_film(file_of(film("MRN-A"))), "test")
        if claim := await queue.claim():
            await queue.dead(claim, "test", "test")
            return str(claim.id)


async def operations(api):
    document = (await api.get("/openapi.json")).json()
    methods = {"get", "post", "put", "patch", "delete"}
    return {
        f"{method.upper()} {path}" for path, found in document["paths"].items() for method in set(found) & methods
    }  # fmt: skip


async def test_every_operation_has_a_row_and_every_row_an_operation(api):
    """A route without a row has no rule for who may use it: write one."""
    assert await operations(api) == set(MATRIX)


def paths(routes, prefix=""):
    """The paths of a tree of routes."""
    for route in routes:
        inner = getattr(route, "routes", None) or getattr(getattr(route, "original_router", None), "routes", None)
        if inner and not hasattr(route, "endpoint"):
            yield from paths(inner, prefix)
        if path := getattr(route, "path", None):
            yield prefix + path


def test_no_route_hides_from_the_document(settings):
    app = create_app(settings, in_process("0" * 48))
    found = set(paths(app.routes))
    listed = {path.split(" ")[1] for path in MATRIX | PAGES}
    assert listed | UNLISTED == {path.replace(":path}", "}") for path in found}


def expected(name, row, caller):
    if row.needs == OPEN:
        return "served"
    if caller == "stranger" or row.needs == SIGNED:
        return 401
    if (row.needs != ANYBODY and row.needs not in SCOPES[caller]) or caller in row.refused:
        return 403
    return 404 if row.record and caller in OUTSIDERS else "served"


# What stands in a path and is no record.
FIXED = {"kind": "sr", "service_id": "trabecula-bone"}


@pytest.mark.parametrize("name", MATRIX)
async def test_who_may_do_what(name, callers, records):
    row = MATRIX[name]
    method, template = name.split(" ")
    for caller, their_client in callers.items():
        filled = {parameter: await make() for parameter, make in records.items() if f"{{{parameter}}}" in template}
        if row.uses_up:
            filled |= await records["new patient"]()
        answer = await their_client.request(method, template.format(**filled, **FIXED), **row.send)
        wanted = expected(name, row, caller)
        if wanted != "served":
            assert answer.status_code == wanted, (name, caller, answer.text)
        elif row.record or row.send:
            assert answer.is_success or beside_the_point(answer), (name, caller, answer.text)
        else:
            assert answer.status_code not in (401, 403, 404, 500), (name, caller, answer.text)


def beside_the_point(answer):
    """The caller was let in: a picture that was not made is missing for everybody, an invitation is out already."""
    return answer.status_code == 409 or (answer.status_code == 404 and answer.json().get("reason") == "no_heat_map")


ADDRESSES = {
    "patient": "a@home.example", "other patient": "b@home.example", "clinician": "c@here.example",
    "administrator": "root@here.example", "clinician elsewhere": "c@elsewhere.example",
    "administrator elsewhere": "root@elsewhere.example",
}  # fmt: skip


@pytest.fixture(scope="module")
async def browsers(api, callers):
    """A browser of every person, signed in by the page, and a stranger's; each with the token of its forms."""
    found = {}
    for caller in ("stranger", *ADDRESSES):
        browser = found[caller] = client(api)
        token = (await browser.get("/session")).json()["form_token"]
        if caller != "stranger":
            form = {"csrf": token, "email": ADDRESSES[caller], "password": PASSWORD}
            assert (await browser.post("/sign-in", data=form)).status_code == 303
            token = (await browser.get("/session")).json()["form_token"]
        browser.headers["X-Form"] = token
    yield found
    for browser in found.values():
        await browser.aclose()


@pytest.mark.parametrize("name", PAGES)
async def test_who_may_see_which_page(name, browsers, records):
    row = PAGES[name]
    method, template = name.split(" ")
    if row.needs == OPEN and method == "POST":
        return  # what they do without a credential is test_pages.py's affair
    for caller, browser in browsers.items():
        filled = {parameter: await make() for parameter, make in records.items() if f"{{{parameter}}}" in template}
        if row.uses_up:
            filled |= await records["new patient"]()
        address = template.format(**filled, code="en", kind="preview")
        form = {**row.send, "csrf": browser.headers["X-Form"]} if method == "POST" else None
        answer = await browser.request(method, address, data=form, headers={"Accept": "text/html"})
        wanted = expected(name, row, caller)
        if wanted == 401:
            assert answer.headers["location"].startswith("/sign-in?again=1"), (name, caller)
        elif wanted == "served" and name in LET_IN:
            assert answer.status_code == LET_IN[name], (name, caller, answer.text)
        elif wanted == "served":
            assert answer.status_code in (200, 303), (name, caller, answer.text)
            assert not answer.headers.get("location", "").startswith("/sign-in"), (name, caller)
        else:
            assert answer.status_code == wanted, (name, caller, answer.text)


async def test_no_form_of_another_site_is_taken(browsers, records):
    """Neither without the token, nor with another visit's, nor with the right one from another site."""
    filled = {parameter: await make() for parameter, make in records.items() if parameter != "new patient"}
    browser, other = browsers["administrator"], browsers["clinician"].headers["X-Form"]
    right = browser.headers["X-Form"]
    for name, row in PAGES.items():
        method, template = name.split(" ")
        if method != "POST":
            continue
        address = template.format(**filled)
        for token, site in (("", "same-origin"), (other, "same-origin"), (right, "cross-site"), (right, "same-site")):
            answer = await browser.post(address, data={**row.send, "csrf": token}, headers={"Sec-Fetch-Site": site})
            assert answer.status_code == 403, (name, token, site)
        headers = {"Origin": "http://evil.example"}
        assert (await browser.post(address, data={**row.send, "csrf": right}, headers=headers)).status_code == 403


async def test_lists_show_nobody_elses_records(callers, records):
    ours = {name: await make() for name, make in records.items() if name != "new patient"}
    ours |= await records["new patient"]()
    for name, row in MATRIX.items():
        method, path = name.split(" ")
        if method != "GET" or row.record or row.needs == OPEN:
            continue
        for caller in OUTSIDERS:
            answer = await callers[caller].get(path, params={"limit": 100} if path != "/v1/accounts/me" else None)
            told = {kind: record for kind, record in ours.items() if record in answer.text}
            # That somebody knocked at a record is told to those who knocked.
            assert not told or (path == "/v1/audit" and '"not found"' in answer.text), (name, caller, told)


async def test_the_others_see_their_own(callers, records):
    """So that the matrix does not pass because nobody sees anything."""
    known = await records["assessment_id"]()
    for caller in ("patient", "clinician", "administrator", "system"):
        listed = (await callers[caller].get("/v1/assessments", params={"limit": 100})).json()["items"]
        assert known in {item["id"] for item in listed}, caller


async def test_a_patient_writes_for_nobody_else(callers):
    for reference, wanted in (("MRN-A", 201), ("MRN-B", 403), ("MRN-NEW", 403)):
        files = {**CASE, "patient_number": (None, reference)}
        assert (await callers["patient"].post("/v1/assessments", files=files)).status_code == wanted
