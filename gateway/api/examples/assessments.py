"""What the OpenAPI page shows: a record, and the assessment that it gave together with the drawn knee phantom."""

import json
from pathlib import Path
from typing import Any

RECORD = '{"age": 67, "gender": "female", "menopausal_status": "postmenopausal", "weight_kg": 58, "height_cm": 158}'
ASSESSMENT: dict[str, Any] = json.loads((Path(__file__).parent / "assessment.json").read_text(encoding="utf-8"))
