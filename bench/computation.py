"""The CPU time of the services' own computations, without HTTP: records, a recommendation, the phantoms."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from services.clinical.app import load as load_clinical
from services.clinical.finding import find
from services.clinical.settings import Settings as ClinicalSettings
from services.recommender import load_rules
from services.recommender.recommend import recommend
from shared.contracts.policy import ClinicPolicy
from shared.contracts.recommendation import RecommendationRequest
from shared.contracts.record import ClinicalRecord
from shared.radiograph import phantom

WOMAN = {"gender": "female", "weight_kg": 60, "height_cm": 160, "menopausal_status": "postmenopausal"}
SECRET = "0" * 32


@dataclass(frozen=True)
class Measured:
    """One computation: milliseconds of CPU each, and how many it may take."""

    name: str
    milliseconds: float
    limit: float

    @property
    def is_within(self) -> bool:
        return self.milliseconds <= self.limit

    def __str__(self) -> str:
        return f"{self.name:32} {self.milliseconds:8.2f} ms (limit {self.limit:g} ms)"


def computation(rounds: int) -> int:
    """Measure and print; the exit status is 1 where a limit is passed."""
    results = [measured(name, run, limit, repeat) for name, run, limit, repeat in _computations(rounds)]
    print("\n".join(map(str, results)))
    return 0 if all(result.is_within for result in results) else 1


def measured(name: str, run: Callable[[], object], limit: float, repeat: int) -> Measured:
    """Run once to warm up, then so many times."""
    run()
    started = time.process_time()
    for _ in range(repeat):
        run()
    return Measured(name, (time.process_time() - started) / repeat * 1000, limit)


def _computations(rounds: int) -> list[tuple[str, Callable[[], object], float, int]]:
    model, rules = load_clinical(ClinicalSettings(internal_secret=SECRET)).bone_density, load_rules()
    record = ClinicalRecord.model_validate({"age": 67, **WOMAN, "smoking": "current", "prior_fractures": True})
    records = [ClinicalRecord.model_validate({"age": 50 + number % 40, **WOMAN}) for number in range(2000)]
    request = RecommendationRequest(
        clinical=find([record], model, ClinicPolicy())[0], record=record, policy=ClinicPolicy()
    )
    return [
        ("one record", lambda: find([record], model), 3, rounds),
        ("2,000 records", lambda: find(records, model), 2000, 1),
        ("one recommendation", lambda: recommend(request, rules), 5, rounds),
        ("the knee phantom, full size", phantom.knee, 4000, 1),
        ("the spine phantom, full size", phantom.lumbar_spine, 4000, 1),
    ]
