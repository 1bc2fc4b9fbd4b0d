"""What is on the sheet: for the patient in plain words, for the clinician, in English, with every figure to file."""

from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from typing import Any

from gateway.platform.language import NAMES, Translator, translator_for
from gateway.reports.fonts import fonts_for
from gateway.reports.presentation import (
    GROUPS,
    Audience,
    chance,
    emergency,
    found_by,
    headline,
    imaging_words,
    in_both,
    interval,
    is_measured,
    meaning,
    models_of,
    next_scan,
    warnings_of,
)
from gateway.reports.record import kidney_lines, record_lines
from gateway.reports.sheet import Sheet
from shared.contracts.assessment import Assessment
from shared.contracts.findings import ScreeningScore
from shared.contracts.language import LanguageCode
from shared.contracts.recommendation import Consult, Recommendation

# Points, the largest first: that is taken which leaves everything on one sheet. The middle one is tried to find it.
SIZES = (11.0, 10.0, 9.0, 8.5, 8.0, 7.5, 7.0, 6.5, 6.0)
MIDDLE = 8.0
ROOM = 0.97
SCORES = ("ost", "osta", "orai", "osiris", "score", "mores")


@dataclass(frozen=True)
class Report:
    """What a report is made of.

    Args:
        made: in the patient's view where the sheet is for the patient.
        pictures: kept PNGs by kind: preview, imaging, staging.
        withheld: whether medicines are left out until a clinician releases them.
        record: the stored record with its model; on the clinician's sheet alone.
        emergency_number: the country's.
    """

    made: Assessment
    audience: Audience
    pictures: Mapping[str, bytes]
    withheld: bool = False
    record: Mapping[str, Any] | None = None
    emergency_number: str = "112"

    @property
    def is_for_patient(self) -> bool:
        return self.audience == "patient"


def pdf_of(report: Report, language: LanguageCode) -> tuple[bytes, LanguageCode]:
    """The PDF, and the language that it is in.

    It is English where this machine has no font for the one that was asked for, and for the clinician always: the rules
    are translated for patients only.
    """
    wanted: LanguageCode = language if report.is_for_patient else "en"
    fonts = fonts_for(wanted)
    written: LanguageCode = wanted if fonts else "en"
    fonts = fonts or fonts_for("en")
    assert fonts is not None  # noqa: S101 -- English can always be written
    size = MIDDLE
    while True:
        with closing(Sheet(fonts, size)) as sheet:
            _fill(sheet, translator_for(written), report)
            if written != wanted:
                sheet.line(translator_for("en")("report.no_font", language=NAMES[language]), soft=True)
            fitting = _fitting(size, sheet.full)
            if fitting is None:
                return sheet.finished(), written
        size = fitting


def _fitting(size: float, full: float) -> float | None:
    """The size to try next; null where this one does. Text needs paper by the square of its size."""
    if size != MIDDLE:
        smaller = [one for one in SIZES if one < size]
        return smaller[0] if full > 1 and smaller else None
    best = next((one for one in SIZES if full * (one / MIDDLE) ** 2 <= ROOM), SIZES[-1])
    return None if best == MIDDLE else best


def _fill(sheet: Sheet, t: Translator, report: Report) -> None:
    made, audience = report.made, report.audience
    patient = f"{t('result.patient')}: {made.patient_id}   " if made.patient_id else ""
    sheet.title(t(f"report.{audience}"), f"{patient}{t.moment(made.created_at)}")
    now = emergency(made)
    if now:
        _emergency(sheet, t, report, now)
    sheet.pictures(_pictures(report))
    _overall(sheet, t, report)
    if not report.is_for_patient:
        _record(sheet, t, report)
    _imaging(sheet, t, report)
    _knees(sheet, t, report)
    _risk(sheet, t, report)
    sheet.below_pictures()
    if made.recommendation:
        if not now:
            _consult(sheet, t, made.recommendation.consult, audience)
        _items(sheet, t, report)
    if not report.is_for_patient:
        sheet.signature(t("sheet.signature"))
    _about(sheet, t, made)


def _pictures(report: Report) -> list[bytes]:
    unclear = report.made.imaging is not None and report.made.imaging.indeterminate
    kinds = ("preview", "staging") if unclear else ("preview", "staging", "imaging")
    return [report.pictures[kind] for kind in kinds if kind in report.pictures][:2]


