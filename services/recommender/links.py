"""The pages that items and the consult block point to: the shipped list, and what a site makes of it."""

from collections.abc import Mapping, Sequence
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import Field

from services.recommender.schema import Schema, Text, Url
from shared.contracts.recommendation import Link

EVERYWHERE = "default"


class Page(Schema):
    """One page, by title and address."""

    title: Annotated[str, Field(min_length=3)]
    url: Url


class Links(Schema):
    """`links.yaml`: guidance for patients by key, and ways to consult a doctor by country (ISO 3166, two letters)."""

    note: Text
    guidance: dict[str, Page]
    consult: dict[str, list[Page]]
    allowed_hosts: list[str] = Field([], description="Where not empty, the only hosts that an item may point to")

    def for_site(
        self,
        country: str,
        guidance_urls: Mapping[str, str],
        consult_links: Sequence[Page],
        allowed_hosts: Sequence[str],
    ) -> "Links":
        """The links as one site wants them.

        Args:
            country: whose consult options to show beside the default ones.
            guidance_urls: the site's own pages, by guidance key.
            consult_links: the site's own ways to consult; where given, they take the place of the shipped ones.
            allowed_hosts: where not empty, a page on any other host is left out.

        Raises:
            ValueError: a guidance key that does not exist.
        """
        unknown = sorted(set(guidance_urls) - set(self.guidance))
        if unknown:
            raise ValueError(f"no guidance page is called {', '.join(unknown)}; there are {', '.join(self.guidance)}")
        pages = {
            key: Page(title=page.title, url=guidance_urls.get(key, page.url)) for key, page in self.guidance.items()
        }
        consult = list(consult_links) or [*self.consult.get(EVERYWHERE, []), *self.consult.get(country, [])]
        return Links(
            note=self.note,
            guidance={key: page for key, page in pages.items() if _allowed(page.url, allowed_hosts)},
            consult={EVERYWHERE: [page for page in consult if _allowed(page.url, allowed_hosts)]},
            allowed_hosts=list(allowed_hosts),
        )

    @property
    def consult_links(self) -> list[Link]:
        """The ways to consult a doctor, ready to travel."""
        return [Link(title=page.title, url=page.url) for page in self.consult.get(EVERYWHERE, [])]

    def url(self, key: str | None, source: str | None = None) -> str | None:
        """The address of a guidance page, else that of the source; None where the site allows neither."""
        page = self.guidance.get(key) if key else None
        if page:
            return page.url
        return source if source and _allowed(source, self.allowed_hosts) else None


def _allowed(url: str, hosts: Sequence[str]) -> bool:
    host = urlsplit(url).hostname or ""
    return not hosts or any(host == allowed or host.endswith(f".{allowed}") for allowed in hosts)
