"""The record behind an assessment as the clinician files it: who, what was measured, what broke, what else is known."""

import datetime as dt
import re
from collections.abc import Iterator

from gateway.platform.language import Translator
from gateway.records.stored_risk import AnyRisk
from shared.clinic.history import body_mass_index
from shared.contracts.recommendation import ReferralLetter
from shared.contracts.record import ClinicalRecord, Fracture
from shared.contracts.risk import LifestyleRecord, RiskRequest

BODY = ("age", "gender", "weight_kg", "height_cm")
APART = {*BODY, "t_scores", "z_scores", "bmd", "prior_fractures"}
# The unit at the end of a field's name; it is written behind the value.
UNITS = re.compile(r"_(kg|cm|[a-z]+_per_[a-z]+|months|years|months_ago)$")
KIDNEY = ("eGFR", "Creatinine clearance")
CAUSES = {True: "low_trauma", False: "high_trauma", None: "trauma_unknown"}


def record_lines(t: Translator, risk: AnyRisk | None) -> list[tuple[str, str]]:
    """Headings and what stands behind them, as short as a sheet of paper asks for; a heading without facts is left out.

    Args:
        risk: the record with its model, as it was sent.
    """
    if risk is None:
        return []
    if isinstance(risk, RiskRequest):
        record = risk.record
        parts = {"person": [_person(t, record)], "fractures": list(_fractures(t, record.prior_fractures))}
    else:
        parts = {"person": [_person(t, risk.record)]}
    given = risk.record.model_dump(mode="json", exclude_none=True)
    parts["inputs"] = [_input(t, name, value) for name, value in given.items() if name not in APART]
    return [(t(f"sheet.{name}"), "; ".join(facts)) for name, facts in parts.items() if facts]


def density_rows(t: Translator, risk: AnyRisk | None) -> list[tuple[str, ...]]:
    """What was measured of bone density: site, measure with its value, method or device, date of the scan."""
    return list(_measured(t, risk.record)) if isinstance(risk, RiskRequest) else []


def _measured(t: Translator, record: ClinicalRecord) -> Iterator[tuple[str, ...]]:
    for name, scores in (("T-score", record.t_scores), ("Z-score", record.z_scores)):
        for score in scores or []:
            how = "DXA" if score.method == "dxa" else t.term("option", score.method)
            yield t.term("option", score.site), f"{name} {t.number(score.value, 3)}", how, _day(t, score.date)
    for scan in record.bmd or []:
        how = f"DXA, {t.term('option', scan.device)}" if scan.device else "DXA"
        yield t.term("option", scan.site), f"{t.number(scan.g_per_cm2, 3)} g/cm²", how, _day(t, scan.date)


def person_line(t: Translator, risk: AnyRisk | None) -> str | None:
    """Sex, age, size and broken bones in one line; null where the record is not known."""
    if risk is None:
        return None
    broken = risk.record.prior_fractures if isinstance(risk, RiskRequest) else None
    bones = [_bone(t, fracture) for fracture in broken] if isinstance(broken, list) else []
    return " · ".join([_person(t, risk.record), *bones])


def kidney_lines(letter: ReferralLetter | None) -> list[str]:
    """Kidney function as it was worked out for the medicines."""
    return [line for line in (letter.findings if letter else []) if line.startswith(KIDNEY)]


def _person(t: Translator, record: ClinicalRecord | LifestyleRecord) -> str:
    facts = [t.term("option", record.gender), t("sheet.years", age=t.number(record.age, 1))]
    if isinstance(record, ClinicalRecord):
        weight, height = record.weight_kg, record.height_cm
        facts += [f"{t.number(value, 1)} {unit}" for value, unit in ((weight, "kg"), (height, "cm")) if value]
        if (bmi := body_mass_index(weight, height)) is not None:
            facts.append(t("sheet.bmi", bmi=t.number(bmi, 1)))
    return ", ".join(facts)


def _day(t: Translator, day: dt.date | None) -> str:
    return t.date(day) if day else t("sheet.undated")


def _fractures(t: Translator, fractures: bool | list[Fracture] | None) -> Iterator[str]:
    if isinstance(fractures, bool):
        yield t("option.yes" if fractures else "option.no")
        return
    for fracture in fractures or []:
        yield _bone(t, fracture)


def _bone(t: Translator, fracture: Fracture) -> str:
    parts = [t.term("option", fracture.site)]
    if fracture.age is not None:
        parts.append(t("sheet.at_age", age=t.number(fracture.age, 0)))
    if fracture.months_ago is not None:
        parts.append(t("sheet.months_ago", months=t.number(fracture.months_ago, 0)))
    return " ".join([*parts, f"({t('sheet.' + CAUSES[fracture.low_trauma])})"])


def _input(t: Translator, name: str, value: object) -> str:
    label = UNITS.sub("", name).replace("_", " ") if t.language == "en" else t.field(name)
    if isinstance(value, bool):
        return f"{label}: {t('option.yes' if value else 'option.no')}"
    if isinstance(value, list):
        return f"{label}: {', '.join(t.term('option', code) for code in value) or t('sheet.none_known')}"
    if isinstance(value, int | float):
        unit = f" {t('unit.' + name)}" if t.has(f"unit.{name}") else ""
        return f"{label} {t.number(value, 2)}{unit}"
    return f"{label}: {t.term('option', value)}"
