"""The report of invented readings: what it counts, what it says, and that it names no file."""

import json
import stat

import numpy as np
import pytest

from gateway.evaluation.charts import Axes, Line, chart
from gateway.evaluation.estimates import Bootstrap
from gateway.evaluation.evaluate import CheckedTable, Evaluated, _counted
from gateway.evaluation.files import prepare_folder, write_report
from gateway.evaluation.reading import ReadFilm
from gateway.evaluation.table import TruthRow
from gateway.evaluation.wording import TOO_GOOD, summary
from shared.contracts.base import ModelReference
from shared.contracts.findings import (
    KL_NAMES,
    STAGE_LABELS,
    BoneProbabilities,
    ClassProbabilities,
    ImagingFinding,
    Knee,
    StagingFinding,
    StandAlone,
)
from shared.problems import InvalidInput
from tests.pdf import text_of
from tests.weights import card_of

CARDS = card_of("services/staging/model"), card_of("services/imaging/model")
STAGING, IMAGING = (ModelReference(name=card.name, version=card.version) for card in CARDS)


def knee(grade, side="unknown", share=0.6, quality="good"):
    probabilities = [(1 - share) / 4] * 5
    probabilities[grade] = share
    return Knee(side=side, box=[0, 0, 9, 9], stage=grade, probabilities=probabilities, quality=quality)


def film(*knees, osteoporosis=0.2, indeterminate=False):
    worse = max(knees, key=lambda one: one.stage)
    bone = BoneProbabilities(normal=1 - osteoporosis, osteopenia=0, osteoporosis=osteoporosis)
    stand_alone = None if indeterminate else StandAlone(probability=osteoporosis / 2, prevalence=0.126)
    return ReadFilm(
        imaging=ImagingFinding(
            label="knee_osteoporosis" if osteoporosis > 0.5 else "normal",
            indeterminate=indeterminate,
            probabilities=ClassProbabilities(
                normal=1 - osteoporosis, spine_osteoporosis=0, knee_osteoporosis=osteoporosis
            ),
            anatomy="knee",
            bone=bone,
            summary="",
            stand_alone=stand_alone,
            model=IMAGING,
        ),
        staging=StagingFinding(
            stage=worse.stage,
            label=STAGE_LABELS[worse.stage],
            kl_grade=worse.stage,
            kl_name=KL_NAMES[worse.stage],
            probabilities=worse.probabilities,
            knees=list(knees),
            model=STAGING,
        ),
        thumbnail=b"a small picture",
    )


@pytest.fixture(scope="module")
def evaluated(tmp_path_factory):
    """Forty patients' knees: the network is a grade too high in every fourth, the second reader in every tenth."""
    random = np.random.default_rng(0)
    rows, films = [], {}
    for number in range(40):
        truth, file = number % 5, f"DOE-JANE-{number}.dcm"
        grade = min(4, truth + (number % 4 == 0))
        has = number % 3 == 0
        films[file] = film(knee(grade), osteoporosis=float(random.uniform(0.3, 0.9) if has else random.uniform(0, 0.6)))
        readers = {2: min(4, truth + (number % 10 == 0))}
        sex = "female" if number % 2 else "male"
        rows.append(TruthRow(number + 2, file, f"P{number}", None, truth, readers, has, sex=sex, age=60 + number % 20))
    path = tmp_path_factory.mktemp("evaluated") / "truth.csv"
    path.write_text("as it was")
    return _counted(CheckedTable(path, rows, []), films, CARDS, Bootstrap(200, 0))


def test_grades_are_counted(evaluated):
    knees = evaluated.evaluation.knees
    figures = {figure.name: figure for figure in knees.figures}
    # Ten of forty are one too high, but for the two of them (4 and 24) that are 4 already.
    assert figures["accuracy"].site.value == pytest.approx(32 / 40)
    assert figures["within_one_grade"].site.value == 1
    assert figures["mean_absolute_error"].site.value == pytest.approx(8 / 40)
    assert knees.mean_difference.value == pytest.approx(8 / 40)
    assert sum(map(sum, knees.confusion_rows_truth)) == 40
    assert sum(knees.confusion_rows_truth[grade][grade] for grade in range(5)) == 32
    assert figures["quadratic_weighted_kappa"].card.value == CARDS[0].metrics["quadratic_weighted_kappa"]["value"]
    assert knees.coverage[-1].accuracy == pytest.approx(0.8)


def test_the_network_stands_beside_the_readers(evaluated):
    [reader] = evaluated.evaluation.knees.readers
    assert (reader.reader, reader.knees) == (2, 40)
    assert reader.readers_kappa.value > reader.network_kappa.value
    assert reader.difference.value == pytest.approx(reader.network_kappa.value - reader.readers_kappa.value, abs=2e-4)


def test_bones_are_counted_at_the_networks_own_operating_point(evaluated):
    [bone] = evaluated.evaluation.bones
    assert bone.outcomes.answered == 40
    figures = {figure.name: figure.site for figure in bone.figures}
    assert figures["auc_osteoporosis_against_rest"].value > 0.7
    assert 0 < figures["sensitivity"].value < 1
    assert bone.assumed_prevalence == 0.126
    assert bone.probability.with_it == 14
    groups = {group.group: group.people for group in bone.subgroups}
    assert groups == {"female": 20, "male": 20, "50 to 64": 10, "65 to 74": 20, "75 and over": 10}


