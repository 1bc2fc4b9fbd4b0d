"""What a patient does: register, assess, read the result, print the report; in three languages."""

import io
import shutil
import subprocess

import pytest
from PIL import Image

from tests.e2e.pages.conftest import PASSWORD, SHOTS

pytestmark = pytest.mark.browser
FIRST_PAGE_BYTES = 100_000
RESULT_S = 2.0


def test_from_registration_to_a_printed_report(site, visit, width, knee_file, axe, tmp_path):
    one = visit(site, width)
    one.open("/")
    assert one.page.url.endswith("/sign-in")
    one.is_accessible(axe)
    one.shot("sign-in")
    one.open("/register")
    one.is_accessible(axe)
    one.register(f"both-{width}@home.example")
    one.page.set_input_files("#image", knee_file)
    one.fill_in()
    one.is_accessible(axe)
    one.shot("new")
    one.assess()
    assert "/assessments/" in one.page.url
    one.page.wait_for_selector("[data-controls]:not([hidden])")
    one.is_accessible(axe)
    one.shot("result")
    assert one.page.locator("#withheld").count() == 1
    assert one.page.locator("#group-medication").count() == 0
    one.page.locator("#heat").fill("100")
    assert one.page.eval_on_selector(".heat", "image => image.style.opacity") == "1"
    with one.page.expect_download() as download:
        one.page.click("text=Report for the patient")
    file = tmp_path / "report.pdf"
    download.value.save_as(file)
    assert file.read_bytes().startswith(b"%PDF")
    if (drawn := shutil.which("pdftoppm")) and width == 360:
        SHOTS.mkdir(parents=True, exist_ok=True)
        subprocess.run([drawn, "-r", "80", "-png", "-singlefile", file, SHOTS / "report-patient"], check=True)
    address = one.page.url
    one.page.reload(wait_until="networkidle")
    assert one.page.url == address
    one.page.wait_for_selector("[data-controls]:not([hidden])")


def test_the_result_is_there_soon_after_the_upload(site, visit, knee_file):
    one = visit(site)
    one.register("soon@home.example")
    one.page.evaluate(
        """() => {
            const open = XMLHttpRequest.prototype.open;
            XMLHttpRequest.prototype.open = function (...given) {
                this.upload.addEventListener('load', () => performance.mark('uploaded'));
                return open.apply(this, given);
            };
        }"""
    )
    one.page.set_input_files("#image", knee_file)
    one.fill_in()
    one.assess()
    took = one.page.evaluate("performance.measure('took', 'uploaded', 'result').duration") / 1000
    print(f"result {took:.2f} s after the upload's end")
    # Twice the promise: on a machine that does other work at the same time.
    assert took < 2 * RESULT_S


def test_the_first_page_is_light_and_its_headers_are_strict(site, visit):
    one = visit(site)
    sizes, headers = [], {}

    def seen(answer):
        sizes.append(int(answer.headers.get("content-length") or 0))
        if answer.url.endswith("/sign-in"):
            headers.update(answer.headers)

    one.page.on("response", seen)
    one.page.goto("/sign-in", wait_until="load")
    policy = headers["content-security-policy"]
    assert "'unsafe-inline'" not in policy
    assert "default-src 'none'" in policy
    assert 0 < sum(sizes) < FIRST_PAGE_BYTES
    one.sign_in()
    cookies = {cookie["name"]: cookie for cookie in one.context.cookies()}
    assert {"trab_access", "trab_refresh"} <= cookies.keys()
    assert all(cookie["httpOnly"] and cookie["sameSite"] == "Lax" for cookie in cookies.values())
    assert one.page.evaluate("document.cookie") == ""


def test_picture_only(site, visit, knee_file):
    one = visit(site)
    one.register("picture@home.example")
    one.page.set_input_files("#image", knee_file)
    one.assess()
    assert one.page.locator("#image-title").count() == 1
    assert one.page.locator("#risk-title").count() == 0


def test_answers_only(site, visit, axe):
    one = visit(site, 360)
    one.register("answers@home.example")
    one.fill_in(age=72, weight=49)
    one.page.click("#section-fractures summary")
    one.page.check("input[name=prior_fractures][value=yes]")
    one.page.select_option("#q-fracture_0_site", "vertebra")
    one.page.select_option("#q-fracture_0_low_trauma", "yes")
    one.page.click("#section-conditions summary")
    one.page.check("input[name=medical_conditions_known][value=some]")
    one.page.check("input[value=rheumatoid_arthritis]")
    one.is_accessible(axe)
    one.shot("new-answers")
    one.assess()
    assert "High risk" in one.page.inner_text(".verdict")
    assert one.page.locator("#image-title").count() == 0
    assert "Rheumatoid arthritis" not in one.page.inner_text(".verdict")


