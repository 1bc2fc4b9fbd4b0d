"""What every peer serves: the imaging service's own work on one file, from its bytes to the finding.

The code and the networks are the project's, so that what differs is the way of serving. It is read in the peers' own
environments, which know neither FastAPI nor the gateway.
"""

from typing import Any

from services.imaging.classification import classify, ratios_of
from services.imaging.settings import Settings
from shared.contracts.base import ModelReference
from shared.contracts.models import ModelCard
from shared.inference import Scorer
from shared.inference.choice import open_scorer
from shared.radiograph import joints
from shared.radiograph.intake import decode

WORKERS = 2
SECRET = "0" * 32


class Task:
    """The networks, loaded.

    Args:
        scorers: the imaging network and the joint finder; those of ONNX Runtime where none are given.
    """

    def __init__(self, scorers: tuple[Scorer, Scorer] | None = None) -> None:
        settings = Settings(internal_secret=SECRET)
        self._card = ModelCard.model_validate_json((settings.model / "card.json").read_bytes())
        self._network, self._finder = scorers or (
            open_scorer(settings, "imaging", settings.model / "imaging.onnx"),
            open_scorer(settings, "knee_joints", joints.MODEL),
        )
        self._prevalence, self._ratios = settings.osteoporosis_prevalence, ratios_of(self._card)

    def answer(self, image: bytes) -> dict[str, Any]:
        """The finding in a radiograph, as JSON has it."""
        model = ModelReference(name=self._card.name, version=self._card.version)
        reading = classify(decode(image), self._network, self._finder, model, self._ratios, self._prevalence)
        return reading.finding.model_dump(mode="json")
