"""What a DICOM file says of its picture is believed where it warns, and told where it differs."""

import numpy as np
import pytest

from services.imaging.tags import check_view, odd_tags, other_view
from shared.problems import ImageRefused
from shared.radiograph import Radiograph


def film(**tags) -> Radiograph:
    return Radiograph(np.zeros((200, 200), np.uint8), "dicom", (200, 200), **tags)


@pytest.mark.parametrize(
    ("view", "orientation", "words"),
    [
        ("AP", None, None),
        ("PA", ("L", "F"), None),
        (None, None, None),
        ("ROSENBERG", ("R", "F"), None),
        ("LL", None, "side"),
        ("LATERAL", None, "side"),
        ("MEDIO-LATERAL", None, "side"),
        ("LATERO-MEDIAL", None, "side"),
        ("RLO", None, "oblique"),
        ("OBLIQUE", None, "oblique"),
        ("SKYLINE", None, "skyline"),
        ("SUNRISE VIEW", None, "skyline"),
        (None, ("A", "F"), "side"),
        (None, ("P", "H"), "side"),
        (None, ("PL", "F"), "side"),
        (None, ("L", "P"), "skyline"),
    ],
)
def test_a_view_is_named_by_its_tags(view, orientation, words):
    radiograph = film(view=view, patient_orientation=orientation)
    found = other_view(radiograph)
    assert found is None if words is None else found is not None and words in found
    if words:
        with pytest.raises(ImageRefused, match=words) as caught:
            check_view(radiograph, "knee")
        assert caught.value.members["reason"] == "knee_not_frontal"
        assert [odd.type for odd in odd_tags(radiograph, "spine")] == ["not_frontal"]
    check_view(radiograph, "spine")


@pytest.mark.parametrize(
    ("part", "site", "differs"),
    [
        ("KNEE", "knee", False),
        (None, "knee", False),
        ("TIBIA FIBULA", "knee", False),
        ("LEXTREMITY", "knee", True),
        ("CHEST", "knee", True),
        ("SKULL", "spine", True),
        ("LSPINE", "knee", True),
        ("LSPINE", "spine", False),
        ("KNEE", "spine", True),
        ("UNKNOWN", "spine", False),
    ],
)
def test_a_body_part_that_differs_is_told(part, site, differs):
    assert [odd.type for odd in odd_tags(film(body_part=part), site)] == ["body_part_differs"] * differs


def test_a_young_patient_may_have_open_growth_plates():
    assert [odd.type for odd in odd_tags(film(patient_age=14.0), "knee")] == ["growth_plates"]
    assert odd_tags(film(patient_age=64.0), "knee") == []
