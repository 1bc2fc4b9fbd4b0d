"""A clinician signs, amends and withdraws; what was withdrawn counts nowhere, and the patient sees it is gone."""

import asyncio

import pytest
from pydantic import SecretStr

from gateway.settings import GatewaySettings
from shared.contracts.assessment import Assessment
from tests.integration.people import client, invited, system_of
from tests.pdf import text_of

WORSE = '{"age": 71, "gender": "female", "t_scores": [{"site": "femoral_neck", "value": -2.9, "date": "2026-05-01"}]}'
BETTER = '{"age": 70, "gender": "female", "t_scores": [{"site": "femoral_neck", "value": -1.1, "date": "2024-05-01"}]}'
REASON = "The film is another patient's: zoledronate was given"


@pytest.fixture(scope="module", params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def settings(request, tmp_path_factory):
    url = SecretStr(request.getfixturevalue("new_postgres_database")()) if request.param == "postgres" else None
    return GatewaySettings(
        state_dir=tmp_path_factory.mktemp("reviews"),
        database_url=url,
        store_renderings=True,
        logins_per_minute=1000,
        logins_per_address_per_minute=1000,
        _env_file=None,
    )


@pytest.fixture(scope="module")
async def clinician(admin, api):
    async with await invited(admin, api, "doctor@clinic.example", "clinician") as person:
        yield person


async def made(caller, record=WORSE, number=None, image=None):
    files = {"clinical": (None, record)}
    if number:
        files["patient_number"] = (None, number)
    if image:
        files["image"] = ("knee.jpg", image)
    answer = await caller.post("/v1/assessments", files=files)
    assert answer.status_code == 201, answer.text
    return answer.json()


async def act(caller, identity, action, status=200, **body):
    answer = await caller.post(f"/v1/assessments/{identity}/{action}", json=body or None)
    assert answer.status_code == status, answer.text
    return answer.json()


async def test_an_answer_is_preliminary_until_a_clinician_signs_it(clinician):
    first = await made(clinician)
    assert first["review"] == {"status": "preliminary", "changed_at": None, "steps": []}
    signed = await act(clinician, first["id"], "sign")
    me = (await clinician.get("/v1/accounts/me")).json()["id"]
    [step] = signed["review"]["steps"]
    assert (signed["review"]["status"], step["action"], step["by"]) == ("signed", "signed", me)
    # The answer itself stays as it was given, and signing again changes nothing.
    assert {**signed, "review": first["review"]} == first
    assert await act(clinician, first["id"], "sign") == signed
    assert (await clinician.get(f"/v1/assessments/{first['id']}")).json() == signed


async def test_an_amendment_says_what_is_right_instead_and_keeps_what_was_said(clinician):
    first = await made(clinician)
    findings = {"knees": [{"side": "left", "kl_grade": 2}], "bone": "low", "category": "moderate"}
    await act(clinician, first["id"], "sign")
    amended = await act(clinician, first["id"], "amend", reason="Osteophytes, see the lateral view", findings=findings)
    assert amended["review"]["status"] == "amended"
    assert [step["action"] for step in amended["review"]["steps"]] == ["signed", "amended"]
    assert amended["review"]["steps"][1]["findings"] == findings
    assert amended["combined"] == first["combined"]
    again = await act(clinician, first["id"], "amend", reason="And grade 3 after all")
    assert len(again["review"]["steps"]) == 3


async def test_what_was_withdrawn_can_only_be_looked_at(clinician):
    first = await made(clinician)
    gone = await act(clinician, first["id"], "withdraw", reason=REASON)
    assert gone["review"]["status"] == "withdrawn"
    for action, body in (
        ("sign", {}),
        ("amend", {"reason": "but"}),
        ("withdraw", {"reason": "again"}),
        ("release", {}),
    ):
        refused = await act(clinician, first["id"], action, 409, **body)
        assert "withdrawn" in refused["detail"]
    assert (await clinician.get(f"/v1/assessments/{first['id']}")).json()["review"] == gone["review"]


async def test_a_withdrawn_answer_counts_nowhere(clinician):
    await made(clinician, BETTER, "MRN-WRONG")
    second = await made(clinician, WORSE, "MRN-WRONG")
    timeline = (await clinician.get("/v1/patients/MRN-WRONG/timeline")).json()
    assert [entry["value"] for entry in timeline["entries"] if entry["kind"] == "t_score"] == [-1.1, -2.9]
    alerts = (await clinician.get("/v1/alerts")).json()["items"]
    assert [alert for alert in alerts if alert["assessment_id"] == second["id"]]
    await act(clinician, second["id"], "withdraw", reason=REASON)
    timeline = (await clinician.get("/v1/patients/MRN-WRONG/timeline")).json()
    assert [entry["value"] for entry in timeline["entries"] if entry["kind"] == "t_score"] == [-1.1]
    [brief] = [entry["assessment"] for entry in timeline["entries"] if entry["source_id"] == second["id"]]
    assert brief["review"] == "withdrawn"
    assert {brief[name] for name in ("category", "who_class", "image", "kl_grade")} == {None}
    alerts = (await clinician.get("/v1/alerts")).json()["items"]
    assert not [alert for alert in alerts if alert["assessment_id"] == second["id"]]
    # And the next one is compared with what stands.
    third = await made(clinician, BETTER, "MRN-WRONG")
    alerts = (await clinician.get("/v1/alerts")).json()["items"]
    assert not [alert for alert in alerts if alert["assessment_id"] == third["id"] and alert["status"] == "worsening"]


async def test_a_patient_sees_that_it_is_gone_and_not_why(admin, api, clinician, knee_jpeg):
    first = await made(clinician, WORSE, "MRN-OWN", knee_jpeg)
    async with await invited(admin, api, "own@home.example", "patient", patient_number="MRN-OWN") as patient:
        address = f"/v1/assessments/{first['id']}"
        assert (await patient.get(f"{address}/preview.png")).status_code == 200
        await act(clinician, first["id"], "amend", reason=REASON, findings={"category": "low"})
        seen = (await patient.get(address)).json()
        [step] = seen["review"]["steps"]
        assert (seen["review"]["status"], step["reason"], step["by"]) == ("amended", None, "clinician")
        assert step["findings"]["category"] == "low"
        await act(clinician, first["id"], "withdraw", reason=REASON)
        seen = (await patient.get(address)).json()
        assert seen["review"]["status"] == "withdrawn"
        assert {step["reason"] for step in seen["review"]["steps"]} == {None}
        assert [seen[name] for name in ("imaging", "staging", "clinical", "recommendation")] == [None] * 4
        assert seen["combined"]["category"] is None
        assert (await patient.get(f"{address}/preview.png")).json()["reason"] == "withdrawn"
        sheet = text_of((await patient.get(f"{address}/report.pdf?audience=patient")).content)
        everything = " ".join([str(seen), sheet, (await patient.get("/v1/patients/MRN-OWN/export")).text])
        assert "zoledronate" not in everything
        assert "Withdrawn" in sheet
        assert "osteoporosis" not in sheet.lower().replace("osteoporosis from", "")
        Assessment.model_validate(seen)


async def test_the_clinicians_sheet_says_where_the_answer_stands(clinician):
    first = await made(clinician)

    async def sheet():
        answer = await clinician.get(f"/v1/assessments/{first['id']}/report.pdf?audience=clinician")
        return text_of(answer.content)

    assert "Preliminary" in await sheet()
    await act(clinician, first["id"], "sign")
    assert "Signed" in await sheet()
    await act(
        clinician, first["id"], "amend", reason="Grade two", findings={"knees": [{"side": "left", "kl_grade": 2}]}
    )
    assert "Grade two" in await sheet()
    await act(clinician, first["id"], "withdraw", reason=REASON)
    assert "Do not rely on this answer" in " ".join((await sheet()).split())


@pytest.mark.parametrize(
    ("action", "body", "field"),
    [
        ("amend", {"reason": "x"}, "reason"),
        ("amend", {"reason": "x" * 1001}, "reason"),
        ("amend", {"reason": "why\x00not"}, "reason"),
        ("amend", {}, ""),
        ("amend", {"reason": "grade", "findings": {"knees": [{"side": "left", "kl_grade": 5}]}}, "kl_grade"),
        ("amend", {"reason": "grade", "findings": {"knees": [{"side": "middle", "kl_grade": 1}]}}, "side"),
        ("amend", {"reason": "grade", "findings": {"score": 1}}, "score"),
        ("withdraw", {"reason": ""}, "reason"),
        ("withdraw", {"reason": "wrong patient", "by": "me"}, "by"),
    ],
)
async def test_what_cannot_be_meant_is_refused_by_name(clinician, action, body, field):
    first = await made(clinician)
    refused = await act(clinician, first["id"], action, 422, **body)
    assert field in str(refused)


async def test_only_a_clinicians_own_account_signs(settings, admin, api, clinician):
    first = await made(clinician)
    everything = "assessments:read assessments:write patients:read patients:write admin"
    async with await system_of(settings, api, everything) as system, client(api) as nobody:
        for caller, status in ((system, 403), (admin, 403), (nobody, 401)):
            await act(caller, first["id"], "sign", status)
            await act(caller, first["id"], "withdraw", status, reason=REASON)
    assert (await clinician.get(f"/v1/assessments/{first['id']}")).json()["review"]["status"] == "preliminary"


async def test_of_many_at_once_one_withdraws(clinician):
    first = await made(clinician)
    address = f"/v1/assessments/{first['id']}"
    answers = await asyncio.gather(
        *(clinician.post(f"{address}/withdraw", json={"reason": f"reason {n}"}) for n in range(6)),
        *(clinician.post(f"{address}/sign") for _ in range(6)),
    )
    assert sorted({answer.status_code for answer in answers}) == [200, 409]
    steps = (await clinician.get(address)).json()["review"]["steps"]
    actions = [step["action"] for step in steps]
    assert actions.count("withdrawn") == 1
    assert actions.count("signed") <= 1
    assert actions[-1] == "withdrawn"


async def test_every_step_is_in_the_trail_and_goes_with_the_patient(admin, clinician):
    first = await made(clinician, WORSE, "MRN-GONE")
    await act(clinician, first["id"], "sign")
    await act(clinician, first["id"], "withdraw", reason=REASON)
    lines = (await admin.get("/v1/audit", params={"subject": first["id"]})).json()["items"]
    assert {"assessment signed", "assessment withdrawn"} <= {line["action"] for line in lines}
    assert REASON not in str(lines)
    exported = (await clinician.get("/v1/patients/MRN-GONE/export")).json()
    assert exported["assessments"][0]["assessment"]["review"]["steps"][1]["reason"] == REASON
    assert (await clinician.delete("/v1/patients/MRN-GONE")).status_code == 204
    assert (await clinician.get(f"/v1/assessments/{first['id']}")).status_code == 404