def test_the_worst_are_shown_by_line_and_no_file_is_named(evaluated, tmp_path):
    folder = tmp_path / "report"
    prepare_folder(folder)
    json_, html, pdf = write_report(evaluated, folder)
    for file in (json_, html, pdf):
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        assert b"DOE-JANE" not in file.read_bytes()
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    written = json.loads(json_.read_bytes())
    assert {case["truth"] for case in written["knees"]["worst"]} == {"grade 0", "grade 1", "grade 2", "grade 3"}
    page = html.read_text()
    assert "data:image/jpeg;base64," in page
    assert "<script" not in page
    assert "http" not in page.replace("http-equiv", "").replace("http://www.w3.org/2000/svg", "")
    assert page.count("<svg") == 5
    said = text_of(pdf.read_bytes())
    assert "How good it is here" in said
    assert "Calibration: Is it grade 2 or more?" in said
    assert "DOE" not in said


def test_a_report_in_the_folder_is_replaced(evaluated, tmp_path):
    prepare_folder(tmp_path / "report")
    first = write_report(evaluated, tmp_path / "report")[0].read_bytes()
    assert write_report(evaluated, tmp_path / "report")[0].read_bytes() == first


def test_a_folder_that_cannot_be_made_says_so(tmp_path):
    (tmp_path / "report").write_text("a file")
    with pytest.raises(InvalidInput, match="cannot be written"):
        prepare_folder(tmp_path / "report")


def test_the_terminal_shows_the_same(evaluated):
    lines = summary(evaluated.evaluation)
    assert "40 of 40 knees with a truth were answered (100%)." in lines
    assert any(line.startswith("Accuracy: 0.80 (") for line in lines)


def test_better_than_the_card_asks_whether_it_was_learned_from(tmp_path):
    rows = [TruthRow(number, str(number), f"P{number}", None, number % 5) for number in range(60)]
    found = counted(tmp_path, *((row, film(knee(row.kl_grade))) for row in rows))
    assert {figure.verdict for figure in found.knees.figures if figure.name == "accuracy"} == {"better"}
    assert TOO_GOOD in summary(found)
    folder = tmp_path / "report"
    prepare_folder(folder)
    _, html, pdf = write_report(Evaluated(found, {}), folder)
    assert "Better than on the card is rare" in html.read_text()
    assert "Better than on the card is rare" in text_of(pdf.read_bytes())


def test_worse_than_the_card_is_said_and_not_asked(tmp_path):
    rows = [TruthRow(number, str(number), f"P{number}", None, number % 5) for number in range(60)]
    found = counted(tmp_path, *((row, film(knee((row.kl_grade + row.line % 3) % 5))) for row in rows))
    assert {figure.verdict for figure in found.knees.figures if figure.name == "accuracy"} == {"worse"}
    assert "WORSE HERE" in " ".join(summary(found))
    assert TOO_GOOD not in summary(found)


def counted(tmp_path, *pairs):
    path = tmp_path / "truth.csv"
    path.write_text("")
    rows, films = zip(*pairs, strict=True)
    named = {row.film: found for row, found in zip(rows, films, strict=True)}
    return _counted(CheckedTable(path, list(rows), []), named, CARDS, Bootstrap(100, 0)).evaluation


def test_what_was_not_answered_is_counted_and_not_left_out(tmp_path):
    found = counted(
        tmp_path,
        (TruthRow(2, "a", "P1", "left", 2), film(knee(2, "right"), knee(3, "left", quality="uncertain"))),
        (TruthRow(3, "b", "P2", "left", 2), film(knee(2, "right"))),
        (TruthRow(4, "c", "P3", None, 1), ReadFilm(refused="chest")),
        (TruthRow(5, "d", "P4", "right", 1), film(knee(1))),
        (TruthRow(6, "e", "P5", osteoporosis=True), film(knee(0), indeterminate=True)),
        (TruthRow(7, "f", "P6", osteoporosis=True, age=45), film(knee(0), osteoporosis=0.9)),
        (TruthRow(8, "g", "P7", osteoporosis=False), ReadFilm(refused="hand")),
    )
    knees = found.knees.outcomes
    assert (knees.lines, knees.answered, knees.refused, knees.uncertain) == (4, 2, 1, 1)
    assert knees.not_answered == {"no left knee was found in the film": 1}
    assert knees.refusals == {"chest": 1}
    assert found.knees.confusion_rows_truth[2][3] == 1, "the left knee of the film, not its worse one or its first"
    [bone] = found.bones
    assert (bone.outcomes.lines, bone.outcomes.answered) == (2, 0)
    assert bone.outcomes.not_answered == {"indeterminate": 2}, "and below 50 years it is indeterminate too"
    assert [figure.site.value for figure in bone.figures] == [None, None, None]
    assert found.refused_with_bone_label == {"hand": 1}


def test_a_film_with_two_lines_counts_once_for_its_bone(tmp_path):
    pair = film(knee(1, "left"), knee(2, "right"))
    found = counted(
        tmp_path,
        (TruthRow(2, "a", "P1", "left", 1, osteoporosis=True), pair),
        (TruthRow(3, "a", "P1", "right", 2, osteoporosis=True), pair),
    )
    assert found.knees.outcomes.answered == 2
    assert found.bones[0].outcomes.lines == 1


def test_a_drawing_escapes_and_keeps_within_its_frame():
    drawn = chart(Axes("A < B", "x", "y"), [Line("<b>", [(-1, -1), (2, 2)])])
    assert "<b>" not in drawn
    assert "A &lt; B" in drawn
    assert 'points="46.0,188.0 318.0,38.0"' in drawn
