"""What is on the sheet: for the patient in plain words, for the clinician with every figure."""

from collections.abc import Mapping
from contextlib import closing

from gateway.reports.fonts import fonts_for
from gateway.reports.sheet import Sheet
from gateway.reports.telling import GROUPS, Audience, imaging_words, meaning, models_of, sureness
from gateway.web.language import NAMES, LanguageCode, Words, words_of
from shared.contracts.assessment import Assessment
from shared.contracts.recommendation import Consult, Recommendation

# Points, the largest first: that is taken which leaves everything on one sheet. The middle one is tried to find it.
SIZES = (11.0, 10.0, 9.0, 8.5, 8.0, 7.5, 7.0, 6.5, 6.0)
MIDDLE = 8.0
ROOM = 0.97
SCORES = ("ost", "osta", "orai", "osiris", "score", "mores")


def report(
    made: Assessment, audience: Audience, language: LanguageCode, pictures: Mapping[str, bytes], *, withheld: bool
) -> tuple[bytes, LanguageCode]:
    """The PDF, and the language that it is in: English where this machine has no font for the one that was asked for.

    Args:
        pictures: kept PNGs by kind: preview, imaging, staging.
        withheld: whether medicines are left out until a clinician releases them.
    """
    fonts = fonts_for(language)
    written: LanguageCode = language if fonts else "en"
    fonts = fonts or fonts_for("en")
    assert fonts is not None  # noqa: S101 -- English can always be written
    size = MIDDLE
    while True:
        with closing(Sheet(fonts, size)) as sheet:
            _fill(sheet, words_of(written), made, audience, pictures, withheld=withheld)
            if written != language:
                sheet.line(words_of("en")("report.no_font", language=NAMES[language]), soft=True)
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


def _fill(
    sheet: Sheet, t: Words, made: Assessment, audience: Audience, pictures: Mapping[str, bytes], *, withheld: bool
) -> None:
    patient = f"{t('result.patient')}: {made.patient_id}   " if made.patient_id else ""
    sheet.title(t(f"report.{audience}"), f"{patient}{t.moment(made.created_at)}")
    sheet.pictures([pictures[kind] for kind in ("preview", "staging", "imaging") if kind in pictures][:2])
    sheet.heading(t("result.overall"))
    sheet.line(t.term("category", made.combined.category or "unknown"), bold=True, large=True)
    sheet.line(t(f"meaning.{meaning(made)}"))
    if audience == "clinician":
        for line in made.combined.basis:
            sheet.line(line, soft=True)
    for warning in made.warnings:
        sheet.line(f"{t('result.part_missing', part=t('part.' + warning.component))} {warning.detail}", soft=True)
    _imaging(sheet, t, made, audience)
    _knees(sheet, t, made, audience)
    _risk(sheet, t, made, audience)
    sheet.below_pictures()
    if made.recommendation:
        _consult(sheet, t, made.recommendation.consult)
        _items(sheet, t, made, audience, withheld=withheld)
    _about(sheet, t, made)


def _imaging(sheet: Sheet, t: Words, made: Assessment, audience: Audience) -> None:
    found = made.imaging
    if found is None:
        return
    sheet.heading(t("image.title"))
    sheet.line(imaging_words(t, found), bold=True)
    shares = found.probabilities
    if audience == "clinician":
        for name in ("normal", "knee_osteoporosis", "spine_osteoporosis"):
            share = getattr(shares, name)
            sheet.bar(t(f"class.{name}"), share, t.percent(share))
    largest = max(shares.normal, shares.knee_osteoporosis, shares.spine_osteoporosis)
    sheet.line(t("sure.indeterminate") if found.indeterminate else t(f"sure.{sureness(largest)}"), soft=True)


