"""Resources as a clinical record: what is used, what is not, and that nothing is ever guessed."""

import json
from random import Random
from typing import Any

import pytest

from gateway.assessing.case import read_record
from gateway.interop.fhir.reading.case import case_of
from gateway.interop.fhir.reading.mapping import MOST_LEFT_OUT, left_out, map_resources
from shared.problems import InvalidInput, InvalidRecord
from tests.unit.answer.records import some_record
from tests.unit.gateway.interop.sent import (
    ICD10,
    LOINC,
    PATIENT,
    SNOMED,
    TODAY,
    UCUM,
    as_fhir,
    bundle,
    concept,
    condition,
    mapped,
    medicine,
    observation,
)

NECK = {"bodySite": concept(SNOMED, "29627003")}


def value_of(*resources: dict[str, Any], field: str) -> Any:
    record = mapped(*resources).record
    assert record is not None
    return record.get(field)


def reasons(*resources: dict[str, Any], **more: Any) -> list[str]:
    return [one.reason for one in mapped(*resources, **more).unused]


@pytest.mark.parametrize(
    ("code", "value", "unit", "field", "expected"),
    [
        ("29463-7", 58, "kg", "weight_kg", 58),
        ("29463-7", 58_000, "g", "weight_kg", 58),
        ("29463-7", 128, "[lb_av]", "weight_kg", 58.0598),
        ("8302-2", 1.62, "m", "height_cm", 162),
        ("8302-2", 64, "[in_i]", "height_cm", 162.56),
        ("2160-0", 1.0, "mg/dL", "creatinine_umol_per_l", 88.42),
        ("14682-9", 80, "umol/L", "creatinine_umol_per_l", 80),
        ("17861-6", 9.6, "mg/dL", "serum_calcium_mmol_per_l", 2.3952),
        ("62292-8", 20, "ng/mL", "vitamin_d_25oh_nmol_per_l", 49.92),
        ("33914-3", 61, "mL/min/{1.73_m2}", "egfr_ml_per_min", 61),
        ("90265-0", 21, "%", "frax_major", 21),
    ],
)
def test_a_number_comes_in_the_unit_of_its_field(
    code: str, value: float, unit: str, field: str, expected: float
) -> None:
    assert value_of(observation(code, value, unit), field=field) == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize(
    ("quantity", "reason"),
    [
        ({"value": 58, "unit": "kg"}, "unknown_unit"),
        ({"value": 58, "unit": "kg", "code": "kg"}, "unknown_unit"),
        ({"value": 58, "system": UCUM, "code": "[stone_av]"}, "unknown_unit"),
        ({"value": 58, "system": UCUM, "code": "kg", "comparator": ">"}, "comparator"),
        ({"value": "58", "system": UCUM, "code": "kg"}, "no_value"),
        ({"value": True, "system": UCUM, "code": "kg"}, "no_value"),
        ({"value": 10**400, "system": UCUM, "code": "kg"}, "no_value"),
        ({"value": 5800, "system": UCUM, "code": "kg"}, "out_of_range"),
        ({"value": 128, "system": UCUM, "code": "g"}, "out_of_range"),
        ("58 kg", "no_value"),
        (None, "no_value"),
    ],
)
def test_a_number_that_cannot_be_read_for_sure_is_not_used(quantity: Any, reason: str) -> None:
    weight = observation("29463-7", valueQuantity=quantity)
    assert reasons(weight) == [reason]
    assert value_of(weight, field="weight_kg") is None


@pytest.mark.parametrize("status", ["preliminary", "registered", "cancelled", "entered-in-error", "unknown", None])
def test_only_what_is_final_is_used(status: str | None) -> None:
    assert reasons(observation("29463-7", 58, status=status)) == ["status"]


def test_the_newest_wins_whatever_the_order() -> None:
    old = observation("29463-7", 70, effectiveDateTime="2020-01-01")
    undated = observation("29463-7", 80, effectiveDateTime=None)
    new = observation("29463-7", 58, effectiveDateTime="2026-05-01T10:00:00+05:30")
    for order in ([old, undated, new], [new, old, undated]):
        assert value_of(*order, field="weight_kg") == 58
        assert reasons(*order) == ["superseded", "superseded"]


@pytest.mark.parametrize(
    ("date", "reason"),
    [
        ("2099-01-01", "future_date"),
        ("1950-01-01", "before_birth"),
        ("1959-03-01", "before_birth"),
        ("1958", "before_birth"),
    ],
)
def test_a_date_that_cannot_be_is_named(date: str, reason: str) -> None:
    assert reasons(observation("29463-7", 58, effectiveDateTime=date)) == [reason]


