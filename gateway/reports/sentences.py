"""The services' own sentences in an assessment, each once, with its key and in a reader's language."""

from collections.abc import Iterator

from pydantic import BaseModel, Field

from gateway.platform.language import Translator
from gateway.platform.sentences import Row, Sentence, recognised
from shared.contracts.assessment import Assessment
from shared.contracts.findings import ClinicalFinding
from shared.contracts.recommendation import MessageKey


class ToldSentence(BaseModel):
    """One sentence of an answer, for a system that has its own words or shows another language."""

    prose: str = Field(description="As it stands in the assessment, in English")
    messages: list[MessageKey] = Field(
        description="Its key in the catalogue and what stands in its gaps; several for sentences in a row, none where "
        "the catalogue has none. A gap `sentence` or `tail` holds prose that is listed by itself"
    )
    text: str = Field(description="In the language that was asked for; in English where there are no words")
    is_english: bool = Field(description="Whether `text` is English although another language was asked for")


def told(t: Translator, assessment: Assessment) -> list[ToldSentence]:
    """Every sentence of a service, in the order of the answer, those that stand within another after it."""
    listed: dict[str, ToldSentence] = {}
    waiting = list(sentences_of(assessment))
    while waiting:
        prose = waiting.pop(0)
        if prose in listed:
            continue
        said, parts = t.said(prose), _parts(recognised(prose))
        messages = [MessageKey(key=part.key.removeprefix("said."), params=dict(part.params)) for part in parts]
        listed[prose] = ToldSentence(prose=prose, messages=messages, text=said.text, is_english=said.is_english)
        waiting = [*(prose for part in parts for prose in _within(part)), *waiting]
    return list(listed.values())


def _parts(found: Sentence | Row | None) -> list[Sentence]:
    if isinstance(found, Row):
        return [part for one in found.sentences for part in _parts(one)]
    return [found] if found else []


def _within(part: Sentence) -> Iterator[str]:
    if sentence := part.params.get("sentence"):
        yield sentence
    if tail := part.params.get("tail"):
        yield tail[2:]


def sentences_of(assessment: Assessment) -> Iterator[str]:
    """The prose of an assessment that services said; the rules' texts have keys and translations of their own."""
    yield from assessment.combined.basis
    if assessment.imaging:
        yield assessment.imaging.summary
    for knee in assessment.staging.knees if assessment.staging else []:
        if knee.note:
            yield knee.note
    if assessment.clinical:
        yield from sentences_of_record(assessment.clinical)
    yield from (one.detail for one in assessment.warnings if not (one.part_is_missing or one.was_left_out))
    yield from (link.title for link in assessment.recommendation.consult.links) if assessment.recommendation else ()
    yield assessment.disclaimer


def sentences_of_record(finding: ClinicalFinding) -> Iterator[str]:
    """What the clinical service says of a record."""
    density = finding.bone_density
    said = [finding.category_basis, finding.reason, finding.conclusion, density.basis if density else None]
    for score in (getattr(finding.scores, name) for name in type(finding.scores).model_fields):
        said += [score.reason, score.population, score.cut_off]
    yield from (sentence for sentence in said if sentence)
    yield from (warning.detail for warning in finding.warnings)