def _emergency(sheet: Sheet, t: Translator, report: Report, block: Consult) -> None:
    sheet.heading(t("emergency.title"), alarm=True)
    sheet.line(t("emergency.call", number=report.emergency_number), bold=True, large=True)
    _reason(sheet, t, block, report.audience)


def _overall(sheet: Sheet, t: Translator, report: Report) -> None:
    made = report.made
    sheet.heading(t("result.overall"))
    sheet.line(headline(t, made), bold=True, large=True)
    if how := found_by(t, made):
        category = f"   {t.term('category', made.combined.category)}" if made.combined.category else ""
        sheet.line(f"{how}.{category}", soft=True)
    sheet.line(" ".join(t(key) for key in meaning(made, report.audience)))
    if not report.is_for_patient:
        for line in made.combined.basis:
            sheet.line(line, soft=True)
    for warning in made.warnings:
        sheet.line(f"{t('result.part_missing', part=t('part.' + warning.component))} {warning.detail}", soft=True)
    if odd := warnings_of(t, made, report.audience):
        sheet.line(t("warning.title"), bold=True)
        for line in odd:
            sheet.line(line, soft=True)


def _record(sheet: Sheet, t: Translator, report: Report) -> None:
    for name, facts in record_lines(t, report.record):
        sheet.line(f"{name}: {facts}")
    letter = report.made.recommendation.letter if report.made.recommendation else None
    if kidney := kidney_lines(letter):
        sheet.line(f"{t('sheet.kidney')}: {' '.join(kidney)}")


def _imaging(sheet: Sheet, t: Translator, report: Report) -> None:
    found = report.made.imaging
    if found is None:
        return
    sheet.heading(t("image.title"))
    where = "" if report.is_for_patient else f"{t('sheet.film')}, {t.term('anatomy', found.anatomy)}: "
    sheet.line(where + imaging_words(t, found), bold=True)
    if not report.is_for_patient and (found.turned_degrees or found.inverted):
        sheet.line(t("image.righted"), soft=True)
    if found.indeterminate:
        sheet.line(found.summary, soft=True)
        return
    if not report.is_for_patient:
        for name in ("normal", "knee_osteoporosis", "spine_osteoporosis"):
            share = getattr(found.probabilities, name)
            sheet.bar(t(f"class.{name}"), share, t.percent(share))
        sheet.line(t("class.help"), soft=True)
    if found.possibly_low:
        sheet.line(t("imaging.hint"), soft=True)


def _knees(sheet: Sheet, t: Translator, report: Report) -> None:
    staging = report.made.staging
    if staging is None:
        return
    sheet.heading(t("knee.title"))
    for knee in staging.knees:
        grade = t("knee.grade", grade=knee.stage, name=t(f"kl.{knee.stage}"))
        sheet.line(f"{t.term('side', knee.side)}: {grade}", bold=True)
        if not report.is_for_patient:
            shares = "   ".join(f"{grade}: {t.percent(share)}" for grade, share in enumerate(knee.probabilities))
            sheet.line(shares, soft=True)
        if knee.quality == "uncertain":
            note = f" {knee.note}" if knee.note and not report.is_for_patient else ""
            sheet.line(t("knee.uncertain") + note, soft=True)
    sheet.line(t("knee.not_bone"), soft=True)


def _risk(sheet: Sheet, t: Translator, report: Report) -> None:
    found, lines = report.made.clinical, chance(t, report.made)
    if found is None or (report.is_for_patient and not lines):
        return
    sheet.heading(t("risk.title"))
    for position, line in enumerate(lines):
        sheet.line(line, bold=position == 0)
    if report.is_for_patient:
        return
    if found.bone_density and found.bone_density.who_class is None:
        sheet.line(found.bone_density.basis, soft=True)
    if found.reason and not lines:
        sheet.line(found.reason, soft=True)
    moved = [f"{one.field.replace('_', ' ')} {'+' if one.effect > 0 else '-'}" for one in found.contributions]
    if moved and lines:
        sheet.line(f"{t('risk.what')}: {', '.join(moved)}", soft=True)
    scores = [(name, getattr(found.scores, name)) for name in SCORES]
    said = [
        f"{name.upper()} {t.number(one.value, 1)} ({_verdict(t, report.made, one)} {one.cut_off or ''})"
        for name, one in scores if one.applicable and one.value is not None
    ]  # fmt: skip
    sheet.line(f"{t('scores.title')}: {'; '.join(said) or t('scores.nothing')}", soft=True)


