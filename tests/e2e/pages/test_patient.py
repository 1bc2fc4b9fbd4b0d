"""What a patient does: register, assess, read the result, print the report; in three languages."""

import io
import shutil
import subprocess

import pytest
from PIL import Image

from shared.radiograph.phantom import as_jpeg, knee
from tests.e2e.pages.conftest import CODE, PASSWORD, SHOTS

pytestmark = pytest.mark.browser
FIRST_PAGE_BYTES = 100_000
RESULT_S = 2.0


def test_from_registration_to_a_printed_report(site, visit, width, knee_file, axe, tmp_path):
    user = visit(site, width)
    user.open("/")
    assert user.page.url.endswith("/sign-in")
    user.is_accessible(axe)
    user.shot("sign-in")
    user.open("/register")
    user.is_accessible(axe)
    user.register(f"both-{width}@home.example")
    user.page.set_input_files("#image", knee_file)
    user.fill_in()
    user.is_accessible(axe)
    user.shot("new")
    user.assess()
    assert "/assessments/" in user.page.url
    user.is_accessible(axe)
    user.shot("result")
    user.page.click("#image-title")
    user.page.wait_for_selector("[data-tools]:not([hidden])")
    user.is_accessible(axe)
    assert user.page.locator("#withheld").count() == 1
    assert user.page.locator("#group-medication").count() == 0
    assert user.page.get_attribute("canvas", "data-map") == "", "the plain picture comes first"
    user.page.check("[name=heat][value=staging]")
    user.until("document.querySelector('canvas').dataset.map === 'staging'")
    with user.page.expect_download() as download:
        user.page.click("text=Report for the patient")
    file = tmp_path / "report.pdf"
    download.value.save_as(file)
    assert file.read_bytes().startswith(b"%PDF")
    if (drawn := shutil.which("pdftoppm")) and width == 360:
        SHOTS.mkdir(parents=True, exist_ok=True)
        subprocess.run([drawn, "-r", "80", "-png", "-singlefile", file, SHOTS / "report-patient"], check=True)
    address = user.page.url
    user.page.reload(wait_until="networkidle")
    assert user.page.url == address
    user.page.click("#image-title")
    user.page.wait_for_selector("[data-tools]:not([hidden])")


def test_the_result_is_there_soon_after_the_upload(site, visit, knee_file):
    user = visit(site)
    user.register("soon@home.example")
    user.page.evaluate(
        """() => {
            const open = XMLHttpRequest.prototype.open;
            XMLHttpRequest.prototype.open = function (...given) {
                this.upload.addEventListener('load', () => performance.mark('uploaded'));
                return open.apply(this, given);
            };
        }"""
    )
    user.page.set_input_files("#image", knee_file)
    user.fill_in()
    user.assess()
    took = user.page.evaluate("performance.measure('took', 'uploaded', 'result').duration") / 1000
    print(f"result {took:.2f} s after the upload's end")
    # Twice the promise: on a machine that does other work at the same time.
    assert took < 2 * RESULT_S


def test_the_first_page_is_light_and_its_headers_are_strict(site, visit):
    user = visit(site)
    sizes, headers = [], {}

    def seen(answer):
        sizes.append(int(answer.headers.get("content-length") or 0))
        if answer.url.endswith("/sign-in"):
            headers.update(answer.headers)

    user.page.on("response", seen)
    user.page.goto("/sign-in", wait_until="load")
    policy = headers["content-security-policy"]
    assert "'unsafe-inline'" not in policy
    assert "default-src 'none'" in policy
    assert 0 < sum(sizes) < FIRST_PAGE_BYTES
    user.sign_in()
    cookies = {cookie["name"]: cookie for cookie in user.context.cookies()}
    assert {"trab_access", "trab_refresh"} <= cookies.keys()
    assert all(cookie["httpOnly"] and cookie["sameSite"] == "Lax" for cookie in cookies.values())
    assert user.page.evaluate("document.cookie") == ""


def test_picture_only(site, visit, knee_file):
    user = visit(site)
    user.register("picture@home.example")
    user.page.set_input_files("#image", knee_file)
    user.assess()
    assert user.page.locator("#image-title").count() == 1
    assert user.page.locator("#risk-title").count() == 0


def test_what_is_odd_about_a_picture_is_told_in_plain_words(site, visit, tmp_path, axe):
    small = tmp_path / "small.jpg"
    small.write_bytes(as_jpeg(knee(size=(420, 350))))
    user = visit(site, 360)
    user.register("odd@home.example")
    user.page.set_input_files("#image", small)
    user.assess()
    lines = user.page.locator("section[aria-labelledby=film-title] li").all_inner_texts()
    assert lines == ["The picture is too small to be read with confidence."]
    assert user.page.locator("text=This part is missing").count() == 0
    user.shot("odd-picture")
    user.is_accessible(axe)


def test_answers_only(site, visit, axe):
    user = visit(site, 360)
    user.register("answers@home.example")
    user.fill_in(age=72, weight=49)
    user.page.click("#section-fractures summary")
    user.page.check("input[name=prior_fractures][value=yes]")
    user.page.select_option("#q-fracture_0_site", "vertebra")
    user.page.select_option("#q-fracture_0_low_trauma", "yes")
    user.page.click("#section-conditions summary")
    user.page.check("input[name=medical_conditions_known][value=some]")
    user.page.check("input[value=rheumatoid_arthritis]")
    user.is_accessible(axe)
    user.shot("new-answers")
    user.assess()
    assert "High risk" in user.page.inner_text(".verdict")
    assert user.page.locator("#image-title").count() == 0
    assert "Rheumatoid arthritis" not in user.page.inner_text(".verdict")


