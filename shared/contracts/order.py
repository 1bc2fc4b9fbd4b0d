"""The order that a radiograph was taken for, as the hospital's order system announced it (HL7 v2 ORM or OMG)."""

from typing import Annotated

from pydantic import Field

from shared.contracts.base import Contract

# Components of an identifier (EI) or of a person (XCN), as they came: they go back as they are.
Parts = tuple[str, ...]


class Order(Contract):
    """An imaging order. `accession` joins it to the film, whose header has the same."""

    accession: Annotated[str, Field(description="Accession number", min_length=1, max_length=16)]
    placer: Annotated[Parts, Field(description="Placer order number (EI): number, namespace, ...")] = ()
    filler: Annotated[Parts, Field(description="Filler order number (EI)")] = ()
    patient_number: Annotated[str | None, Field(description="Whose order it is")] = None
    provider: Annotated[Parts, Field(description="Ordering provider (XCN): id, family name, given name, ...")] = ()
