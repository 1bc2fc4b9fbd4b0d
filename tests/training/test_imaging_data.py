"""A hospital's own table: what is wrong is told before anything is trained, each with its file and cure."""

import csv
import subprocess
import sys

import cv2
import numpy as np
import pytest
from pydantic import SecretStr

from services.imaging.app import load
from services.imaging.settings import Settings as ImagingSettings
from services.imaging.training.check import checked_rows
from services.imaging.training.tables import WrongData
from shared.contracts.models import ModelCard
from shared.manifest import verify_manifest
from shared.radiograph.decoder import DecoderPool
from shared.radiograph.phantom import as_jpeg, knee, lumbar_spine
from shared.signatures import make_key, sign_package
from shared.training.likeness import Likeness, copies
from tests.training.conftest import of_another

pytestmark = [pytest.mark.training, pytest.mark.slow]

BONE = ("normal", "osteopenia", "osteoporosis")
SIZE = (240, 200)
COLUMNS = ("file", "patient", "anatomy", "label", "t_score", "part")


def line(file, patient, anatomy, label="", t_score="", part=""):
    return dict(zip(COLUMNS, (file, patient, anatomy, label, t_score, part), strict=True))


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    """A folder of drawn knees, DXA images and what must be refused, and the right lines of its table."""
    folder, rows, noise = tmp_path_factory.mktemp("hospital"), [], np.random.default_rng(0)
    for number in range(15):
        bone = BONE[number % 3]
        for anatomy, draw in (("knee", knee), ("spine_dxa", lumbar_spine)):
            file = folder / anatomy / bone / f"{number}.jpg"
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(as_jpeg(of_another(draw(seed=number, size=SIZE), number)))
            name = file.relative_to(folder).as_posix()
            rows.append(line(name, f"{anatomy}-{number}", anatomy, bone))
    for number in range(6):
        file = folder / f"chest-{number}.jpg"
        file.write_bytes(as_jpeg(cv2.GaussianBlur(noise.integers(0, 255, SIZE, dtype=np.uint8), (0, 0), 4)))
        rows.append(line(file.name, f"c{number}", "chest"))
    return folder, rows


def write(folder, rows, columns=COLUMNS, encoding="utf-8", separator=","):
    with (folder / "radiographs.csv").open("w", newline="", encoding=encoding) as file:
        writer = csv.DictWriter(file, columns, extrasaction="ignore", delimiter=separator)
        writer.writeheader()
        writer.writerows(rows)


def faults(folder, rows, **how):
    write(folder, rows, **how)
    with pytest.raises(WrongData) as caught:
        checked_rows(folder)
    return [fault.message for fault in caught.value.faults]


def test_a_right_table_passes_with_notices_only(pictures):
    folder, rows = pictures
    write(folder, rows, encoding="utf-8-sig")  # as a spreadsheet saves it
    read, notices = checked_rows(folder)
    assert len(read) == len(rows)
    assert [fault.message for fault in notices] == [
        "There is no spine_cut_out: the network will not know one, and takes it for what it looks most like."
    ]


def changed(rows, number, **fields):
    return [*rows[:number], {**rows[number], **fields}, *rows[number + 1 :]]


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"file": "knee/lost.jpg"}, "line 2: knee/lost.jpg is missing: put it there"),
        ({"file": "../secret.jpg"}, "lies outside the folder"),
        ({"file": ""}, "line 2: file is empty"),
        ({"patient": " "}, "line 2: patient is empty: give every patient a code"),
        ({"anatomy": "elbow"}, "line 2: anatomy 'elbow' is not known: use one of knee, spine_dxa"),
        ({"label": "osteoporotic"}, "line 2: label 'osteoporotic' is not known: use one of normal"),
        ({"anatomy": "spine_radiograph"}, "line 2: label 'normal' for spine_radiograph, whose bone is not read"),
        ({"t_score": "-2,5"}, "line 2: t_score '-2,5' is no number: write it with a point"),
        ({"t_score": "-25"}, "line 2: t_score -25 is not between"),
        ({"part": "later"}, "line 2: part 'later' is not known: use one of train"),
    ],
)
def test_a_wrong_field_is_named_with_its_line_and_cure(pictures, fields, words):
    folder, rows = pictures
    found = faults(folder, changed(rows, 0, **fields))
    assert len(found) == 1
    assert words in found[0]


def test_every_fault_is_told_at_once(pictures):
    folder, rows = pictures
    assert len(faults(folder, changed(changed(rows, 0, label="?"), 1, file="lost.jpg"))) == 2


def test_a_table_without_a_column_or_with_semicolons_is_refused(pictures):
    folder, rows = pictures
    assert "lacks the column patient: add it" in faults(folder, rows, columns=("file", "anatomy", "label"))[0]
    assert "save it with commas" in faults(folder, rows, separator=";")[0]
    (folder / "radiographs.csv").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(WrongData, match="UTF-8"):
        checked_rows(folder)


def test_a_folder_without_a_table_is_refused(tmp_path):
    with pytest.raises(WrongData, match="none of the tables"):
        checked_rows(tmp_path)


def test_an_unreadable_picture_is_named(pictures):
    folder, rows = pictures
    (folder / "broken.jpg").write_bytes((folder / rows[0]["file"]).read_bytes()[:500])
    found = faults(folder, changed(rows, 0, file="broken.jpg"))
    assert "line 2: broken.jpg cannot be read" in found[0]


