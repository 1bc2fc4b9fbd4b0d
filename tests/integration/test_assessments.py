"""One assessment through all five rooms, in one process."""

import asyncio
import io
import json
from uuid import UUID

import numpy as np
import pytest
from PIL import Image

RECORD = {"age": 67, "gender": "female", "weight_kg": 58}


def png(pixels, mode=None, **given):
    buffer = io.BytesIO()
    Image.fromarray(pixels, mode).save(buffer, "PNG", **given) if mode else Image.fromarray(pixels).save(
        buffer, "PNG", **given
    )
    return buffer.getvalue()


async def assess(shared_api, image=None, record=None, headers=None, **fields):
    files = {"image": ("image", image)} if image is not None else {}
    data = {"clinical": json.dumps(record)} if record is not None else {}
    # httpx sends a form without files urlencoded; (None, text) parts make it multipart.
    parts = {name: (None, value) for name, value in {**data, **fields}.items()}
    return await shared_api.post("/v1/assessments", files={**files, **parts}, headers=headers)


def problem(answer, status, slug):
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    document = answer.json()
    assert document["type"] == f"urn:trabecula:problem:{slug}"
    assert document["detail"]
    return document


async def test_a_knee_and_a_record_give_a_complete_assessment(shared_api, knee_jpeg):
    answer = await assess(shared_api, knee_jpeg, RECORD, patient_number="MRN-1")
    assert answer.status_code == 201, answer.text
    assessment = answer.json()
    assert assessment["status"] == "complete", assessment["warnings"]
    assert UUID(assessment["id"]).version == 7
    assert assessment["imaging"]["anatomy"] == "knee"
    assert sum(assessment["imaging"]["probabilities"].values()) == pytest.approx(1, abs=1e-3)
    assert sum(assessment["staging"]["probabilities"]) == pytest.approx(1, abs=1e-3)
    assert assessment["staging"]["stage"] == max(knee["stage"] for knee in assessment["staging"]["knees"])
    assert 0 <= assessment["clinical"]["probability"] <= 1
    assert set(assessment["clinical"]["scores"]) == {"ost", "osta", "orai", "osiris", "score", "mores"}
    assert assessment["combined"]["basis"]
    assert assessment["recommendation"]["items"]
    assert "not a medical device" in assessment["disclaimer"]
    stored = await shared_api.get(f"/v1/assessments/{assessment['id']}")
    assert stored.json() == assessment


async def test_a_record_alone(shared_api):
    assessment = (await assess(shared_api, record=RECORD)).json()
    assert assessment["status"] == "complete"
    assert assessment["imaging"] is assessment["staging"] is None
    assert assessment["warnings"] == []


async def test_a_radiograph_alone(shared_api, knee_jpeg):
    assessment = (await assess(shared_api, knee_jpeg)).json()
    assert assessment["status"] == "complete"
    assert assessment["clinical"] is None
    assert assessment["staging"]


async def test_a_spine_is_not_staged(shared_api, spine_jpeg):
    assessment = (await assess(shared_api, spine_jpeg, RECORD)).json()
    assert assessment["imaging"]["anatomy"] == "spine"
    assert assessment["staging"] is None


async def test_the_lifestyle_model_by_name(shared_api):
    record = {
        "age": 55, "gender": "female", "hormonal_changes": "postmenopausal", "family_history": True,
        "ethnicity": "asian", "body_weight": "normal", "calcium_intake": "low", "vitamin_d_intake": "sufficient",
        "physical_activity": "sedentary", "smoking": False, "alcohol_consumption": "none",
        "medical_conditions": "none", "medications": "none", "prior_fractures": False,
    }  # fmt: skip
    answer = await assess(shared_api, record=record, clinical_model="lifestyle")
    assert answer.status_code == 201, answer.text
    assert answer.json()["clinical"]["probability"] > 0.5


NOT_READ = {
    "not an image": b"hello, this is no image at all",
    "zero bytes": b"",
    "a PDF": b"%PDF-1.7 and so on",
}


@pytest.mark.parametrize("name", NOT_READ)
@pytest.mark.parametrize("record", [None, RECORD])
async def test_bytes_that_cannot_be_decoded_are_always_422(shared_api, name, record):
    answer = await assess(shared_api, NOT_READ[name], record)
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"


