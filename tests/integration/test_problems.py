"""The catalogue of problems: every one that can be answered is in it, and has its page."""

import re

import pytest

from shared.problem_catalogue import ADVICE, WITHOUT_CLASS, catalogue
from shared.problems import PROBLEMS


def test_every_problem_has_a_cause_a_cure_and_an_answer_whether_to_send_again():
    slugs = {problem.slug for problem in PROBLEMS.values()} | {problem.slug for problem, _ in WITHOUT_CLASS}
    assert set(ADVICE) == slugs == {entry.problem.slug for entry in catalogue()}
    for entry in catalogue():
        assert re.search(r"[.!]$", entry.cause), entry
        assert re.search(r"[.!]$", entry.cure), entry


async def test_programs_read_the_catalogue_without_a_credential(shared_api):
    listed = (await shared_api.get("/v1/problems", headers={"X-API-Key": ""})).json()["items"]
    assert len(listed) == len(catalogue())
    assert {"type", "title", "status", "cause", "cure", "retry", "documentation_url"} == set(listed[0])


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/v1/assessments/4711", 422), ("GET", "/v1/nothing", 404), ("PUT", "/v1/models", 405),
     ("GET", "/v1/assessments/0199f7a1-7b1c-7c3e-8f00-3a5d9b1e2c4d", 404), ("GET", "/v1/audit", 403)],
)  # fmt: skip
async def test_a_problem_leads_to_its_page(method, path, status, shared_api):
    problem = await shared_api.request(method, path)
    assert problem.status_code == status
    page = await shared_api.get(problem.json()["documentation_url"])
    assert (page.status_code, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert problem.json()["type"] in page.text
    assert all(word in page.text for word in ("Cause", "Cure", "Send it again?"))
    assert "script-src" not in page.headers["content-security-policy"]


async def test_a_problem_that_there_is_not_has_no_page(shared_api):
    assert (await shared_api.get("/docs/problems/<b>")).status_code == 404
