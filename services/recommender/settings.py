"""Settings of the recommender service."""

from pathlib import Path
from typing import Annotated

from pydantic import Field

from services.recommender.links import Page
from services.recommender.load import SHIPPED_RULES
from services.recommender.schema import Url
from shared.settings import ServiceSettings


class Settings(ServiceSettings):
    """See `ServiceSettings`; what is here lets a clinic use its own rules and its own links."""

    rules_dir: Path = Field(SHIPPED_RULES, description="The rules, a folder like the shipped one")
    country: Annotated[str, Field(pattern=r"^[A-Z]{2}$", description="Whose consult links to show, ISO 3166")] = "IN"
    consult_links: list[Page] = Field([], description="The clinic's own ways to consult, in place of the shipped ones")
    guidance_urls: dict[str, Url] = Field({}, description="The clinic's own pages for patients, by guidance key")
    link_hosts: list[str] = Field([], description="Where not empty, the only hosts that links may point to")
