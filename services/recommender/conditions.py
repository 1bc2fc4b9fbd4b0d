"""The condition language of the rules: tests of facts joined by all, any and not, in three-valued logic.

    condition:
      all:
        - {fact: age, at_least: 65}                 # numbers: at_least, at_most, above, below, or two for a range
        - {fact: gender, is: female}                # words and yes/no: is; words also: in [a, b]
        - not: {fact: pregnant, is: true}
        - {definition: treatment_indicated}         # a condition with a name and a source of its own
        - on_record: {fact: medication.denosumab, is: true}     # yes only if the record says so; else no

`known: true` asks whether a fact is known at all. These two, `known` and `on_record`, are the only ways to turn
unknown into "no"; a drug's contraindications may not use `on_record`.
"""

from collections.abc import Mapping
from functools import cached_property
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag, model_validator

NUMERIC = ("at_least", "at_most", "above", "below")


class Part(BaseModel):
    """What every part of a condition has in common: it is read from a rule file and never changes."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class Test(Part):
    """One comparison of one fact."""

    # pytest would otherwise take the name for a test class.
    __test__ = False

    fact: str
    is_: bool | str | None = Field(default=None, alias="is")
    in_: list[str] | None = Field(default=None, alias="in", min_length=1)
    at_least: float | None = None
    at_most: float | None = None
    above: float | None = None
    below: float | None = None
    known: bool | None = None

    @property
    def kind(self) -> str:
        """Which sort of comparison it is: numeric, is, in or known."""
        if self.bounds:
            return "numeric"
        return "is" if self.is_ is not None else "in" if self.in_ is not None else "known"

    @cached_property
    def bounds(self) -> dict[str, float]:
        """The numeric comparisons, by name."""
        return {name: value for name in NUMERIC if (value := getattr(self, name)) is not None}

    @model_validator(mode="after")
    def one_sort_of_comparison(self) -> "Test":
        sorts = sum(value is not None for value in (self.is_, self.in_, self.known)) + bool(self.bounds)
        if sorts != 1:
            raise ValueError("needs exactly one comparison: is, in, known, or at_least/at_most/above/below")
        return self


class AllOf(Part):
    """True when every part is."""

    all: list["Condition"] = Field(min_length=1)


class AnyOf(Part):
    """True when at least one part is."""

    any: list["Condition"] = Field(min_length=1)


class Not(Part):
    """The opposite; of unknown, unknown."""

    not_: "Condition" = Field(alias="not")


class OnRecord(Part):
    """True when the part is true; otherwise false, also where it is unknown."""

    on_record: "Condition"


class Defined(Part):
    """A definition or a population, by its id."""

    definition: str


# The key that tells the parts apart in a rule file; a part already built answers to its class.
BRANCHES: dict[str, str] = {
    "AllOf": "all",
    "AnyOf": "any",
    "Not": "not",
    "OnRecord": "on_record",
    "Defined": "definition",
    "Test": "fact",
}


def _branch(value: Any) -> str | None:
    """Which part a mapping is meant to be, so that an error speaks of that part alone."""
    if isinstance(value, Mapping):
        return next((key for key in value if key in BRANCHES.values()), None)
    return BRANCHES.get(type(value).__name__)


Condition = Annotated[
    Annotated[AllOf, Tag("all")]
    | Annotated[AnyOf, Tag("any")]
    | Annotated[Not, Tag("not")]
    | Annotated[OnRecord, Tag("on_record")]
    | Annotated[Defined, Tag("definition")]
    | Annotated[Test, Tag("fact")],
    Discriminator(
        _branch,
        custom_error_type="condition",
        custom_error_message="a condition is one of: all, any, not, on_record, definition, or fact with a comparison",
    ),
]

for _part in (AllOf, AnyOf, Not, OnRecord):
    _part.model_rebuild()
