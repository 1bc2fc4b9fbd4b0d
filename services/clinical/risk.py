"""The bone-density model's answer: two probabilities, what moved them, and which missing field could move them most.

The model is a sum over fields once age and sex are given, so a field's contribution is the same whatever else is known,
and the contributions add up to the log odds exactly. Age and sex, which interact, share theirs by Shapley's rule
(two players: the mean of both orders). All of it comes from one batch scored together.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import exp, isnan

import numpy as np
from numpy.typing import NDArray

from services.clinical.encoding import encode, of_own_sex
from services.clinical.parameters import BoneDensityParameters
from services.clinical.variables import FIELDS, VARIABLES, WOMEN_ONLY, variables_of
from shared.clinic.reading import Reading
from shared.inference import Scorer

# Bounds the memory of a batch: about 40 rows a record.
RECORDS_AT_ONCE = 500
ANCHORS = 4


@dataclass(frozen=True)
class Potential:
    """How far one missing field could move the log odds: lowest and highest change over its usual values."""

    lowest: float
    highest: float


@dataclass(frozen=True)
class Estimate:
    """The model's answer for a record, on the log odds scale of osteoporosis."""

    log_odds: float
    low_bone_mass_log_odds: float
    reference_log_odds: float
    effects: dict[str, float] = field(default_factory=dict)
    missing: dict[str, Potential] = field(default_factory=dict)

    @property
    def probability(self) -> float:
        """Of T <= -2.5 at any site."""
        return sigmoid(self.log_odds)

    @property
    def low_bone_mass_probability(self) -> float:
        """Of T < -1.0 at any site; never below that of osteoporosis, which is part of it."""
        return sigmoid(max(self.low_bone_mass_log_odds, self.log_odds))


def sigmoid(log_odds: float) -> float:
    """The probability of some log odds."""
    return 1 / (1 + exp(-log_odds))


class BoneDensityModel:
    """Scores records.

    Args:
        scorer: the ONNX model, one input `x` and one output `variable` with the log odds of `encoding.OUTPUTS`.
        parameters: its companions.
    """

    def __init__(self, scorer: Scorer, parameters: BoneDensityParameters) -> None:
        self.parameters = parameters
        self._scorer = scorer

    def estimate(self, readings: Sequence[Reading]) -> list[Estimate]:
        """One estimate a reading. Callers keep people below 40 out: the model never saw one.

        Raises:
            ServiceUnavailable: the scorer's runtime is on another machine and does not answer.
        """
        estimates: list[Estimate] = []
        for start in range(0, len(readings), RECORDS_AT_ONCE):
            estimates += self._estimate_some(readings[start : start + RECORDS_AT_ONCE])
        return estimates

    def _estimate_some(self, readings: Sequence[Reading]) -> list[Estimate]:
        plans = [_Plan.of(reading, self.parameters) for reading in readings]
        rows = [row for plan in plans for row in plan.rows]
        columns = dict(zip(VARIABLES, np.array(rows, dtype=np.float64).T, strict=True))
        outputs = self._scorer.score({"x": encode(columns).astype(np.float32)})["variable"].astype(np.float64)
        scored = of_own_sex(outputs, columns["female"])
        ends = np.cumsum([len(plan.rows) for plan in plans])
        return [plan.read(part) for plan, part in zip(plans, np.split(scored, ends[:-1]), strict=True)]


_NOTHING = {name: float("nan") for name in VARIABLES}


@dataclass(frozen=True)
class _Plan:
    """The rows to score for a record, and how to read the scores back."""

    rows: list[list[float]]
    female: bool
    known: list[str]
    missing: list[tuple[str, int]]

    @classmethod
    def of(cls, reading: Reading, parameters: BoneDensityParameters) -> "_Plan":
        full = variables_of(reading.record, reading.sex)
        age, sex = full["age"], full["female"]
        fields = [f for f in FIELDS if sex or not set(FIELDS[f]) <= set(WOMEN_ONLY)]
        known = [f for f in fields if any(not isnan(full[name]) for name in FIELDS[f])]
        usual = parameters.usual[reading.sex]
        missing = [(f, values) for f in fields if f not in known for values in usual[f]]
        anchors = [(0.0, parameters.reference_age), (1.0, parameters.reference_age), (1 - sex, age), (sex, age)]
        bare = [_NOTHING | {"female": s, "age": a} for s, a in anchors]
        base = bare[-1]
        alone = [base | {name: full[name] for name in FIELDS[f]} for f in known]
        tried = [base | values for _, values in missing]
        rows = [[row[name] for name in VARIABLES] for row in [*bare, full, *alone, *tried]]
        return cls(rows, bool(sex), known, [(f, i) for i, (f, _) in enumerate(missing)])

    def read(self, scored: NDArray[np.float64]) -> Estimate:
        man, woman, other_sex, base = scored[:ANCHORS, 0]
        own_reference = woman if self.female else man
        reference = (man + woman) / 2
        only_age = (other_sex + base) / 2
        age = ((only_age - reference) + (base - own_reference)) / 2
        gender = ((own_reference - reference) + (base - only_age)) / 2
        log_odds, low = scored[ANCHORS]
        change = scored[ANCHORS + 1 :, 0] - base
        effects = {"age": float(age), "gender": float(gender)}
        effects |= {f: float(change[i]) for i, f in enumerate(self.known)}
        return Estimate(float(log_odds), float(low), float(reference), effects, self._potentials(change))

    def _potentials(self, change: NDArray[np.float64]) -> dict[str, Potential]:
        moves: dict[str, list[float]] = {}
        for name, index in self.missing:
            moves.setdefault(name, []).append(float(change[len(self.known) + index]))
        return {name: Potential(min(values), max(values)) for name, values in moves.items()}
