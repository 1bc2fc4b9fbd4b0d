"""A table of feedback, as it is exported, is one that training reads."""

import pytest

from gateway.assessing.feedback_table import RADIOGRAPH_COLUMNS, as_csv
from services.imaging.network import BONE_CLASSES
from services.imaging.training.tables import read_rows

pytestmark = pytest.mark.training


def test_training_reads_the_radiographs_of_an_export(tmp_path):
    line = {"file": "a.png", "patient": "0f3c", "anatomy": "knee", "label": "osteoporosis", "t_score": -2.7}
    (tmp_path / "radiographs.csv").write_text(as_csv([line], RADIOGRAPH_COLUMNS), encoding="utf-8")
    rows, faults = read_rows(tmp_path, ())
    assert not faults
    [row] = rows
    assert (row.file, row.patient, BONE_CLASSES[row.bone], row.t_score) == ("a.png", "0f3c", "osteoporosis", -2.7)