def test_answers_that_cannot_be_used_are_named_beside_their_question(site, visit):
    one = visit(site)
    one.register("typo@home.example")
    one.page.fill("#q-weight_kg", "58")
    one.page.click("#assessment button[type=submit]")
    one.page.wait_for_selector("#refused:not([hidden])")
    assert "Age" in one.page.inner_text("#refused-fields")
    one.page.fill("#q-age", "167")
    one.page.check("input[name=gender][value=female]")
    one.page.click("#assessment button[type=submit]")
    one.page.wait_for_selector("#q-age[aria-invalid=true]")
    one.page.click("#refused-fields a")
    assert one.page.evaluate("document.activeElement.id") == "q-age"
    one.page.fill("#q-age", "67")
    one.assess()


def test_a_refused_picture_says_why_and_the_form_stays(site, visit, axe):
    one = visit(site, 360)
    one.register("refused@home.example")
    photo = io.BytesIO()
    Image.linear_gradient("L").resize((900, 700)).convert("RGB").save(photo, "JPEG")
    one.page.set_input_files("#image", {"name": "cat.jpg", "mimeType": "image/jpeg", "buffer": photo.getvalue()})
    one.page.click("#assessment button[type=submit]")
    one.page.wait_for_selector("#refused:not([hidden])")
    assert one.page.inner_text("#refused-title") == "The picture cannot be assessed"
    assert len(one.page.inner_text("#refused-detail")) > 20
    one.is_accessible(axe)
    one.shot("refused")
    one.page.set_input_files("#image", {"name": "a.jpg", "mimeType": "image/jpeg", "buffer": b"no picture at all"})
    one.page.click("#assessment button[type=submit]")
    one.page.wait_for_selector("text=The picture cannot be read")


@pytest.mark.parametrize(("code", "title", "go"), [("hi", "परिणाम", "जाँच करें"), ("kn", "ಫಲಿತಾಂಶ", "ಪರೀಕ್ಷಿಸಿ")])
def test_in_the_visitors_language_with_english_beside_what_nobody_reviewed(site, visit, code, title, go, axe):
    one = visit(site, 360)
    one.register(f"{code}@home.example")
    one.page.click(f"a[hreflang={code}]")
    one.page.wait_for_selector(f"html[lang={code}]")
    one.fill_in(weight=49)
    one.shot(f"new-{code}")
    one.page.click(f"text={go}")
    one.page.wait_for_selector("article.result")
    assert one.page.inner_text("h1") == title
    assert one.page.locator(".item .beside[lang=en]").count() > 2
    one.is_accessible(axe)
    one.shot(f"result-{code}")


def test_colours_are_never_alone_and_dark_is_as_readable(site, visit, axe):
    """Every category is written out, and the dark colours have the contrast that the light ones have."""
    one = visit(site, 1280, color_scheme="dark")
    one.register("dark@home.example")
    one.fill_in()
    one.assess()
    one.is_accessible(axe)
    one.shot("result-dark")
    chips = one.page.locator(".chip")
    assert chips.count() > 1
    assert all(text.strip() for text in chips.all_inner_texts())
    one.open("/history")
    one.is_accessible(axe)


def test_the_keyboard_alone_is_enough(site, visit):
    one = visit(site)
    one.open("/register")
    one.page.keyboard.press("Tab")
    assert one.page.evaluate("document.activeElement.className") == "skip"
    one.page.focus("#email")
    one.page.keyboard.type("keys@home.example")
    one.page.keyboard.press("Tab")
    one.page.keyboard.type(PASSWORD)
    one.page.keyboard.press("Enter")
    one.page.wait_for_url("**/new")
    one.page.focus("#q-age")
    one.page.keyboard.type("67")
    one.page.keyboard.press("Tab")
    one.page.keyboard.press("Tab")
    one.page.keyboard.press("ArrowDown")
    one.page.keyboard.press("Enter")
    one.page.wait_for_selector("article.result")
    one.until("document.activeElement.tagName === 'H1'")


def test_an_emergency_is_the_first_thing_on_the_result(site, visit, axe):
    one = visit(site, 360)
    one.register("emergency@home.example")
    one.fill_in(age=72)
    one.page.click("#section-symptoms summary")
    for sign in ("back_pain", "neurological_signs", "saddle_or_bladder_signs"):
        one.page.check(f"input[name={sign}][value=yes]")
    one.assess()
    assert one.page.locator("article.result > section").first.get_attribute("class") == "card alarm"
    assert one.page.locator(".alarm a").get_attribute("href") == "tel:112"
    assert one.page.locator(".consult").count() == 0
    one.is_accessible(axe)
    one.shot("emergency")


def test_what_else_is_asked_follows_the_answer_to_sex(site, visit):
    one = visit(site)
    one.register("open@home.example")
    seen = {}
    for gender in ("female", "male", "other", "unknown"):
        one.page.check(f"input[name=gender][value={gender}]")
        seen[gender] = [one.page.locator(f"#section-{name}").is_visible() for name in ("gender", "women")]
    assert seen == {"female": [False, True], "male": [False, False], "other": [True, True], "unknown": [True, True]}
