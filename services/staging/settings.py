"""Settings of the staging service."""

from pathlib import Path

from shared.settings import ServiceSettings


class StagingSettings(ServiceSettings):
    """See `ServiceSettings`; `staging_model` is the folder with the network, its card and the manifest."""

    staging_model: Path = Path(__file__).parent / "model"
