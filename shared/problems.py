"""The errors that leave a component, and the one table that maps them to HTTP (RFC 9457).

    TrabeculaError
    ├── InvalidInput                 the caller sent something that cannot be used
    │   ├── InvalidRecord            the clinical record: `errors` names each field and the cure
    │   ├── MissingInput             neither an image nor a record
    │   ├── UnreadableImage          the bytes are not a whole image (empty, truncated, corrupt)
    │   ├── UnsupportedImage         a whole image of a kind that is not read (multi-frame, CMYK, TIFF)
    │   ├── ImageTooLarge            more pixels than are decoded, by the file's own header
    │   └── ImageRefused             a readable image that is not a usable knee or spine radiograph
    ├── UploadTooLarge               more bytes than are accepted
    ├── InvalidSearch                a search parameter that is not known, or whose value cannot be read
    ├── NotAcceptable                the caller asks for a format that is not written
    ├── MalformedBody                the body is not what its Content-Type says
    ├── UnsupportedMediaType         the body is encoded in a way that is not read, such as compressed
    ├── UploadStalled                the body did not arrive in time
    ├── NotAuthenticated             no credential, or one that is not valid
    ├── NotAuthorised                a valid credential without the scope needed
    │   ├── ProviderRefused          the sign-in provider does not let somebody in here; `reason` is the code of why
    │   └── PatientRestricted        the patient's record is opened by emergency access alone
    ├── TooManyAttempts              too many sign-in attempts; `retry_after_s` says when the next one is heard
    ├── TooManyRequests              more than one caller may ask for; `retry_after_s` says when to go on
    ├── NotFound                     nothing under this address that the caller may see
    ├── CursorExpired                what comes after this place of a feed is not kept any more
    ├── Conflict                     the request contradicts what is stored
    │   ├── NoDicomSource            a result cannot go into a study: its image was no DICOM file
    │   └── PatientMismatch          the request and the DICOM file name different patients
    ├── PrefetchMissing              a CDS client did not send what it was asked for, and it cannot be fetched
    ├── TooBusy                      the bounded work in flight is full; `retry_after_s` says when to try again
    ├── NotInstalled                 this installation lacks the packages that it takes; the detail names the extra
    └── ServiceUnavailable           a service behind the gateway did not answer
        └── ServiceBrokeOff          it ended while it had the request, maybe because of it

A domain module raises these and knows nothing of HTTP; `shared.service` turns them into
`application/problem+json` with the status, type and title of `PROBLEMS`.
"""

from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

TYPE_PREFIX = "urn:trabecula:problem:"


class TrabeculaError(Exception):
    """An error with a message for the caller.

    Args:
        detail: what went wrong and how to mend it, in a sentence that a person understands.
        members: extension members of the problem document, such as `reason` or `errors`.
    """

    def __init__(self, detail: str, **members: Any) -> None:
        super().__init__(detail)
        self.detail = detail
        self.members = members


class InvalidInput(TrabeculaError):
    """The caller sent something that cannot be used."""


class InvalidRecord(InvalidInput):
    """The clinical record cannot be used; `errors` lists each field with the cure."""


class MissingInput(InvalidInput):
    """Neither an image nor a clinical record was sent."""


class UnreadableImage(InvalidInput):
    """The bytes are not a whole image: empty, truncated, corrupt or no image at all."""


class UnsupportedImage(InvalidInput):
    """A whole image of a kind that is not read; the detail names what is."""


class ImageTooLarge(InvalidInput):
    """The header announces more pixels than are decoded."""


class ImageRefused(InvalidInput):
    """A readable image that is not a usable knee or spine radiograph; `reason` is the code of why."""


class UploadTooLarge(TrabeculaError):
    """More bytes than are accepted."""


class InvalidSearch(TrabeculaError):
    """A search parameter that is not known here, or whose value cannot be read."""


class NotAcceptable(TrabeculaError):
    """The caller asks for a format that is not written here."""


class MalformedBody(TrabeculaError):
    """The body is not what its Content-Type says: a form or JSON that cannot be taken apart."""


class UnsupportedMediaType(TrabeculaError):
    """The body is encoded in a way that is not read; the detail names the header."""


class UploadStalled(TrabeculaError):
    """The body of the request did not arrive in time."""


class NotAuthenticated(TrabeculaError):
    """No credential, or one that is not valid."""


class NotAuthorised(TrabeculaError):
    """A valid credential that lacks the scope needed."""


class ProviderRefused(NotAuthorised):
    """The hospital's sign-in provider was asked, and nobody is let in; `reason` is the code of why."""


class PatientRestricted(NotAuthorised):
    """The record of this patient is restricted: emergency access opens it, with a reason that is reviewed."""


class TooManyAttempts(TrabeculaError):
    """Too many sign-in attempts; `retry_after_s` says when the next one is heard."""


class TooManyRequests(TrabeculaError):
    """More than one caller may ask for; `retry_after_s` says when to go on."""


class NotFound(TrabeculaError):
    """Nothing under this address that the caller may see."""


class CursorExpired(TrabeculaError):
    """What comes after this place of a feed is not kept any more: read the lists, and the feed from its beginning."""


