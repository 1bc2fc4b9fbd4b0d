"""The result: what leads, what fits on a screen, whose page it is, and the picture on its canvas."""

import json

import httpx
import pytest

from shared.radiograph.phantom import as_jpeg, knee
from tests.e2e.conftest import trabecula
from tests.pdf import text_of
from tests.unit.gateway.reports.test_report import sheets

pytestmark = pytest.mark.browser
ON_A_SCREEN = {360: 740, 1280: 900}
RECORDS = {
    "emergency": {
        "age": 72, "gender": "female", "weight_kg": 58, "back_pain": True, "neurological_signs": True,
        "saddle_or_bladder_signs": True,
    },
    "measured": {
        "age": 70, "gender": "female", "weight_kg": 55, "height_cm": 155, "menopausal_status": "postmenopausal",
        "creatinine_umol_per_l": 80, "prior_fractures": [{"site": "hip", "age": 69, "low_trauma": True}],
        "t_scores": [{"site": "total_hip", "value": -2.7, "date": "2026-05-01"}],
    },
    "estimated": {
        "age": 67, "gender": "female", "weight_kg": 52, "height_cm": 154, "menopausal_status": "postmenopausal",
        "prior_fractures": [{"site": "wrist", "age": 61, "low_trauma": True}],
    },
}  # fmt: skip
MOST_ANSWER_BYTES = 400_000


@pytest.fixture(scope="module")
def results(site, knee_file):
    """The address of a result of each record with a film, and of a film alone."""
    made = trabecula(
        "create-key", "--name", "results", "--json", "--scopes", "assessments:write assessments:read",
        state=site.log.parent / "state",
    )  # fmt: skip
    headers = {"X-API-Key": json.loads(made.stdout)["key"]}
    found = {}
    for name, record in {**RECORDS, "film": None}.items():
        files = {"image": ("knee.jpg", knee_file.read_bytes()), "patient_number": (None, f"RESULT-{name}")}
        if record:
            files["clinical"] = (None, json.dumps(record))
        answer = httpx.post(f"{site.url}/v1/assessments", files=files, headers=headers, timeout=60)
        assert answer.status_code == 201, answer.text
        found[name] = f"/assessments/{answer.json()['id']}"
    return found


@pytest.fixture
def clinician(site, visit):
    def opened(address, width=1280):
        user = visit(site, width)
        user.page.set_viewport_size({"width": width, "height": ON_A_SCREEN[width]})
        user.sign_in()
        user.open(address)
        return user

    return opened


def bottom(user, selector):
    return user.page.eval_on_selector(selector, "one => one.getBoundingClientRect().bottom")


@pytest.mark.parametrize("width", [360, 1280])
def test_an_emergency_comes_before_anything_else_for_a_clinician_too(clinician, results, width):
    user = clinician(results["emergency"], width)
    assert user.page.evaluate("document.querySelector('article.result').firstElementChild.className") == "card alarm"
    assert bottom(user, ".alarm a") < ON_A_SCREEN[width]
    assert user.page.get_attribute(".alarm a", "href") == "tel:112"
    user.shot("emergency-clinician")


@pytest.mark.parametrize("name", ["emergency", "measured", "estimated", "film"])
def test_what_a_clinician_needs_first_fits_on_one_screen(clinician, results, name):
    user = clinician(results[name])
    assert bottom(user, ".verdict") <= ON_A_SCREEN[1280]


@pytest.mark.parametrize("width", [360, 1280])
def test_a_measurement_leads_and_silences_the_estimate(clinician, results, width, axe):
    user = clinician(results["measured"], width)
    assert user.page.inner_text(".verdict .big") == "Severe osteoporosis"
    told = user.page.inner_text(".verdict")
    assert "By a bone density scan, 1 May 2026" in told
    assert "the measurement decides" in told
    assert "Chance of osteoporosis" not in user.page.text_content("article")
    user.is_accessible(axe)


def test_how_sure_an_estimate_is_comes_from_the_card_of_the_version_that_answered(site, clinician, results):
    user = clinician(results["estimated"])
    told = user.page.inner_text(".certainty")
    assert "Of 100 women of 65 and over in a US survey with this answer, about 39 (30 to 48) had osteoporosis" in told
    assert "of 100 films with osteoporosis it finds 66; of 100 without, it calls 34 wrongly" in told


def test_a_clinician_is_sent_to_no_teleconsultation(clinician, results):
    for address in results.values():
        user = clinician(address)
        assert user.page.locator("a", has_text="Apollo").count() == 0
        assert user.page.locator("a", has_text="eSanjeevani").count() == 0


def test_a_patients_screen_says_what_it_means_how_sure_it_is_and_what_to_do(site, visit, knee_file, axe):
    user = visit(site, 360)
    user.page.set_viewport_size({"width": 360, "height": ON_A_SCREEN[360]})
    user.register("one-screen@home.example")
    assert user.page.title().startswith("New assessment")
    user.page.set_input_files("#image", knee_file)
    user.fill_in(weight=50)
    user.assess()
    assert user.page.title() == "Result · Trabecula"
    assert user.page.locator(".top [aria-current]").count() == 0
    assert bottom(user, ".verdict") <= ON_A_SCREEN[360]
    assert user.page.locator(".todo li").count() == 3
    assert not user.page.locator("a", has_text="Apollo").is_visible()
    user.page.click("text=Talk to a doctor online")
    assert user.page.locator("a", has_text="Apollo").is_visible()
    assert "Kellgren" not in user.page.inner_text("article"), "what is for specialists is folded"
    user.is_accessible(axe)


