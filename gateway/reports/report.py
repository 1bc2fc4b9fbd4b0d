"""What is on the sheet: for the patient in plain words, for the clinician, in English, with every figure to file."""

import re
from contextlib import closing

from gateway.assessing.assessments import ReportContent
from gateway.assessing.release import Audience
from gateway.platform.language import NAMES, Translator, translator_for
from gateway.reports.fonts import fonts_for
from gateway.reports.joint_space import joint_space_caveat, joint_space_line
from gateway.reports.picture import box_label
from gateway.reports.presentation import (
    GROUPS,
    amended_lines,
    chance,
    emergency,
    film_warnings,
    imaging_summary,
    in_both,
    interval,
    knee_line,
    left_out,
    missing_parts,
    models_of,
    next_scan,
    score_line,
    sign_off,
    warnings_of,
)
from gateway.reports.record import density_rows, kidney_lines, record_lines
from gateway.reports.result_view import result_view
from gateway.reports.sheet import Sheet
from shared.contracts.assessment import Assessment
from shared.contracts.language import LanguageCode
from shared.contracts.recommendation import Consult, Recommendation

# Points, the largest first: that is taken which leaves everything on one sheet. The middle one is tried to find it.
SIZES = (11.0, 10.0, 9.0, 8.5, 8.0, 7.5, 7.0, 6.5, 6.0, 5.5)
MIDDLE = 8.0
FULLEST = 0.97
# Said of most notes and sources, so a mark stands for it; the words for the marks head their lists.
OPEN, UNSIGNED = re.compile(r"^Not on the record \(.*?\), to be ruled out: "), "needs clinician sign-off"
SCORES = ("ost", "osta", "orai", "osiris", "score", "mores")


def pdf_of(report: ReportContent, language: LanguageCode) -> tuple[bytes, LanguageCode]:
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
        smaller = [candidate for candidate in SIZES if candidate < size]
        return smaller[0] if full > 1 and smaller else None
    best = next((fits for fits in SIZES if full * (fits / MIDDLE) ** 2 <= FULLEST), SIZES[-1])
    return None if best == MIDDLE else best


def _fill(sheet: Sheet, t: Translator, report: ReportContent) -> None:
    assessment, audience = report.assessment, report.audience
    sheet.dated(max([assessment.created_at, *(step.at for step in assessment.review.steps)]))
    patient = f"{t('result.patient')}: {assessment.patient_number}   " if assessment.patient_number else ""
    sheet.title(t(f"report.{audience}"), f"{patient}{t.moment(assessment.created_at)}")
    _review(sheet, t, report)
    if assessment.is_withdrawn and report.is_for_patient:
        _about(sheet, t, assessment)
        return
    urgent = None if assessment.is_withdrawn else emergency(assessment)
    if urgent:
        _emergency(sheet, t, report, urgent)
    _picture(sheet, t, report)
    _overall(sheet, t, report)
    if not report.is_for_patient:
        _record(sheet, t, report)
        sheet.heading(t("sheet.findings"))
    _imaging(sheet, t, report)
    _knees(sheet, t, report)
    _risk(sheet, t, report)
    sheet.below_pictures()
    if assessment.recommendation:
        if not urgent:
            _consult(sheet, t, assessment.recommendation.consult, audience)
        _items(sheet, t, report)
    if not report.is_for_patient:
        sheet.signature(t("sheet.signature"))
    _about(sheet, t, assessment)


def _picture(sheet: Sheet, t: Translator, report: ReportContent) -> None:
    """The radiograph with a box around each knee; heat maps are for the screen, where they are asked for."""
    staging = report.assessment.staging
    if png := report.renderings.get("preview"):
        sheet.picture(png, [(knee.box, box_label(t, knee)) for knee in (staging.knees if staging else [])])


def _review(sheet: Sheet, t: Translator, report: ReportContent) -> None:
    review, audience = report.assessment.review, "_patient" if report.is_for_patient else ""
    if report.is_for_patient and review.status not in ("amended", "withdrawn"):
        return
    about = t(f"review.about_{review.status}{audience}")
    if review.status == "preliminary":
        sheet.line(f"{t('review.preliminary')}. {about}", bold=True)
        return
    sheet.heading(t(f"review.{review.status}"), alarm=review.status == "withdrawn")
    sheet.line(about, bold=True)
    for step in review.steps:
        sheet.line(f"{t('review.' + step.action)}, {t.moment(step.at)}{f': {step.reason}' if step.reason else ''}")
        for line in amended_lines(t, step.findings):
            sheet.line(line)


def _emergency(sheet: Sheet, t: Translator, report: ReportContent, block: Consult) -> None:
    sheet.heading(t("emergency.title"), alarm=True)
    sheet.line(t("emergency.call", number=report.emergency_number), bold=True, large=True)
    _reason(sheet, t, block, report.audience)


