"""What one assessment costs beside what it cannot cost less than: CPU time, floor and system in turn in one run.

The floor: in one thread, without a server, each file is decoded once, and every pass of a network that the answer
needs is made once. The system: the whole embedded installation over a real socket, with a record, its decoding
processes counted. The parts between the two are measured in this process. Without `--images` the drawn knees and a
spine are used; a folder of full-size films says more. Fails (status 1) where a limit is passed.
"""

import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeVar

import httpx
import numpy as np

from bench.server import RECORD, Server, started
from services.clinical.app import load as load_clinical
from services.clinical.finding import find
from services.clinical.settings import Settings as ClinicalSettings
from services.imaging.app import Imaging
from services.imaging.app import load as load_imaging
from services.imaging.settings import Settings as ImagingSettings
from services.recommender import load_rules
from services.recommender.recommend import recommend
from services.staging.app import Staging
from services.staging.app import load as load_staging
from services.staging.settings import Settings as StagingSettings
from shared.contracts.handover import read_reading
from shared.contracts.policy import ClinicPolicy
from shared.contracts.recommendation import RecommendationRequest
from shared.contracts.record import ClinicalRecord
from shared.inference import Scorer, Tensors
from shared.problems import ImageRefused
from shared.radiograph import Radiograph, phantom
from shared.radiograph.decoder import DecoderPool
from shared.radiograph.intake import decode

MOST, MOST_OF_ONE_FILE = 1.25, 1.4
SECRET = "0" * 32
Result = TypeVar("Result")
SUFFIXES = {".jpg", ".jpeg", ".png", ".dcm", ".tif", ".tiff"}


class Remembered:
    """A scorer that remembers what it was asked, to be asked the same again."""

    def __init__(self, scorer: Scorer) -> None:
        self._scorer, self.asked = scorer, list[Tensors]()

    def score(self, inputs: Tensors) -> dict[str, np.ndarray]:
        self.asked.append(inputs)
        return self._scorer.score(inputs)

    def check(self) -> None:
        """Nothing to see: the network is in this process."""

    def again(self) -> None:
        """Every pass once more."""
        for inputs in self.asked:
            self._scorer.score(inputs)


class DecodedHere(DecoderPool):
    """Gives a radiograph that was decoded before, so that the time of decoding is not in what comes after it."""

    def __init__(self) -> None:
        super().__init__(0)
        self.radiograph: Radiograph | None = None

    def start(self) -> None:
        """Nothing to start."""

    def decode(self, data: bytes) -> Radiograph:
        assert self.radiograph is not None
        return self.radiograph


@dataclass
class Costs:
    """Milliseconds of CPU for one file, by part; each part has one figure a round."""

    name: str
    parts: dict[str, list[float]] = field(default_factory=dict)

    def add(self, part: str, milliseconds: float) -> None:
        """One more round of a part."""
        self.parts.setdefault(part, []).append(milliseconds)

    def median(self, part: str) -> float:
        """The middle of the rounds."""
        return statistics.median(self.parts[part])

    @property
    def ratio(self) -> float:
        """How often the floor fits into the system's time."""
        return self.median("system") / self.median("floor")


class Bench:
    """The services' own work in this process: the networks remember their passes, so that these can be made alone."""

    def __init__(self) -> None:
        self._decoder = DecodedHere()
        self._imaging, self._staging = self._loaded()
        self._scorers = [
            scorer
            for scorer in (
                self._imaging.network,
                self._imaging.finder,
                self._staging.network,
                self._staging.finder,
            )
            if isinstance(scorer, Remembered)
        ]
        self._model = load_clinical(ClinicalSettings(internal_secret=SECRET)).bone_density
        self._rules, self._record = load_rules(), ClinicalRecord.model_validate_json(RECORD)

    def measure(self, image: bytes, costs: Costs) -> None:
        """One round of every part but the system's."""
        self._decoder.radiograph, decoding = timed(lambda: decode(image))
        for scorer in self._scorers:
            scorer.asked.clear()
        (answer, handed_on), seeing = timed(lambda: read_reading(self._imaging.hand_on(image)))
        staged, grading = timed(lambda: self._staging.stage_handed_on(handed_on)) if handed_on else (None, 0.0)
        networks = sum(timed(scorer.again)[1] for scorer in self._scorers)
        (clinical,), record = timed(lambda: find([self._record], self._model, ClinicPolicy()))
        request = RecommendationRequest(
            imaging=answer.finding,
            staging=staged.finding if staged else None,
            clinical=clinical,
            record=self._record,
            policy=ClinicPolicy(),
        )
        advice = timed(lambda: recommend(request, self._rules))[1]
        for part, milliseconds in (
            ("decoding", decoding),
            ("networks", networks),
            ("floor", decoding + networks),
            ("image analysis, hand-over", seeing + grading - networks),
            ("record and rules", record + advice),
        ):
            costs.add(part, milliseconds)

    def _loaded(self) -> tuple[Imaging, Staging]:
        imaging = load_imaging(ImagingSettings(internal_secret=SECRET), self._decoder)
        staging = load_staging(StagingSettings(internal_secret=SECRET), self._decoder)
        return (
            replace(imaging, network=Remembered(imaging.network), finder=Remembered(imaging.finder)),
            replace(staging, network=Remembered(staging.network), finder=Remembered(staging.finder)),
        )


