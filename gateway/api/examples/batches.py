"""What the OpenAPI page shows of batches."""

import json
from typing import Any

BATCH: dict[str, Any] = {
    "id": "019a0c11-5b0a-7d63-9d0e-0b2f6a7c8d9e",
    "created_at": "2026-11-24T09:30:00Z",
    "status": "working",
    "total": 3,
    "waiting": 1,
    "working": 1,
    "done": 1,
    "failed": 0,
    "cancelled": 0,
}
CANCELLED = {**BATCH, "status": "cancelled", "waiting": 0, "working": 0, "cancelled": 2}
CASES: dict[str, Any] = {
    "items": [
        {
            "position": 0,
            "reference": "case-1",
            "status": "done",
            "assessment_id": "019a0c11-6c1b-7e74-8e1f-1c3a7b8d9eaf",
            "problem": None,
        },
        {
            "position": 1,
            "reference": "case-2",
            "status": "failed",
            "assessment_id": None,
            "problem": {
                "type": "urn:trabecula:problem:image-refused",
                "title": "The image cannot be assessed",
                "status": 422,
                "detail": "The image is blank.",
                "reason": "blank",
            },
        },
    ],
    "next": None,
}
MANIFEST = json.dumps(
    {
        "cases": [
            {"reference": "case-1", "patient_number": "MRN-1", "clinical": {"age": 67, "gender": "female"}},
            {"reference": "case-2", "image": "knee.jpg"},
        ]
    }
)