@pytest.mark.parametrize(
    ("date", "reason"), [("2024-01-01", "out_of_date"), (None, "undated"), ("yesterday", "undated")]
)
def test_a_blood_test_that_is_old_or_undated_clears_nothing(date: str | None, reason: str) -> None:
    creatinine = observation("2160-0", 1.0, "mg/dL", effectiveDateTime=date)
    assert reasons(creatinine) == [reason]
    assert value_of(creatinine, field="creatinine_umol_per_l") is None


def test_total_calcium_is_used_with_a_caveat_that_is_stored() -> None:
    mapping = mapped(observation("17861-6", 9.6, "mg/dL"))
    assert "not adjusted for albumin" in left_out(mapping)[0]


@pytest.mark.parametrize(
    ("code", "more", "site"),
    [
        ("38267-1", {}, "lumbar_spine"),
        ("38266-3", {}, "calcaneus"),
        ("38264-8", {}, "total_hip"),
        ("80946-7", {}, "total_hip"),
        ("38263-0", NECK, "femoral_neck"),
        ("80948-3", NECK, "femoral_neck"),
        ("38264-8", NECK, "femoral_neck"),
    ],
)
def test_a_t_score_comes_with_its_site_and_date(code: str, more: dict[str, Any], site: str) -> None:
    scores = value_of(observation(code, -2.6, "{T-score}", **more), field="t_scores")
    assert scores == [{"site": site, "value": -2.6, "date": "2026-06-01"}]


def test_a_femur_without_its_part_is_refused_unless_the_site_has_said_what_it_means() -> None:
    femur = observation("38263-0", -2.6, "1")
    assert reasons(femur) == ["site_ambiguous"]
    record = mapped(femur, femur_site="femoral_neck").record
    assert record is not None
    assert record["t_scores"][0]["site"] == "femoral_neck"
    assert reasons(observation("38267-1", -2.6, "1", **NECK)) == ["site_ambiguous"]


def test_all_scans_are_kept_each_once() -> None:
    first, second = (
        observation("38267-1", value, "1", effectiveDateTime=day)
        for value, day in ((-2, "2020-01-01"), (-3, "2026-01-01"))
    )
    assert len(value_of(first, second, first, field="t_scores")) == 2


def test_a_year_alone_dates_no_scan() -> None:
    assert value_of(observation("38267-1", -2, "1", effectiveDateTime="2020"), field="t_scores") == [
        {"site": "lumbar_spine", "value": -2}
    ]


def test_components_of_a_panel_are_read() -> None:
    parts = [
        {"code": concept(LOINC, "38267-1"), "valueQuantity": {"value": -2.7, "system": UCUM, "code": "1"}},
        {"code": concept(LOINC, "24966-4"), "valueQuantity": {"value": 0.81, "system": UCUM, "code": "g/cm2"}},
        {"code": concept(LOINC, "1-8")},
    ]
    mapping = mapped(observation("83311-1", component=parts))
    assert mapping.record is not None
    assert mapping.record["t_scores"][0]["value"] == -2.7
    assert mapping.record["bmd"] == [{"site": "lumbar_spine", "g_per_cm2": 0.81, "date": "2026-06-01"}]
    assert [one.origin.reference for one in mapping.unused] == ["Observation/o#component[2]"]


def test_answers_are_read_by_their_codes() -> None:
    smoking = observation("72166-2", valueCodeableConcept=concept(SNOMED, "8517006"))
    assert value_of(smoking, field="smoking") == "former"
    pregnant = observation("82810-3", valueCodeableConcept=concept(LOINC, "LA15173-0"))
    assert value_of(pregnant, field="pregnant") is True
    assert reasons(observation("72166-2", valueCodeableConcept={"text": "smoker"})) == ["value_type"]
    assert reasons(pregnant | {"effectiveDateTime": "2025-11-01"}) == ["out_of_date"]


def test_a_drink_is_no_unit_of_alcohol() -> None:
    assert reasons(observation("74013-4", 2, "{drinks}/d")) == ["no_field"]


