"""A real headless Chromium (Debian's) on a real server; screenshots are left in build/screenshots."""

import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Error, Page, sync_playwright

from shared.components import SERVICE_NAMES
from shared.radiograph.phantom import as_jpeg, knee
from tests.e2e.conftest import Running, running

ROOT = Path(__file__).parents[3]
SHOTS = ROOT / "build" / "screenshots"
AXE = ROOT / "build" / "axe"
CHROMIUM = Path("/usr/bin/chromium")
FLAGS = (
    "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync --use-fake-device-for-media-stream --use-fake-ui-for-media-stream"
)
ADMIN, PASSWORD, CODE = "admin@localhost", "orbit-lantern-cedar-42", "K7QM-3XWD-9RTA"
# A phone, where things run out of space, every time; a desk as well in test-long.
WIDTHS = (360, pytest.param(1280, marks=pytest.mark.long))


# Playwright keeps a loop running in this thread, which the asynchronous tests of other folders must not meet.
@pytest.fixture(scope="package")
def chromium() -> Iterator[Browser]:
    if not CHROMIUM.exists():
        pytest.skip("Chromium is not on this machine (apt install chromium)")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS.split())
        yield browser
        browser.close()


@pytest.fixture(scope="package")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A site that keeps pictures."""
    folder = tmp_path_factory.mktemp("pages")
    more = {
        "TRABECULA_FIRST_ADMIN_PASSWORD": PASSWORD, "TRABECULA_STORE_RENDERINGS": "true",
        "TRABECULA_LOGINS_PER_MINUTE": "1000", "TRABECULA_LOGINS_PER_ADDRESS_PER_MINUTE": "1000",
        "TRABECULA_REGISTRATION_CODE": CODE, "TRABECULA_REGISTRATION": "true",
    }  # fmt: skip
    with running("serve", state=folder / "state", log=folder / "log", **more) as server:
        yield server


@pytest.fixture(scope="package")
def broken_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A site whose services do not answer, and which keeps no pictures."""
    folder = tmp_path_factory.mktemp("broken")
    services = ",".join(f"{name}=http://127.0.0.1:9" for name in SERVICE_NAMES)
    more = {
        "TRABECULA_FIRST_ADMIN_PASSWORD": PASSWORD, "TRABECULA_LOGINS_PER_MINUTE": "1000",
        "TRABECULA_LOGINS_PER_ADDRESS_PER_MINUTE": "1000",
        "TRABECULA_REGISTRATION_CODE": CODE, "TRABECULA_REGISTRATION": "true",
    }  # fmt: skip
    with running("serve", "--services", services, state=folder / "state", log=folder / "log", **more) as server:
        yield server


@pytest.fixture(scope="session")
def knee_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("pictures") / "knee.jpg"
    file.write_bytes(as_jpeg(knee(bone_density=0.7, size=(1200, 1000))))
    return file


class BrowserUser:
    """Somebody at a browser of a given width; what the browser complains about fails the test."""

    def __init__(self, browser: Browser, url: str, width: int, **context: Any) -> None:
        size = {"width": width, "height": 780 if width < 600 else 900}
        self.context = browser.new_context(base_url=url, viewport=size, **context)
        self.page: Page = self.context.new_page()
        self.page.set_default_timeout(15_000)
        self.width, self.complaints = width, list[str]()
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("console", self._heard)

    def _heard(self, message: Any) -> None:
        # The status of an answer that is an error page is no complaint of the page's own.
        if message.type == "error" and "Failed to load resource" not in message.text:
            self.complaints.append(message.text)

    def open(self, path: str) -> None:
        try:
            self.page.goto(path, wait_until="networkidle")
        except Error as error:  # one that the page before began, late on a busy machine, came between
            if "ERR_ABORTED" not in error.message:
                raise
            self.page.goto(path, wait_until="networkidle")

    def sign_in(self, email: str = ADMIN, password: str = PASSWORD) -> None:
        self.open("/sign-in")
        self.page.fill("#email", email)
        self.page.fill("#password", password)
        self.page.click("main button[type=submit]")
        self.page.wait_for_url("**/work-list")

    def register(self, email: str) -> None:
        self.open(f"/register#{CODE}")
        self.page.fill("#email", email)
        self.page.fill("#password", PASSWORD)
        self.page.click("main button[type=submit]")
        self.page.wait_for_url("**/sign-in?registered=1")
        self.page.fill("#email", email)
        self.page.fill("#password", PASSWORD)
        self.page.click("main button[type=submit]")
        self.page.wait_for_url("**/new")

    def fill_in(self, age: int = 67, gender: str = "female", weight: float = 58) -> None:
        self.page.fill("#q-age", str(age))
        self.page.check(f"input[name=gender][value={gender}]")
        self.page.fill("#q-weight_kg", str(weight))

    def assess(self) -> None:
        self.page.click("#assessment button[type=submit]")
        self.page.wait_for_selector("article.result")

    def until(self, expression: str, seconds: float = 15) -> None:
        """Wait for an expression to become true; Playwright's own way needs an eval, which the pages forbid."""
        end = time.monotonic() + seconds
        while not self.page.evaluate(expression):
            assert time.monotonic() < end, f"not within {seconds} s: {expression}"
            self.page.wait_for_timeout(50)

    def shot(self, name: str) -> None:
        """Keep what is seen, and see to it that nothing is wider than the screen."""
        SHOTS.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=SHOTS / f"{name}-{self.width}.png", full_page=True)
        wide = self.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert wide <= 0, f"{name} is {wide} px wider than a screen of {self.width} px"

    def is_accessible(self, axe: Path) -> None:
        """No violation of WCAG 2.2 A and AA that axe-core finds."""
        self.page.evaluate(axe.read_text(encoding="utf-8") + "; undefined")
        tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
        found = self.page.evaluate("tags => axe.run(document, {runOnly: {type: 'tag', values: tags}})", tags)
        told = [
            f"{violation['id']} ({violation['impact']}): {violation['help']}: {node['html'][:160]}"
            for violation in found["violations"] for node in violation["nodes"]
        ]  # fmt: skip
        assert not told, f"{self.page.url}\n" + "\n".join(told)


@pytest.fixture(params=WIDTHS)
def width(request: pytest.FixtureRequest) -> int:
    return int(request.param)


@pytest.fixture
def visit(chromium: Browser) -> Iterator[Any]:
    """Opens browsers of their own; at the end none of them may have complained."""
    opened: list[BrowserUser] = []

    def make(server: Running, width: int = 1280, **context: Any) -> BrowserUser:
        opened.append(BrowserUser(chromium, server.url, width, **context))
        return opened[-1]

    yield make
    complaints = [line for item in opened for line in item.complaints]
    for item in opened:
        item.context.close()
    assert not complaints


@pytest.fixture(scope="session")
def axe() -> Path:
    """axe-core, fetched once from npm into an ignored folder; it is no part of the project."""
    file = AXE / "package" / "axe.min.js"
    if not file.exists():
        npm = shutil.which("npm")
        if npm is None:
            pytest.skip("npm, which fetches axe-core, is not on this machine (apt install npm)")
        AXE.mkdir(parents=True, exist_ok=True)
        packed = subprocess.run(
            [npm, "pack", "axe-core@4.14.1", "--silent"],
            cwd=AXE,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        if packed.returncode:
            pytest.skip(f"axe-core cannot be fetched from npm: {packed.stderr.strip()[-200:]}")
        shutil.unpack_archive(AXE / packed.stdout.strip().splitlines()[-1], AXE, filter="data")
    return file
