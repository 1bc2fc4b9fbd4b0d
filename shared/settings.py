"""What the settings of all services have in common."""

from pathlib import Path
from typing import Literal, Self

from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from shared.signers import read_signers

SECRETS = Path("/run/secrets")


class ServiceSettings(BaseSettings):
    """Settings of one service: `TRABECULA_*` in the environment, a `.env` file, or files under /run/secrets."""

    model_config = SettingsConfigDict(
        env_prefix="TRABECULA_",
        env_nested_delimiter="__",
        env_file=".env",
        secrets_dir=SECRETS if SECRETS.is_dir() else None,
        extra="ignore",
        protected_namespaces=(),
    )

    internal_secret: SecretStr = Field(min_length=32, description="Shared with the gateway; signs internal tokens")
    inference_threads: int = Field(1, ge=1, le=64, description="Threads within one inference")
    inference: Literal["onnx", "tfserving", "oip"] = Field(
        "onnx",
        description="Where networks are scored: in this process, in TensorFlow Serving, by Open Inference Protocol",
    )
    inference_address: str = Field("", description="host:port of TensorFlow Serving, or URL of the protocol's server")
    inference_versions: dict[str, int] = Field(
        {}, description='Version to ask for by network, as {"staging": 2}; the server decides on the others'
    )
    inference_deadline_s: float = Field(5.0, gt=0, le=10, description="Seconds that an inference server may take")
    models: Path = Field(Path("models"), description="Holds the model packages, as NAME/VERSION")
    model_signers: str = Field(
        "",
        description="Whose signed packages are loaded, as `name:key` with spaces between; those that the project ships "
        "need none",
    )
    models_open: bool = Field(
        False, description="Run without weights that are for research only: see docs/reference/weights.md"
    )
    workers: int = Field(2, ge=1, le=64, description="Pictures worked on at the same time")
    max_upload_bytes: int = Field(40_000_000, ge=1, description="Largest request body")
    log_level: str = Field("INFO", description="`DEBUG`, `INFO`, `WARNING` or `ERROR`")

    @model_validator(mode="after")
    def _server_has_an_address(self) -> Self:
        if self.inference != "onnx" and not self.inference_address:
            raise ValueError(f"TRABECULA_INFERENCE={self.inference} needs TRABECULA_INFERENCE_ADDRESS")
        return self

    @field_validator("model_signers")
    @classmethod
    def _readable(cls, written: str) -> str:
        read_signers(written)
        return written

    @property
    def signers(self) -> dict[str, str]:
        """The public keys of those whose packages are loaded, by name."""
        return read_signers(self.model_signers)

    def model_folders(self) -> tuple[Path, ...]:
        """The folders whose manifests are verified before anything in them is loaded."""
        return ()


def wrong_settings(error: ValidationError) -> str:
    """What is wrong with the environment, in one line that names each setting."""
    return "; ".join(
        f"TRABECULA_{str(failure['loc'][0]).upper()}: {failure['msg']}" if failure["loc"] else failure["msg"]
        for failure in error.errors()
    )
