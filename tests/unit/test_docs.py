"""The docs: what the code knows is up to date, no link leads nowhere, and the site is built and loads nothing."""

import importlib.util
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
LINK = re.compile(r"\]\(([^)\s]+)\)")


def generator():
    spec = importlib.util.spec_from_file_location("generate", ROOT / "docs" / "generate.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_readme_stays_short() -> None:
    assert len((ROOT / "README.md").read_text(encoding="utf-8").splitlines()) <= 120


@pytest.mark.parametrize("name", ["api.md", "settings.md", "cli.md", "problems.md", "weights.md"])
def test_what_the_code_knows_is_up_to_date(name: str) -> None:
    page = (ROOT / "docs" / "reference" / name).read_text(encoding="utf-8")
    assert page == generator().PAGES[name](), "run `make docs` and commit docs/reference"


def test_every_setting_says_what_it_means() -> None:
    rows = re.findall(r"^\| `TRABECULA_.*\|$", generator().settings_page(), re.MULTILINE)
    assert len(rows) > 30
    assert [row for row in rows if not row.split("|")[-2].strip()] == []


def test_no_page_names_a_path_of_the_machine_that_made_it() -> None:
    assert [page.name for page in PAGES if str(ROOT) in page.read_text(encoding="utf-8")] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_relative_link_leads_somewhere(page: Path) -> None:
    prose = re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    targets = [link.partition("#")[0] for link in LINK.findall(prose) if "://" not in link]
    assert [target for target in targets if target and not (page.parent / target).exists()] == []


@pytest.mark.slow
def test_the_site_is_built_and_loads_nothing_from_elsewhere(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(tmp_path / "site")]
    environment = {**os.environ, "NO_MKDOCS_2_WARNING": "1"}
    built = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stdout + built.stderr
    html = {page: page.read_text(encoding="utf-8") for page in (tmp_path / "site").rglob("*.html")}
    assert len(html) > 30
    foreign = r"<(?:script|img|iframe|source)[^>]*\ssrc=\"?(?:https?:)?//|<link[^>]*\shref=\"?(?:https?:)?//"
    assert [page.name for page, text in html.items() if re.search(foreign, text)] == []
    css = [style.read_text(encoding="utf-8") for style in (tmp_path / "site").rglob("*.css")]
    assert not [text for text in css if re.search(r"url\([\"']?(?:https?:)?//", text)]


def test_every_control_of_the_hazard_log_names_a_test_that_exists():
    text = (ROOT / "docs" / "hazard-log.md").read_text(encoding="utf-8")
    controls = re.findall(r"`(tests/[\w/]+\.py)(?:::(\w+))?`", text)
    assert len(controls) > 40
    for file, test in controls:
        assert (ROOT / file).is_file(), file
        assert not test or re.search(rf"^(?:async )?def {test}\(", (ROOT / file).read_text(), re.MULTILINE), (
            file,
            test,
        )
    hazards = re.split(r"^## H\d+ ", text, flags=re.MULTILINE)[1:]
    assert len(hazards) >= 15
    for hazard in hazards:
        assert all(
            part in hazard for part in ("**Cause.**", "**Effect.**", "**Severity**", "**Left.**", "**Likelihood**")
        )
