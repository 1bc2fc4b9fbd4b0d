"""The facts that a rule may ask for: each has a name, a kind, and the record fields that would settle it.

A fact's value is None where it is not known. `REGISTRY` is the whole vocabulary of the condition language; it is
filled by `record_facts` and `finding_facts`, and a rule that asks for anything else does not load.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from services.recommender.case import Case

Value = bool | float | str | None
Kind = Literal["yes_no", "number", "word"]


@dataclass(frozen=True)
class Fact:
    """One thing that can be known of a case.

    Attributes:
        name: as rules write it; a number's unit is in the name.
        kind: what its value is; decides which comparisons a rule may make.
        read: its value in a case, None where unknown.
        fields: the fields that would settle it, as the clinical record or the request names them.
        values: the vocabulary of a word.
        refine: for a fact that hangs on several fields, those still missing in a case.
        needs_drug_statuses: known only once the drug classes are resolved; not for definitions, contraindications and
            drug classes.
    """

    name: str
    kind: Kind
    read: Callable[[Case], Value]
    fields: tuple[str, ...]
    values: tuple[str, ...] = ()
    refine: Callable[[Case], tuple[str, ...]] | None = None
    needs_drug_statuses: bool = False

    def missing(self, case: Case) -> tuple[str, ...]:
        """The fields to ask for while the value is unknown."""
        return self.refine(case) if self.refine else self.fields


class Facts(Mapping[str, Value]):
    """The values of one case, each read once and on demand."""

    def __init__(self, case: Case, registry: Mapping[str, Fact], read: Mapping[str, Value] | None = None) -> None:
        self.case = case
        self._registry = registry
        self._values = dict(read or {})

    def __getitem__(self, name: str) -> Value:
        if name not in self._values:
            self._values[name] = self._registry[name].read(self.case)
        return self._values[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._registry)

    def __len__(self) -> int:
        return len(self._registry)

    def of(self, case: Case) -> "Facts":
        """The facts of the same case at a later point, when its drug classes are resolved."""
        kept = {name: value for name, value in self._values.items() if not self._registry[name].needs_drug_statuses}
        return Facts(case, self._registry, kept)

    def missing(self, name: str) -> tuple[str, ...]:
        """The record fields that would settle a fact."""
        return self._registry[name].missing(self.case)
