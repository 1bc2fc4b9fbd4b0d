"""How the report is worded, for HTML and PDF alike. It is for the physicist who validates, and in English."""

from collections.abc import Iterator

from gateway.evaluation.model import (
    BoneEvaluation,
    Discrimination,
    Estimate,
    KneeEvaluation,
    Outcomes,
    ReaderAgreement,
    SiteEvaluation,
    SiteFigure,
    Verdict,
)

TITLE = "How good it is here"
VERDICTS: dict[Verdict, str] = {
    "better": "better here: the intervals lie apart",
    "worse": "WORSE HERE: the intervals lie apart",
    "not_told_apart": "not told apart: the intervals overlap",
    "not_measured": "nothing to compare with",
}
HOW_IT_WAS_READ = (
    "Films were read alone, without a clinical record, as this installation reads an upload; a line that names a "
    "stored assessment counts as it was answered. Below 50 years of age the bone counts as indeterminate. Intervals "
    "are 95 %, bootstrapped by patient. Figures are of the films that were answered; the card's figures of bone "
    "include those that it would call indeterminate."
)
WITHOUT_SETTINGS = "No settings of the site were put on top of the networks."
WHOM_IT_HOLDS_FOR = (
    "They hold for people who come as those in the table came. A table of picked cases, or of as many sick as healthy, "
    "gives other figures than a clinic's day."
)
TOO_GOOD = (
    "Better than on the card is rare. Ask first whether any of these films, or others of these patients, was learned "
    "from (the card names its sets): then the figures say nothing of new patients."
)


def shown(estimate: Estimate, digits: int = 2) -> str:
    """A figure with its interval."""
    if estimate.value is None or estimate.low is None or estimate.high is None:
        return "not defined for these people"
    return f"{estimate.value:.{digits}f} ({estimate.low:.{digits}f} to {estimate.high:.{digits}f})"


def figure_line(figure: SiteFigure) -> str:
    """A figure, the card's and the verdict, in a line."""
    card = f"; card {shown(figure.card)}: {VERDICTS[figure.verdict]}" if figure.card else ""
    return f"{figure.title}: {shown(figure.site)}{card}"


def about(evaluation: SiteEvaluation) -> list[str]:
    """What the table was."""
    counts = f"{evaluation.lines} lines, {evaluation.films} films, {evaluation.patients} patients"
    made = f"{evaluation.resamples} resamples, seed {evaluation.seed}"
    settings = ", ".join(evaluation.site_settings)
    read_with = f"Films were answered with the site settings {settings}." if settings else WITHOUT_SETTINGS
    first = f"{counts}. {made}. Table's SHA-256: {evaluation.table_sha256}."
    return [first, HOW_IT_WAS_READ, read_with, WHOM_IT_HOLDS_FOR]


def outcome_lines(outcomes: Outcomes, what: str) -> Iterator[str]:
    """What became of the lines that have a truth."""
    share = outcomes.answered / outcomes.lines if outcomes.lines else 0.0
    yield f"{outcomes.answered} of {outcomes.lines} {what} with a truth were answered ({share:.0%})."
    if outcomes.refused:
        yield f"{outcomes.refused} refused ({outcomes.refused / outcomes.lines:.0%}): {_counts(outcomes.refusals)}."
    if outcomes.not_answered:
        yield f"Read without an answer: {_counts(outcomes.not_answered)}."
    if outcomes.uncertain:
        part = outcomes.uncertain / outcomes.answered
        yield f"{outcomes.uncertain} of the answered ({part:.0%}) were marked as low-confidence grades."


def _counts(reasons: dict[str, int]) -> str:
    return ", ".join(f"{reason.rstrip('.')} {count}" for reason, count in reasons.items())


def knee_lines(knees: KneeEvaluation) -> Iterator[str]:
    """What the figures beside the card's say of grades."""
    if knees.mean_difference.is_known:
        yield f"Mean difference, network less reader: {shown(knees.mean_difference)} grades."
    if knees.accuracy_when_certain.is_known and knees.outcomes.uncertain:
        yield f"Accuracy without the low-confidence grades: {shown(knees.accuracy_when_certain)}."
    if knees.top_grade_calibration_error.is_known:
        yield f"Calibration error of the likeliest grade: {shown(knees.top_grade_calibration_error)}."


def probability_lines(asked: Discrimination) -> Iterator[str]:
    """How good a probability is."""
    calibration = asked.calibration
    yield f"{asked.question} Yes in {asked.with_it}, no in {asked.without_it}. Brier score {shown(asked.brier)}."
    yield (
        f"Calibration error {shown(calibration.error)}; intercept {shown(calibration.intercept)} (ideal 0), slope "
        f"{shown(calibration.slope)} (ideal 1)."
    )
    yield benefit_line(asked)


def benefit_line(asked: Discrimination) -> str:
    """Where acting by the network does more good than sending everybody or nobody."""
    useful = [point.threshold for point in asked.decision_curve if point.network > max(0.0, point.everybody)]
    if not useful:
        return "At no threshold looked at does the network do more good than sending everybody on, or nobody."
    at = ", ".join(f"{threshold:.0%}" for threshold in useful)
    return f"The network does more good than sending everybody on, or nobody, at thresholds of {at}."


def bone_lines(bone: BoneEvaluation) -> Iterator[str]:
    """What else is to be known of the figures of osteoporosis."""
    if bone.assumed_prevalence is not None:
        setting = "TRABECULA_OSTEOPOROSIS_PREVALENCE"
        yield f"The probabilities assume that {bone.assumed_prevalence:.1%} have osteoporosis ({setting})."
    if bone.anatomy == "spine":
        yield "The card has its figures of spines by kind of picture, so none stands beside these."


def reader_lines(reader: ReaderAgreement) -> Iterator[str]:
    """How far people agree, and how far the network does."""
    yield f"Readers 1 and {reader.reader} on {reader.knees} knees: kappa {shown(reader.readers_kappa)}."
    yield (
        f"Network and reader 1 on the same knees: kappa {shown(reader.network_kappa)}; network and reader "
        f"{reader.reader}: {shown(reader.network_with_this_reader)}."
    )
    yield f"Difference, network less reader {reader.reader}: {shown(reader.difference)}. {_beside_readers(reader)}"


def _beside_readers(reader: ReaderAgreement) -> str:
    low, high = reader.difference.low, reader.difference.high
    if low is None or high is None:
        return ""
    if high < 0:
        return "The network agrees with reader 1 less than people agree with each other."
    if low > 0:
        return "The network agrees with reader 1 more than the other reader does."
    return "It cannot be told from how far people agree with each other."


def caution(figures: list[SiteFigure]) -> list[str]:
    """What to ask first where a figure is better than the card's."""
    return [TOO_GOOD] if any(figure.verdict == "better" for figure in figures) else []


def resolutions(figures: list[SiteFigure]) -> list[str]:
    """What a table of this size can tell."""
    return [figure.resolution for figure in figures if figure.resolution]


def summary(evaluation: SiteEvaluation) -> list[str]:
    """The report in a few lines, for the terminal."""
    lines = []
    if evaluation.knees:
        lines += ["Kellgren-Lawrence grades", *outcome_lines(evaluation.knees.outcomes, "knees")]
        lines += [*map(figure_line, evaluation.knees.figures), *caution(evaluation.knees.figures)]
        lines += [line for reader in evaluation.knees.readers for line in reader_lines(reader)]
    for bone in evaluation.bones:
        lines += [f"Osteoporosis, {bone.anatomy}", *outcome_lines(bone.outcomes, "films")]
        lines += [*map(figure_line, bone.figures), *caution(bone.figures)]
    return lines
