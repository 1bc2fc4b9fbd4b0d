"""The joint space's figures: mirrored knees are turned back, what was withheld is counted, the page says it all."""

import io

import numpy as np
import pytest
from PIL import Image

from services.staging.training.joint_space import Measured, Measurer, pairs, png
from services.staging.training.joint_space_page import (
    Again,
    Graded,
    again_table,
    call,
    differences,
    grade_tables,
    shifts,
)
from shared.contracts.joint_space import CompartmentWidth, JointSpace
from shared.radiograph import phantom

pytestmark = pytest.mark.training
NONE = float("nan")


def space(left: float | None, right: float | None) -> JointSpace:
    return JointSpace(
        compartments=[
            CompartmentWidth(compartment="left_in_picture", ratio=left),
            CompartmentWidth(compartment="right_in_picture", ratio=right),
        ]
    )


def test_a_mirrored_knee_is_compared_with_its_own_side() -> None:
    before, after = [Measured(0.2, space(0.03, 0.06), 1.0)], [Measured(0.8, space(0.06, 0.03), 1.0)]
    assert list(pairs(before, after, mirrored=True)) == [Again((0.03, 0.06), (0.03, 0.06))]
    assert list(pairs(before, after, mirrored=False)) == []


def test_only_widths_that_were_measured_twice_move() -> None:
    knees = [Again((0.03, NONE), (0.04, 0.05)), Again((0.03, 0.06), (0.05, 0.06))]
    assert shifts(knees).tolist() == pytest.approx([0.01, 0.02, 0.0])
    assert differences(knees).tolist() == pytest.approx([-0.02])
    assert [call(ratios) for ratios in ((0.03, 0.06), (0.06, 0.03), (0.05, 0.06))] == [-1, 1, 0]
    assert "| mirrored | 2 | 3; 1; 0 |" in again_table({"mirrored": knees})


def test_the_smaller_width_falls_with_the_grade() -> None:
    rng, knees = np.random.default_rng(0), []
    for number in range(100):
        grade, wide = number % 5, float(rng.normal(0.06, 0.002))
        narrow = wide - 0.009 * grade
        knees.append(Graded(grade, str(number), narrow, wide, space(narrow, wide), 1.0))
    assert "smaller width: -0.9" in grade_tables(knees)


def test_the_phantom_is_measured_as_the_service_would() -> None:
    measurer, picture = Measurer(), Image.fromarray(phantom.knee(size=(1200, 1000)))
    file = io.BytesIO()
    picture.save(file, "PNG")
    (one,), (again,) = measurer.knees(file.getvalue(), "right"), measurer.knees(png(picture), "right")
    assert one.space == again.space
    assert [width.compartment for width in one.space.compartments] == ["medial", "lateral"]
