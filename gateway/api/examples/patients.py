"""What the OpenAPI page shows of patients."""

from typing import Any

ID = "019a0c11-5b0a-7d63-9d0e-0b2f6a7c8d9e"
ASSESSMENT_ID = "019a0c11-6c1b-7e74-8e1f-1c3a7b8d9eaf"
PATIENT: dict[str, Any] = {
    "id": ID,
    "patient_number": "MRN-1",
    "created_at": "2025-11-03T10:00:00Z",
    "last_assessment_at": "2026-11-24T09:30:00Z",
    "restricted": False,
    "merged_numbers": [],
}
T_SCORE: dict[str, Any] = {
    "date": "2025-11-03", "dated": True, "kind": "t_score", "site": "total_hip", "value": -1.8, "method": "dxa",
    "low_trauma": None, "assessment": None, "source": "measurement", "source_id": ID,
}  # fmt: skip
TIMELINE: dict[str, Any] = {
    "patient_number": "MRN-1",
    "entries": [
        T_SCORE,
        {
            **T_SCORE, "date": "2026-11-24", "kind": "assessment", "site": None, "value": None, "method": None,
            "assessment": {
                "review": "preliminary",
                "id": ASSESSMENT_ID, "status": "complete", "category": "high", "who_class": "low_bone_mass",
                "image": "normal", "kl_grade": 2,
            },
            "source": "assessment", "source_id": ASSESSMENT_ID,
        },
        {**T_SCORE, "date": "2026-11-24", "value": -2.3, "source": "assessment", "source_id": ASSESSMENT_ID},
    ],
    "trends": [
        {
            "site": "total_hip", "measure": "t_score", "unit": "standard deviations", "device": None,
            "points": [{"date": "2025-11-03", "value": -1.8}, {"date": "2026-11-24", "value": -2.3}],
            "change": -0.5, "per_year": -0.4732, "least_significant_change": 0.2961, "significant": True,
            "summary": "A loss beyond the measurement's own error.",
        }
    ],
}  # fmt: skip
ALERT: dict[str, Any] = {
    "id": ID,
    "patient_id": ID,
    "patient_number": "MRN-1",
    "status": "due",
    "code": "follow_up.interval_1_year",
    "text": "With this T-score it took about 1 year until one woman in ten reached osteoporosis; repeat DXA then.",
    "due_from": "2026-11-03",
    "due_by": "2026-11-30",
    "assessment_id": ASSESSMENT_ID,
    "created_at": "2025-11-03T10:00:00Z",
    "change": None,
    "restricted": False,
    "acknowledged_at": None,
    "acknowledged_by": None,
    "escalated_at": None,
}
EMERGENCY_ACCESS: dict[str, Any] = {
    "id": "019a0c11-7d2c-7f85-9f20-2d4b8c9eafb0",
    "patient_id": ID,
    "patient_number": "MRN-1",
    "opened_by": "account:0199f7a1-7b1c-7c3e-8f00-3a5d9b1e2c4d",
    "opened_at": "2026-11-24T02:10:00Z",
    "ends_at": "2026-11-24T06:10:00Z",
    "reason": "emergency",
    "note": "Fall from a ladder, in the emergency room since 2 o'clock.",
    "reviewed_at": None,
    "reviewed_by": None,
    "review_note": None,
}
MERGE: dict[str, Any] = {
    "id": "019a0c11-8e3d-7f96-a031-3e5c9dafc0b1",
    "status": "proposed",
    "surviving_id": ID,
    "surviving_number": "MRN-1",
    "retired_id": "019a0c11-9f4e-70a7-b142-4f6daeb0d1c2",
    "retired_number": "MRN-1B",
    "note": "Registered twice on the day of the fall; same insurance number.",
    "differences": [],
    "proposed_at": "2026-11-24T08:00:00Z",
    "proposed_by": "account:0199f7a1-7b1c-7c3e-8f00-3a5d9b1e2c4d",
    "decided_at": None,
    "decided_by": None,
    "undone_at": None,
    "undone_by": None,
}
MEASUREMENT: dict[str, Any] = {
    "id": ID,
    "measured": {"kind": "t_score", "date": "2025-11-03", "site": "total_hip", "value": -1.8, "method": "dxa"},
}
TRAIL_LINE: dict[str, Any] = {
    "at": "2026-11-24T09:30:00Z", "actor": "key:0011223344556677", "action": "assessment made", "outcome": "done",
    "subject": ASSESSMENT_ID, "address": "10.1.2.3",
}  # fmt: skip
EXPORT: dict[str, Any] = {
    "exported_at": "2026-11-24T10:00:00Z",
    "id": ID,
    "patient_number": "MRN-1",
    "created_at": "2025-11-03T10:00:00Z",
    "account": None,
    "merged_accounts": [],
    "invitations": [],
    "assessments": [],
    "feedback": [],
    "shadow_answers": [],
    "pictures": [],
    "measurements": [MEASUREMENT],
    "alerts": [{**ALERT, "closed_at": None, "closed_by": None}],
    "emergency_accesses": [],
    "merges": [],
    "batch_cases": [],
    "films": [],
    "orders": [],
    "trail": [TRAIL_LINE],
}
