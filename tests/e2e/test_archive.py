"""`trabecula run`: a folder of films into one table, which a later run goes on with."""

import csv
import json

import numpy as np
import pytest

from gateway.assessing.archive import COLUMNS
from shared.radiograph import phantom
from tests.e2e.conftest import trabecula


@pytest.fixture(scope="module")
def archive(tmp_path_factory):
    folder = tmp_path_factory.mktemp("archive")
    (folder / "2026").mkdir()
    (folder / "knee.jpg").write_bytes(phantom.as_jpeg(phantom.knee(size=(1000, 840))))
    (folder / "2026" / "spine.dcm").write_bytes(phantom.as_dicom(phantom.lumbar_spine(size=(1000, 840))))
    (folder / "letter.txt").write_text("Dear colleague")
    (folder / ".hidden").write_text("not a film")
    return folder


def rows(table):
    with table.open(encoding="utf-8", newline="") as file:
        return {row["file"]: row for row in csv.DictReader(file)}


def assessed(state, *arguments):
    return json.loads(trabecula("run", *map(str, arguments), "--json", state=state).stdout)


def test_each_file_has_a_row_and_what_was_cut_off_is_done_again(archive, tmp_path):
    table = tmp_path / "results.csv"
    made = assessed(tmp_path, archive, "--out", table, "--processes", "2")
    assert (made["read"], made["refused"], made["skipped"]) == (2, 1, 0)
    first = rows(table)
    assert set(first) == {"knee.jpg", "2026/spine.dcm", "letter.txt"}
    knee, spine, letter = first["knee.jpg"], first["2026/spine.dcm"], first["letter.txt"]
    assert (knee["anatomy"], knee["status"]) == ("knee", "complete")
    assert knee["other_grade"] in set("01234")
    assert sum(float(knee[name]) for name in ("normal", "osteopenia", "osteoporosis")) == pytest.approx(1, abs=0.001)
    assert (spine["anatomy"], spine["bone"]) == ("spine", "indeterminate")
    assert (letter["status"], letter["reason"]) == ("refused", "unsupported-image")
    assert "plain text" in letter["detail"]

    whole = table.read_text(encoding="utf-8").splitlines(keepends=True)
    table.write_text("".join(whole[:3]) + whole[3][:20], encoding="utf-8")
    made = assessed(tmp_path, archive, "--out", table, "--processes", "1")
    assert (made["read"] + made["refused"], made["skipped"]) == (1, 2)
    assert rows(table) == first


def test_a_manifest_names_files_and_what_is_known_of_the_people(archive, tmp_path):
    manifest, table = tmp_path / "manifest.csv", tmp_path / "results.csv"
    (tmp_path / "white.jpg").write_bytes(phantom.as_jpeg(np.full((600, 500), 255, np.uint8)))
    knee, spine = archive / "knee.jpg", archive / "2026" / "spine.dcm"
    manifest.write_text(
        f"file,age,gender,weight_kg\n{knee},67,female,58\nwhite.jpg,70,male,\nmissing.jpg,,,\n{spine},old,,\n"
    )
    made = assessed(tmp_path, manifest, "--out", table, "--processes", "1")
    assert (made["read"], made["refused"]) == (2, 2)
    found = rows(table)
    assert 0 < float(found[str(knee)]["probability"]) < 1
    # The record is answered where the film beside it is refused, and the row says why that was.
    assert (found["white.jpg"]["status"], found["white.jpg"]["bone"]) == ("partial", "")
    assert found["white.jpg"]["reason"]
    assert found["white.jpg"]["detail"]
    assert found["missing.jpg"]["reason"] == "unreadable"
    assert "age" in found[str(spine)]["detail"]


def test_a_table_of_other_versions_is_not_mixed_with_these(archive, tmp_path):
    table = tmp_path / "results.csv"
    table.write_text(",".join(COLUMNS) + "\nknee.jpg" + "," * (len(COLUMNS) - 1) + "imaging 0.1.0\n")
    refused = trabecula("run", str(archive), "--out", str(table), state=tmp_path)
    assert refused.returncode == 1
    assert "imaging 0.1.0" in refused.stderr
    assert "--out" in refused.stderr
