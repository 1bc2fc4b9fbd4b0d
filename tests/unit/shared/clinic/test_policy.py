"""What a site's policy assumes: each choice, and that the assumption is told."""

import pytest

from shared.clinic import readings_of
from shared.clinic.plausibility import implausible
from shared.contracts.policy import ClinicPolicy, FraxLine
from shared.contracts.record import ClinicalRecord
from tests.unit.shared.clinic.readings import read

FROM_50, FROM_60, NEVER = ClinicPolicy(), ClinicPolicy(postmenopausal_from=60), ClinicPolicy(postmenopausal_from=None)


@pytest.mark.parametrize(
    ("policy", "age", "expected"),
    [
        (FROM_50, 49.9, None), (FROM_50, 50, True), (FROM_60, 59.9, None), (FROM_60, 60, True), (NEVER, 85, None),
    ],
)  # fmt: skip
def test_an_unrecorded_menopause_is_assumed_as_the_site_says(
    policy: ClinicPolicy, age: float, expected: bool | None
) -> None:
    found = read(policy, age=age)
    assert found.postmenopausal is expected
    told = {(warning.field, warning.type) for warning in implausible(found)}
    assert (("menopausal_status", "assumption") in told) is bool(expected)
    assert found.densities.scale == ("t" if expected else "unknown")


@pytest.mark.parametrize("policy", [FROM_50, FROM_60, NEVER])
def test_what_the_record_states_is_never_assumed_away(policy: ClinicPolicy) -> None:
    assert read(policy, age=66, menopausal_status="premenopausal").postmenopausal is False
    assert read(policy, age=42, menopausal_status="postmenopausal").postmenopausal is True
    assert read(policy, age=42, menopause_age=40).postmenopausal is True
    assert read(policy, age=42, gonadectomy=True).postmenopausal is True
    assert read(policy, age=42, medical_conditions=["premature_menopause"]).postmenopausal is True
    assert read(policy, age=70, gender="male").postmenopausal is False
    assert read(policy, age=42, pregnant=True).postmenopausal is False
    assert read(policy, age=35, menopausal_status="postmenopausal").postmenopausal is True


@pytest.mark.parametrize("policy", [FROM_50, FROM_60, NEVER])
def test_below_40_the_menopause_is_taken_as_still_to_come_and_that_is_told(policy: ClinicPolicy) -> None:
    young, forty = read(policy, age=39), read(policy, age=40)
    assert young.postmenopausal is False
    assert ("menopausal_status", "assumption") in {(item.field, item.type) for item in implausible(young)}
    assert forty.postmenopausal is None
    assert read(policy, age=39, z_scores=[{"site": "total_hip", "value": -2.4}]).who_class == "below_expected_for_age"


def test_a_low_z_score_alone_is_never_lost() -> None:
    for age in (45, 66):
        found = read(FROM_50, age=age, z_scores=[{"site": "total_hip", "value": -2.4}])
        assert found.who_class is None
        assert found.densities.unclassifiable_low
        assert not read(FROM_50, age=age, z_scores=[{"site": "total_hip", "value": -1.4}]).densities.unclassifiable_low


def test_a_low_score_is_never_lost_under_a_policy_that_assumes_nothing() -> None:
    found = read(NEVER, age=66, t_scores=[{"site": "total_hip", "value": -2.9}])
    assert found.who_class is None
    assert found.densities.unclassifiable_low
    assert read(FROM_60, age=66, t_scores=[{"site": "total_hip", "value": -2.9}]).who_class == "osteoporosis"


def test_a_site_may_draw_its_own_frax_line() -> None:
    own = ClinicPolicy(frax_thresholds={"india": FraxLine(major=10, hip=3), "unknown": FraxLine(hip=2)})
    assert read(own, frax_major=10, frax_country="india").frax.standing == "over"
    assert read(own, frax_major=9.9, frax_hip=2.9, frax_country="india").frax.standing == "under"
    assert read(own, frax_hip=2).frax.source == "site"
    assert read(own, frax_major=30, frax_country="other").frax.standing == "no_line"


SEX = [
    ({"gender": "female"}, ("female",)),
    ({"gender": "male"}, ("male",)),
    ({"gender": "other"}, ("female", "male")),
    ({"gender": "unknown"}, ("female", "male")),
    ({"gender": "other", "sex_recorded_at_birth": "male"}, ("male",)),
    ({"gender": "female", "sex_recorded_at_birth": "female"}, ("female",)),
    ({"gender": "female", "sex_recorded_at_birth": "male"}, ("female", "male")),
    ({"gender": "other", "sex_recorded_at_birth": "female", "gender_affirming_hormones": "testosterone"},
     ("female", "male")),
    ({"gender": "male", "gender_affirming_hormones": True}, ("female", "male")),
]  # fmt: skip


@pytest.mark.parametrize(("fields", "sexes"), SEX)
def test_which_sex_a_record_is_read_by(fields: dict[str, object], sexes: tuple[str, ...]) -> None:
    record = ClinicalRecord.model_validate({"age": 60, **fields})
    found = readings_of(record, ClinicPolicy())
    assert tuple(reading.sex for reading in found) == sexes
    assert all(reading.sex_is_settled is (len(sexes) == 1) for reading in found)
