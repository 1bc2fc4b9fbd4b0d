"""Every problem that an answer can have, with its cause, its cure and whether the same request may be sent again."""

from dataclasses import dataclass
from http import HTTPStatus
from typing import Literal

from shared.problems import PROBLEMS, Problem

DOCUMENTATION = "/docs/problems/"
# `after_waiting`: the same request, as late as Retry-After says; `with_change`: not before something is different.
Retry = Literal["after_waiting", "with_change"]
MEND: Retry = "with_change"
WAIT: Retry = "after_waiting"


@dataclass(frozen=True)
class ProblemEntry:
    """A problem of the catalogue, for people who meet it."""

    problem: Problem
    cause: str
    cure: str
    retry: Retry

    @property
    def documentation_url(self) -> str:
        """Its page on every installation, below the installation's address."""
        return documentation_url(self.problem.slug)


def documentation_url(slug: str) -> str:
    """The page of a problem, below the installation's address."""
    return DOCUMENTATION + slug


# What the framework itself refuses, or what happens on the way, has no class of errors.
WITHOUT_CLASS = (
    (
        Problem(HTTPStatus.UNPROCESSABLE_ENTITY, "invalid-request", "The request cannot be used"),
        "A parameter, a header or a field of the body is missing or of the wrong kind.",
    ),
    (
        Problem(HTTPStatus.METHOD_NOT_ALLOWED, "method-not-allowed", "Method Not Allowed"),
        "The address is there, and this method is not one of its own; the header Allow names those.",
    ),
    (
        Problem(HTTPStatus.INTERNAL_SERVER_ERROR, "internal-error", "Internal error"),
        "Something that nobody foresaw went wrong in the installation. Nothing was stored.",
    ),
)
# By the problem's slug: what to do, and whether the same request may be sent again.
ADVICE: dict[str, tuple[str, Retry]] = {
    "invalid-input": ("Change what `detail` names; `field` says where, if it is one field.", MEND),
    "invalid-record": ("Correct each field of `errors` as its message says.", MEND),
    "missing-input": ("Send a radiograph, a clinical record, or both.", MEND),
    "unreadable-image": ("Send the file as the device or the archive wrote it, whole.", MEND),
    "unsupported-image": ("Convert it to one of the kinds that `detail` names, or send the DICOM file.", MEND),
    "image-too-large": ("Send it with fewer pixels, or the DICOM file of the single view.", MEND),
    "image-refused": ("Send an uncut radiograph of knee or spine; `reason` says what is wrong with this one.", MEND),
    "upload-too-large": ("Send a smaller file, or ask the operator to raise TRABECULA_MAX_UPLOAD_BYTES.", MEND),
    "invalid-search": ("Use the parameters of the CapabilityStatement at `/fhir/metadata`.", MEND),
    "not-acceptable": ("Ask for a format that is written, such as JSON.", MEND),
    "bad-request": ("Send a body that is what its Content-Type says, whole.", MEND),
    "unsupported-media-type": ("Send the body with the Content-Type that is read, and not compressed.", MEND),
    "upload-stalled": ("Send it again over a connection that holds.", WAIT),
    "not-authenticated": ("Send a valid token or key; a token that expired is renewed at `/v1/tokens`.", MEND),
    "not-authorised": ("Ask an administrator for a credential with the scope that `scope` names.", MEND),
    "provider-refused": ("Ask whoever runs the hospital's sign-in; `reason` says why.", MEND),
    "patient-restricted": ("Open the record by emergency access, or ask somebody who may read it.", MEND),
    "too-many-attempts": ("Wait as long as Retry-After says.", WAIT),
    "too-many-requests": ("Wait as long as Retry-After says, and look at RateLimit before the next one.", WAIT),
    "not-found": ("Check the id, and whether it is your organisation's; it may have been erased.", MEND),
    "cursor-expired": ("Read the lists for what was missed, and the feed from its beginning.", MEND),
    "conflict": ("Read what is stored, and decide anew; for an Idempotency-Key, send a new one.", MEND),
    "prefetch-missing": ("Send along what `missing` names, or let the client offer its FHIR server.", MEND),
    "patient-mismatch": ("Find out whose radiograph it is before anything else.", MEND),
    "no-dicom-source": ("Assess the DICOM file itself, and send the result of that.", MEND),
    "too-busy": ("Send it again after the seconds of Retry-After; hand many cases in as a batch.", WAIT),
    "not-installed": ("Ask the operator to install the extra that `detail` names.", MEND),
    "service-unavailable": ("Send it again after a few seconds, each time later; ask the operator if it lasts.", WAIT),
    "invalid-request": ("Correct each field of `errors` as its message says.", MEND),
    "method-not-allowed": ("Use a method that the documentation of the operation names.", MEND),
    "internal-error": (
        "Send it again once, with the same Idempotency-Key; then tell the operator the `instance`.",
        WAIT,
    ),
}


def catalogue() -> list[ProblemEntry]:
    """Every problem, by its slug."""
    causes = [(problem, " ".join((error.__doc__ or "").split())) for error, problem in PROBLEMS.items()]
    entries = [ProblemEntry(problem, cause, *ADVICE[problem.slug]) for problem, cause in (*causes, *WITHOUT_CLASS)]
    return sorted(entries, key=lambda entry: entry.problem.slug)
