"""Takes docs/images/result.webp: the result page of the drawn phantom knee, never of a patient.

`python docs/screenshot.py http://127.0.0.1:8080`, on an empty installation that was started with
TRABECULA_FIRST_ADMIN_PASSWORD=orbit-lantern-cedar-42.
"""

import sys
from io import BytesIO
from pathlib import Path

from PIL import Image
from playwright.sync_api import FilePayload, sync_playwright

from shared.radiograph.phantom import as_jpeg, knee

PICTURE = Path(__file__).parent / "images" / "result.webp"
FLAGS = "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking"
ADMIN, PASSWORD = "admin@localhost", "orbit-lantern-cedar-42"


def take(url: str) -> None:
    """Sign in, assess the phantom with a short record, and keep what the page shows."""
    image = FilePayload(
        name="knee.jpg", mimeType="image/jpeg", buffer=as_jpeg(knee(bone_density=0.7, size=(1200, 1000)))
    )
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=FLAGS.split())
        page = browser.new_page(base_url=url, viewport={"width": 1280, "height": 1180})
        page.goto("/sign-in")
        page.fill("#email", ADMIN)
        page.fill("#password", PASSWORD)
        page.click("main button[type=submit]")
        page.wait_for_url("**/work-list")
        page.goto("/new")
        page.set_input_files("#image", image)
        page.fill("#q-age", "67")
        page.check("input[name=gender][value=female]")
        page.fill("#q-weight_kg", "58")
        page.click("#assessment button[type=submit]")
        page.wait_for_selector("article.result")
        page.wait_for_load_state("networkidle")
        page.locator("[data-viewer] canvas:not([hidden])").wait_for()
        Image.open(BytesIO(page.screenshot())).save(PICTURE, "WEBP", quality=80, method=6)
        browser.close()


if __name__ == "__main__":
    take(sys.argv[1])
