"""`GET /v1/assessments/{id}/sentences`: what the services say, by key and in a language."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Header, Query
from pydantic import BaseModel

from gateway.api.deps import AssessmentReader
from gateway.context import Context
from gateway.platform.language import chosen, translator_for
from gateway.reports.sentences import ToldSentence, told
from shared.contracts.language import LanguageCode
from shared.problem_responses import problem_responses
from shared.problems import NotAuthenticated, NotAuthorised, NotFound

router = APIRouter(
    prefix="/v1/assessments/{assessment_id}",
    tags=["assessments"],
    responses=problem_responses(NotAuthenticated, NotAuthorised, NotFound),
)


class ToldSentences(BaseModel):
    """The sentences of an assessment. The texts of Hindi and Kannada have not been reviewed by a person."""

    language: LanguageCode
    sentences: list[ToldSentence]


@router.get("/sentences", summary="Sentences by key and in a language", operation_id="get_sentences")
async def get_sentences(
    assessment_id: UUID,
    who: AssessmentReader,
    ctx: Context,
    language: Annotated[LanguageCode | None, Query(description="`Accept-Language` decides if left out")] = None,
    accept_language: Annotated[str | None, Header(description="The first of these that there is; else English")] = None,
) -> ToldSentences:
    """Each sentence that a service said, with its key and values for a system that has its own words.

    The recommendations have keys and translations of their own, in the assessment.
    """
    seen = await ctx.assessments.get(assessment_id, who)
    code = language or chosen(None, accept_language)
    return ToldSentences(language=code, sentences=told(translator_for(code), seen.assessment))
