"""The fields of the record in a clinician's words."""

from collections.abc import Iterable

WORDS = {
    "egfr_ml_per_min": "eGFR",
    "creatinine_umol_per_l": "serum creatinine",
    "serum_calcium_mmol_per_l": "serum calcium",
    "vitamin_d_25oh_nmol_per_l": "25-hydroxyvitamin D",
    "medical_conditions": "medical history",
    "medications": "current medicines",
    "prior_fractures": "how earlier fractures came about",
    "pregnant": "pregnancy",
    "menopausal_status": "menopausal status",
    "menopause_age": "age at menopause",
    "weight_kg": "weight",
    "months_since_cardiovascular_event": "time since a heart attack or stroke",
    "oestrogen_use": "current oestrogen therapy",
    "thigh_or_groin_pain": "thigh or groin pain",
    "denosumab_last_dose_months_ago": "time since the last denosumab injection",
    "zoledronate_months_ago": "time since the last zoledronate infusion",
    "t_scores": "DXA T-scores",
    "frax_major": "FRAX",
    "frax_hip": "FRAX (hip)",
}
# Kidney function and calcium stand first: they decide most often, and one blood test answers both.
ORDER = tuple(WORDS)


def in_words(field: str) -> str:
    """A field's name as it is said in a sentence."""
    return WORDS.get(field, field.replace("_", " "))


def listed(fields: Iterable[str]) -> str:
    """Several fields as a list in a sentence."""
    ordered = sorted(fields, key=lambda name: (ORDER.index(name) if name in ORDER else len(ORDER), name))
    words = [in_words(name) for name in ordered]
    return f"{', '.join(words[:-1])} and {words[-1]}" if len(words) > 1 else "".join(words)