def test_answers_that_cannot_be_used_are_named_beside_their_question(site, visit):
    user = visit(site)
    user.register("typo@home.example")
    user.page.fill("#q-weight_kg", "58")
    user.page.click("#assessment button[type=submit]")
    user.page.wait_for_selector("#refused:not([hidden])")
    assert "Age" in user.page.inner_text("#refused-fields")
    user.page.fill("#q-age", "167")
    user.page.check("input[name=gender][value=female]")
    user.page.click("#assessment button[type=submit]")
    user.page.wait_for_selector("#q-age[aria-invalid=true]")
    user.page.click("#refused-fields a")
    assert user.page.evaluate("document.activeElement.id") == "q-age"
    user.page.fill("#q-age", "67")
    user.assess()


def test_a_refused_picture_says_why_and_the_form_stays(site, visit, axe):
    user = visit(site, 360)
    user.register("refused@home.example")
    photo = io.BytesIO()
    Image.linear_gradient("L").resize((900, 700)).convert("RGB").save(photo, "JPEG")
    user.page.set_input_files("#image", {"name": "cat.jpg", "mimeType": "image/jpeg", "buffer": photo.getvalue()})
    user.page.click("#assessment button[type=submit]")
    user.page.wait_for_selector("#refused:not([hidden])")
    assert user.page.inner_text("#refused-title") == "The picture cannot be assessed"
    assert len(user.page.inner_text("#refused-detail")) > 20
    user.is_accessible(axe)
    user.shot("refused")
    user.page.set_input_files("#image", {"name": "a.jpg", "mimeType": "image/jpeg", "buffer": b"\x00\x01 no picture"})
    user.page.click("#assessment button[type=submit]")
    user.page.wait_for_selector("text=The picture cannot be read")


@pytest.mark.parametrize(("code", "title", "go"), [("hi", "परिणाम", "जाँच करें"), ("kn", "ಫಲಿತಾಂಶ", "ಪರೀಕ್ಷಿಸಿ")])
def test_in_the_visitors_language_with_english_beside_what_nobody_reviewed(site, visit, code, title, go, axe):
    user = visit(site, 360)
    user.register(f"{code}@home.example")
    user.page.click(f"a[hreflang={code}]")
    user.page.wait_for_selector(f"html[lang={code}]")
    user.fill_in(weight=49)
    user.shot(f"new-{code}")
    user.page.click(f"text={go}")
    user.page.wait_for_selector("article.result")
    assert user.page.inner_text("h1") == title
    assert user.page.locator(".item .beside[lang=en]").count() > 2
    user.is_accessible(axe)
    user.shot(f"result-{code}")


def test_colours_are_never_alone_and_dark_is_as_readable(site, visit, axe):
    """Every category is written out, and the dark colours have the contrast that the light ones have."""
    user = visit(site, 1280, color_scheme="dark")
    user.register("dark@home.example")
    user.fill_in()
    user.assess()
    user.is_accessible(axe)
    user.shot("result-dark")
    chips = user.page.locator(".chip")
    assert chips.count() > 1
    assert all(text.strip() for text in chips.all_text_contents())
    user.open("/history")
    user.is_accessible(axe)


def test_the_keyboard_alone_is_enough(site, visit):
    user = visit(site)
    user.open("/register")
    user.page.keyboard.press("Tab")
    assert user.page.evaluate("document.activeElement.className") == "skip"
    user.page.focus("#email")
    user.page.keyboard.type("keys@home.example")
    user.page.keyboard.press("Tab")
    user.page.keyboard.type(CODE)
    user.page.keyboard.press("Tab")
    user.page.keyboard.type(PASSWORD)
    user.page.keyboard.press("Enter")
    user.page.wait_for_url("**/sign-in?registered=1")
    user.page.focus("#email")
    user.page.keyboard.type("keys@home.example")
    user.page.keyboard.press("Tab")
    user.page.keyboard.type(PASSWORD)
    user.page.keyboard.press("Enter")
    user.page.wait_for_url("**/new")
    user.page.focus("#q-age")
    user.page.keyboard.type("67")
    user.page.keyboard.press("Tab")
    user.page.keyboard.press("Tab")
    user.page.keyboard.press("ArrowDown")
    user.page.keyboard.press("Enter")
    user.page.wait_for_selector("article.result")
    user.until("document.activeElement.tagName === 'H1'")


def test_an_emergency_is_the_first_thing_on_the_result(site, visit, axe):
    user = visit(site, 360)
    user.register("emergency@home.example")
    user.fill_in(age=72)
    user.page.click("#section-symptoms summary")
    for sign in ("back_pain", "neurological_signs", "saddle_or_bladder_signs"):
        user.page.check(f"input[name={sign}][value=yes]")
    user.assess()
    assert user.page.locator("article.result > section").first.get_attribute("class") == "card alarm"
    assert user.page.locator(".alarm a").get_attribute("href") == "tel:112"
    assert user.page.locator(".consult").count() == 0
    user.is_accessible(axe)
    user.shot("emergency")


def test_what_else_is_asked_follows_the_answer_to_sex(site, visit):
    user = visit(site)
    user.register("open@home.example")
    seen = {}
    for gender in ("female", "male", "other", "unknown"):
        user.page.check(f"input[name=gender][value={gender}]")
        seen[gender] = [user.page.locator(f"#section-{name}").is_visible() for name in ("gender", "women")]
    assert seen == {"female": [False, True], "male": [False, False], "other": [True, True], "unknown": [True, True]}
