"""What CDS services are asked and answer."""

from gateway.interop.cds.services import discovery

DISCOVERY = discovery()
CALL = {
    "hook": "patient-view",
    "hookInstance": "d1577c69-dfbe-44ad-ba6d-3e05e953b2ea",
    "context": {"userId": "Practitioner/1", "patientId": "p"},
    "prefetch": {
        "patient": {"resourceType": "Patient", "id": "p", "gender": "female", "birthDate": "1959-03-02"},
        "vitals": {"resourceType": "Bundle", "type": "searchset", "entry": []},
        "dxa": None,
        "labs": None,
        "conditions": None,
        "medications": None,
    },
}
CARDS = {
    "cards": [
        {
            "uuid": "4e0a3a1e-3f3c-4a52-8a4f-1f1c5e0d7a10",
            "summary": "A bone density scan (DXA) is due: no scan on record",
            "indicator": "info",
            "detail": "*Research software, not a medical device. ...*",
            "source": {"label": "Trabecula (research)", "url": "https://trabecula.hospital.example"},
        }
    ]
}
FEEDBACK = {
    "feedback": [
        {
            "card": "4e0a3a1e-3f3c-4a52-8a4f-1f1c5e0d7a10",
            "outcome": "accepted",
            "outcomeTimestamp": "2026-11-27T10:05:31Z",
        }
    ]
}