def _verdict(t: Translator, made: Assessment, score: ScreeningScore) -> str:
    """What a score says; with a scan on record, only whether it reaches its cut-off."""
    if is_measured(made):
        return t("scores.reached" if score.refer_for_dxa else "scores.not_reached")
    return t("scores.refer" if score.refer_for_dxa else "scores.fine")


def _consult(sheet: Sheet, t: Translator, block: Consult, audience: Audience) -> None:
    sheet.heading(t("consult.title"))
    if block.advised:
        sheet.line(t("urgency." + (block.urgency or "routine")), bold=True)
        _reason(sheet, t, block, audience)
    else:
        sheet.line(t("consult.not_needed"))
    sheet.line("   ".join(f"{one.title}: {one.url}" for one in block.links), soft=True)


def _reason(sheet: Sheet, t: Translator, block: Consult, audience: Audience) -> None:
    text, beside = in_both(t, block.translations, block.reason, audience)
    if text:
        sheet.line(text, bold=True)
    if beside:
        sheet.line(beside, soft=True)


def _items(sheet: Sheet, t: Translator, report: Report) -> None:
    made = report.made
    items = made.recommendation.items if made.recommendation else []
    scan = next_scan(t, made)
    if not items and scan is None:
        return
    sheet.heading(t("rec.title"))
    if t.language != "en":
        sheet.line(t("rec.unreviewed"), soft=True)
    if report.withheld:
        sheet.line(t("rec.withheld"), soft=True)
    if scan:
        sheet.line(scan, bold=True)
    _groups(sheet, t, report, items)


def _groups(sheet: Sheet, t: Translator, report: Report, items: list[Recommendation]) -> None:
    notes, sources = list[str](), list[str]()
    for kind in GROUPS:
        found = [item for item in items if item.kind == kind]
        if found:
            sheet.line(t(f"kind.{kind}"), bold=True)
        for item in found:
            if report.is_for_patient:
                _patients_item(sheet, t, report.made, item)
            else:
                _clinicians_item(sheet, t, report.made, item, notes, sources)
    for name, told, mark in (("notes", notes, _letter), ("sources", sources, str)):
        if told:
            marked = "   ".join(f"[{mark(number)}] {line}" for number, line in enumerate(told, start=1))
            sheet.line(f"{t('sheet.' + name)}: {marked}", soft=True)


def _patients_item(sheet: Sheet, t: Translator, made: Assessment, item: Recommendation) -> None:
    text, beside = in_both(t, item.translations, item.text, "patient")
    status, due = f"{t('status.' + item.status)}: " if item.status else "", interval(t, made, item)
    sheet.item(f"{status}{text}{f' {due}' if due else ''}", beside)


def _clinicians_item(
    sheet: Sheet, t: Translator, made: Assessment, item: Recommendation, notes: list[str], sources: list[str]
) -> None:
    """One point, with marks for its source and for what to check: many points share them. Its text tells its status."""
    marks = [_letter(_place(notes, reason)) for reason in item.reasons]
    marks.append(str(_place(sources, f"{item.citation} ({item.review})")))
    due = interval(t, made, item)
    sheet.item(f"{item.text}{f' {due}' if due else ''} [{', '.join(marks)}]")


def _place(told: list[str], line: str) -> int:
    """Where a line stands among those that were told, from one on; it is added where it is new."""
    if line not in told:
        told.append(line)
    return told.index(line) + 1


def _letter(number: int) -> str:
    """a to z, then aa to az, and so on."""
    more, last = divmod(number - 1, 26)
    return (_letter(more) if more else "") + chr(ord("a") + last)


def _about(sheet: Sheet, t: Translator, made: Assessment) -> None:
    sheet.heading(t("result.about"))
    if t.language != "en":
        sheet.line(t("disclaimer"), soft=True)
    sheet.line(made.disclaimer, soft=True)
    sheet.line(f"{t('result.models')} {'; '.join(models_of(made))}. {t('result.number')} {made.id}", soft=True)
