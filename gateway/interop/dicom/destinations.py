"""A destination for DICOM objects: its address, names, how the connection is protected, and which objects go there."""

import ipaddress
import ssl
from pathlib import Path
from typing import Annotated, Self
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, field_validator, model_validator

from gateway.interop.dicom.objects import ResultKind

# Printable characters, and no space at either end (PS3.5 6.2, AE).
ApplicationEntity = Annotated[str, StringConstraints(pattern=r"^[!-\[\]-~]([ -\[\]-~]{0,14}[!-\[\]-~])?$")]
Objects = Annotated[tuple[ResultKind, ...], Field(min_length=1)]
DEFAULT_OBJECTS: tuple[ResultKind, ...] = ("sr", "sc", "pr", "pdf")
OUR_NAME = "TRABECULA"


# What is wrong is told without what was given: a secret may be in it.
CONFIG = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class Protection(BaseModel):
    """How a connection is protected: who may vouch for the archive, and what this installation shows of itself."""

    model_config = CONFIG

    ca: Annotated[Path | None, Field(description="PEM file of authorities; the system's if unset")] = None
    certificate: Annotated[
        Path | None, Field(description="PEM file of our own certificate, where one is asked for")
    ] = None
    key: Annotated[Path | None, Field(description="PEM file of its key")] = None

    @model_validator(mode="after")
    def _files(self) -> Self:
        if (self.certificate is None) != (self.key is None):
            raise ValueError("certificate and key come together")
        for file in (self.ca, self.certificate, self.key):
            if file is not None and not file.is_file():
                raise ValueError(f"there is no file {file}")
        return self

    def context(self) -> ssl.SSLContext:
        """TLS 1.2 or later; the archive's certificate and its name are checked."""
        made = ssl.create_default_context(cafile=self.ca)
        made.minimum_version = ssl.TLSVersion.TLSv1_2
        if self.certificate is not None:
            made.load_cert_chain(self.certificate, self.key)
        return made


class DimseDestination(BaseModel):
    """An archive that takes objects by C-STORE."""

    model_config = CONFIG

    host: Annotated[str, Field(min_length=1, max_length=255)]
    port: Annotated[int, Field(ge=1, le=65535)]
    called_aet: ApplicationEntity
    calling_aet: ApplicationEntity = OUR_NAME
    tls: Annotated[Protection | None, Field(description="Null: the network is trusted")] = None
    objects: Objects = DEFAULT_OBJECTS
    commitment: Annotated[bool, Field(description="It has to confirm that it keeps what it took")] = False


class DicomWebDestination(BaseModel):
    """An archive that takes objects by STOW-RS."""

    model_config = CONFIG

    url: Annotated[str, Field(description="Of the DICOMweb service; /studies is added to it", max_length=1000)]
    authorization: Annotated[str | None, Field(pattern=r"^[!-~][ -~]{0,4000}$", description="Value of the header")] = (
        None
    )
    tls: Protection = Protection()
    objects: Objects = DEFAULT_OBJECTS

    @field_validator("url")
    @classmethod
    def _an_address(cls, url: str) -> str:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError("an address such as https://archive.hospital.example/dicom-web")
        if parts.username or parts.query or parts.fragment:
            raise ValueError("no name, password, query or fragment: they would stand in logs")
        return url.rstrip("/")

    @model_validator(mode="after")
    def _no_secret_in_the_clear(self) -> Self:
        parts = urlsplit(self.url)
        if self.authorization and parts.scheme == "http" and not is_loopback(parts.hostname or ""):
            raise ValueError("a secret goes over https only")
        return self


def is_loopback(host: str) -> bool:
    """Whether an address is this machine's own."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
