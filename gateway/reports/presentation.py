"""How a finding is worded for people, on the pages and on paper alike.

A measured diagnosis leads and replaces the estimate; nothing sends a person to a scan that is on record already.
"""

from gateway.assessing.release import Audience, by_fracture
from gateway.platform.language import Spoken, Translator
from shared.clinic.drug_names import bone_drug_named
from shared.contracts.assessment import Assessment, Warning
from shared.contracts.findings import Contribution, ImagingFinding, Knee, RecordWarning, ScreeningScore
from shared.contracts.recommendation import Consult, Interval, NextDxa, Recommendation, Translation
from shared.contracts.review import AmendedFindings

# As a person would want to read them: whom to see first, then what to do, then what to take.
GROUPS = ("referral", "follow_up", "medication", "exercise", "diet")
# An estimate within a quarter of the average counts as about the same.
ABOVE_AVERAGE, BELOW_AVERAGE = 1.25, 0.8
# A smaller change of the log odds than this is told as none.
NO_EFFECT = 0.005
BEYOND_DENSITY = ("normal", "low_bone_mass")


def emergency(assessment: Assessment) -> Consult | None:
    """The advice to get help at once, which comes before everything else; null where nothing is that urgent."""
    block = assessment.recommendation.consult if assessment.recommendation else None
    return block if block and block.urgency == "emergency" else None


def amended_lines(t: Translator, findings: AmendedFindings | None) -> list[str]:
    """What a clinician finds instead, a line each."""
    if findings is None:
        return []
    knees = [
        f"{t.term('side', knee.side)}: {t('knee.grade', grade=knee.kl_grade, name=t(f'kl.{knee.kl_grade}'))}"
        for knee in findings.knees
    ]
    bone = [f"{t('part.imaging')}: {t('film.' + findings.bone)}"] if findings.bone else []
    category = [f"{t('result.overall')}: {t.term('category', findings.category)}"] if findings.category else []
    return [*knees, *bone, *category]


def headline(t: Translator, assessment: Assessment) -> str:
    """What leads: the diagnosis that a scan or a fracture gives, else the risk category."""
    if assessment.combined.diagnosis is None:
        return t.term("category", assessment.combined.category or "unknown")
    name = t.term("who", assessment.combined.diagnosis.who_class)
    return name[:1].upper() + name[1:]


def found_by(t: Translator, assessment: Assessment) -> str | None:
    """What the diagnosis rests on, with the date of the scan."""
    diagnosis, clinical = assessment.combined.diagnosis, assessment.clinical
    if diagnosis is None or clinical is None or clinical.bone_density is None:
        return None
    by_scan = not by_fracture(clinical, clinical.bone_density)
    how = t("diagnosis.by_scan" if by_scan else "diagnosis.by_fracture")
    return t("diagnosis.dated", how=how, date=t.date(diagnosis.date)) if by_scan and diagnosis.date else how


def is_measured(assessment: Assessment) -> bool:
    """Whether a scan of bone density is on record, so that nobody is to be sent to one for a first time."""
    density = assessment.clinical.bone_density if assessment.clinical else None
    return density is not None and (density.t_score is not None or density.z_score is not None)


def meaning(assessment: Assessment, audience: Audience) -> list[str]:
    """The keys of what the result means, one sentence or two."""
    category, diagnosis = assessment.combined.category, assessment.combined.diagnosis
    if diagnosis is not None:
        more = category in ("moderate", "high") if diagnosis.who_class == "normal" else category == "high"
        still = [f"meaning.still.{audience}"] if more and diagnosis.who_class in BEYOND_DENSITY else []
        return [f"meaning.diagnosed.{audience}.{diagnosis.who_class}", *still]
    if is_measured(assessment):
        return [f"meaning.scanned.{category or 'unknown'}"]
    seen = assessment.imaging is not None and assessment.imaging.possibly_low
    if category == "low" and seen:
        return ["meaning.low_but_film"]
    missing = missing_parts(assessment)
    if category is None and not missing and assessment.clinical is None and assessment.imaging is not None:
        return ["meaning.film"]
    return [f"meaning.{category or ('missing' if missing else 'unknown')}"]


def chance(t: Translator, assessment: Assessment) -> list[str]:
    """The estimate and the average to see it against: none where a diagnosis is known, both where the sex is not."""
    clinical, combined = assessment.clinical, assessment.combined
    if clinical is None or combined.diagnosis is not None:
        return []
    if clinical.readings:
        return [t("risk.both"), *_readings(t, assessment)]
    if clinical.probability is None:
        return []
    lines = [t("risk.chance", percent=t.percent(clinical.probability))]
    if average := combined.comparison:
        times = clinical.probability / max(average.of_same_age_and_sex, 1e-6)
        key = "above" if times > ABOVE_AVERAGE else "below" if times < BELOW_AVERAGE else "about"
        percent = t.percent(average.of_same_age_and_sex)
        lines.append(t(f"risk.{key}", percent=percent, population=t.said(average.population).text))
    if combined.probability_with_image is not None:
        lines.append(t("risk.with_image", percent=t.percent(combined.probability_with_image)))
    return lines


def _readings(t: Translator, assessment: Assessment) -> list[str]:
    lines = []
    for reading in (assessment.clinical.readings if assessment.clinical else None) or []:
        percent = "–" if reading.probability is None else t.percent(reading.probability)
        category = f" ({t.term('category', reading.category)})" if reading.category else ""
        lines.append(t("risk.reading", sex=t.term("option", reading.sex), percent=percent) + category)
    return lines


