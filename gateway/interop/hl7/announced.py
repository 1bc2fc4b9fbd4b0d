"""What a message announces: orders to remember or to forget, and patients whose numbers are one person's."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gateway.interop.hl7.reading import Received, malformed, parts, text
from gateway.platform.validators import checked_patient_number
from shared.contracts.order import Order
from shared.problems import InvalidInput

if TYPE_CHECKING:
    import hl7

ORDERS, MERGE = ("ORM^O01", "OMG^O19"), "ADT^A40"
# Order control (table 0119): cancelled or discontinued, asked for or done.
OVER = frozenset({"CA", "OC", "CR", "DC", "OD", "DR"})
# Of one message.
MOST_ORDERS = 50
LONGEST_ACCESSION = 16
# Components of an entity identifier (EI), and those of a person (XCN) that name one.
ENTITY, PERSON = 4, 6
# Where the accession number stands where its own field is empty: the filler's order number.
FILLER = "OBR-3"


@dataclass(frozen=True)
class Announced:
    """Orders to remember, and accession numbers of those that are over."""

    wanted: Sequence[Order]
    over: Sequence[str]


def orders_of(received: Received, accession_field: str) -> Announced:
    """The orders of an ORM^O01 or OMG^O19.

    Args:
        accession_field: where the accession number stands, as `OBR-18`, which IHE has for it.

    Raises:
        NotTaken: there is none, or one that lacks its accession number.
    """
    patient: str | None = None
    control: hl7.Segment | None = None
    wanted, over = [], []
    for one in received.message:
        name = str(one[0])
        if name == "PID":
            patient = patient_number(one, 3)
        elif name == "ORC":
            control = one
        elif name == "OBR":
            order = _order(control, one, patient, accession_field)
            if control is not None and text(control, 1) in OVER:
                over.append(order.accession)
            else:
                wanted.append(order)
    if not wanted and not over:
        raise malformed("There is no order (OBR) in the message; segments end with a carriage return.", "100")
    if len(wanted) + len(over) > MOST_ORDERS:
        raise malformed(f"More than {MOST_ORDERS} orders in one message: send them one by one.")
    return Announced(wanted, over)


def _order(control: "hl7.Segment | None", request: "hl7.Segment", patient: str | None, accession_field: str) -> Order:
    accession = _field(control, request, accession_field) or text(request, 3)
    if not accession or len(accession) > LONGEST_ACCESSION:
        raise malformed(
            f"An order has no accession number of at most {LONGEST_ACCESSION} characters in {accession_field} or "
            f"{FILLER}: a film could not be told to be of it."
        )
    return Order(
        accession=accession,
        placer=parts(request, 2, ENTITY) or (parts(control, 2, ENTITY) if control is not None else ()),
        filler=parts(request, 3, ENTITY) or (parts(control, 3, ENTITY) if control is not None else ()),
        patient_number=patient,
        provider=parts(request, 16, PERSON) or (parts(control, 12, PERSON) if control is not None else ()),
    )


def _field(control: "hl7.Segment | None", request: "hl7.Segment", name: str) -> str:
    of, number = name.split("-")
    found = request if of == "OBR" else control
    return "" if found is None else text(found, int(number))


@dataclass(frozen=True)
class Merged:
    """`retired` is one more number of the patient `surviving`."""

    retired: str
    surviving: str


def merges_of(received: Received) -> list[Merged]:
    """The pairs of an ADT^A40.

    Raises:
        NotTaken: there is none, or a number is missing.
    """
    found, surviving = [], None
    for one in received.message:
        name = str(one[0])
        if name == "PID":
            surviving = patient_number(one, 3)
        elif name == "MRG":
            retired = patient_number(one, 1)
            if not retired or not surviving:
                raise malformed("A merge needs the patient's number in PID-3 and the one that is given up in MRG-1.")
            found.append(Merged(retired, surviving))
    if not found:
        raise malformed("There is no MRG segment after a PID: nobody is named to be merged.", "100")
    return found


def patient_number(of: "hl7.Segment", number: int) -> str | None:
    """The patient's number in a list of identifiers (CX): the medical record number, else the first.

    Raises:
        NotTaken: it is no number that a patient here could have.
    """
    listed = range(1, len(of(number)) + 1 if number < len(of) else 1)
    kinds = {text(of, number, 5, repetition): text(of, number, 1, repetition) for repetition in reversed(listed)}
    found = kinds.get("MR") or text(of, number)
    try:
        return checked_patient_number(found or None)
    except InvalidInput as error:
        raise malformed(f"{of[0][0]}-{number}: {error.detail}", "102") from error
