"""A destination for HL7 v2 messages: its address, the names on both sides, how it is protected, and what goes there."""

from typing import Annotated

from pydantic import BaseModel, Field, StringConstraints

from gateway.interop.dicom.destinations import CONFIG, Protection
from gateway.interop.hl7.acknowledgement import OURS
from gateway.interop.hl7.writing import CharacterSet

# Of an application, a facility or an authority (HD): printable characters.
Name = Annotated[str, StringConstraints(pattern=r"^[ -~]{0,180}$")]


class Hl7Destination(BaseModel):
    """A system that takes results as ORU^R01 over MLLP."""

    model_config = CONFIG

    host: Annotated[str, Field(min_length=1, max_length=255)]
    port: Annotated[int, Field(ge=1, le=65535)]
    application: Annotated[Name, Field(description="Receiving application (MSH-5)")] = ""
    facility: Annotated[Name, Field(description="Receiving facility (MSH-6)")] = ""
    sending_application: Annotated[Name, Field(description="MSH-3")] = OURS
    sending_facility: Annotated[Name, Field(description="MSH-4")] = ""
    authority: Annotated[Name, Field(description="Who assigns the patient numbers (PID-3.4)")] = ""
    character_set: Annotated[CharacterSet, Field(description="MSH-18")] = "UNICODE UTF-8"
    tls: Annotated[Protection | None, Field(description="Null: the network is trusted")] = None
    pdf: Annotated[bool, Field(description="Whether the clinician's report goes along")] = False
    pdf_most_bytes: Annotated[int, Field(ge=1, le=10_000_000, description="A larger one is left out")] = 1_000_000
