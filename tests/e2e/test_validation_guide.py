""" "Validate at your site" does what it says: its commands are run as they are written."""

import json
import os
import sqlite3
import stat
import sys
from contextlib import closing
from pathlib import Path

import pytest

from services.staging.settings import SHIPPED
from tests.e2e.conftest import environment, free_port
from tests.e2e.guides import run_commands

GUIDE = "how-to/validate-at-your-site.md"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """What is left of having run the guide's commands in a folder of their own."""
    place = tmp_path_factory.mktemp("validation-guide")
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    env = environment(place / "state", PATH=path, PORT=str(free_port()))
    assert run_commands(GUIDE, (place, env)).count("trabecula evaluate") == 3
    return place


@pytest.mark.slow
def test_the_walk_ends_with_a_report_of_every_film(folder):
    report = json.loads((folder / "report" / "evaluation.json").read_text())
    assert (report["lines"], report["films"], report["patients"]) == (12, 12, 12)
    assert report["knees"]["outcomes"]["lines"] == 12
    assert [bone["anatomy"] for bone in report["bones"]] == ["knee"]
    assert report["knees"]["readers"][0]["reader"] == 2


@pytest.mark.slow
def test_only_its_owner_reads_the_report_and_no_film_of_it_is_stored(folder):
    files = sorted((folder / "report").iterdir())
    assert [file.name for file in files] == ["evaluation.html", "evaluation.json", "evaluation.pdf"]
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}
    with closing(sqlite3.connect(folder / "state" / "trabecula.db")) as database:
        makers = database.execute("SELECT created_by, count(*) FROM assessments GROUP BY created_by").fetchall()
    assert [(maker.split(":")[0], count) for maker, count in makers] == [("key", 13)], (
        "those that were sent, and no more"
    )


@pytest.mark.slow
def test_an_evaluation_with_the_sites_settings_says_so(folder):
    with_settings = json.loads((folder / "with-settings" / "evaluation.json").read_text())
    assert with_settings["site_settings"] == ["2026.11"]
    assert {bone["assumed_prevalence"] for bone in with_settings["bones"]} <= {0.12, None}
    assert json.loads((folder / "report" / "evaluation.json").read_text())["site_settings"] == []


@pytest.mark.slow
def test_where_nobody_gave_feedback_its_table_is_a_heading(folder):
    assert (folder / "feedback" / "truth.csv").read_text().startswith("assessment,patient,side,kl_grade,")
    assert (folder / "feedback" / "radiographs.csv").read_text() == "file,patient,anatomy,label,t_score\n"


@pytest.mark.slow
def test_a_new_version_was_in_the_shadow_in_use_and_back(folder):
    before, after = (json.loads((folder / name).read_text()) for name in ("answer.json", "promoted.json"))
    versions = [answer["staging"]["model"]["version"] for answer in (before, after)]
    assert versions == [json.loads((SHIPPED / "card.json").read_text())["version"], "2026.12"]
    with closing(sqlite3.connect(folder / "state" / "trabecula.db")) as database:
        answers = database.execute("SELECT count(*) FROM shadow_answers WHERE version = '2026.12'").fetchone()
        lines = database.execute(
            "SELECT action FROM audit WHERE subject = 'staging:2026.12' ORDER BY sequence"
        ).fetchall()
        last = database.execute("SELECT serving, name FROM model_changes ORDER BY id DESC LIMIT 1").fetchone()
    assert answers == (12,)
    assert [action for (action,) in lines] == ["model in the shadow", "model promoted", "model taken back"]
    assert last == (None, "A. Rao")