def _overall(sheet: Sheet, t: Translator, report: ReportContent) -> None:
    assessment, view = report.assessment, result_view(t, report)
    sheet.heading(t("result.overall" if report.is_for_patient else "sheet.impression"))
    sheet.line(view.headline.text, bold=True, large=True)
    if view.headline.found_by:
        category = f"   {view.headline.category}" if view.headline.category else ""
        sheet.line(f"{view.headline.found_by}.{category}", soft=True)
    sheet.line(view.headline.meaning)
    sheet.line(" ".join([view.certainty.sentence, *view.certainty.others]))
    if not report.is_for_patient:
        for line in assessment.combined.basis:
            sheet.line(line, soft=True)
    for warning in missing_parts(assessment):
        why = t.problem(warning.type.rpartition(":")[2], warning.reason, warning.detail).text
        sheet.line(f"{t('result.part_missing', part=t('part.' + warning.component))} {why}", soft=True)
    if report.is_for_patient:
        _list(sheet, t("film_warning.title"), [said.text for said in film_warnings(t, assessment, report.audience)])
    _list(sheet, t("left_out.title"), left_out(assessment, report.audience))
    _list(sheet, t("warning.title"), [said.text for said in warnings_of(t, assessment, report.audience)])


def _list(sheet: Sheet, title: str, lines: list[str]) -> None:
    """A title and its lines; nothing where there are none."""
    if lines:
        sheet.line(title, bold=True)
    for line in lines:
        sheet.line(line, soft=True)


def _record(sheet: Sheet, t: Translator, report: ReportContent) -> None:
    for name, facts in record_lines(t, report.risk):
        sheet.line(f"{name}: {facts}")
    if rows := density_rows(t, report.risk):
        sheet.line(f"{t('sheet.measured')}:")
        sheet.table(rows)
    letter = report.assessment.recommendation.letter if report.assessment.recommendation else None
    if kidney := kidney_lines(letter):
        sheet.line(f"{t('sheet.kidney')}: {' '.join(kidney)}")


def _quality(sheet: Sheet, t: Translator, report: ReportContent) -> None:
    """What has to be known about the view and the picture before the findings are weighed."""
    imaging = report.assessment.imaging
    righted = [t("image.righted")] if imaging and (imaging.turned_degrees or imaging.inverted) else []
    odd = [*righted, *(said.text for said in film_warnings(t, report.assessment, report.audience))]
    sheet.line(f"{t('sheet.quality')}: {' '.join(odd) or t('sheet.nothing_odd')}", soft=True)


def _imaging(sheet: Sheet, t: Translator, report: ReportContent) -> None:
    imaging = report.assessment.imaging
    if imaging is None:
        return
    if report.is_for_patient:
        sheet.heading(t("image.title"))
    where = "" if report.is_for_patient else f"{t('sheet.film')}, {t.term('anatomy', imaging.anatomy)}: "
    sheet.line(where + imaging_summary(t, imaging), bold=True)
    if not report.is_for_patient:
        _quality(sheet, t, report)
    if imaging.indeterminate:
        sheet.line(t.said(imaging.summary).text, soft=True)
        return
    if not report.is_for_patient:
        shares = "   ".join(f"{t(f'bone.{name}')} {t.percent(share)}" for name, share in imaging.bone)
        sheet.line(f"{shares}. {t('bone.help')}", soft=True)
    if imaging.possibly_low:
        sheet.line(t("imaging.hint"), soft=True)


def _knees(sheet: Sheet, t: Translator, report: ReportContent) -> None:
    staging = report.assessment.staging
    if staging is None:
        return
    sheet.heading(t("knee.title"))
    for knee in staging.knees:
        sheet.line(knee_line(t, knee), bold=True)
        if not report.is_for_patient:
            shares = "   ".join(f"{grade}: {t.percent(share)}" for grade, share in enumerate(knee.probabilities))
            sheet.line(shares, soft=True)
        if knee.quality == "uncertain":
            note = f" {knee.note}" if knee.note and not report.is_for_patient else ""
            sheet.line(t("knee.uncertain") + note, soft=True)
        if not report.is_for_patient and (measured := joint_space_line(t, knee)):
            sheet.line(measured, soft=True)
    if not report.is_for_patient and (caveat := joint_space_caveat(t, staging.knees)):
        sheet.line(caveat, soft=True)
    if report.is_for_patient:
        sheet.line(t("knee.not_bone"), soft=True)


