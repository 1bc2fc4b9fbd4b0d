"""The joint space in words: with its unit, its plane and its caveat, or with why there is none."""

import pytest

from gateway.platform.language import catalogue, translator_for
from gateway.reports.joint_space import joint_space_caveat, joint_space_line
from shared.contracts.findings import Knee
from shared.contracts.joint_space import CompartmentWidth, JointSpace

EN = translator_for("en")
LATERAL = CompartmentWidth(compartment="lateral", ratio=0.068, width_mm=5.1)


def a_knee(**space):
    measured = JointSpace(**space) if space else None
    return Knee(
        side="right", box=[0, 0, 9, 9], stage=2, probabilities=[0, 0, 1, 0, 0], quality="good", joint_space=measured
    )


def test_widths_have_a_unit_and_say_where_it_holds():
    medial = CompartmentWidth(compartment="medial", ratio=0.043, width_mm=3.2)
    line = joint_space_line(EN, a_knee(compartments=[medial, LATERAL], narrower="medial", spacing_plane="detector"))
    assert "medial 3.2 mm (4.3% of the plateau width); lateral 5.1 mm (6.8% of the plateau width)." in line
    assert "Narrower: medial." in line
    assert "magnified" in line
    assert "not a grade" in line


def test_without_millimetres_the_share_stands_alone_and_says_why():
    widths = [CompartmentWidth(compartment=name, ratio=0.05) for name in ("left_in_picture", "right_in_picture")]
    line = joint_space_line(EN, a_knee(compartments=widths, narrower="neither"))
    assert "left in the picture 5.0% of the plateau width" in line
    assert " mm" not in line
    assert "No millimetres" in line


def test_a_compartment_that_is_withheld_says_why_beside_the_other():
    medial = CompartmentWidth(compartment="medial", withheld="edges_unclear")
    line = joint_space_line(EN, a_knee(compartments=[medial, LATERAL], spacing_plane="patient"))
    assert "medial: not measured, no clear gap" in line
    assert "lateral 5.1 mm" in line
    assert "Narrower" not in line


def test_a_knee_that_was_not_measured_says_why_or_nothing():
    cut = a_knee(withheld="joint_cut")
    assert "cut by the border" in joint_space_line(EN, cut)
    assert joint_space_line(EN, a_knee()) is None
    assert joint_space_caveat(EN, [cut, a_knee()]) is None
    assert "no reader's measurements" in joint_space_caveat(EN, [cut, a_knee(compartments=[LATERAL, LATERAL])])


@pytest.mark.parametrize("language", ["hi", "kn"])
def test_every_language_has_every_word(language):
    ours = {key for key in catalogue("en") if key.startswith("joint_space.")}
    assert len(ours) > 15
    assert ours <= set(catalogue(language))