def test_a_film_alone_has_its_picture_beside_its_reading(clinician, results):
    user = clinician(results["film"])
    picture, words = (user.page.locator(one).bounding_box() for one in (".reading > .card", ".beside-picture"))
    assert picture["x"] + picture["width"] <= words["x"]
    assert abs(picture["y"] - words["y"]) < 2
    user.shot("result-film-alone")


PIXEL = """() => { const one = document.querySelector("canvas");
    return one.getContext("2d").getImageData(one.width / 2, 4, 1, 1).data[0]; }"""


def test_the_picture_is_zoomed_inverted_and_moved_by_keys_and_buttons(clinician, results):
    user = clinician(results["estimated"])
    asked = []
    user.page.on("request", lambda request: asked.append(request.url))
    user.page.wait_for_selector("canvas:not([hidden])")
    state = lambda: user.page.eval_on_selector("canvas", "one => ({...one.dataset})")  # noqa: E731
    assert state() == {"zoom": "1.00", "inverted": "false", "boxes": "true", "map": ""}
    before = user.page.evaluate(PIXEL)
    user.page.focus("canvas")
    user.page.keyboard.press("i")
    assert state()["inverted"] == "true"
    assert abs(user.page.evaluate(PIXEL) - (255 - before)) <= 1
    user.page.keyboard.press("i")
    user.page.keyboard.press("+")
    user.page.click("[data-do=in]")
    assert state()["zoom"] == "1.56"
    drawn = user.page.eval_on_selector("canvas", "one => one.toDataURL()")
    user.page.focus("canvas")
    user.page.keyboard.press("ArrowDown")
    assert user.page.eval_on_selector("canvas", "one => one.toDataURL()") != drawn
    with_boxes = user.page.eval_on_selector("canvas", "one => one.toDataURL()")
    user.page.keyboard.press("b")
    assert state()["boxes"] == "false"
    assert user.page.eval_on_selector("canvas", "one => one.toDataURL()") != with_boxes
    user.page.locator("canvas").hover()
    user.page.mouse.wheel(0, -100)
    assert float(state()["zoom"]) > 1.9
    user.page.locator("[data-tone=window]").fill("60")
    user.page.keyboard.press("0")
    user.page.focus("canvas")
    user.page.keyboard.press("0")
    assert state() == {"zoom": "1.00", "inverted": "false", "boxes": "true", "map": ""}
    assert abs(user.page.evaluate(PIXEL) - before) <= 1
    assert not asked, "no heat map is fetched before somebody asks for it"
    user.page.check("[name=heat][value=staging]")
    user.until("document.querySelector('canvas').dataset.map === 'staging'")
    assert [url.rpartition("/")[2] for url in asked] == ["staging.webp"]


def test_two_fingers_make_the_picture_larger(site, visit, results):
    user = visit(site, 360, has_touch=True)
    user.sign_in()
    user.open(results["estimated"])
    user.page.wait_for_selector("canvas:not([hidden])")
    user.page.locator("canvas").scroll_into_view_if_needed()
    box = user.page.locator("canvas").bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    session = user.context.new_cdp_session(user.page)
    for kind, far in (("touchStart", 20), ("touchMove", 40), ("touchMove", 80)):
        points = [{"x": x - far, "y": y, "id": 0}, {"x": x + far, "y": y, "id": 1}]
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
    session.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    user.until("Number(document.querySelector('canvas').dataset.zoom) > 2")


def test_without_a_script_the_picture_is_there_and_folds_open(site, visit, clinician, results):
    signed_in = clinician("/account")
    plain = visit(site, java_script_enabled=False)
    plain.context.add_cookies(signed_in.context.cookies())
    plain.page.goto(results["measured"])
    assert plain.page.locator(".stack img").bounding_box()["width"] > 300
    plain.page.click("#group-medication")
    assert plain.page.locator("text=Release to the patient").is_visible()


def test_paper_has_no_folds_and_the_reports_are_one_sheet(site, clinician, results):
    user = clinician(results["measured"])
    printed = text_of(user.page.pdf())
    assert "Balance and functional training" in printed
    assert "Full screen" not in printed
    cookies = {cookie["name"]: cookie["value"] for cookie in user.context.cookies()}
    for audience, language in (("clinician", "en"), ("patient", "en"), ("patient", "hi"), ("patient", "kn")):
        asked = {"audience": audience, "language": language}
        report = httpx.get(f"{site.url}{results['measured']}/report.pdf", params=asked, cookies=cookies, timeout=60)
        assert sheets(report.content) == 1, (audience, language)


def test_a_whole_answer_for_a_large_film_is_light(site, visit, tmp_path):
    film = tmp_path / "film.jpg"
    film.write_bytes(as_jpeg(knee(bone_density=0.7, size=(2400, 2000))))
    user = visit(site)
    user.register("large@home.example")
    user.page.set_input_files("#image", film)
    user.fill_in()
    with user.page.expect_response(
        lambda answer: answer.url.endswith("/new") and answer.request.method == "POST"
    ) as sent:
        user.assess()
    size = len(sent.value.body())
    print(f"{size} bytes of answer")
    assert size < MOST_ANSWER_BYTES
