"""The seed's questionnaire model: additive, explained, and never without its warning."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.clinical.lifestyle import COLUMNS, columns_of, find_lifestyle
from services.clinical.parameters import LifestyleParameters
from shared.contracts.risk import LifestyleRecord
from shared.inference import Scorer

ANSWERS = {
    name: st.sampled_from(choices)
    for name, choices in {
        "gender": ["female", "male"],
        "hormonal_changes": ["normal", "postmenopausal"],
        "family_history": [True, False],
        "ethnicity": ["african_american", "asian", "caucasian"],
        "body_weight": ["normal", "underweight"],
        "calcium_intake": ["low", "adequate"],
        "vitamin_d_intake": ["insufficient", "sufficient"],
        "physical_activity": ["sedentary", "active"],
        "smoking": [True, False],
        "alcohol_consumption": ["none", "moderate"],
        "medical_conditions": ["none", "hyperthyroidism", "rheumatoid_arthritis"],
        "medications": ["none", "corticosteroids"],
        "prior_fractures": [True, False],
    }.items()
}
QUESTIONNAIRES = st.builds(LifestyleRecord, age=st.floats(18, 90), **ANSWERS)


@settings(max_examples=80, deadline=None)
@given(record=QUESTIONNAIRES)
def test_contributions_add_up(lifestyle_model: tuple[Scorer, LifestyleParameters], record: LifestyleRecord) -> None:
    answer = find_lifestyle(record, *lifestyle_model)
    total = answer.reference_log_odds + sum(c.effect for c in answer.contributions)
    assert total == pytest.approx(math.log(answer.probability / (1 - answer.probability)), abs=1e-3)
    assert answer.warnings[0].type == "synthetic_training_data"
    assert answer.scores.ost.applicable is False


@settings(max_examples=30, deadline=None)
@given(record=QUESTIONNAIRES)
def test_over_40_everyone_is_positive_as_in_its_data(
    lifestyle_model: tuple[Scorer, LifestyleParameters], record: LifestyleRecord
) -> None:
    older = record.model_copy(update={"age": 60.0})
    assert find_lifestyle(older, *lifestyle_model).probability > 0.9


@given(record=QUESTIONNAIRES)
def test_every_column_is_filled(record: LifestyleRecord) -> None:
    columns = columns_of(record)
    assert set(columns) == set(COLUMNS)
    assert all(value in (0, 1) for name, value in columns.items() if name != "age")
