"""Films in numbers, one film beside the one before it, and a photograph of a film."""

import json
import re
from pathlib import Path

import cv2
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


def test_a_photograph_of_a_film_is_straightened_and_cut(site, visit, films, tmp_path):
    """Eight degrees askew in a wide frame: as it was photographed, and as it is sent."""
    film = cv2.imread(str(films[1]), cv2.IMREAD_GRAYSCALE)
    framed = cv2.copyMakeBorder(film, 120, 120, 160, 160, cv2.BORDER_CONSTANT, value=30)
    height, width = framed.shape
    askew = cv2.warpAffine(framed, cv2.getRotationMatrix2D((width / 2, height / 2), 8, 1), (width, height))
    photograph = tmp_path / "photograph.jpg"
    cv2.imwrite(str(photograph), askew)
    user = visit(site)
    user.sign_in()
    user.open("/new")
    user.page.set_input_files("#image", photograph)
    user.page.click("#picture-adjust")
    for name, value in {"turn": 8, "left": 15, "right": 15, "top": 12, "bottom": 12}.items():
        user.page.fill(f"[data-slider={name}]", str(value))
    user.page.click("#adjust [data-adjust=use]")
    user.until("document.getElementById('chosen-picture').naturalWidth < 700")
    with user.page.expect_request("**/new") as sent:
        user.page.click("#assessment button[type=submit]")
    user.page.wait_for_selector("article.result")
    assert sent.value.method == "POST"
    size = user.page.evaluate("document.querySelector('article.result img[data-picture]').naturalWidth")
    assert size == pytest.approx(0.7 * width, abs=3), "what was cut is what was assessed"


def test_the_form_without_a_link_has_every_module_it_is_made_of():
    static = Path(__file__).parents[3] / "gateway" / "pages" / "static"
    worker = (static / "service-worker.js").read_text(encoding="utf-8")
    found, wanted = set(), ["new.js", "app.js"]
    while wanted:
        name = wanted.pop()
        found.add(name)
        text = (static / name).read_text(encoding="utf-8")
        wanted += [one for one in re.findall(r'from "\./(.+?)"', text) if one not in found]
    assert {name for name in found if f'"{name}"' not in worker} == set()
