"""What a result says first, for the page and the sheet alike: what was found, how sure that is, what to do now."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from gateway.assessing.assessments import ReportContent
from gateway.assessing.measured import Measured
from gateway.assessing.release import Audience, by_fracture
from gateway.platform.language import Translator
from gateway.reports.presentation import (
    GROUPS,
    chance,
    emergency,
    found_by,
    headline,
    imaging_summary,
    in_both,
    interval,
    knee_line,
    meaning,
)
from shared.contracts.assessment import Assessment
from shared.contracts.findings import ImagingFinding
from shared.contracts.recommendation import Consult, Link, Recommendation, RecommendationSet

MOST_ACTIONS = 3
# These say how findings fit together or that nothing follows, and nothing that anybody could do.
NOT_DONE = ("discordant.", "knee.no_treatment")
# Characters of one thing to do at the top of a clinician's page; the rest of the advice stands in its fold.
LONGEST_OPENING = 160
PRESSING = ("soon", "urgent")
# What goes on after a patient's headline, which has said the first half already.
PLAINLY = {"meaning.moderate": "plain_more.moderate", "meaning.high": "plain_more.high"}
# A clinician treats, refers and orders before advising on movement and food.
CLINICIANS_GROUPS = ("medication", "referral", "follow_up", "exercise", "diet")
SIDE_BY_SIDE = 3
# Of how many people, films or knees a share is told: readers see more in "39 of 100" than in "0.39".
OF = 100


@dataclass(frozen=True)
class Headline:
    """What was found.

    Args:
        text: the diagnosis, else the risk category.
        level: the category's code, `unknown` without one; it decides the colour and nothing else.
        found_by: what a diagnosis rests on, with its date; null where an estimate leads.
        category: in words, where a diagnosis leads.
        meaning: one sentence or two.
        findings: the estimate, the film and the knees in a line each; for the clinic alone.
    """

    text: str
    level: str
    found_by: str | None
    category: str | None
    meaning: str
    findings: list[str]


@dataclass(frozen=True)
class Certainty:
    """How sure it is: one sentence on what leads; for the clinic, one each on the film and on the knees."""

    sentence: str
    others: list[str]


@dataclass(frozen=True)
class Action:
    """One thing to do; `english` stands beside a translation that nobody has reviewed."""

    text: str
    english: str | None = None
    due: str | None = None
    is_english: bool = False


@dataclass(frozen=True)
class Actions:
    """What to do now.

    Args:
        emergency: comes before all else, and nothing beside it.
        first: at most `MOST_ACTIONS`.
        links: to doctors online; for patients alone, and not in an emergency.
    """

    emergency: Action | None
    first: list[Action]
    links: list[Link]


@dataclass(frozen=True)
class ResultView:
    """The top of a result."""

    headline: Headline
    certainty: Certainty
    actions: Actions


def result_view(t: Translator, content: ReportContent) -> ResultView:
    """The top of a result for its reader."""
    assessment, audience = content.assessment, content.audience
    return ResultView(
        headline_of(t, assessment, audience),
        certainty_of(t, assessment, content.measured, audience),
        actions_of(t, assessment, audience),
    )


def headline_of(t: Translator, assessment: Assessment, audience: Audience) -> Headline:
    """What was found; a measured diagnosis leads and silences the estimate."""
    category = assessment.combined.category
    measured = assessment.combined.diagnosis is not None
    keys = meaning(assessment, audience)
    text, means = headline(t, assessment), " ".join(_told(t, key, audience) for key in keys)
    if audience == "patient" and not measured:
        text = t(f"plain.{'film' if keys == ['meaning.film'] else category or 'unknown'}")
        means = t(PLAINLY[keys[0]]) if keys[0] in PLAINLY else means
    return Headline(
        text=text,
        level=category or "unknown",
        found_by=found_by(t, assessment),
        category=t.term("category", category) if measured and category else None,
        meaning=means,
        findings=list(_findings(t, assessment)) if audience == "clinician" else [],
    )


def _told(t: Translator, key: str, audience: Audience) -> str:
    """What a result means; a clinician is not told to see a doctor."""
    for_clinicians = key.replace("meaning.", "meaning_for_clinicians.", 1)
    return t(for_clinicians if audience == "clinician" and t.has(for_clinicians) else key)


def _findings(t: Translator, assessment: Assessment) -> Iterator[str]:
    yield from chance(t, assessment)[:1]
    if imaging := assessment.imaging:
        yield f"{t('part.imaging')}, {t.term('anatomy', imaging.anatomy)}: {imaging_summary(t, imaging)}"
    if staging := assessment.staging:
        yield "; ".join(knee_line(t, knee) for knee in staging.knees)


def certainty_of(t: Translator, assessment: Assessment, measured: Measured, audience: Audience) -> Certainty:
    """How sure what leads is, by figures that were measured for the very version that answered."""
    sentence = _decided(t, assessment) or _estimated(t, measured, audience)
    film, knees = _film(t, assessment.imaging, measured), _knees(t, assessment, measured)
    if sentence is None and assessment.clinical is None:
        sentence, film = film, None
    others = [line for line in (film, knees) if line] if audience == "clinician" else []
    return Certainty(sentence or t("certainty.none"), others)


def _decided(t: Translator, assessment: Assessment) -> str | None:
    """The sentence where a measurement or a rule decides, and the estimate does not."""
    clinical = assessment.clinical
    if assessment.combined.diagnosis is not None and clinical is not None and clinical.bone_density is not None:
        return t("certainty.by_fracture" if by_fracture(clinical, clinical.bone_density) else "certainty.by_dxa")
    if clinical is None or clinical.category is None or clinical.decided_by in (None, "model"):
        return None
    return t(f"certainty.by_{clinical.decided_by}")


def _estimated(t: Translator, measured: Measured, audience: Audience) -> str | None:
    found = measured.estimate
    if found is None:
        return None
    values = {"count": _of_100(found.share.value), "low": _of_100(found.share.low), "high": _of_100(found.share.high)}
    group = t(f"certainty.{'group' if audience == 'clinician' else 'like_you'}.{found.group}")
    return t(f"certainty.estimate_{found.answer}", group=group, **values)


def _film(t: Translator, imaging: ImagingFinding | None, measured: Measured) -> str | None:
    if imaging is None:
        return None
    if imaging.indeterminate:
        return t("certainty.film_unclear")
    if measured.film is None:
        return t("certainty.film_unknown")
    found, missed = measured.film.sensitivity.value, 1 - measured.film.specificity.value
    return t("certainty.film", found=_of_100(found), wrongly=_of_100(missed))


def _knees(t: Translator, assessment: Assessment, measured: Measured) -> str | None:
    if assessment.staging is None or measured.grades is None:
        return None
    right = _of_100(measured.grades.right)
    if measured.grades.within_one is None:
        return t("certainty.grades_unsure", right=right)
    return t("certainty.grades", right=right, near=_of_100(measured.grades.within_one))


def _of_100(share: float) -> int:
    return round(OF * share)


def actions_of(t: Translator, assessment: Assessment, audience: Audience) -> Actions:
    """What to do now, the most pressing first; of each kind of advice one before any kind has two."""
    advice = assessment.recommendation
    if advice is None or assessment.is_withdrawn:
        return Actions(None, [], [])
    urgent = emergency(assessment)
    first = [*_see_a_doctor(t, advice.consult, audience), *_done(t, assessment, advice, audience)]
    return Actions(
        emergency=_reason(t, urgent, audience) if urgent else None,
        first=first[:MOST_ACTIONS],
        links=[] if urgent or audience == "clinician" else advice.consult.links,
    )


def _see_a_doctor(t: Translator, consult: Consult, audience: Audience) -> list[Action]:
    """That somebody is to be seen soon; what is routine goes without saying, and an emergency has been said."""
    if not consult.advised or consult.urgency not in PRESSING:
        return []
    if audience == "patient":
        return [Action(t(f"actions.doctor_{consult.urgency}"))]
    due = t(f"urgency.{consult.urgency}")
    return [Action(opening(consult.reason or ""), due=f"{due}:", is_english=t.language != "en")]


def _done(t: Translator, assessment: Assessment, advice: RecommendationSet, audience: Audience) -> list[Action]:
    return [_action(t, assessment, item, audience) for item in in_turn(advice.items, audience)]


def in_turn(items: Sequence[Recommendation], audience: Audience) -> list[Recommendation]:
    """The first of every kind, then the second of every kind, and so on; a medicine that does not suit is none."""
    wanted = [item for item in items if item.status != "blocked" and not item.id.startswith(NOT_DONE)]
    kinds = CLINICIANS_GROUPS if audience == "clinician" else GROUPS
    places = {id(item): [other for other in wanted if other.kind == item.kind].index(item) for item in wanted}

    def turn(item: Recommendation) -> tuple[bool, int, int]:
        place = kinds.index(item.kind)
        return audience == "clinician" and place >= SIDE_BY_SIDE, places[id(item)], place

    return sorted(wanted, key=turn)


def _action(t: Translator, assessment: Assessment, item: Recommendation, audience: Audience) -> Action:
    text, english = in_both(t, item.translations, item.text, audience)
    is_english, due = t.language != "en" and text == item.text, interval(t, assessment, item)
    if audience == "patient":
        return Action(text, english, due, is_english)
    if item.status and item.drug_class:
        due = f"{t('status.' + item.status)}, {t.term('drug', item.drug_class)}:"
    return Action(opening(text), None, due, is_english)


def opening(text: str) -> str:
    """The first sentence of a text, and those after it for as long as all are short."""
    first, *others = (f"{sentence}." for sentence in text.removesuffix(".").split(". "))
    said = first
    for sentence in others:
        if len(said) + len(sentence) >= LONGEST_OPENING:
            break
        said = f"{said} {sentence}"
    return said


def _reason(t: Translator, consult: Consult, audience: Audience) -> Action:
    text, english = in_both(t, consult.translations, consult.reason, audience)
    return Action(text, english, is_english=t.language != "en" and text == consult.reason)
