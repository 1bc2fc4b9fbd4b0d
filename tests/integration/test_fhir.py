"""The FHIR API over HTTP: reading, searching, and how everything that goes wrong is told."""

import base64
import datetime as dt
import json
from random import Random
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from fhir.resources.R4B.bundle import Bundle
from fhir.resources.R4B.operationoutcome import OperationOutcome

import gateway.api.fhir
from gateway.settings import GatewaySettings
from shared.clinic.drug_names import bone_drug_named
from tests.conftest import open_gateway, shared_services
from tests.integration.people import client, invited, system_of
from tests.unit.gateway.interop.hostile import good, spoiled
from tests.unit.gateway.interop.invariants import faults_of
from tests.unit.gateway.interop.sent import PATIENT, bundle, condition, observation

FHIR_JSON = "application/fhir+json"
ROOT = "http://gateway"
SEVERE = {
    "age": 72, "gender": "female", "menopausal_status": "postmenopausal", "weight_kg": 55,
    "t_scores": [{"site": "femoral_neck", "value": -3.1, "date": "2026-01-10"}],
}  # fmt: skip


@pytest.fixture(scope="module")
def settings(tmp_path_factory):
    return GatewaySettings(
        state_dir=tmp_path_factory.mktemp("fhir"), logins_per_minute=1000, logins_per_address_per_minute=1000,
        _env_file=None,
    )  # fmt: skip


@pytest.fixture(scope="module")
async def system(settings, api):
    """A hospital system that reads and writes."""
    async with await system_of(settings, api, "assessments:write assessments:read patients:read") as found:
        yield found


async def assessed(caller, number=None, record=SEVERE, image=None):
    files = {"clinical": (None, json.dumps(record))}
    files |= {"patient_number": (None, number)} if number else {}
    files |= {"image": ("knee.jpg", image)} if image else {}
    answer = await caller.post("/v1/assessments", files=files)
    assert answer.status_code == 201, answer.text
    return answer.json()