def test_one_name_for_two_patients_pictures_is_refused(pictures):
    folder, rows = pictures
    found = faults(folder, [*rows, {**rows[0], "patient": "somebody else"}])
    assert "is named for the patients knee-0 and somebody else" in found[0]
    assert "listed twice" in faults(folder, [*rows, rows[0]])[0]


def test_a_patient_in_two_parts_is_refused(pictures):
    folder, rows = pictures
    rows = changed(changed(rows, 0, part="test"), 1, patient=rows[0]["patient"], part="train")
    assert faults(folder, rows) == ["The patient knee-0 is in the parts test and train: choose one for all."]


def test_the_same_picture_under_two_patients_is_refused_and_of_one_patient_noticed(pictures):
    folder, rows = pictures
    pixels = cv2.imread(str(folder / rows[0]["file"]), cv2.IMREAD_GRAYSCALE)
    smaller = cv2.resize(pixels, None, fx=0.7, fy=0.7, interpolation=cv2.INTER_AREA)
    (folder / "again.jpg").write_bytes(as_jpeg((smaller * 0.8 + 20).astype(np.uint8)))
    again = {**rows[0], "file": "again.jpg"}
    found = faults(folder, [*rows, {**again, "patient": "somebody else"}])
    assert len(found) == 1
    assert rows[0]["file"] in found[0]
    assert "again.jpg (somebody else) are the same picture under two patients" in found[0]
    write(folder, [*rows, again])
    _, notices = checked_rows(folder)
    assert "same picture twice" in notices[0].message


def test_pictures_of_two_patients_are_not_copies(pictures):
    folder, rows = pictures
    seen = [Likeness.of(cv2.imread(str(folder / row["file"]), cv2.IMREAD_GRAYSCALE)) for row in rows]
    assert copies(seen) == []
    assert copies([*seen, seen[3]]) == [(3, len(seen))]


def test_every_anatomy_needs_labels_and_something_to_refuse(pictures):
    folder, rows = pictures
    found = faults(folder, [row if row["anatomy"] != "knee" else {**row, "label": ""} for row in rows])
    assert "knee: 0 patients with osteoporosis, and 5 are needed" in found[0]
    found = faults(folder, [row for row in rows if row["anatomy"] != "chest"])
    assert "No picture shows what must be refused" in found[0]


def test_a_label_against_its_own_t_score_is_noticed(pictures):
    folder, rows = pictures
    write(folder, changed(rows, 0, t_score="-2.7"))
    _, notices = checked_rows(folder)
    assert "line 2: label normal with a T-score of -2.7, which is osteoporosis" in notices[0].message


def run(module, *options):
    command = [sys.executable, "-m", module, *options]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_the_command_ends_before_training_with_one_line_for_each_fault(pictures):
    folder, rows = pictures
    write(folder, changed(rows, 0, file="lost.jpg"))
    for module in ("services.imaging.training.check", "services.imaging.training"):
        done = run(module, "--data", str(folder))
        assert done.returncode == 1
        assert "lost.jpg is missing" in done.stderr
        assert "nothing was trained" in done.stderr
        assert "Traceback" not in done.stderr
    write(folder, rows)
    assert "fit to be learned from" in run("services.imaging.training.check", "--data", str(folder)).stdout


def test_a_hospitals_folder_becomes_a_package_and_never_replaces_one(pictures, tmp_path):
    """Trained without spine cut-outs, with a patient of each class kept apart."""
    folder, rows = pictures
    apart = [{**row, "part": "test"} if row["patient"] in ("knee-0", "knee-2") else row for row in rows]
    more = [knee(seed=number, size=SIZE) for number in (100, 101, 102)]
    for number, (bone, pixels) in enumerate(zip(BONE, more, strict=True)):
        (folder / f"more-{number}.jpg").write_bytes(as_jpeg(of_another(pixels, 100 + number)))
        apart.append(line(f"more-{number}.jpg", f"more-{number}", "knee", bone, str(-0.5 - number)))
    write(folder, apart)
    options = ("--data", str(folder), "--models", str(tmp_path / "models"), "--work", str(tmp_path / "work"))
    done = run("services.imaging.training", *options, "--epochs", "1", "--version", "hospital-1")
    assert done.returncode == 0, done.stderr[-3000:]
    package = tmp_path / "models" / "imaging" / "hospital-1"
    verify_manifest(package)
    assert (package / "saved_model" / "1" / "saved_model.pb").is_file()
    card = ModelCard.model_validate_json((package / "card.json").read_bytes())
    assert card.metrics["kept_apart_judged_once"]["radiographs"] == 2
    assert card.metrics["within_spine_cut_out"] == {"radiographs": 0}
    key = make_key(tmp_path / "physics.pem")
    sign_package(package, tmp_path / "physics.pem")
    settings = ImagingSettings(internal_secret=SecretStr("x" * 32), models=tmp_path / "models", _env_file=None,
                               imaging_version="hospital-1", model_signers=f"physics:{key}")  # fmt: skip
    loaded = load(settings, DecoderPool(1))
    loaded.decoder.close()
    assert loaded.card.version == "hospital-1"
    again = run("services.imaging.training", *options, "--version", "hospital-1")
    assert again.returncode == 1
    assert "is there already and is kept for the way back" in again.stderr