def _knees(sheet: Sheet, t: Words, made: Assessment, audience: Audience) -> None:
    if made.staging is None:
        return
    sheet.heading(t("knee.title"))
    for knee in made.staging.knees:
        grade = t("knee.grade", grade=knee.stage, name=t(f"kl.{knee.stage}"))
        sheet.line(f"{t.term('side', knee.side)}: {grade}", bold=True)
        if audience == "clinician":
            shares = "   ".join(f"{grade}: {t.percent(share)}" for grade, share in enumerate(knee.probabilities))
            sheet.line(shares, soft=True)
        if knee.quality == "uncertain":
            sheet.line(t("knee.uncertain"), soft=True)
    sheet.line(t("knee.not_bone"), soft=True)


def _risk(sheet: Sheet, t: Words, made: Assessment, audience: Audience) -> None:
    found = made.clinical
    if found is None:
        return
    sheet.heading(t("risk.title"))
    if found.probability is not None:
        sheet.line(t("risk.chance", percent=t.percent(found.probability)), bold=True)
    if found.bone_density and found.bone_density.who_class:
        decided = t.term("who", found.bone_density.who_class)
        sheet.line(f"{t('risk.decided')} {decided} ({found.bone_density.basis})")
    if audience == "patient":
        return
    moved = [f"{t.term('question', one.field)} {'+' if one.effect > 0 else '-'}" for one in found.contributions]
    if moved:
        sheet.line(f"{t('risk.what')}: {', '.join(moved)}", soft=True)
    scores = [(name, getattr(found.scores, name)) for name in SCORES]
    said = [
        f"{name.upper()} {t.number(one.value, 1)} ({t('scores.refer') if one.refer_for_dxa else t('scores.fine')})"
        for name, one in scores if one.applicable and one.value is not None
    ]  # fmt: skip
    sheet.line(f"{t('scores.title')}: {'; '.join(said) or t('scores.nothing')}", soft=True)


def _consult(sheet: Sheet, t: Words, block: Consult) -> None:
    sheet.heading(t("consult.title"))
    if block.advised:
        text, beside = _in_both(t, block, block.reason or "")
        sheet.line(f"{t('urgency.' + (block.urgency or 'routine'))}: {text}", bold=True)
        if beside:
            sheet.line(beside, soft=True)
    else:
        sheet.line(t("consult.not_needed"))
    sheet.line("   ".join(f"{one.title}: {one.url}" for one in block.links), soft=True)


def _items(sheet: Sheet, t: Words, made: Assessment, audience: Audience, *, withheld: bool) -> None:
    items = made.recommendation.items if made.recommendation else []
    if not items:
        return
    sheet.heading(t("rec.title"))
    if t.language != "en":
        sheet.line(t("rec.unreviewed"), soft=True)
    if withheld:
        sheet.line(t("rec.withheld"), soft=True)
    for kind in GROUPS:
        found = [item for item in items if item.kind == kind]
        if found:
            sheet.line(t(f"kind.{kind}"), bold=True)
        for item in found:
            text, beside = _in_both(t, item, item.text)
            status = f"{t('status.' + item.status)}: " if item.status else ""
            sheet.item(status + text, beside, _source(item) if audience == "clinician" else None)


def _source(item: Recommendation) -> str:
    checks = f" {' '.join(item.reasons)}" if item.reasons else ""
    return f"{item.citation} ({item.review}).{checks}"


def _in_both(t: Words, told: Recommendation | Consult, english: str) -> tuple[str, str | None]:
    """A text in the report's language with the English to stand beside it; English alone where there is no other."""
    for one in told.translations:
        if one.language == t.language:
            return one.text, english
    return english, None


def _about(sheet: Sheet, t: Words, made: Assessment) -> None:
    sheet.heading(t("result.about"))
    if t.language != "en":
        sheet.line(t("disclaimer"), soft=True)
    sheet.line(made.disclaimer, soft=True)
    sheet.line(f"{t('result.models')} {'; '.join(models_of(made))}. {t('result.number')} {made.id}", soft=True)