def test_codes_that_stand_for_different_things_are_not_chosen_between() -> None:
    both = {"coding": [{"system": LOINC, "code": code} for code in ("29463-7", "8302-2")]}
    assert reasons(observation("29463-7", 58) | {"code": both}) == ["ambiguous_code"]
    two = {"coding": [*concept(ICD10, "M05")["coding"], *concept(SNOMED, "239873007")["coding"]]}
    assert reasons(condition("M05") | {"code": two}) == ["ambiguous_code"]
    one = {"coding": [*concept(SNOMED, "443165006")["coding"], *concept(ICD10, "S72.0")["coding"]]}
    assert value_of(condition("S72.0") | {"code": one}, field="prior_fractures") == [{"site": "hip"}]


@pytest.mark.parametrize(
    ("code", "name"),
    [
        ("M05.9", "rheumatoid_arthritis"),
        ("E21.0", "primary_hyperparathyroidism"),
        ("E10", "diabetes_type_1"),
        ("M17.1", "knee_osteoarthritis"),
    ],
)
def test_a_condition_is_read_from_icd_10(code: str, name: str) -> None:
    assert value_of(condition(code), field="medical_conditions") == [name]
    assert value_of(condition(code, "http://hl7.org/fhir/sid/icd-10-cm"), field="medical_conditions") == [name]


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        ({"verificationStatus": concept("x", "provisional")}, "unconfirmed"),
        ({"verificationStatus": concept("x", "entered-in-error")}, "status"),
        ({"clinicalStatus": concept("x", "resolved")}, "not_current"),
        ({"onsetDateTime": "2099-01-01"}, "future_date"),
    ],
)
def test_a_condition_that_is_not_there_for_sure_is_not_used(more: dict[str, Any], reason: str) -> None:
    assert reasons(condition("E05", **more)) == [reason]


def test_a_refuted_condition_is_excluded_and_one_that_nobody_named_is_unknown() -> None:
    refuted = condition("M05", verificationStatus=concept("x", "refuted"))
    record = mapped(refuted).record
    assert record is not None
    assert record["medical_conditions_excluded"] == ["rheumatoid_arthritis"]
    assert "medical_conditions" not in record
    assert reasons(condition("M05"), refuted) == ["contradicted"]


def test_what_is_over_counts_where_it_leaves_a_mark() -> None:
    over = {"clinicalStatus": concept("x", "resolved")}
    assert value_of(condition("I63.9", **over), field="medical_conditions") == ["stroke"]
    assert value_of(condition("C50", **over), field="medical_conditions") == ["breast_cancer"]


def test_a_fracture_has_its_site_and_time_and_nobody_says_how_it_came_about() -> None:
    assert value_of(condition("S72.0", onsetDateTime="2026-05-27"), field="prior_fractures") == [
        {"site": "hip", "months_ago": 6.0}
    ]
    age = {"value": 60, "system": UCUM, "code": "a"}
    assert value_of(condition("S52.5", onsetAge=age), field="prior_fractures") == [{"site": "wrist", "age": 60.0}]
    assert reasons(condition("S52.5", onsetAge=age | {"value": 80})) == ["out_of_range"]
    assert reasons(condition("443165006", SNOMED)) == ["no_field"]


@pytest.mark.parametrize("code", ["M81.0", "M80"])
def test_osteoporosis_itself_is_named_and_not_used(code: str) -> None:
    [unused] = mapped(condition(code)).unused
    assert unused.reason == "no_field"
    assert "T-scores" in unused.why


def test_medicines_are_read_from_atc_and_rxnorm() -> None:
    assert value_of(medicine("H02AB06"), field="medications") == ["glucocorticoids"]
    assert value_of(medicine("993449", "http://www.nlm.nih.gov/research/umls/rxnorm"), field="medications") == [
        "denosumab"
    ]
    order = medicine("M05BA08", resourceType="MedicationRequest", intent="order")
    assert value_of(order, field="medications") == ["iv_bisphosphonate"]
    assert value_of(medicine("A02BC01", status="not-taken"), field="medications_excluded") == ["proton_pump_inhibitors"]


@pytest.mark.parametrize(
    ("resource", "reason"),
    [
        (medicine("M05BA06"), "ambiguous_code"),
        (medicine("G03CA03"), "ambiguous_code"),
        (medicine("X99"), "unknown_code"),
        (medicine("", medicationCodeableConcept={"text": "alendronate 70 mg"}), "unknown_code"),
        (medicine("H02AB06", status="completed"), "not_current"),
        (medicine("H02AB06", effectivePeriod={"end": "2026-01-01"}), "not_current"),
        (medicine("H02AB06", resourceType="MedicationRequest", intent="proposal"), "status"),
        (medicine("H02AB06", resourceType="MedicationRequest", intent="order", doNotPerform=True), "not_current"),
    ],
)
def test_a_medicine_that_is_not_taken_for_sure_is_not_used(resource: dict[str, Any], reason: str) -> None:
    assert reasons(resource) == [reason]