def outcome(answer, status, code):
    """The OperationOutcome of an answer, which has to have this status and this code."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == FHIR_JSON
    found = answer.json()
    OperationOutcome.model_validate(found)
    assert {issue["code"] for issue in found["issue"]} == {code}
    return found["issue"][0]


def resources(answer):
    assert answer.status_code == 200, answer.text
    found = answer.json()
    Bundle.model_validate(found)
    return [entry["resource"] for entry in found.get("entry", [])]


def link(answer, relation):
    return next((one["url"] for one in answer.json()["link"] if one["relation"] == relation), None)


async def test_an_assessment_is_a_valid_bundle_of_the_same_bytes_each_time(system, knee_jpeg):
    made = await assessed(system, "MRN-1", image=knee_jpeg)
    first, again = [await system.get(f"/v1/assessments/{made['id']}/fhir") for _ in range(2)]
    assert first.headers["content-type"] == FHIR_JSON
    assert first.content == again.content
    assert faults_of(first.json(), f"{ROOT}/fhir") == []
    found = {one["resourceType"]: one for one in resources(first)}
    assert found["Patient"]["identifier"][0]["value"] == "MRN-1"
    percent = found["RiskAssessment"]["prediction"][0]["probabilityDecimal"]
    assert abs(percent - 100 * made["clinical"]["probability"]) < 0.01
    grades = [one for one in resources(first) if "-kl" in one["id"]]
    assert [one["valueInteger"] for one in grades] == [knee["stage"] for knee in made["staging"]["knees"]]
    sources = {one["what"]["display"] for one in found["Provenance"]["entity"]}
    assert sources == {"image", "record"}


async def test_who_has_the_same_bytes_is_not_sent_them_again(system):
    made = await assessed(system)
    for address in (f"/v1/assessments/{made['id']}/fhir", f"/fhir/DiagnosticReport/{made['id']}", "/fhir/metadata"):
        etag = (await system.get(address)).headers["etag"]
        for sent in (etag, etag.removeprefix("W/"), f'"x", {etag}', "*"):
            answer = await system.get(address, headers={"If-None-Match": sent})
            assert (answer.status_code, answer.content) == (304, b"")
        assert (await system.get(address, headers={"If-None-Match": '"x"'})).status_code == 200
        assert (await system.head(address)).headers["etag"] == etag
    assert (await system.get(f"/fhir/DiagnosticReport/{made['id']}")).headers["last-modified"].endswith("GMT")


@pytest.mark.parametrize("kind", ["collection", "document", "transaction"])
async def test_a_bundle_comes_in_three_kinds(system, kind):
    made = await assessed(system)
    answer = await system.get(f"/v1/assessments/{made['id']}/fhir", params={"type": kind})
    assert answer.json()["type"] == kind
    assert faults_of(answer.json(), f"{ROOT}/fhir") == []


async def test_below_v1_errors_stay_problem_documents(system):
    made = await assessed(system)
    missing = await system.get("/v1/assessments/0199f7a1-7b1c-7c3e-8f00-3a5d9b1e2c4d/fhir")
    assert (missing.status_code, missing.headers["content-type"]) == (404, "application/problem+json")
    xml = await system.get(f"/v1/assessments/{made['id']}/fhir", headers={"Accept": "application/fhir+xml"})
    assert (xml.status_code, xml.headers["content-type"]) == (406, "application/problem+json")
    batch = await system.get(f"/v1/assessments/{made['id']}/fhir", params={"type": "batch"})
    assert batch.status_code == 422


@pytest.mark.parametrize(
    "sent",
    ["application/fhir+json; fhirVersion=4.0", "text/html, application/json;q=0.5", "*/*", "application/*"],
)
async def test_json_is_written_for_whoever_takes_it(api, sent):
    answer = await api.get("/fhir/metadata", headers={"Accept": sent})
    assert answer.headers["content-type"] == FHIR_JSON


@pytest.mark.parametrize("format_", ["json", "application/json", "application/fhir%2Bjson", "application/fhir+json"])
async def test_the_format_stands_above_the_header(api, format_):
    answer = await api.get(f"/fhir/metadata?_format={format_}", headers={"Accept": "application/fhir+xml"})
    assert answer.status_code == 200


async def test_every_kind_of_refusal_is_an_operation_outcome(api, settings, system, monkeypatch):
    weak = await system_of(settings, api, "models:read")
    async with client(api) as nobody, weak:
        issue = outcome(await nobody.get("/fhir/DiagnosticReport"), 401, "login")
        assert issue["details"]["coding"][0] == {"system": "urn:trabecula:problem", "code": "not-authenticated"}
        outcome(await nobody.post("/fhir/$assess", json=bundle()), 401, "login")
        outcome(await weak.get("/fhir/DiagnosticReport"), 403, "forbidden")
    outcome(await system.get("/fhir/DiagnosticReport/0199f7a1-7b1c-7c3e-8f00-3a5d9b1e2c4d"), 404, "not-found")
    for address in (
        "/fhir",
        "/fhir/",
        "/fhir/DiagnosticReport/x",
        "/fhir/Encounter/1",
        "/fhir/a/b/c",
        "/fhir/$nothing",
    ):
        outcome(await system.get(address), 404, "not-found")
    outcome(await system.put("/fhir/DiagnosticReport", json={}), 405, "not-supported")
    outcome(await system.get("/fhir/metadata", headers={"Accept": "application/fhir+xml"}), 406, "not-supported")
    outcome(await system.get("/fhir/metadata?_format=xml"), 406, "not-supported")
    large = b'{"resourceType": "' + b"x" * 30_000_001
    outcome(await system.post("/fhir/$map", content=large, headers={"Content-Type": FHIR_JSON}), 413, "too-long")
    for kind in ("application/fhir+xml", "text/plain", ""):
        refused = await system.post("/fhir/$map", content=b"{}", headers={"Content-Type": kind})
        outcome(refused, 415, "not-supported")
    packed = {"Content-Type": FHIR_JSON, "Content-Encoding": "gzip"}
    outcome(await system.post("/fhir/$map", content=b"{}", headers=packed), 415, "not-supported")
    outcome(await system.post("/fhir/$map", content=b"{", headers={"Content-Type": FHIR_JSON}), 400, "invalid")
    outcome(await system.post("/fhir/$map", json={"resourceType": "Patient"}), 422, "invalid")
    outcome(await system.post("/fhir/$assess", json=bundle(patient={**PATIENT, "birthDate": None})), 422, "invalid")

    def broken():
        raise RuntimeError("secret")

    monkeypatch.setattr(gateway.api.fhir, "code_system", broken)
    answer = await system.get("/fhir/CodeSystem/finding")
    assert "secret" not in answer.text
    outcome(answer, 500, "exception")


async def test_who_asks_for_too_much_is_told_when_to_go_on(tmp_path):
    few = GatewaySettings(state_dir=tmp_path, assessments_per_minute=1, _env_file=None)
    async with open_gateway(few, shared_services()) as caller:
        assert (await caller.post("/fhir/$assess", json=bundle())).status_code == 201
        refused = await caller.post("/fhir/$assess", json=bundle())
        outcome(refused, 429, "throttled")
        assert int(refused.headers["retry-after"]) > 0


async def test_patients_read_their_own_and_no_medicine_before_it_is_released(admin, api, system):
    made = await assessed(system, "MRN-PATIENT")
    other = await assessed(system, "MRN-OTHER")
    patient = await invited(admin, api, "own@home.example", "patient", patient_number="MRN-PATIENT")
    clinician = await invited(admin, api, "who@clinic.example", "clinician")
    async with patient, clinician:
        addresses = [f"/v1/assessments/{made['id']}/fhir", f"/v1/assessments/{made['id']}/fhir?type=document"]
        addresses += [f"/fhir/CarePlan/{made['id']}-plan", "/fhir/DiagnosticReport", "/fhir/Observation"]
        for address in addresses:
            answer = await patient.get(address)
            assert answer.status_code == 200
            assert bone_drug_named(answer.text) is None, address
        assert {one["id"] for one in resources(await patient.get("/fhir/DiagnosticReport"))} == {made["id"]}
        outcome(await patient.get(f"/fhir/DiagnosticReport/{other['id']}"), 404, "not-found")
        assert (await patient.get(f"/v1/assessments/{other['id']}/fhir")).status_code == 404
        assert resources(await patient.get("/fhir/DiagnosticReport?subject.identifier=MRN-OTHER")) == []
        before = await patient.get(addresses[0])
        issues = [one for one in resources(await clinician.get(addresses[0])) if one["resourceType"] == "DetectedIssue"]
        for issue in issues:
            outcome(await patient.get(f"/fhir/DetectedIssue/{issue['id']}"), 404, "not-found")

        assert (await clinician.post(f"/v1/assessments/{made['id']}/release")).status_code == 200
        after = await patient.get(addresses[0])
        assert after.headers["etag"] != before.headers["etag"]
        assert len(resources(after)) > len(resources(before))


async def test_another_organisation_finds_nothing(api, settings, system):
    made = await assessed(system, "MRN-HERE")
    async with await system_of(settings, api, "assessments:read", "Elsewhere for FHIR") as stranger:
        assert resources(await stranger.get("/fhir/DiagnosticReport")) == []
        assert resources(await stranger.get("/fhir/DiagnosticReport", params={"identifier": made["id"]})) == []
        assert resources(await stranger.get("/fhir/Observation?patient.identifier=MRN-HERE")) == []
        outcome(await stranger.get(f"/fhir/RiskAssessment/{made['id']}-risk"), 404, "not-found")


async def test_every_resource_of_a_bundle_that_is_readable_is_read_as_it_is_there(system, knee_jpeg):
    made = await assessed(system, "MRN-READ", image=knee_jpeg)
    for resource in resources(await system.get(f"/v1/assessments/{made['id']}/fhir")):
        answer = await system.get(f"/fhir/{resource['resourceType']}/{resource['id']}")
        if resource["resourceType"] == "Device":
            outcome(answer, 404, "not-found")
        else:
            assert answer.json() == resource


async def test_a_search_goes_through_all_pages_and_finds_each_once(api, settings):
    async with await system_of(settings, api, "assessments:write assessments:read", "Pages") as caller:
        made = [(await assessed(caller))["id"] for _ in range(5)]
        for kind, count in (("DiagnosticReport", 2), ("RiskAssessment", 1), ("Observation", 3), ("Observation", 1)):
            found, address, pages = [], f"/fhir/{kind}?_count={count}", 0
            while address:
                answer = await caller.get(address)
                page = resources(answer)
                assert len(page) <= count
                found += [one["id"] for one in page]
                address, pages = link(answer, "next"), pages + 1
            assert len(set(found)) == len(found)
            assert [one[:36] for one in found] == sorted((one[:36] for one in found), reverse=True)
            assert {one[:36] for one in found} == set(made)
            assert pages >= len(found) / count


async def test_searches_select(api, settings):
    async with await system_of(settings, api, "assessments:write assessments:read", "Searches") as caller:
        first, second = await assessed(caller, "MRN-S1"), await assessed(caller, "MRN-S2")
        report = (await caller.get(f"/fhir/DiagnosticReport/{first['id']}")).json()
        subject, system_ = report["subject"]["reference"], report["subject"]["identifier"]["system"]
        one, none, both = [first["id"]], [], [second["id"], first["id"]]
        risk = f"{first['id']}-risk"
        for query, expected in {
            f"identifier={first['id']}": one,
            f"identifier=urn:uuid:{first['id']}": one,
            f"identifier=urn:ietf:rfc:3986|urn:uuid:{first['id']}": one,
            f"identifier=urn:oid:1|{first['id']}": none,
            "identifier=7": none,
            f"_id={first['id']}": one,
            f"_id={first['id']}&identifier={second['id']}": none,
            "subject.identifier=MRN-S1": one,
            "subject:identifier=MRN-S1": one,
            "patient.identifier=MRN-S1": one,
            f"patient:identifier={system_}|MRN-S1": one,
            "subject.identifier=urn:oid:9|MRN-S1": none,
            "subject.identifier=|MRN-S1": none,
            "subject.identifier=": none,
            "subject.identifier=MRN-NOBODY": none,
            f"subject={subject}": one,
            f"patient={subject.removeprefix('Patient/')}": one,
            f"subject=http://gateway/fhir/{subject}": one,
            "subject=Patient/x": none,
            "_lastUpdated=ge2020": both,
            "_lastUpdated=lt2020": none,
            f"_lastUpdated=gt{first['created_at']}": [second["id"]],
            f"_lastUpdated=le{first['created_at']}": one,
            f"_lastUpdated={report['meta']['lastUpdated']}": one,
            f"_lastUpdated=ge{dt.date.today()}&_lastUpdated=le{dt.date.today()}": both,  # noqa: DTZ011
            "_lastUpdated=sa2099-12": none,
            "_count=1000": both,
        }.items():
            answer = await caller.get(f"/fhir/DiagnosticReport?{query}".replace("|", "%7C"))
            assert [found["id"] for found in resources(answer)] == expected, query
        for query, expected in {
            f"_id={risk}": [risk], f"_id={first['id']}": [], f"_id={first['id']}-other": [], "_id=x": [],
        }.items():  # fmt: skip
            assert [found["id"] for found in resources(await caller.get(f"/fhir/RiskAssessment?{query}"))] == expected
        local = "urn:trabecula:code-system:finding"
        for query, count in {
            "code=bone-density-class": 2,
            f"code={local}%7Cbone-density-class": 2,
            "code=http://loinc.org%7Cost-total": 0,
            "code=nothing,ost-total": 2,
            "code=bone-density-class&patient.identifier=MRN-S2": 1,
        }.items():
            assert len(resources(await caller.get(f"/fhir/Observation?{query}"))) == count, query


@pytest.mark.parametrize(
    "query",
    ["name=x", "_count=0", "_count=-1", "_count=x", "_count=1e3", "_cursor=x", "_cursor=1~2", "_lastUpdated=yesterday",
     "_lastUpdated=ne2026", "_lastUpdated=ge9999-12-31T23:59:59-14:00", "_lastUpdated=le9999", "_count=1&_count=2",
     "identifier:not=1", "_include=*", "_cursor=ffffffff-ffff-ffff-ffff-ffffffffffff"],
)  # fmt: skip
async def test_a_search_that_cannot_be_made_is_refused(system, query):
    issue = outcome(await system.get(f"/fhir/DiagnosticReport?{query}"), 400, "invalid")
    assert issue["details"]["coding"][0]["code"] == "invalid-search"


async def test_who_asks_for_lenience_is_told_what_was_ignored(system):
    await assessed(system)
    lenient = {"Prefer": "return=minimal; handling=lenient"}
    answer = await system.get("/fhir/DiagnosticReport?name=x&_count=1", headers=lenient)
    entries = answer.json()["entry"]
    assert [entry["search"]["mode"] for entry in entries] == ["match", "outcome"]
    assert "'name'" in entries[1]["resource"]["issue"][0]["diagnostics"]
    assert parse_qs(urlsplit(link(answer, "self")).query) == {"_count": ["1"]}


async def test_links_have_the_address_that_the_site_is_known_by(tmp_path):
    known = GatewaySettings(
        state_dir=tmp_path,
        public_url="https://clinic.example/bone",
        fhir_patient_system="urn:oid:1.2.3",
        _env_file=None,
    )
    async with open_gateway(known, shared_services()) as caller:
        made = await assessed(caller, "MRN-1")
        found = (await caller.get(f"/v1/assessments/{made['id']}/fhir")).json()
        assert faults_of(found, "https://clinic.example/bone/fhir") == []
        report = found["entry"][0]["resource"]
        assert report["presentedForm"][0]["url"].startswith("https://clinic.example/bone/v1/assessments/")
        assert report["subject"]["identifier"]["system"] == "urn:oid:1.2.3"
        answer = await caller.get("/fhir/DiagnosticReport?subject.identifier=urn:oid:1.2.3%7CMRN-1")
        assert len(resources(answer)) == 1
        assert link(answer, "self").startswith("https://clinic.example/bone/fhir/DiagnosticReport?")


async def test_map_shows_what_is_used_and_changes_nothing(system):
    before = len(resources(await system.get("/fhir/DiagnosticReport?_count=100")))
    sent = bundle(observation("29463-7", 58), condition("M81.0"))
    answer = await system.post("/fhir/$map", json=sent)
    assert answer.status_code == 200
    parts = [(one["name"], one) for one in answer.json()["parameter"]]
    assert [name for name, _ in parts] == ["record", "used", "unused"]
    assert json.loads(dict(parts)["record"]["valueString"])["weight_kg"] == 58
    assert {part["name"] for part in dict(parts)["unused"]["part"]} == {"reference", "code", "reason", "why"}
    assert len(resources(await system.get("/fhir/DiagnosticReport?_count=100"))) == before


def case(**identifier):
    """A Bundle with a weight that is used and a condition that is not."""
    patient = {**PATIENT, "identifier": [{"value": "MRN-FHIR", **identifier}]}
    return bundle(observation("29463-7", 58), condition("M81.0"), patient=patient)


async def test_assess_gives_the_bundle_that_is_read_later_and_stores_what_was_not_used(system):
    answer = await system.post("/fhir/$assess", json=case())
    assert answer.status_code == 201, answer.text
    identity = answer.headers["location"].rpartition("/")[2]
    assert answer.headers["location"] == f"{ROOT}/fhir/DiagnosticReport/{identity}"
    assert faults_of(answer.json(), f"{ROOT}/fhir") == []
    assert (await system.get(f"/v1/assessments/{identity}/fhir")).content == answer.content
    stored = (await system.get(f"/v1/assessments/{identity}")).json()
    assert (stored["patient_number"], stored["status"]) == ("MRN-FHIR", "complete")
    assert [(w["component"], w["type"]) for w in stored["warnings"]] == [("clinical", "fhir_not_used")]
    assert "M81.0" in stored["warnings"][0]["detail"]


async def test_the_same_key_with_the_same_resources_gives_the_same_result(system):
    key = {"Idempotency-Key": "fhir-order-1"}
    first, again = [await system.post("/fhir/$assess", json=case(), headers=key) for _ in range(2)]
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.content == again.content
    other = bundle(observation("29463-7", 59), patient={**PATIENT, "identifier": [{"value": "MRN-FHIR"}]})
    outcome(await system.post("/fhir/$assess", json=other, headers=key), 409, "conflict")


async def test_assess_takes_a_radiograph_with_the_resources(system, knee_jpeg):
    picture = {"resourceType": "Binary", "contentType": "image/jpeg", "data": base64.b64encode(knee_jpeg).decode()}
    answer = await system.post("/fhir/$assess", json=bundle(observation("29463-7", 58), picture))
    assert answer.status_code == 201, answer.text
    kinds = {entry["resource"]["id"][37:] for entry in answer.json()["entry"]}
    assert {"bone", "risk"} <= kinds
    broken = {**picture, "data": base64.b64encode(knee_jpeg[:2000]).decode()}
    outcome(await system.post("/fhir/$assess", json=bundle(broken)), 422, "invalid")


async def test_a_patient_assesses_nobody_else(admin, api, system):
    await assessed(system, "MRN-SELF")
    async with await invited(admin, api, "self@home.example", "patient", patient_number="MRN-SELF") as patient:
        own = {**PATIENT, "identifier": [{"value": "MRN-SELF"}]}
        answer = await patient.post("/fhir/$assess", json=bundle(condition("M81.0"), patient=own))
        assert answer.status_code == 201
        assert "M81.0" not in answer.text  # what was not used is the clinic's to look at
        outcome(await patient.post("/fhir/$assess", json=case()), 403, "forbidden")


async def test_no_bundle_breaks_the_server_wherever_it_is_spoiled(system):
    random = Random(20261127)
    answers = []
    for number in range(150):
        body = good()
        for _ in range(random.choice([1, 2, 4])):
            body = spoiled(body, random)
        address = "/fhir/$assess" if number % 4 == 0 else "/fhir/$map"
        answer = await system.post(address, content=json.dumps(body), headers={"Content-Type": FHIR_JSON})
        assert answer.status_code in (200, 201, 400, 422), answer.text
        assert answer.headers["content-type"] == FHIR_JSON
        answers.append(answer.status_code)
    assert len(set(answers)) > 2


async def test_a_stranger_uploads_nothing(api):
    async def endless():
        while True:
            yield b"x" * 1000

    async with client(api) as nobody:
        answer = await nobody.post("/fhir/$assess", content=endless(), headers={"Content-Type": FHIR_JSON})
    outcome(answer, 401, "login")


async def test_nothing_of_a_patient_stays_in_a_cache(system):
    made = await assessed(system)
    for address in ("/fhir/DiagnosticReport", f"/v1/assessments/{made['id']}/fhir", "/fhir/DiagnosticReport/x"):
        answer: httpx.Response = await system.get(address)
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["x-content-type-options"] == "nosniff"


async def test_searches_select_by_time_and_patient_on_either_database(database_url, tmp_path):
    either = GatewaySettings(state_dir=tmp_path / "state", database_url=database_url, _env_file=None)
    async with open_gateway(either, shared_services()) as caller:
        first, second = await assessed(caller, "MRN-1"), await assessed(caller, "MRN-2")
        for query, expected in {
            f"_lastUpdated=gt{first['created_at']}": [second["id"]],
            f"_lastUpdated=lt{second['created_at']}": [first["id"]],
            "_lastUpdated=ge2020&_lastUpdated=le2099&_count=1&subject.identifier=MRN-1": [first["id"]],
        }.items():
            answer = await caller.get(f"/fhir/DiagnosticReport?{query}")
            assert [one["id"] for one in resources(answer)] == expected, query
