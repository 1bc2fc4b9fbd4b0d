"""The record behind an assessment as the clinician files it: who, what was measured, what broke, what else is known."""

import datetime as dt
import re
from collections.abc import Iterator, Mapping
from typing import Any

from gateway.platform.language import Translator
from shared.clinic.history import body_mass_index
from shared.contracts.recommendation import ReferralLetter

BODY = ("age", "gender", "weight_kg", "height_cm")
APART = {*BODY, "t_scores", "z_scores", "bmd", "prior_fractures"}
UNITS = re.compile(
    r"_(kg|cm|mg_per_day|iu_per_day|units_per_day|ml_per_min|umol_per_l|mmol_per_l|nmol_per_l|months|years|months_ago)$"
)
KIDNEY = ("eGFR", "Creatinine clearance")
MEASURES = (("t_scores", "T-score", "value"), ("z_scores", "Z-score", "value"), ("bmd", "BMD", "g_per_cm2"))


def record_lines(t: Translator, stored: Mapping[str, Any] | None) -> list[tuple[str, str]]:
    """Headings and what stands behind them, as short as a sheet of paper asks for; a heading without facts is left out.

    Args:
        stored: the record with its model, as it was sent.
    """
    record = (stored or {}).get("record") or {}
    if not record:
        return []
    parts = {
        "person": [_person(t, record)],
        "measured": list(_measured(t, record)),
        "fractures": list(_fractures(t, record.get("prior_fractures"))),
        "inputs": [_said(t, name, value) for name, value in record.items() if name not in APART],
    }
    return [(t(f"sheet.{name}"), "; ".join(facts)) for name, facts in parts.items() if facts]


def kidney_lines(letter: ReferralLetter | None) -> list[str]:
    """Kidney function as it was worked out for the medicines."""
    return [line for line in (letter.findings if letter else []) if line.startswith(KIDNEY)]


def _person(t: Translator, record: Mapping[str, Any]) -> str:
    gender = t.term("option", record.get("gender", "unknown"))
    told = [gender, t("sheet.years", age=t.number(record["age"], 1))]
    weight, height = record.get("weight_kg"), record.get("height_cm")
    told += [f"{t.number(value, 1)} {unit}" for value, unit in ((weight, "kg"), (height, "cm")) if value]
    if (bmi := body_mass_index(weight, height)) is not None:
        told.append(t("sheet.bmi", bmi=t.number(bmi, 1)))
    return ", ".join(told)


def _measured(t: Translator, record: Mapping[str, Any]) -> Iterator[str]:
    for name, words, value in MEASURES:
        for one in record.get(name) or []:
            method = one.get("method", "dxa")
            how = "DXA" if method == "dxa" else t.term("option", method)
            day = t.date(dt.date.fromisoformat(one["date"])) if one.get("date") else t("sheet.undated")
            device = f", {t.term('option', one['device'])}" if one.get("device") else ""
            unit = " g/cm²" if name == "bmd" else ""
            site = t.term("option", one["site"])
            yield f"{site} {words} {t.number(one[value], 3)}{unit} ({how}{device}, {day})"


def _fractures(t: Translator, told: object) -> Iterator[str]:
    if isinstance(told, bool):
        yield t("option.yes" if told else "option.no")
    for one in told if isinstance(told, list) else []:
        parts = [t.term("option", one["site"])]
        parts += [t("sheet.at_age", age=t.number(one["age"], 0))] if one.get("age") is not None else []
        if one.get("months_ago") is not None:
            parts.append(t("sheet.months_ago", months=t.number(one["months_ago"], 0)))
        cause = {True: "low_trauma", False: "high_trauma"}.get(one.get("low_trauma"), "trauma_unknown")
        yield " ".join([*parts, f"({t('sheet.' + cause)})"])


def _said(t: Translator, name: str, value: object) -> str:
    words = UNITS.sub("", name).replace("_", " ")
    if isinstance(value, bool):
        return f"{words}: {t('option.yes' if value else 'option.no')}"
    if isinstance(value, list):
        return f"{words}: {', '.join(t.term('option', one) for one in value) or 'none known'}"
    if isinstance(value, int | float):
        unit = f" {t('unit.' + name)}" if t.has(f"unit.{name}") else ""
        return f"{words} {t.number(value, 2)}{unit}"
    return f"{words}: {t.term('option', value)}"