def timed(run: Callable[[], Result]) -> tuple[Result, float]:
    """What it gives, and the milliseconds of CPU that it took."""
    began = time.process_time()
    result = run()
    return result, (time.process_time() - began) * 1000


def floor(folder: Path | None, rounds: int) -> int:
    """Measure and print; the exit status is 1 where a limit is passed."""
    images = {path.name: path.read_bytes() for path in films(folder)} if folder else drawn()
    bench, every = Bench(), [Costs(name) for name in images]
    with (
        tempfile.TemporaryDirectory() as state,
        started(Path(state)) as server,
        httpx.Client(base_url=server.url, headers={"X-API-Key": server.key}, timeout=60) as client,
    ):
        for number in range(rounds + 1):  # the first is to warm up
            for costs in every:
                _round(images[costs.name], costs if number else Costs(costs.name), bench, server, client)
    print(table(every))
    mean = sum(costs.median("system") for costs in every) / sum(costs.median("floor") for costs in every)
    worst = max(every, key=lambda costs: costs.ratio)
    print(f"\nratio {mean:.2f} (limit {MOST}); worst file {worst.name} {worst.ratio:.2f} (limit {MOST_OF_ONE_FILE})")
    return 0 if mean <= MOST and worst.ratio <= MOST_OF_ONE_FILE else 1


def _round(image: bytes, costs: Costs, bench: Bench, server: Server, client: httpx.Client) -> None:
    try:
        bench.measure(image, costs)
    except ImageRefused as error:
        raise SystemExit(f"{costs.name} is refused, so it has no floor: {error.detail}") from error
    before = server.whole_cpu_s()
    answer = client.post("/v1/assessments", files={"image": (costs.name, image)}, data={"clinical": RECORD})
    answer.raise_for_status()
    costs.add("system", (server.whole_cpu_s() - before) * 1000)


def films(folder: Path) -> list[Path]:
    """The radiographs of a folder, by name."""
    found = sorted(path for path in folder.iterdir() if path.suffix.lower() in SUFFIXES)
    if not found:
        raise SystemExit(f"{folder} holds no file that ends in {', '.join(sorted(SUFFIXES))}.")
    return found


def drawn() -> dict[str, bytes]:
    """The phantoms, at the size of a detector and smaller."""
    return {
        "knee, 2,400 x 2,000": phantom.as_jpeg(phantom.knee(size=(2400, 2000))),
        "knee, 1,200 x 1,000": phantom.as_jpeg(phantom.knee(size=(1200, 1000))),
        "spine, 2,400 x 2,000": phantom.as_jpeg(phantom.lumbar_spine(size=(2400, 2000))),
    }


def table(every: list[Costs]) -> str:
    """A line a part, a column for the mean over files; then a line a file."""
    parts = [part for part in every[0].parts if part not in ("floor", "system")]
    means = {part: statistics.mean(costs.median(part) for costs in every) for part in every[0].parts}
    rest = means["system"] - sum(means[part] for part in parts)
    lines = [f"CPU time, mean of {len(every)} files (medians of {len(every[0].parts['system'])} rounds)"]
    for part, value in [*((part, means[part]) for part in parts), ("HTTP, gateway, storage: the rest", rest)]:
        lines.append(f"  {part:40} {value:7.1f} ms  {value / means['system']:4.0%}")
    lines += [f"  {'floor':40} {means['floor']:7.1f} ms", f"  {'system':40} {means['system']:7.1f} ms", ""]
    lines += [
        f"  {costs.name:40} floor {costs.median('floor'):7.1f}  system {costs.median('system'):7.1f}  "
        f"ratio {costs.ratio:.2f}"
        for costs in every
    ]
    return "\n".join(lines)