@pytest.mark.parametrize("called", ["Medication/x", "#x", "urn:uuid:1"])
def test_a_medicine_may_be_a_resource_of_its_own(called: str) -> None:
    drug = {"resourceType": "Medication", "id": "x", "code": concept("http://www.whocc.no/atc", "H02AB06")}
    taken = medicine("", medicationCodeableConcept=None, medicationReference={"reference": called}, contained=[drug])
    sent = bundle(taken if called == "#x" else {**taken, "contained": []})
    if called != "#x":
        sent["entry"].append({"fullUrl": "urn:uuid:1", "resource": drug})
    record = map_resources(sent, TODAY).record
    assert record is not None
    assert record["medications"] == ["glucocorticoids"]


@pytest.mark.parametrize(
    "subject",
    [
        {"reference": "Patient/other"},
        {"reference": "https://else.example/fhir/Patient/p"},
        {"reference": "p"},
        {"identifier": {"system": "urn:oid:1", "value": "MRN-2"}},
        {},
        None,
        7,
    ],
)
def test_what_is_of_another_patient_is_never_used(subject: Any) -> None:
    assert reasons(observation("29463-7", 58) | {"subject": subject}) == ["other_patient"]


@pytest.mark.parametrize(
    "subject",
    [{"reference": "Patient/p"}, {"reference": "Patient/p/_history/3"}, {"reference": "urn:uuid:1"},
     {"reference": "https://here.example/fhir/Patient/q"}, {"identifier": {"system": "urn:oid:1", "value": "MRN-1"}}],
)  # fmt: skip
def test_the_patient_may_be_called_by_any_of_its_names(subject: dict[str, Any]) -> None:
    patient = PATIENT | {"identifier": [{"system": "urn:oid:1", "value": "MRN-1"}]}
    for address in ("urn:uuid:1", "https://here.example/fhir/Patient/q"):
        weight = observation("29463-7", 58) | {"subject": subject}
        sent = bundle(weight, patient=None)
        sent["entry"] += [{"fullUrl": "urn:uuid:1", "resource": patient}, {"fullUrl": address, "resource": patient}]
        if address == "urn:uuid:1" and "here" in str(subject):
            continue
        record = map_resources(sent, TODAY).record
        assert record is not None
        assert record["weight_kg"] == 58


def test_two_patients_in_one_bundle_are_refused() -> None:
    with pytest.raises(InvalidInput, match="several patients"):
        mapped({**PATIENT, "id": "q"})


@pytest.mark.parametrize(
    ("born", "age"), [("1959-03-02", 67), ("1959-11-27", 67), ("1959-11-28", 66), ("1959-11", 67), ("2026-11-27", 0)]
)
def test_the_age_is_in_completed_years(born: str, age: float) -> None:
    record = map_resources(bundle(patient={**PATIENT, "birthDate": born}), TODAY).record
    assert record is not None
    assert record["age"] == age


@pytest.mark.parametrize("born", [None, "1959", "2027-01-01", "0000-01-01", "long ago", 1959])
def test_without_an_age_there_is_no_record(born: Any) -> None:
    mapping = map_resources(bundle(patient={**PATIENT, "birthDate": born}), TODAY)
    assert [fault.field for fault in mapping.faults] == ["Patient.birthDate"]
    with pytest.raises(InvalidRecord, match=r"Patient\.birthDate"):
        case_of(mapping)


def test_the_sex_recorded_at_birth_is_read_where_it_says_more() -> None:
    url = "http://hl7.org/fhir/us/core/StructureDefinition/us-core-birthsex"
    patient = {**PATIENT, "gender": "other", "extension": [{"url": url, "valueCode": "M"}]}
    record = map_resources(bundle(patient=patient), TODAY).record
    assert record is not None
    assert (record["gender"], record["sex_recorded_at_birth"]) == ("other", "male")
    assert "sex_recorded_at_birth" not in (
        map_resources(bundle(patient={**patient, "gender": "male"}), TODAY).record or {}
    )


