"""The condition language of the rules: tests of facts joined by all, any and not, in three-valued logic.

    condition:
      all:
        - {fact: age, at_least: 65}                 # numbers: at_least, at_most, above, below, or two for a range
        - {fact: gender, is: female}                # words and yes/no: is; words also: in [a, b]
        - not: {fact: pregnant, is: true}
        - {definition: treatment_indicated}         # a condition with a name and a source of its own
        - on_record: {fact: medication.denosumab, is: true}     # yes only if the record says so; else no

`known: true` asks whether a fact is known at all. These two, `known` and `on_record`, are the only ways to turn
unknown into "no"; the limits of a drug may not use `on_record`.
"""

from collections.abc import Mapping
from typing import Annotated, Any, Literal, Union

from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag, model_validator

NUMERIC = ("at_least", "at_most", "above", "below")
Branch = Literal["all", "any", "not", "on_record", "definition", "fact"]


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
        sorts = [name for name, value in (("is", self.is_), ("in", self.in_), ("known", self.known)) if value is not None]
        return sorts[0] if sorts else "numeric"

    @property
    def bounds(self) -> dict[str, float]:
        """The numeric comparisons, by name."""
        return {name: value for name in NUMERIC if (value := getattr(self, name)) is not None}

    @model_validator(mode="after")
    def one_sort_of_comparison(self) -> "Test":
        sorts = sum(value is not None for value in (self.is_, self.in_, self.known)) + bool(self.bounds)
        if sorts != 1:
            raise ValueError("needs exactly one comparison: is, in, known, or at_least/at_most/above/below")
        return self


class All(Part):
    """True when every part is."""

    all: list["Condition"] = Field(min_length=1)


class Any_(Part):
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


def _branch(value: Any) -> str | None:
    """Which part a mapping is meant to be, so that an error speaks of that part alone."""
    keys = value if isinstance(value, Mapping) else {type(value).__name__: None}
    names = {"All": "all", "Any_": "any", "Not": "not", "OnRecord": "on_record", "Defined": "definition", "Test": "fact"}
    return next((names.get(key, key) for key in keys if names.get(key, key) in names.values()), None)


Condition = Annotated[
    Union[
        Annotated[All, Tag("all")],
        Annotated[Any_, Tag("any")],
        Annotated[Not, Tag("not")],
        Annotated[OnRecord, Tag("on_record")],
        Annotated[Defined, Tag("definition")],
        Annotated[Test, Tag("fact")],
    ],
    Discriminator(
        _branch,
        custom_error_type="condition",
        custom_error_message="a condition is one of: all, any, not, on_record, definition, or fact with a comparison",
    ),
]

for _part in (All, Any_, Not, OnRecord):
    _part.model_rebuild()
