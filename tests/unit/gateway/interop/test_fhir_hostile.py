"""Whatever JSON comes, reading it ends in a mapping or a refusal, in a time that grows with its size and no faster."""

import json
import time
from random import Random
from typing import Any

import pytest

from gateway.interop.fhir.reading.case import case_of
from gateway.interop.fhir.reading.explanation import as_json, as_lines, as_parameters
from gateway.interop.fhir.reading.mapping import Mapping, left_out, map_resources
from gateway.interop.fhir.reading.parsing import MOST_VALUES, parse_json
from gateway.interop.fhir.resource import to_bytes
from shared.problems import InvalidInput, MalformedBody, TrabeculaError
from tests.unit.gateway.interop.hostile import ODD, good, spoiled
from tests.unit.gateway.interop.sent import (
    PATIENT,
    SUBJECT,
    TODAY,
    bundle,
    condition,
    medicine,
    observation,
)

SEED, ROUNDS = 20261127, 3000


def explained(mapping: Mapping) -> None:
    """Everything that is made of a mapping can be written and sent."""
    to_bytes(as_parameters(mapping))
    json.dumps(as_json(mapping))
    "\n".join([*as_lines(mapping), *left_out(mapping)]).encode()


def read(body: Any) -> None:
    try:
        mapping = map_resources(body, TODAY, ["urn:oid:1"], "femoral_neck")
        explained(mapping)
        case_of(mapping)
    except TrabeculaError:
        return


def test_a_bundle_spoiled_anywhere_is_read_or_refused() -> None:
    random = Random(SEED)
    for _ in range(ROUNDS):
        body = good()
        for _ in range(random.choice([1, 1, 2, 5])):
            body = spoiled(body, random)
        read(body)


@pytest.mark.parametrize("odd", ODD, ids=repr)
def test_no_field_breaks_by_what_is_in_it(odd: Any) -> None:
    whole = good()
    for number, entry in enumerate(whole["entry"]):
        for name in entry["resource"]:
            changed = {**entry["resource"], name: odd}
            read({**whole, "entry": [*whole["entry"][:number], {"resource": changed}, *whole["entry"][number + 1 :]]})


def test_references_in_a_circle_lead_nowhere() -> None:
    circle = [
        {"resourceType": "Medication", "id": name, "code": {}, "ingredient": [{"itemReference": {"reference": other}}]}
        for name, other in (("a", "Medication/b"), ("b", "Medication/a"))
    ]
    taken = medicine("", medicationCodeableConcept=None, medicationReference={"reference": "Medication/a"})
    mapping = map_resources(bundle(taken, *circle), TODAY)
    assert [one.reason for one in mapping.unused] == ["unknown_code"]


def test_what_is_nested_too_deeply_is_refused() -> None:
    for text in ("[" * 50_000, '{"a":' * 20_000, '{"resourceType":"Bundle","entry":' + "[" * 30_000):
        with pytest.raises(MalformedBody):
            parse_json(text.encode())
    deep: dict[str, Any] = {}
    for _ in range(800):
        deep = {"x": deep}
    read(bundle({**PATIENT, "x": deep}, {**PATIENT, "x": deep}))


@pytest.mark.parametrize(
    "text", ["NaN", '{"a": Infinity}', '{"a": -Infinity}', "", "{", '{"a": 1, "a": 2}', "\ufeff{", "1" * 5000]
)
def test_what_is_no_json_is_refused(text: str) -> None:
    with pytest.raises(MalformedBody):
        parse_json(text.encode())


def test_what_is_no_utf_8_is_refused() -> None:
    with pytest.raises(MalformedBody):
        parse_json(b'{"a": "\xff\xfe"}')


def test_a_byte_order_mark_and_a_number_without_end_are_read() -> None:
    assert parse_json(b'\xef\xbb\xbf{"a": 1e400}') == {"a": float("inf")}


def test_more_values_than_any_patient_has_are_refused_before_they_are_parsed() -> None:
    with pytest.raises(InvalidInput, match="values"):
        parse_json(b"[" + b"1," * (MOST_VALUES + 1) + b"1]")


@pytest.mark.parametrize(
    "resource",
    [
        observation("38267-1", -2.5, "1"),
        observation("x" * 50),
        condition("S72.0"),
        condition("Z" * 50),
        medicine("H02AB06"),
        {**PATIENT, "identifier": [{"value": "1"}]},
        {"resourceType": "Medication", "id": "x"},
        {"resourceType": "Nonsense", "id": "x"},
    ],
    ids=lambda resource: str(resource["resourceType"]),
)
def test_the_time_grows_with_the_size_and_no_faster(resource: dict[str, Any]) -> None:
    def seconds(count: int) -> float:
        varied = [
            {**resource, "id": f"{resource['resourceType']}-{number}", "subject": SUBJECT} for number in range(count)
        ]
        body = {"resourceType": "Bundle", "entry": [{"resource": one} for one in varied]}
        best = float("inf")
        for _ in range(3):
            began = time.process_time()
            read(body)
            best = min(best, time.process_time() - began)
        return best

    seconds(10)
    assert seconds(2000) < 20 * seconds(200) + 0.05


def test_texts_of_a_megabyte_are_shown_short() -> None:
    long = "x" * 1_000_000
    mapping = map_resources(bundle(observation(long), condition(long), medicine(long), {"resourceType": long}), TODAY)
    assert len("\n".join(as_lines(mapping))) < 3000
    assert sum(map(len, left_out(mapping))) < 3000
