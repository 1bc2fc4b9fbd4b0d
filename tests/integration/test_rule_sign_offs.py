"""Every answer says whether a clinician of the site stands by the rules behind it, and which version that was."""

import pytest

from gateway.assessing.rule_sign_offs import list_sign_offs, revoke_sign_off, sign_rules
from gateway.settings import GatewaySettings
from shared.problems import InvalidInput, NotFound
from tests.conftest import shared_services
from tests.integration.people import administrator_of, system_of
from tests.pdf import text_of

CASE = {"clinical": (None, '{"age": 71, "gender": "female"}')}


@pytest.fixture(scope="module")
def settings(tmp_path_factory):
    return GatewaySettings(state_dir=tmp_path_factory.mktemp("signed"), _env_file=None)


async def answer(caller):
    made = await caller.post("/v1/assessments", files=CASE)
    assert made.status_code == 201, made.text
    return made.json()


async def about(caller, identity):
    sheet = await caller.get(f"/v1/assessments/{identity}/report.pdf?audience=clinician")
    return " ".join(text_of(sheet.content).split())


async def test_an_answer_says_who_stands_by_its_rules(settings, api, admin):
    before = await answer(admin)
    assert before["rules_sign_off"] is None
    assert "No clinician has signed off the rules" in await about(admin, before["id"])
    signed = await sign_rules(settings, shared_services(), "Dr A. Rao", "rheumatologist", None)
    assert signed["version"] == before["recommendation"]["rules"]["version"]
    after = await answer(admin)
    assert (after["rules_sign_off"]["name"], after["rules_sign_off"]["role"]) == ("Dr A. Rao", "rheumatologist")
    assert "by Dr A. Rao, rheumatologist" in await about(admin, after["id"])
    # What was answered before stays as it was answered, and another organisation has its own.
    assert (await admin.get(f"/v1/assessments/{before['id']}")).json()["rules_sign_off"] is None
    async with await administrator_of(settings, api, "root@elsewhere.example", "Elsewhere") as elsewhere:
        assert (await answer(elsewhere))["rules_sign_off"] is None
    await revoke_sign_off(settings, signed["version"], None)
    assert (await answer(admin))["rules_sign_off"] is None
    assert [one["revoked_at"] is None for one in await list_sign_offs(settings, None)] == [False]
    lines = (await admin.get("/v1/audit")).json()["items"]
    assert {"rules signed off", "sign-off of the rules taken back"} <= {line["action"] for line in lines}


async def test_a_hospital_system_is_told_too(settings, api):
    await sign_rules(settings, shared_services(), "Dr A. Rao", "rheumatologist", None)
    async with await system_of(settings, api, "assessments:write assessments:read") as system:
        made = await answer(system)
        assert made["rules_sign_off"]["name"] == "Dr A. Rao"


@pytest.mark.parametrize(
    ("name", "role", "option"), [("", "x", "--name"), ("x" * 101, "x", "--name"), ("x", "a\nb", "--role")]
)
async def test_what_is_no_name_is_refused(settings, name, role, option):
    with pytest.raises(InvalidInput, match=option):
        await sign_rules(settings, shared_services(), name, role, None)


async def test_a_version_that_nobody_signed_cannot_be_taken_back(settings, api):
    with pytest.raises(NotFound, match=r"9\.9\.9"):
        await revoke_sign_off(settings, "9.9.9", None)
