"""A site's table: what is right is read, and everything that is wrong is said at once, with line, column and cure."""

import pytest

from gateway.evaluation.evaluate import checked_table
from shared.problems import InvalidInput

HEADING = "file,patient,side,kl_grade"


def table(folder, *lines, heading=HEADING, files=("a.png", "b.png")):
    for name in files:
        (folder / name).write_bytes(name.encode())
    path = folder / "truth.csv"
    path.write_text("\n".join([heading, *lines]) + "\n", encoding="utf-8")
    return path


def wrong(path):
    with pytest.raises(InvalidInput) as caught:
        checked_table(path)
    return caught.value.detail


def test_a_table_is_read(tmp_path):
    heading = "file,patient,side,kl_grade,reader2_kl_grade,t_score,sex,age,device"
    lines = ["a.png,P1,left,2,3,-2.5,female,67,CR1", "b.png,P2,,0,,-1.0,,,"]
    checked = checked_table(table(tmp_path, *lines, heading=heading))
    first, second = checked.rows
    assert (first.line, first.patient, first.side, first.kl_grade, first.readers) == (2, "P1", "left", 2, {2: 3})
    assert (first.osteoporosis, first.sex, first.age, first.device) == (True, "female", 67, "CR1")
    assert (second.side, second.kl_grade, second.readers, second.osteoporosis) == (None, 0, {}, False)
    assert checked.notices == []


def test_everything_wrong_is_said_at_once(tmp_path):
    heading = "file,patient,side,kl_grade,osteoporosis,t_score,t_score_region,sex,age"
    detail = wrong(
        table(
            tmp_path,
            "a.png,P1,Left,5,maybe,two,knee,woman,old",
            ",,,,,,,,",
            ",P2,,,,-25,,,200",
            "b.png,,,,,,,,,more",
            heading=heading,
        )
    )
    for said in (
        "line 2: side 'Left' is not known: use one of left, right",
        "line 2: kl_grade '5' is not known: use one of 0, 1, 2, 3, 4",
        "line 2: osteoporosis 'maybe' is not known: use one of yes, no",
        "line 2: t_score 'two' is no number",
        "line 2: t_score_region 'knee' is not known: use one of distal_third_radius, femoral_neck",
        "line 2: sex 'woman' is not known",
        "line 2: age 'old' is no number",
        "line 4: file is empty: name the film",
        "line 4: t_score -25 is not between",
        "line 4: age 200 is not between",
        "line 5: there are more fields than columns",
        "line 5: patient is empty: give every patient a code",
        "not fit to be evaluated; nothing was read",
    ):
        assert said in detail, said
    assert "line 3" not in detail, "an empty line is no row"


@pytest.mark.parametrize(
    ("heading", "said"),
    [
        ("patient,kl_grade", "the column file is missing: add it to the heading"),
        ("file;patient;kl_grade", "save it with commas"),
        ("file,patient", "no column has a truth to compare with"),
        ("file,patient,kl_grade,kl_grade", "the column kl_grade is there twice"),
        ("file,patient,osteoporosis,reader2_kl_grade", "a second reader's grades without kl_grade"),
    ],
)
def test_a_wrong_heading_says_what_to_do(tmp_path, heading, said):
    assert said in wrong(table(tmp_path, "a.png,P1,0,0", heading=heading))


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        (["c.png,P1,,0"], "line 2: file c.png is missing: put it there"),
        (["../a.png,P1,,0"], "lies outside the table's folder"),
        (["a.png,P1,left,0", "a.png,P2,right,0"], "has two patients"),
        (["a.png,P1,left,0", "a.png,P1,,0"], "name the side in each"),
        (["a.png,P1,left,0", "a.png,P1,left,1"], "two lines for one side"),
    ],
)
def test_what_lines_say_of_a_film_is_one_thing(tmp_path, lines, said):
    assert said in wrong(table(tmp_path, *lines))


def test_one_film_is_not_osteoporosis_and_its_opposite(tmp_path):
    lines = ["a.png,P1,left,yes", "a.png,P1,right,no"]
    assert "osteoporosis in one line and not in the other" in wrong(
        table(tmp_path, *lines, heading="file,patient,side,osteoporosis")
    )


def test_a_copy_under_another_patient_is_wrong_and_under_the_same_a_notice(tmp_path):
    table(tmp_path)
    (tmp_path / "b.png").write_bytes(b"a.png")
    path = table(tmp_path, "a.png,P1,,0", "b.png,P2,,0", files=())
    assert "is the same picture as a.png in line 2, under another patient" in wrong(path)
    [notice] = checked_table(table(tmp_path, "a.png,P1,,0", "b.png,P1,,0", files=())).notices
    assert notice.notice
    assert "counts twice" in notice.message


def test_a_label_beats_its_t_score_and_an_unknown_column_is_named(tmp_path):
    heading = "file,patient,osteoporosis,t_score,kl_grad"
    checked = checked_table(table(tmp_path, "a.png,P1,yes,-1.2,3", heading=heading))
    assert checked.rows[0].osteoporosis is True
    said = " ".join(notice.message for notice in checked.notices)
    assert "the column kl_grad is not known and not used" in said
    assert "osteoporosis yes with a T-score of -1.2: the label is believed" in said


def test_a_line_names_a_film_or_a_stored_assessment_and_not_both(tmp_path):
    heading = "file,assessment,patient,kl_grade"
    identity = "0195f1c2-0000-7000-8000-000000000001"
    assert "leave one" in wrong(table(tmp_path, f"a.png,{identity},P1,0", heading=heading))
    assert "assessment 'no-id' is no id" in wrong(table(tmp_path, ",no-id,P1,0", heading=heading))
    [row] = checked_table(table(tmp_path, f",{identity},P1,0", heading=heading)).rows
    assert row.film == identity


@pytest.mark.parametrize(
    ("content", "said"),
    [(b"file,patient,kl_grade\n\xff,P1,0\n", "not in UTF-8"), (b'file,patient,kl_grade\n"a.png,P1,0\n', "line ")],
)
def test_a_file_that_is_no_table_says_how_to_save_it(tmp_path, content, said):
    path = tmp_path / "truth.csv"
    path.write_bytes(content)
    detail = wrong(path)
    assert said in detail
    assert "save it as CSV, UTF-8, with commas" in detail


def test_a_table_that_is_not_there_or_empty(tmp_path):
    assert "cannot be read" in wrong(tmp_path / "none.csv")
    assert "no rows" in wrong(table(tmp_path))
