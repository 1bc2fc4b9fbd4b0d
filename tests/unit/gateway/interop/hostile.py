"""Bundles with something in them that nobody expects."""

from random import Random
from typing import Any

from tests.unit.gateway.interop.sent import PATIENT, bundle, condition, medicine, observation

ODD: list[Any] = [
    None, True, False, 0, -1, 10**400, 1e308, -0.0, "", "x", "\ud800", "\x00", "9999-12-31", "0001-01-01", "2026-02-30",
    "2026-13", [], {}, [[]], [None], {"coding": 7}, {"coding": [None, 7, {}]}, {"reference": ["Patient/p"]},
    {"reference": "Patient/p"}, [{"resource": None}], {"value": "1"}, "9999-12-31T23:59:60-14:00", "\u202e", "x" * 1000,
]  # fmt: skip


def good() -> dict[str, Any]:
    """A Bundle of every kind of resource that is read."""
    drug = {"resourceType": "Medication", "id": "x", "code": {"coding": [{"system": "s", "code": "c"}]}}
    patient = {**PATIENT, "identifier": [{"system": "urn:oid:1", "value": "A"}], "extension": [{"url": "u"}]}
    return bundle(
        observation("29463-7", 58),
        observation("38267-1", -2.5, "1", bodySite={"coding": []}, component=[observation("24966-4", 0.8, "g/cm2")]),
        condition("S72.0", onsetDateTime="2024-05", onsetAge={"value": 60}),
        condition("M05", verificationStatus={"coding": [{"code": "refuted"}]}),
        medicine("H02AB06", contained=[drug], effectivePeriod={"end": "2027"}),
        {"resourceType": "Binary", "contentType": "image/png", "data": "aGVsbG8="},
        drug,
        patient=patient,
    )


def spoiled(value: Any, random: Random) -> Any:
    """The tree with one place of it replaced, added to, or taken out."""
    if isinstance(value, dict) and value and random.random() < 0.9:
        name = random.choice(list(value))
        if random.random() < 0.1:
            return {other: part for other, part in value.items() if other != name}
        return {**value, name: spoiled(value[name], random)}
    if isinstance(value, list) and value and random.random() < 0.9:
        place = random.randrange(len(value))
        return [spoiled(part, random) if number == place else part for number, part in enumerate(value)]
    return random.choice(ODD)
