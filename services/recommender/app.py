"""The recommender service: what a clinician should consider next."""

from typing import Annotated

from fastapi import APIRouter, Depends, FastAPI

from services.recommender.card import card
from services.recommender.load import load_rules
from services.recommender.recommend import recommend
from services.recommender.rule_set import RuleSet
from services.recommender.settings import Settings
from shared.contracts.recommendation import RecommendationRequest, RecommendationSet
from shared.service import create_service_app, loaded_model


def load(settings: Settings) -> RuleSet:
    """The rules of this site, with its links.

    Raises:
        BrokenRules: a rule file cannot be used; the message names file, rule and field.
        ValueError: a guidance page is set that no rule knows.
    """
    rules = load_rules(settings.rules_dir)
    links = rules.links.for_site(settings.country, settings.guidance_urls, settings.consult_links, settings.link_hosts)
    return rules.with_links(links)


router = APIRouter(prefix="/v1", tags=["recommendations"])


@router.post("/recommendations")
async def recommendations(
    request: RecommendationRequest, rules: Annotated[RuleSet, Depends(loaded_model)]
) -> RecommendationSet:
    """Drug classes with their status, exercise, diet, follow-up, referrals, and whether to see a doctor."""
    # One or two milliseconds of work: not worth a thread.
    return recommend(request, rules)


def create_app(settings: Settings) -> FastAPI:
    """The recommender service with these settings; rules that cannot be used are refused at once."""
    rules = load(settings)
    return create_service_app(
        "recommender",
        title="Trabecula recommender",
        settings=settings,
        load=lambda: rules,
        card=card,
        router=router,
    )
