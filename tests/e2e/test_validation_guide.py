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


# A physicist's own two hundred knees: enough to set an operating point, and to promote without a reason. The
# network happens to call bright phantoms porous, so those are the people with osteoporosis here.
OWN_KNEES = {
    "range(12)": "range(200)",
    "knee(0.6 + 0.04 * number, number,": "knee(0.3 + 0.0045 * number, number,",
    "number < 5": "number > 130",
    '--reason "a trial with drawn knees"': "--table site/truth.csv",
}
OPERATING_POINT = """
trabecula site-settings fit site/truth.csv --version point --sensitivity 0.9 --anatomy knee
trabecula site-settings activate point --name "A. Rao" --role radiologist
trabecula evaluate site/truth.csv --output at-the-point --site-settings point --no-pictures
"""


def place_of(tmp_path_factory, name):
    """A folder of its own, and the environment of somebody who works in it."""
    place = tmp_path_factory.mktemp(name)
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return place, environment(place / "state", PATH=path, PORT=str(free_port()))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """What is left of having run the guide's commands."""
    place = place_of(tmp_path_factory, "validation-guide")
    assert run_commands(GUIDE, place).count("trabecula evaluate") == 3
    return place[0]


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


@pytest.mark.long
def test_a_physicist_walks_with_two_hundred_knees(tmp_path_factory):
    place = place_of(tmp_path_factory, "two-hundred-knees")
    run_commands(GUIDE, place, OWN_KNEES, OPERATING_POINT)
    folder, _ = place
    report, at_the_point = (
        json.loads((folder / name / "evaluation.json").read_text()) for name in ("report", "at-the-point")
    )
    assert report["knees"]["outcomes"]["lines"] == report["patients"] == 200
    sensitivities = [figure_of(one, "Sensitivity") for one in (report, at_the_point)]
    assert sensitivities[1] >= 0.85, "what was asked for is what comes"
    assert sensitivities[1] > sensitivities[0]
    with closing(sqlite3.connect(folder / "state" / "trabecula.db")) as database:
        answers = database.execute("SELECT count(*) FROM shadow_answers WHERE version = '2026.12'").fetchone()
        promoted = database.execute("SELECT reason FROM model_changes WHERE serving = '2026.12'").fetchall()
        last = database.execute("SELECT serving FROM model_changes ORDER BY id DESC LIMIT 1").fetchone()
        settings = database.execute("SELECT version FROM site_settings_changes ORDER BY id DESC LIMIT 1").fetchone()
    assert answers == (200,)
    assert promoted == [(None,)], "by its figures, with no reason beside them"
    assert (last, settings) == ((None,), ("point",))


def figure_of(report, beginning):
    """A figure of the bone in knees, by how its title begins."""
    [bone] = report["bones"]
    return next(one["site"]["value"] for one in bone["figures"] if one["title"].startswith(beginning))
