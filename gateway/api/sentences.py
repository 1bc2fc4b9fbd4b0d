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
from shared.problem_responses import example_response, problem_responses
from shared.problems import NotAuthenticated, NotAuthorised, NotFound

router = APIRouter(
    prefix="/v1/assessments/{assessment_id}",
    tags=["assessments"],
    responses=problem_responses(NotAuthenticated, NotAuthorised, NotFound),
)
EXAMPLE = {
    "language": "hi",
    "sentences": [
        {
            "prose": "low bone mass (WHO), by DXA of 2025-07-14: lowest T-score -2.1 at lumbar spine",
            "messages": [
                {
                    "key": "density.t",
                    "params": {
                        "sentence": "low bone mass (WHO)",
                        "dated": " of 2025-07-14",
                        "value": "-2.1",
                        "sites": "lumbar spine",
                        "tail": "",
                    },
                }
            ],
            "text": "हड्डी का कम घनत्व (WHO), DXA के अनुसार (14 जुल॰ 2025): सबसे कम T-स्कोर −2.1, कमर की रीढ़",
            "is_english": False,
        },
        {
            "prose": "low bone mass (WHO)",
            "messages": [{"key": "class.low_bone_mass", "params": {}}],
            "text": "हड्डी का कम घनत्व (WHO)",
            "is_english": False,
        },
    ],
}


class ToldSentences(BaseModel):
    """The sentences of an assessment. The texts of Hindi and Kannada have not been reviewed by a person."""

    language: LanguageCode
    sentences: list[ToldSentence]


@router.get(
    "/sentences",
    summary="Sentences by key and in a language",
    operation_id="get_sentences",
    responses=example_response(EXAMPLE),
)
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
