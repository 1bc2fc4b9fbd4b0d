"""Lists: from when to when, from old to new, in brief, and no filter that does nothing."""

import datetime as dt
import json

import pytest

from gateway.platform.clock import now
from gateway.settings import GatewaySettings
from tests.integration.people import system_of

FOLLOWED = {
    "age": 70, "gender": "female", "menopausal_status": "postmenopausal", "medications": [], "prior_fractures": False,
    "t_scores": [{"site": "total_hip", "value": -2.2, "date": "2026-05-01"}],
}  # fmt: skip
ALERTS = [("status", status) for status in ("urgent", "upcoming", "due", "overdue", "worsening")]
LISTS = ("/v1/assessments", "/v1/batches", "/v1/alerts", "/v1/audit")


@pytest.fixture(scope="module")
def settings(tmp_path_factory):
    return GatewaySettings(state_dir=tmp_path_factory.mktemp("lists"), _env_file=None)


@pytest.fixture(scope="module")
async def reader(settings, api):
    scopes = "assessments:write assessments:read patients:read patients:write audit:read"
    async with await system_of(settings, api, scopes) as system:
        yield system


@pytest.fixture(scope="module")
async def made(reader, knee_jpeg):
    """Three things of each kind, oldest first, by the list's path; with the moment before the last."""
    for number in range(3):
        files = {"clinical": (None, json.dumps(FOLLOWED)), "patient_number": (None, f"MRN-{number}")}
        cases = {"cases": [{"reference": "a", "clinical": {"age": 67, "gender": "female"}}]}
        if number == 2:
            middle = now()
        assert (await reader.post("/v1/assessments", files=files)).status_code == 201
        await reader.get(f"/v1/patients/MRN-{number}")
        batch = await reader.post("/v1/batches", files={"manifest": (None, json.dumps(cases))})
        await reader.get(f"/v1/batches/{batch.json()['id']}/events", timeout=60)
    return middle


def place(path, item):
    return item["sequence"] if path == "/v1/audit" else item["id"]


async def items(reader, path, **wanted):
    params = [*(ALERTS if path == "/v1/alerts" else []), *wanted.items()]
    answer = await reader.get(path, params=params)
    assert answer.status_code == 200, answer.text
    return answer.json()


@pytest.mark.parametrize("path", LISTS)
async def test_a_list_is_read_from_old_to_new_and_goes_on_where_one_was(path, reader, made):
    newest = [place(path, item) for item in (await items(reader, path, limit=100))["items"]]
    assert len(newest) >= 3
    found, page = [], await items(reader, path, after=0 if path == "/v1/audit" else newest[-1], limit=2)
    wanted = newest[::-1] if path == "/v1/audit" else newest[::-1][1:]
    while True:
        found += [place(path, item) for item in page["items"]]
        if page["next"] is None or len(found) >= len(wanted):
            break
        page = await items(reader, path, after=page["next"], limit=2)
    assert found[: len(wanted)] == wanted


@pytest.mark.parametrize("path", LISTS)
async def test_since_and_until_part_a_list_in_two(path, reader, made):
    moment = made.isoformat()
    everything = (await items(reader, path, limit=100, until=now().isoformat()))["items"]
    new = (await items(reader, path, limit=100, since=moment, until=now().isoformat()))["items"]
    old = (await items(reader, path, limit=100, until=moment))["items"]
    assert new
    assert old
    places = {place(path, item) for item in everything}
    assert places <= {place(path, item) for item in [*new, *old]}
    assert not {place(path, item) for item in new} & {place(path, item) for item in old}


@pytest.mark.parametrize("path", LISTS)
async def test_what_a_list_does_not_have_is_named(path, reader):
    for params, words in (
        ({"sinse": "2026-01-01T00:00:00Z"}, "sinse"),
        ({"state": "due"}, "status"),
        ({"since": "yesterday"}, "since"),
        ({"since": "2026-01-01T00:00:00"}, "since"),
        ({"before": "1" * 3, "after": "x"}, "after"),
    ):
        answer = await reader.get(path, params=params)
        assert (answer.status_code, words in answer.text) == (422, True), (path, params, answer.text)


async def test_a_list_goes_one_way(reader, made):
    newest = (await items(reader, "/v1/assessments"))["items"][0]["id"]
    answer = await reader.get("/v1/assessments", params={"before": newest, "after": newest})
    assert (answer.status_code, answer.json()["field"]) == (422, "after")
    answer = await reader.get("/v1/audit", params={"before": 3, "after": 3})
    assert answer.status_code == 422


async def test_partial_answers_are_found_by_their_status(reader, made, knee_jpeg):
    drawn = {"image": ("photo.png", b"\x89PNG not a radiograph"), "clinical": (None, json.dumps(FOLLOWED))}
    refused = await reader.post("/v1/assessments", files=drawn)
    found = (await items(reader, "/v1/assessments", status="partial"))["items"]
    assert {item["status"] for item in found} <= {"partial"}
    assert (refused.status_code == 201) == bool(found)
    complete = (await items(reader, "/v1/assessments", status="complete"))["items"]
    assert {item["status"] for item in complete} == {"complete"}
    assert (await reader.get("/v1/assessments", params={"status": "signed"})).status_code == 422


async def test_in_brief_a_list_is_a_fraction_of_itself(reader, made):
    whole = await reader.get("/v1/assessments")
    brief = await reader.get("/v1/assessments", params={"fields": "brief"})
    assert len(brief.content) * 10 < len(whole.content)
    for long, short in zip(whole.json()["items"], brief.json()["items"], strict=True):
        assert (short["id"], short["status"], short["patient_number"]) == (
            long["id"],
            long["status"],
            long["patient_number"],
        )
        assert (short["review"], short["category"]) == (long["review"]["status"], long["combined"]["category"])
    assert brief.json()["next"] == whole.json()["next"]


async def test_the_answer_to_a_case_is_that_of_its_address_and_has_pictures_where_they_are_asked_for(reader, knee_jpeg):
    files = {"image": ("knee.jpg", knee_jpeg)}
    made = await reader.post("/v1/assessments", files=files)
    assert (await reader.get(made.headers["Location"])).content == made.content
    assert "pictures" not in made.json()
    with_pictures = await reader.post("/v1/assessments?pictures=true", files=files)
    assert set(with_pictures.json()["pictures"]) == {"preview", "imaging", "staging"}
    document = (await reader.get("/openapi.json")).json()
    answer = document["paths"]["/v1/assessments"]["post"]["responses"]["201"]["content"]["application/json"]
    assert answer["schema"] == {"$ref": "#/components/schemas/AssessmentWithRenderings"}
    assert dt.datetime.fromisoformat(made.json()["created_at"]).tzinfo is not None
