import pytest

from gateway.assessing.case import Case, read_record_json
from gateway.platform.validators import checked_patient_number
from shared.contracts.risk import LifestyleRiskRequest
from shared.problems import InvalidInput, InvalidRecord


def errors_of(text, model="bone_density"):
    with pytest.raises(InvalidRecord) as caught:
        read_record_json(text, model)
    return {error["field"]: error["message"] for error in caught.value.members["errors"]}


def test_a_record_is_read():
    record = read_record_json(
        '{"age": 67, "gender": "female", "prior_fractures": [{"site": "hip"}]}', "bone_density"
    ).record
    assert record.age == 67
    assert record.prior_fractures[0].site == "hip"
    assert record.smoking is None


@pytest.mark.parametrize(
    ("text", "field", "words"),
    [
        ("{", "clinical", "not JSON"),
        ("[]", "clinical", "JSON object"),
        ("67", "clinical", "JSON object"),
        ('{"gender": "female"}', "clinical.age", "required"),
        ('{"age": -3, "gender": "female"}', "clinical.age", "greater than or equal to 0 (got -3"),
        ('{"age": "67", "gender": "female"}', "clinical.age", "valid number"),
        ('{"age": true, "gender": "female"}', "clinical.age", "valid number"),
        ('{"age": NaN, "gender": "female"}', "clinical.age", "finite"),
        ('{"age": 1e999, "gender": "female"}', "clinical.age", "finite"),
        ('{"age": 67, "gender": "f"}', "clinical.gender", "'female', 'male', 'other' or 'unknown'"),
        ('{"age": 67, "gender": "female", "weight_kg": 900}', "clinical.weight_kg", "less than or equal to 400"),
        ('{"age": 67, "gender": "female", "wieght_kg": 58}', "clinical.wieght_kg", "not permitted"),
        ('{"age": 67, "age": 76, "gender": "female"}', "clinical", "age is given more than once"),
        ('{"age": 67, "gender": "female", "smoking": "yes"}', "clinical.smoking", "'never'"),
        ('{"age": 67, "gender": "female", "pregnant": "no"}', "clinical.pregnant", "boolean"),
        ("[" * 100_000, "clinical", "not JSON"),
        ('{"age": ' + "9" * 5000 + "}", "clinical", "not JSON"),
    ],
)
def test_what_cannot_be_used_is_named_with_the_cure(text, field, words):
    assert words in errors_of(text)[field]


def test_every_bad_field_is_named_at_once():
    assert set(errors_of('{"age": -1, "gender": 3, "weight_kg": 1}')) == {
        "clinical.age", "clinical.gender", "clinical.weight_kg",
    }  # fmt: skip


def test_the_lifestyle_model_has_a_record_of_its_own():
    assert "clinical.hormonal_changes" in errors_of('{"age": 67, "gender": "female"}', "lifestyle")
    with pytest.raises(InvalidInput, match="bone_density and lifestyle"):
        read_record_json("{}", "astrology")


def test_the_lifestyle_record_is_read():
    text = (
        '{"age": 67, "gender": "female", "hormonal_changes": "postmenopausal", "family_history": true, "ethnicity": '
        '"asian", "body_weight": "normal", "calcium_intake": "low", "vitamin_d_intake": "sufficient", '
        '"physical_activity": "sedentary", "smoking": false, "alcohol_consumption": "none", "medical_conditions": '
        '"none", "medications": "none", "prior_fractures": false}'
    )
    assert isinstance(read_record_json(text, "lifestyle"), LifestyleRiskRequest)


def test_a_patient_number_is_short_and_prints():
    assert checked_patient_number(None) is None
    assert checked_patient_number("MRN 00-17") == "MRN 00-17"
    for bad in ("x" * 65, "a\nb"):
        with pytest.raises(InvalidInput):
            checked_patient_number(bad)


def test_the_digest_tells_requests_apart():
    risk = read_record_json('{"age": 67, "gender": "female"}', "bone_density")
    same = read_record_json('{ "gender":"female","age":67.0 }', "bone_density")
    cases = [Case(b"a", risk, "p"), Case(b"ap", risk, None), Case(b"a", None, "p"), Case(None, risk, "p")]
    assert len({case.digest() for case in cases}) == 4
    assert Case(b"a", same, "p").digest() == cases[0].digest()
