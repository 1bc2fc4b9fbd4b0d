"""The rules as one checked whole."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property

from services.recommender.conditions import Condition
from services.recommender.links import Links
from services.recommender.messages import Catalogue
from services.recommender.schema import ConsultRule, Contraindication, Definition, Population, Rule, Statement
from shared.contracts.base import ModelReference


@dataclass(frozen=True)
class RuleSet:
    """Everything that was read from a rules directory; `origin` names the file of each id.

    `reference` is name and version as answers carry them; what follows the plus sign changes with any edit of a rule.
    """

    reference: ModelReference
    populations: Mapping[str, Population]
    definitions: Mapping[str, Definition]
    rules: tuple[Rule, ...]
    contraindications: tuple[Contraindication, ...]
    consults: tuple[ConsultRule, ...]
    links: Links
    catalogues: tuple[Catalogue, ...]
    origin: Mapping[str, str]

    @cached_property
    def conditions(self) -> dict[str, Condition]:
        """Definitions and populations by the name that conditions use."""
        named = {name: part.condition for name, part in self.populations.items()}
        return named | {name: part.condition for name, part in self.definitions.items()}

    def statements(self) -> Iterator[Statement]:
        """Everything that needs a citation and a review."""
        yield from self.definitions.values()
        yield from self.rules
        yield from self.contraindications
        yield from self.consults

    def with_links(self, links: Links) -> "RuleSet":
        """The same rules with a site's own links."""
        return replace(self, links=links)