async def test_a_truncated_jpeg(shared_api, knee_jpeg):
    problem(await assess(shared_api, knee_jpeg[: len(knee_jpeg) // 2], RECORD), 422, "unreadable-image")


async def test_a_cmyk_jpeg(shared_api):
    buffer = io.BytesIO()
    Image.new("CMYK", (300, 300)).save(buffer, "JPEG")
    problem(await assess(shared_api, buffer.getvalue()), 422, "unsupported-image")


@pytest.mark.parametrize("kind", ["16-bit", "palette"])
async def test_unusual_pngs_are_read(shared_api, kind):
    from shared.radiograph.phantom import knee

    pixels = knee(bone_density=0.7, size=(600, 500))
    if kind == "16-bit":
        data = png(pixels.astype(np.uint16) * 200)
    else:
        buffer = io.BytesIO()
        Image.fromarray(pixels).convert("P").save(buffer, "PNG")
        data = buffer.getvalue()
    answer = await assess(shared_api, data, RECORD)
    assert answer.status_code == 201, answer.text
    assert answer.json()["imaging"], answer.json()["warnings"]


async def test_a_header_of_50000_by_50000(shared_api):
    header = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" + (50_000).to_bytes(4, "big") * 2 + b"\x08\x00\x00\x00\x00"
    import zlib

    header += zlib.crc32(header[12:]).to_bytes(4, "big")
    assert "50000" in problem(await assess(shared_api, header), 422, "image-too-large")["detail"].replace(",", "")


async def test_a_blank_image_is_refused_with_the_reason(shared_api):
    document = problem(await assess(shared_api, png(np.full((400, 400), 128, np.uint8))), 422, "image-refused")
    assert document["reason"] == "blank"


async def test_a_refused_image_beside_a_record_makes_it_partial(shared_api):
    answer = await assess(shared_api, png(np.full((400, 400), 128, np.uint8)), RECORD)
    assert answer.status_code == 201
    assessment = answer.json()
    assert assessment["status"] == "partial"
    assert assessment["imaging"] is None
    assert assessment["clinical"]
    assert [(warning["component"], warning["reason"]) for warning in assessment["warnings"]] == [("imaging", "blank")]


async def test_a_tiny_image_is_refused(shared_api):
    document = problem(
        await assess(shared_api, png(np.arange(10_000, dtype=np.uint8).reshape(100, 100))), 422, "image-refused"
    )
    assert document["reason"] == "too_small"


@pytest.mark.parametrize(
    ("record", "field"),
    [
        ({"age": -1, "gender": "female"}, "clinical.age"),
        ({"age": 67, "gender": "female", "weight_kg": 900}, "clinical.weight_kg"),
        ({"age": 67, "gender": "female", "shoe_size": 38}, "clinical.shoe_size"),
    ],
)
async def test_a_bad_record_names_the_field(shared_api, record, field):
    document = problem(await assess(shared_api, record=record), 422, "invalid-record")
    assert [error["field"] for error in document["errors"]] == [field]


async def test_a_record_that_is_not_json(shared_api):
    answer = await shared_api.post("/v1/assessments", files={"clinical": (None, "age=67")})
    problem(answer, 422, "invalid-record")


async def test_a_record_may_be_a_file_part(shared_api):
    answer = await shared_api.post("/v1/assessments", files={"clinical": ("record.json", json.dumps(RECORD))})
    assert answer.status_code == 201


async def test_neither_image_nor_record(shared_api):
    problem(await shared_api.post("/v1/assessments", files={"patient_number": (None, "MRN-1")}), 422, "missing-input")


async def test_unknown_and_repeated_parts(shared_api):
    problem(await assess(shared_api, record=RECORD, x_ray="no"), 422, "invalid-input")
    twice = [("clinical", (None, json.dumps(RECORD)))] * 2
    problem(await shared_api.post("/v1/assessments", files=twice), 422, "invalid-input")


async def test_a_body_that_is_no_form(shared_api):
    problem(await shared_api.post("/v1/assessments", json=RECORD), 422, "invalid-input")
    broken = await shared_api.post("/v1/assessments", content=b"x", headers={"content-type": "multipart/form-data"})
    problem(broken, 400, "bad-request")


async def test_the_same_key_and_request_give_the_same_answer(shared_api):
    headers = {"Idempotency-Key": "case-1"}
    first = (await assess(shared_api, record=RECORD, headers=headers)).json()
    assert (await assess(shared_api, record=RECORD, headers=headers)).json() == first
    problem(await assess(shared_api, record={**RECORD, "age": 68}, headers=headers), 409, "conflict")


async def test_the_same_key_at_the_same_time_is_stored_once(shared_api):
    headers = {"Idempotency-Key": "case-2"}
    answers = await asyncio.gather(*(assess(shared_api, record=RECORD, headers=headers) for _ in range(4)))
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.json()["id"] for answer in answers}) == 1


async def test_pages_run_through_every_assessment_once(shared_api):
    made = [(await assess(shared_api, record=RECORD, patient_number="pages")).json()["id"] for _ in range(5)]
    seen, before = [], None
    while True:
        query = {"limit": 2, "patient_number": "pages", **({"before": before} if before else {})}
        page = (await shared_api.get("/v1/assessments", params=query)).json()
        seen += [item["id"] for item in page["items"]]
        if (before := page["next"]) is None:
            break
    assert seen == made[::-1]


async def test_an_assessment_that_is_not_there(shared_api):
    problem(await shared_api.get("/v1/assessments/0199f7a1-7b1c-7c3e-8f00-3a5d9b1e2c4d"), 404, "not-found")
    problem(await shared_api.get("/v1/assessments/17"), 422, "invalid-request")


async def test_the_cards_of_all_models(shared_api):
    cards = (await shared_api.get("/v1/models")).json()
    assert cards["unavailable"] == []
    assert [card["service"] for card in cards["models"]] == [
        "imaging", "staging", "clinical", "clinical", "recommender",
    ]  # fmt: skip
    assert all(card["version"] and card["limits"] for card in cards["models"])


async def test_health_lists_every_dependency(shared_api):
    answer = await shared_api.get("/health/ready")
    assert answer.status_code == 200
    assert answer.json() == {
        "status": "ready",
        "dependencies": dict.fromkeys(["database", "imaging", "staging", "clinical", "recommender"], "ready"),
    }


async def test_low_bone_mass_with_frax_over_its_threshold_stays_high(shared_api):
    record = {"age": 68, "gender": "female", "t_scores": [{"site": "total_hip", "value": -1.8}]}
    record |= {"frax_major": 24, "frax_country": "us"}
    answer = await shared_api.post("/v1/assessments", files={"clinical": (None, json.dumps(record))})
    combined = answer.json()["combined"]
    assert (answer.json()["clinical"]["decided_by"], combined["category"]) == ("frax", "high")
    assert combined["diagnosis"]["who_class"] == "low_bone_mass"
    assert "Low bone mass" in combined["basis"][0]
    assert "FRAX" in combined["basis"][1]


async def test_below_fifty_the_film_says_nothing_of_bone_anywhere(shared_api, knee_jpeg):
    record = json.dumps({"age": 45, "gender": "female"})
    files = {"image": ("knee.jpg", knee_jpeg), "clinical": (None, record)}
    made = (await shared_api.post("/v1/assessments?pictures=true", files=files)).json()
    assert made["imaging"]["indeterminate"] is True
    assert "below 50 years of age" in made["imaging"]["summary"]
    assert made["combined"]["probability_with_image"] is None
    assert "The radiograph is indeterminate and changes nothing." in made["combined"]["basis"]
    assert set(made["pictures"]) == {"preview", "imaging", "staging"}
    assert made["pictures"]["imaging"] is None
    stored = (await shared_api.get(f"/v1/assessments/{made['id']}")).json()
    assert stored["imaging"] == made["imaging"]
    items = {item["id"] for item in made["recommendation"]["items"]}
    assert "referral.dxa.image" not in items


async def test_a_film_alone_gives_no_category(shared_api, knee_jpeg):
    made = (await shared_api.post("/v1/assessments", files={"image": ("knee.jpg", knee_jpeg)})).json()
    assert made["combined"]["category"] is None
    assert made["combined"]["diagnosis"] is None