class Conflict(TrabeculaError):
    """The request contradicts what is stored."""


class PatientMismatch(Conflict):
    """The request and the DICOM file name different patients."""


class NoDicomSource(Conflict):
    """A result cannot be put into a study, as its radiograph was no DICOM file."""


class PrefetchMissing(TrabeculaError):
    """A CDS client did not send data that it was asked for, and they cannot be fetched; `missing` names them."""


class TooBusy(TrabeculaError):
    """The bounded work in flight is full; `retry_after_s` says when to try again."""


class NotInstalled(TrabeculaError):
    """This installation lacks the packages that something takes; the detail names the extra that brings them."""


class ServiceUnavailable(TrabeculaError):
    """A service behind the gateway did not answer, or answered with an error of its own."""


class ServiceBrokeOff(ServiceUnavailable):
    """A service ended while it had the request, maybe because of it: the same request is not sent again unasked."""


@dataclass(frozen=True)
class Problem:
    """How a kind of error is answered over HTTP: status, stable type and title."""

    status: HTTPStatus
    slug: str
    title: str

    @property
    def type(self) -> str:
        return TYPE_PREFIX + self.slug


PROBLEMS: dict[type[TrabeculaError], Problem] = {
    InvalidInput: Problem(HTTPStatus.UNPROCESSABLE_ENTITY, "invalid-input", "The input cannot be used"),
    InvalidRecord: Problem(HTTPStatus.UNPROCESSABLE_ENTITY, "invalid-record", "The clinical record cannot be used"),
    MissingInput: Problem(HTTPStatus.UNPROCESSABLE_ENTITY, "missing-input", "Neither an image nor a record"),
    UnreadableImage: Problem(HTTPStatus.UNPROCESSABLE_ENTITY, "unreadable-image", "The image cannot be read"),
    UnsupportedImage: Problem(HTTPStatus.UNPROCESSABLE_ENTITY, "unsupported-image", "This kind of image is not read"),
    ImageTooLarge: Problem(HTTPStatus.UNPROCESSABLE_ENTITY, "image-too-large", "The image has too many pixels"),
    ImageRefused: Problem(HTTPStatus.UNPROCESSABLE_ENTITY, "image-refused", "The image cannot be assessed"),
    UploadTooLarge: Problem(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "upload-too-large", "The upload is too large"),
    InvalidSearch: Problem(HTTPStatus.BAD_REQUEST, "invalid-search", "The search cannot be made"),
    NotAcceptable: Problem(HTTPStatus.NOT_ACCEPTABLE, "not-acceptable", "This format is not written"),
    MalformedBody: Problem(HTTPStatus.BAD_REQUEST, "bad-request", "The body cannot be taken apart"),
    UnsupportedMediaType: Problem(
        HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "unsupported-media-type", "The body is encoded in a way that is not read"
    ),
    UploadStalled: Problem(HTTPStatus.REQUEST_TIMEOUT, "upload-stalled", "The upload stalled"),
    NotAuthenticated: Problem(HTTPStatus.UNAUTHORIZED, "not-authenticated", "A valid credential is needed"),
    NotAuthorised: Problem(HTTPStatus.FORBIDDEN, "not-authorised", "The credential lacks a scope"),
    ProviderRefused: Problem(HTTPStatus.FORBIDDEN, "provider-refused", "The sign-in provider lets nobody in here"),
    PatientRestricted: Problem(HTTPStatus.FORBIDDEN, "patient-restricted", "The patient's record is restricted"),
    TooManyAttempts: Problem(HTTPStatus.TOO_MANY_REQUESTS, "too-many-attempts", "Too many attempts"),
    TooManyRequests: Problem(HTTPStatus.TOO_MANY_REQUESTS, "too-many-requests", "Too many requests"),
    NotFound: Problem(HTTPStatus.NOT_FOUND, "not-found", "Nothing is found here"),
    CursorExpired: Problem(HTTPStatus.GONE, "cursor-expired", "The feed does not go back so far"),
    Conflict: Problem(HTTPStatus.CONFLICT, "conflict", "The request contradicts what is stored"),
    PatientMismatch: Problem(HTTPStatus.CONFLICT, "patient-mismatch", "Request and file name different patients"),
    NoDicomSource: Problem(HTTPStatus.CONFLICT, "no-dicom-source", "The radiograph was no DICOM file"),
    PrefetchMissing: Problem(HTTPStatus.PRECONDITION_FAILED, "prefetch-missing", "Data did not come along"),
    TooBusy: Problem(HTTPStatus.SERVICE_UNAVAILABLE, "too-busy", "Too much work in flight"),
    NotInstalled: Problem(HTTPStatus.NOT_IMPLEMENTED, "not-installed", "An extra is not installed"),
    ServiceUnavailable: Problem(HTTPStatus.SERVICE_UNAVAILABLE, "service-unavailable", "A service does not answer"),
}


def problem_for(error: TrabeculaError) -> Problem:
    """The row of `PROBLEMS` for an error, or for the nearest class it derives from."""
    for kind in type(error).__mro__:
        if kind in PROBLEMS:
            return PROBLEMS[kind]
    raise LookupError(f"{type(error).__name__} has no row in PROBLEMS")
