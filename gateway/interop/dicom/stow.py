"""STOW-RS (PS3.18 10.5): objects into a DICOMweb archive, which says of each whether it has it."""

import datetime as dt
from collections.abc import Sequence
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

from gateway.assessing.outbox_worker import NotDelivered
from gateway.interop.dicom.destinations import DicomWebDestination
from gateway.interop.dicom.objects import DicomObject
from gateway.interop.dicom.store import CONNECTING_S, NotReached
from gateway.platform.clock import now

if TYPE_CHECKING:
    from dicomweb_client import DICOMwebClient
    from pydicom import Dataset
    from requests import RequestException, Response

ANSWER_S = 60
# Bodies are sent whole: not every archive takes pieces of a length that is not told.
WHOLE = 2**30
# The request itself is wrong, or the archive has another object of this UID.
FOR_GOOD = frozenset({400, 401, 403, 404, 405, 409, 413, 415, 422})


def stow(objects: Sequence[DicomObject], to: DicomWebDestination) -> None:
    """Send objects in one request, and return once the archive has confirmed each of them.

    Raises:
        NotReached: there was no connection.
        NotDelivered: not all were taken.
    """
    from requests import RequestException

    try:
        answer = client(to).store_instances([item.dataset for item in objects])
    except RequestException as error:
        raise not_delivered(error) from error
    confirm(objects, answer)


def client(to: DicomWebDestination) -> "DICOMwebClient":
    """A client of the archive, which follows no redirection and repeats nothing: the outbox does."""
    from dicomweb_client import DICOMwebClient
    from requests import Session

    session = Session()
    session.trust_env, session.max_redirects = False, 0
    session.headers["Accept"] = "application/dicom+json"
    if to.authorization:
        session.headers["Authorization"] = to.authorization
    if to.tls.ca is not None:
        session.verify = str(to.tls.ca)
    if to.tls.certificate is not None and to.tls.key is not None:
        session.cert = (str(to.tls.certificate), str(to.tls.key))
    made = DICOMwebClient(
        to.url, session=session, chunk_size=WHOLE, timeout=(CONNECTING_S, ANSWER_S), callback=plain_content_type
    )
    made.set_http_retry_params(retry=False)
    return made


def plain_content_type(response: "Response", *_: object, **__: object) -> "Response":
    """Without a charset and the like, with which the library takes an answer for an empty one; parts keep theirs."""
    kind = response.headers.get("Content-Type", "")
    if not kind.lower().startswith("multipart/"):
        response.headers["Content-Type"] = kind.partition(";")[0].strip()
    return response


def not_delivered(error: "RequestException") -> NotDelivered:
    """What an exception of the client means."""
    from requests.exceptions import ConnectTimeout, SSLError
    from urllib3.exceptions import NewConnectionError

    if error.response is not None:
        status = error.response.status_code
        wait = retry_after(error.response.headers.get("Retry-After"))
        return NotDelivered(f"the archive answered {status}", for_good=status in FOR_GOOD, retry_after_s=wait)
    refused = isinstance(getattr(error.args[0] if error.args else None, "reason", None), NewConnectionError)
    if refused or isinstance(error, ConnectTimeout | SSLError):
        return NotReached(f"the archive cannot be reached ({type(error).__name__})")
    return NotDelivered(f"the archive did not answer ({type(error).__name__})")


def retry_after(header: str | None) -> float | None:
    """Seconds that the archive asks for, said as a number or as a time."""
    if header is None:
        return None
    if header.isdecimal():
        return float(header[:9])
    try:
        moment = parsedate_to_datetime(header)
    except ValueError:
        return None
    return max(0.0, (moment.replace(tzinfo=moment.tzinfo or dt.UTC) - now()).total_seconds())


def confirm(objects: Sequence[DicomObject], answer: "Dataset") -> None:
    """See that the archive names each object as stored.

    Raises:
        NotDelivered: it names one as failed, or does not name one at all.
    """
    failed = {str(item.ReferencedSOPInstanceUID): item for item in answer.get("FailedSOPSequence", [])}
    stored = {str(item.ReferencedSOPInstanceUID) for item in answer.get("ReferencedSOPSequence", [])}
    for item in objects:
        known = item.reference.sop_uid
        if known in failed:
            raise NotDelivered(f"the archive refuses {item.kind}: 0x{failed[known].get('FailureReason', 0):04X}")
        if known not in stored:
            raise NotDelivered(f"the archive does not say that it has {item.kind}")
