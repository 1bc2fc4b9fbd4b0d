"""Settings of the clinical service."""

from pathlib import Path

from shared.settings import ServiceSettings


class ClinicalSettings(ServiceSettings):
    """See `ServiceSettings`; `clinical_model` is the folder with both models, their parameters and cards."""

    clinical_model: Path = Path(__file__).parent / "model"

    def model_folders(self) -> tuple[Path, ...]:
        """The folder with both models."""
        return (self.clinical_model,)
