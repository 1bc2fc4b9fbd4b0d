"""Films in numbers, and one film beside the one before it."""

import json

import httpx
import pytest

from shared.radiograph.phantom import as_jpeg, knee
from tests.e2e.conftest import trabecula

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def films(tmp_path_factory):
    folder = tmp_path_factory.mktemp("films")
    for number in range(3):
        (folder / f"knee-{number}.jpg").write_bytes(as_jpeg(knee(0.6 + 0.1 * number, number, (700, 550))))
    (folder / "letter.jpg").write_bytes(b"no film")
    return sorted(folder.iterdir())


def test_many_films_are_handed_in_and_followed_to_their_results(site, visit, width, films, axe):
    user = visit(site, width)
    user.sign_in()
    user.page.click("text=Many films at once")
    user.page.wait_for_url("**/batches")
    user.is_accessible(axe)
    user.shot("batches")
    user.page.set_input_files("#films", films)
    user.page.click("main button[type=submit]")
    user.page.wait_for_url("**/batches/*")
    user.until("document.querySelector('[data-live]') && !document.querySelector('[data-open]')", 60)
    assert "Done: 3" in user.page.inner_text("[role=status]")
    assert user.page.locator("tbody a").count() == 3
    assert "letter.jpg" in user.page.inner_text("tbody")
    user.is_accessible(axe)
    user.shot("batch")
    user.page.click("tbody a >> nth=0")
    user.page.wait_for_selector("article.result")


def test_a_film_is_seen_beside_the_one_before_it(site, visit, width, films, axe):
    made = trabecula(
        "create-key", "--name", f"before-{width}", "--json", "--scopes", "assessments:write assessments:read",
        state=site.log.parent / "state",
    )  # fmt: skip
    headers = {"X-API-Key": json.loads(made.stdout)["key"]}
    addresses = []
    for film in films[:2]:
        files = {"image": (film.name, film.read_bytes()), "patient_number": (None, f"BEFORE-{width}")}
        answer = httpx.post(f"{site.url}/v1/assessments", files=files, headers=headers, timeout=60)
        assert answer.status_code == 201, answer.text
        addresses.append(f"/assessments/{answer.json()['id']}")
    user = visit(site, width)
    user.sign_in()
    user.open(addresses[0])
    assert user.page.locator(".before").count() == 0
    user.open(addresses[1])
    assert not user.page.is_visible(".before canvas")
    user.page.click(".before > summary")
    user.until("[...document.querySelectorAll('.viewer canvas')].every((one) => one.clientWidth && one.dataset.zoom)")
    assert user.page.get_attribute(".before .finding a", "href") == addresses[0]
    assert "grade" in user.page.inner_text(".before")
    now, then = (user.page.locator(one).bounding_box() for one in (".reading > section canvas", ".before canvas"))
    if width > 900:
        assert now["x"] + now["width"] <= then["x"]
        assert abs(now["width"] - then["width"]) < 3
    user.page.click(".before [data-do=in]")
    assert user.page.get_attribute(".before canvas", "data-zoom") == "1.25"
    assert user.page.get_attribute(".reading > section canvas", "data-zoom") == "1.00"
    user.is_accessible(axe)
    user.shot("result-before")
