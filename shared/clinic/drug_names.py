"""The words by which rules, record fields and people name a bone drug or its class.

A text for a patient may hold none of them before a clinician has released the medicines.
"""

import re

_NAMES = re.compile(
    r"bisphosph|alendron|risedron|ibandron|zoledron|dron(?:ate|ic)|denosumab|paratid|romosozumab|raloxifen|anabolic"
    r"|antiresorptive|bone.?build|hormone.(?:replacement.)?therapy|\bHRT\b",
    re.IGNORECASE,
)


def bone_drug_named(text: str | None) -> str | None:
    """The first such name in a text, an id or an address; None where there is none."""
    match = _NAMES.search(text.replace("_", " ")) if text else None
    return match.group() if match else None