def _risk(sheet: Sheet, t: Translator, report: ReportContent) -> None:
    clinical, lines = report.assessment.clinical, chance(t, report.assessment)
    if clinical is None or (report.is_for_patient and not lines):
        return
    if lines:
        sheet.heading(t("risk.title"))
    for position, line in enumerate(lines):
        sheet.line(line, bold=position == 0)
    if report.is_for_patient:
        return
    if clinical.bone_density and clinical.bone_density.who_class is None:
        sheet.line(clinical.bone_density.basis, soft=True)
    if clinical.reason and not lines:
        sheet.line(clinical.reason, soft=True)
    moved = [f"{part.field.replace('_', ' ')} {'+' if part.effect > 0 else '-'}" for part in clinical.contributions]
    if moved and lines:
        sheet.line(f"{t('risk.what')}: {', '.join(moved)}", soft=True)
    scores = [(name, getattr(clinical.scores, name)) for name in SCORES]
    said = [
        f"{name.upper()} {t.number(score.value, 1)} ({score_line(t, report.assessment, score)} {score.cut_off or ''})"
        for name, score in scores
        if score.applicable and score.value is not None
    ]
    sheet.line(f"{t('scores.title')}: {'; '.join(said) or t('scores.nothing')}", soft=True)


def _consult(sheet: Sheet, t: Translator, block: Consult, audience: Audience) -> None:
    urgency = t("urgency." + (block.urgency or "routine"))
    if audience == "clinician":
        said = f"{urgency}. {block.reason or ''}" if block.advised else t("sheet.not_urgent")
        sheet.line(f"{t('consult.title')}: {said}", bold=True)
        return
    sheet.heading(t("consult.title"))
    if block.advised:
        sheet.line(urgency, bold=True)
        _reason(sheet, t, block, audience)
    else:
        sheet.line(t("consult.not_needed"))
    if block.links:
        sheet.line("   ".join(f"{t.said(link.title).text}: {link.url}" for link in block.links), soft=True)


def _reason(sheet: Sheet, t: Translator, block: Consult, audience: Audience) -> None:
    text, beside = in_both(t, block.translations, block.reason, audience)
    if text:
        sheet.line(text, bold=True)
    if beside:
        sheet.line(beside, soft=True)


def _items(sheet: Sheet, t: Translator, report: ReportContent) -> None:
    assessment = report.assessment
    items = assessment.recommendation.items if assessment.recommendation else []
    scan = next_scan(t, assessment)
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


def _groups(sheet: Sheet, t: Translator, report: ReportContent, items: list[Recommendation]) -> None:
    notes, sources = list[str](), list[str]()
    for kind in GROUPS:
        of_kind = [item for item in items if item.kind == kind]
        if of_kind:
            sheet.line(t(f"kind.{kind}"), bold=True)
        for item in of_kind:
            if report.is_for_patient:
                _patients_item(sheet, t, report.assessment, item)
            else:
                _clinicians_item(sheet, t, report.assessment, item, notes, sources)
    for name, entries, mark in (("notes", notes, _letter), ("sources", sources, str)):
        if entries:
            marked = "   ".join(f"[{mark(number)}] {line}" for number, line in enumerate(entries, start=1))
            sheet.line(f"{t('sheet.' + name)}: {marked}", soft=True)


def _patients_item(sheet: Sheet, t: Translator, assessment: Assessment, item: Recommendation) -> None:
    text, beside = in_both(t, item.translations, item.text, "patient")
    status, due = f"{t('status.' + item.status)}: " if item.status else "", interval(t, assessment, item)
    sheet.item(f"{status}{text}{f' {due}' if due else ''}", beside)


def _clinicians_item(
    sheet: Sheet, t: Translator, assessment: Assessment, item: Recommendation, notes: list[str], sources: list[str]
) -> None:
    """One point, with marks for its source and for what to check: many points share them. Its text tells its status."""
    marks = [_letter(_place(notes, OPEN.sub("? ", reason))) for reason in item.reasons]
    unsigned = " *" if item.review == UNSIGNED else ""
    marks.append(str(_place(sources, f"{item.citation}{unsigned}")))
    due = interval(t, assessment, item)
    sheet.item(f"{item.text}{f' {due}' if due else ''} [{', '.join(marks)}]")


def _place(entries: list[str], line: str) -> int:
    """Where a line stands among the entries, from one on; it is added where it is new."""
    if line not in entries:
        entries.append(line)
    return entries.index(line) + 1


def _letter(number: int) -> str:
    """a to z, then aa to az, and so on."""
    more, last = divmod(number - 1, 26)
    return (_letter(more) if more else "") + chr(ord("a") + last)


def _about(sheet: Sheet, t: Translator, assessment: Assessment) -> None:
    sheet.heading(t("result.about"))
    sheet.line(t.said(assessment.disclaimer).text, soft=True)
    if assessment.recommendation:
        sheet.line(sign_off(t, assessment), soft=True)
    sheet.line(
        f"{t('result.models')} {'; '.join(models_of(assessment))}. {t('result.number')} {assessment.id}", soft=True
    )
