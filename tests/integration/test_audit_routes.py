"""The trail over REST: the own organisation's, for those who may read it."""

import pytest

from gateway.settings import GatewaySettings
from tests.integration.people import administrator_of, client, system_of

CASE = {"clinical": (None, '{"age": 67, "gender": "female"}'), "patient_number": (None, "MRN-1")}


@pytest.fixture(scope="module")
def settings(tmp_path_factory):
    return GatewaySettings(
        state_dir=tmp_path_factory.mktemp("trail"),
        logins_per_minute=1000,
        logins_per_address_per_minute=1000,
        _env_file=None,
    )


async def test_who_did_what_to_what_from_where_and_how_it_ended(api, admin):
    made = (await api.post("/v1/assessments", files=CASE, headers={"X-Request-ID": "ward-7-0001"})).json()["id"]
    await api.get(f"/v1/assessments/{made}")
    answer = (await admin.get("/v1/audit", params={"subject": made})).json()
    read, wrote = answer["items"]
    assert (wrote["action"], read["action"]) == ("assessment made", "assessment read")
    assert wrote["request_id"] == "ward-7-0001"
    assert wrote["address"] == "127.0.0.1"
    assert wrote["outcome"] == read["outcome"] == "done"
    assert read["sequence"] > wrote["sequence"]
    by = (await admin.get("/v1/audit", params={"actor": wrote["actor"], "limit": 500})).json()["items"]
    assert {line["actor"] for line in by} == {wrote["actor"]}
    assert (await admin.get("/v1/audit", params={"since": "2100-01-01T00:00:00Z"})).json()["items"] == []
    assert (await admin.get("/v1/audit", params={"until": "2000-01-01T00:00:00Z"})).json()["items"] == []


async def test_what_is_refused_or_not_found_is_told_too(settings, api, admin):
    async with await system_of(settings, api, "assessments:read", "Another clinic") as theirs:
        made = (await api.post("/v1/assessments", files=CASE)).json()["id"]
        assert (await theirs.get(f"/v1/assessments/{made}")).status_code == 404
        assert (await theirs.get("/v1/models")).status_code == 403
    async with await administrator_of(settings, api, "root@another.example", "Another clinic") as their_admin:
        lines = (await their_admin.get("/v1/audit")).json()["items"]
    told = {(line["action"], line["subject"], line["outcome"]) for line in lines}
    assert ("assessment read", made, "not found") in told
    assert ("access", "scope:models:read", "refused") in told
    ours = (await admin.get("/v1/audit", params={"limit": 500})).json()["items"]
    assert not {line["id"] for line in ours} & {line["id"] for line in lines}


async def test_pages_run_through_every_line_once(api, admin):
    whole = (await admin.get("/v1/audit", params={"limit": 500})).json()["items"]
    newest, seen, before = whole[0]["sequence"], [], whole[0]["sequence"] + 1
    while before is not None:
        page = (await admin.get("/v1/audit", params={"limit": 3, "before": before})).json()
        seen += page["items"]
        before = page["next"]
    assert seen == whole
    assert newest == seen[0]["sequence"]


async def test_nothing_of_a_person_or_a_record_is_in_the_trail(admin, api):
    text = (await admin.get("/v1/audit", params={"limit": 500})).text
    assert '"action"' in text
    for word in ("MRN-1", "female", "clinic.example", "age", "t_scores"):  # no bare number: a hash may begin with any
        assert f'"{word}' not in text


async def test_sign_ins_that_fail_are_told(settings, api, admin):
    async with client(api) as stranger:
        await stranger.post("/v1/tokens", data={"username": "root@clinic.example", "password": "not it at all"})
    lines = (await admin.get("/v1/audit", params={"limit": 5})).json()["items"]
    assert ("sign-in", "refused") in {(line["action"], line["outcome"]) for line in lines}