def imaging_summary(t: Translator, imaging: ImagingFinding) -> str:
    """What the radiograph shows, in the reader's language."""
    if imaging.appearance == "indeterminate":
        return t("imaging.indeterminate")
    return t("imaging.low" if imaging.possibly_low else "imaging.normal")


def knee_line(t: Translator, knee: Knee) -> str:
    """The side and the grade."""
    return f"{t.term('side', knee.side)}: {t('knee.grade', grade=knee.stage, name=t(f'kl.{knee.stage}'))}"


def answer_line(t: Translator, part: Contribution) -> str:
    """An answer of the record as it went into the estimate: what was asked, what it is, in which unit."""
    asked = t.term("question", part.field).rstrip("?")
    if part.value is None:
        return asked
    if isinstance(part.value, bool):
        said = t("option.yes" if part.value else "option.no")
    else:
        said = t.term("option", f"{part.value:g}" if isinstance(part.value, float) else part.value)
    unit = f" {t('unit.' + part.field)}" if t.has(f"unit.{part.field}") else ""
    return f"{asked}: {said}{unit}"


def direction(t: Translator, part: Contribution) -> str:
    """Which way an answer moves the estimate."""
    return t(
        "risk.raises" if part.effect > NO_EFFECT else "risk.lowers" if part.effect < -NO_EFFECT else "risk.neither"
    )


def score_line(t: Translator, assessment: Assessment, score: ScreeningScore) -> str:
    """What a score says; with a scan on record, only whether it reaches its cut-off."""
    if is_measured(assessment):
        return t("scores.reached" if score.refer_for_dxa else "scores.not_reached")
    return t("scores.refer" if score.refer_for_dxa else "scores.fine")


def missing_parts(assessment: Assessment) -> list[Warning]:
    """The parts that gave no finding, and why."""
    return [warning for warning in assessment.warnings if warning.part_is_missing]


def film_warnings(t: Translator, assessment: Assessment, audience: Audience) -> list[Spoken]:
    """What is odd about the picture: the detail for the clinic, plain words by its kind for the patient."""
    odd = [one for one in assessment.warnings if not (one.part_is_missing or one.was_left_out)]
    said = [t.said(w.detail) if audience == "clinician" else Spoken(t(f"film_warning.{w.type}"), False) for w in odd]
    return list(dict.fromkeys(said))


def warnings_of(t: Translator, assessment: Assessment, audience: Audience) -> list[Spoken]:
    """What is odd about the record, each thing once."""
    warnings = assessment.clinical.warnings if assessment.clinical else []
    return list(dict.fromkeys(_described(t, warning, audience) for warning in warnings))


def _described(t: Translator, warning: RecordWarning, audience: Audience) -> Spoken:
    """What is odd about the record: the detail for the clinic, plain words by its kind for the patient."""
    if audience == "patient":
        name = t("section.medicines") if bone_drug_named(warning.field) else t.field(warning.field)
        return Spoken(f"{name}: {t('warning.' + warning.type)}", is_english=False)
    said = t.said(warning.detail)
    return Spoken(f"{t.field(warning.field)}: {said.text}", said.is_english)


def next_scan(t: Translator, assessment: Assessment) -> str | None:
    """When bone density should be measured next."""
    due = assessment.recommendation.next_dxa if assessment.recommendation else None
    if due is None:
        return None
    return _within(t, "rec.next_dxa", due)


def interval(t: Translator, assessment: Assessment, item: Recommendation) -> str | None:
    """When a follow-up is due; not said again where it is the next scan, which has a line of its own."""
    due, scan = item.interval, assessment.recommendation.next_dxa if assessment.recommendation else None
    if due is None or (scan and (scan.after_months, scan.by_months) == (due.after_months, due.by_months)):
        return None
    return _within(t, "rec.interval", due)


def _within(t: Translator, key: str, due: Interval | NextDxa) -> str:
    after, by = t.number(due.after_months, 0), t.number(due.by_months, 0)
    if due.by_months == 0:
        return t(f"{key}_now")
    return t(key, after=after, by=by) if due.after_months else t(f"{key}_within", by=by)


def in_both(
    t: Translator, translations: list[Translation], english: str | None, audience: Audience
) -> tuple[str, str | None]:
    """A text in the patient's language and the English to stand beside it; for the clinic, English alone."""
    for translation in translations if audience == "patient" else []:
        if translation.language == t.language:
            return translation.text, english if "unreviewed" in translation.status else None
    return english or "", None


def sign_off(t: Translator, assessment: Assessment) -> str:
    """Who stands by the rules behind the advice, or that nobody does."""
    signed = assessment.rules_sign_off
    if signed is None:
        return t("result.rules_unsigned")
    return t("result.rules_signed", name=signed.name, role=signed.role, date=t.date(signed.at.date()))


def models_of(assessment: Assessment) -> list[str]:
    """Every model and rule set behind an assessment, with its version."""
    rules = assessment.recommendation.rules if assessment.recommendation else None
    models = [part.model for part in (assessment.imaging, assessment.staging, assessment.clinical) if part]
    return [f"{model.name} {model.version}" for model in (*models, assessment.site_settings, rules) if model]


def left_out(assessment: Assessment, audience: Audience) -> list[str]:
    """What a hospital system sent and was not used: for the clinic alone, which can look it up."""
    return [w.detail for w in assessment.warnings if w.was_left_out] if audience == "clinician" else []