@pytest.mark.parametrize(
    ("identifiers", "number"),
    [
        ([], None),
        ([{"value": "A"}], "A"),
        ([{"value": "A\ud800"}], None),
        ([{"value": "A" * 65}], None),
        ([{"value": "A", "use": "old"}, {"value": "B"}], "B"),
        ([{"value": "A"}, {"value": "B", "type": concept("x", "MR")}], "B"),
        ([{"value": "A", "type": concept("x", "MR")}, {"value": "C", "system": "urn:oid:1"}], "C"),
    ],
)
def test_the_hospitals_number_is_the_one_that_is_known_as_such(
    identifiers: list[dict[str, Any]], number: str | None
) -> None:
    mapping = map_resources(bundle(patient={**PATIENT, "identifier": identifiers}), TODAY, ["urn:oid:1"])
    assert mapping.patient_number == number


def test_two_numbers_that_nothing_tells_apart_are_a_fault() -> None:
    patient = {**PATIENT, "identifier": [{"value": "A"}, {"value": "B"}]}
    assert [one.field for one in map_resources(bundle(patient=patient), TODAY).faults] == ["Patient.identifier"]


def test_an_image_alone_needs_no_patient_and_findings_do() -> None:
    picture = {"resourceType": "Binary", "contentType": "image/png", "data": "aGVsbG8="}
    case = case_of(map_resources(bundle(picture, patient=None), TODAY))
    assert (case.image, case.risk) == (b"hello", None)
    with pytest.raises(InvalidRecord, match="Patient"):
        case_of(map_resources(bundle(observation("29463-7", 58), patient=None), TODAY))
    with pytest.raises(InvalidRecord, match="Patient"):
        case_of(map_resources({"resourceType": "Bundle"}, TODAY))


def test_parameters_hold_a_bundle_and_an_image() -> None:
    attachment = {"contentType": "application/dicom", "data": "aGVsbG8="}
    body = {
        "resourceType": "Parameters",
        "parameter": [
            {"name": "record", "resource": bundle(observation("29463-7", 58))},
            {"name": "image", "valueAttachment": attachment},
        ],
    }
    case = case_of(map_resources(body, TODAY))
    assert case.image == b"hello"
    assert case.risk is not None
    assert case.risk.record.age == 67


@pytest.mark.parametrize(
    ("resource", "reason"),
    [
        ({"resourceType": "Binary", "contentType": "application/pdf", "data": "aGVsbG8="}, "value_type"),
        ({"resourceType": "Media", "content": {"contentType": "image/png", "url": "http://10.0.0.1/x"}}, "no_pixels"),
        ({"resourceType": "ImagingStudy", "id": "s"}, "resource_type"),
    ],
)
def test_what_is_no_picture_is_named_and_no_address_is_followed(resource: dict[str, Any], reason: str) -> None:
    assert reasons(resource) == [reason]


@pytest.mark.parametrize("data", ["%%%%", "aGVsbG8", "aG==VsbG8=", "aGVs\nbG8="])
def test_data_that_is_no_base64_is_refused(data: str) -> None:
    with pytest.raises(InvalidInput, match="base64"):
        mapped({"resourceType": "Binary", "contentType": "image/png", "data": data})


@pytest.mark.parametrize("body", [None, [], "x", 7, {}, {"resourceType": "Patient"}, {"resourceType": ["Bundle"]}])
def test_what_is_no_bundle_is_refused(body: Any) -> None:
    with pytest.raises(InvalidInput, match="Bundle or Parameters"):
        map_resources(body, TODAY)


def test_what_was_not_used_is_told_in_so_many_lines_and_no_more() -> None:
    lines = left_out(mapped(*[{"resourceType": "Immunization", "id": str(number)} for number in range(200)]))
    assert len(lines) == MOST_LEFT_OUT + 1
    assert lines[-1] == "And 150 more."


def test_nothing_is_lost_of_a_random_record_that_has_codes() -> None:
    """What is written with codes comes back as it was: numbers, answers, scans, conditions and medicines."""
    random, compared = Random(20261127), 0
    for _ in range(300):
        record = json.loads(json.dumps(some_record(random)))
        sent = as_fhir(record)
        mapping = map_resources(sent, TODAY)
        assert mapping.record is not None
        assert not mapping.faults
        assert len(mapping.used) + len(mapping.unused) == len(sent["entry"]) - 1
        unused = {one.reason for one in mapping.unused}
        assert unused <= {"out_of_range", "future_date", "superseded", "before_birth"}
        for field, value in mapping.record.items():
            compared += field not in ("age", "gender")
            if field in ("t_scores", "z_scores"):
                kept = [{k: v for k, v in one.items() if k != "method"} for one in record[field]]
                assert all(one in kept for one in value)
            elif isinstance(value, list):
                assert set(value) <= set(record[field])
            else:
                assert value == pytest.approx(record[field])
        read_record(mapping.record)
    assert compared > 1200
