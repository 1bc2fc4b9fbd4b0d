"""Results for the tests of translations: whole answers of the real parts, with a film's source or not."""

import datetime as dt
from pathlib import Path
from typing import Any
from uuid import UUID

import yaml

import tests.unit.answer
from gateway.assessing.results import ResultContent
from gateway.interop.fhir.writing.result import Result
from shared.contracts.assessment import Assessment
from shared.contracts.film import FilmSource
from tests.unit.answer.whole import Answer, answer_to

MADE_AT = dt.datetime(2026, 11, 26, 9, 30, tzinfo=dt.UTC)
ASSESSMENT_ID = UUID("0199f7a1-7b1c-7c3e-8f00-3a5d9b1e2c4d")
ORGANISATION_ID = UUID("0199f7a1-0000-7000-8000-000000000001")
PATIENT_ID = UUID("0199f7a1-0000-7000-8000-000000000002")
ROOT = "https://clinic.example"
SOURCE = FilmSource(
    study_uid="1.2.826.0.1.5", series_uid="1.2.826.0.1.5.1", sop_uid="1.2.826.0.1.5.1.1", accession="A-1"
)
VIGNETTES = Path(tests.unit.answer.__path__[0]) / "vignettes.yaml"


def assessment_of(answer: Answer, **more: Any) -> Assessment:
    """The answer as it would be stored."""
    return Assessment(
        id=ASSESSMENT_ID,
        created_at=MADE_AT,
        **{
            "status": "complete",
            "patient_number": "MRN-1",
            "imaging": answer.imaging,
            "staging": answer.staging,
            "clinical": answer.clinical,
            "combined": answer.combined,
            "recommendation": answer.recommendation,
            **more,
        },
    )


def content_of(answer: Answer, **more: Any) -> ResultContent:
    """The same as another system gets it."""
    has_film = answer.imaging is not None
    film = {"modality": "DX", "sop_class_uid": "1.2.840.10008.5.1.4.1.1.1.1", "image_sha256": "ab" * 32}
    return ResultContent(
        assessment_of(answer, **{"source": SOURCE if has_film else None, **more}),
        ORGANISATION_ID,
        PATIENT_ID,
        gender=answer.record.gender,
        record_sha256="cd" * 32,
        **(film if has_film else {}),
    )


def result_of(content: ResultContent, patient_system: str | None = None) -> Result:
    """Ready to be translated."""
    return Result(content, ROOT, patient_system, "0.1.0")


def vignettes() -> dict[str, ResultContent]:
    """Every invented patient of the answers' tests, by name."""
    rows: list[dict[str, Any]] = yaml.safe_load(VIGNETTES.read_text())
    return {row["id"]: content_of(answer_to(row["record"], row.get("image"), row.get("kl"))) for row in rows}


def films() -> list[ResultContent]:
    """One record beside every kind of film, with and without a grade."""
    record = {"age": 72, "gender": "female", "menopausal_status": "postmenopausal", "weight_kg": 58.0}
    looks = ("osteoporosis", "low_bone_mass", "normal", "indeterminate")
    return [content_of(answer_to(record, look, grade)) for look in looks for grade in (None, 0, 3)]
