"""The search parameters of the FHIR API, and the pages of what they select."""

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Annotated
from urllib.parse import urlencode
from uuid import UUID

from fastapi import Depends, Query, Request

from gateway.api.deps import query_names
from gateway.context import AppContext, Context
from gateway.interop.fhir.reading.nodes import Moment, moment
from gateway.interop.fhir.writing.result import URI_SYSTEM, patient_system
from gateway.platform.identity.scopes import Principal
from gateway.records.assessments import EVERYTHING, Selection
from shared.problems import InvalidSearch

DEFAULT_COUNT, LARGEST_COUNT = 20, 100
UUID_LENGTH = 36
MAY_REPEAT = ("_lastUpdated",)
PREFIXES = ("eq", "ge", "gt", "le", "lt", "sa", "eb")
UNIT = dt.timedelta(microseconds=1)


async def ignored_parameters(request: Request) -> list[str]:
    """Query parameters that the operation does not have; none unless the caller asks for `Prefer: handling=lenient`.

    Raises:
        InvalidSearch: there are some, or one that may stand once stands twice.
    """
    known, sent = set(query_names(request.scope["route"].dependant)), request.query_params
    unknown = sorted({name for name in sent if name not in known})
    if unknown and "handling=lenient" not in request.headers.get("prefer", "").replace(" ", "").lower():
        there_are = f"there are {', '.join(sorted(known))}"
        raise InvalidSearch(f"There is no parameter '{unknown[0][:60]}' here: {there_are}.", field=unknown[0][:60])
    for name in known - set(MAY_REPEAT):
        if len(sent.getlist(name)) > 1:
            raise InvalidSearch(f"{name}: send it once.", field=name)
    return [name[:60] for name in unknown]


IgnoredParameters = Annotated[list[str], Depends(ignored_parameters)]


@dataclass(frozen=True)
class Cursor:
    """Where a page goes on: behind an assessment, or within it, behind so many of its resources."""

    assessment_id: UUID
    done: int | None = None

    @property
    def before(self) -> UUID:
        """What the ids of the next assessments are below."""
        return self.assessment_id if self.done is None else UUID(int=self.assessment_id.int + 1)

    def __str__(self) -> str:
        return str(self.assessment_id) if self.done is None else f"{self.assessment_id}~{self.done}"


@dataclass(frozen=True)
class Search:
    """What is looked for.

    Args:
        selection: of assessments; null where nothing can be found.
        resource_id, codes: what of their resources is wanted; codes as (system, code), either null for any.
        sent: the parameters as they were heeded, for the links of the page.
    """

    selection: Selection | None
    count: int
    cursor: Cursor | None
    resource_id: str | None = None
    codes: tuple[tuple[str | None, str], ...] = ()
    sent: tuple[tuple[str, str], ...] = field(default=())

    def address(self, base: str, kind: str, cursor: str | None = None) -> str:
        """The address of this page, or of the one that a cursor leads to."""
        kept = [(name, value) for name, value in self.sent if cursor is None or name != "_cursor"]
        query = urlencode(kept + ([("_cursor", cursor)] if cursor else []))
        return f"{base}/{kind}?{query}" if query else f"{base}/{kind}"


async def common_search(
    request: Request,
    ctx: Context,
    ignored: IgnoredParameters,
    id_: Annotated[str | None, Query(alias="_id")] = None,
    last_updated: Annotated[
        list[str], Query(alias="_lastUpdated", description="As ge2026-11-01, le2026-11-30T12:00:00Z; may stand twice")
    ] = [],  # noqa: B006 -- FastAPI copies it
    subject: Annotated[str | None, Query(description="`Patient/` and the id given here")] = None,
    patient: Annotated[str | None, Query(description="The same as `subject`")] = None,
    by_number: Annotated[
        str | None, Query(alias="subject.identifier", description="The hospital's number, or `system|number`")
    ] = None,
    by_number_too: Annotated[str | None, Query(alias="subject:identifier")] = None,
    patient_by_number: Annotated[str | None, Query(alias="patient.identifier")] = None,
    patient_by_number_too: Annotated[str | None, Query(alias="patient:identifier")] = None,
    count: Annotated[str | None, Query(alias="_count", description="Resources a page, up to 100")] = None,
    cursor: Annotated[str | None, Query(alias="_cursor", description="From the link `next` of a page")] = None,
) -> Search:
    """The parameters that every search has; the hospital's number is looked up by `with_patient`.

    Raises:
        InvalidSearch: a value cannot be read.
    """
    sent = tuple((name, value) for name, value in request.query_params.multi_items() if name not in ignored)
    selection: Selection | None = _within(EVERYTHING, last_updated)
    for wanted in filter(None, (subject, patient)):
        selection = _of_patient(selection, as_uuid(wanted.rpartition("Patient/")[2]))
    if id_ is not None:
        selection = _of_assessment(selection, as_uuid(id_[:UUID_LENGTH]))
    return Search(selection, _count(count), _cursor(cursor), id_, sent=sent)


CommonSearch = Annotated[Search, Depends(common_search)]
NUMBERS = ("subject.identifier", "subject:identifier", "patient.identifier", "patient:identifier")


async def with_patient(search: Search, who: Principal, ctx: AppContext) -> Search:
    """The search with the patients found that it names by the hospital's number."""
    ours = {patient_system(None, str(who.organisation_id)), ctx.settings.fhir_patient_system}
    for token in (value for name, value in search.sent if name in NUMBERS):
        system, separator, value = token.rpartition("|")
        known = not separator or system in ours
        found = await ctx.results.patient_id(who, value) if known and value else None
        search = replace(search, selection=_of_patient(search.selection, found))
    return search


def of_report(search: Search, identifier: str | None) -> Search:
    """The search for the report of this identifier too."""
    if identifier is None:
        return search
    system, separator, value = identifier.rpartition("|")
    known = not separator or system == URI_SYSTEM
    found = as_uuid(value.removeprefix("urn:uuid:")) if known else None
    return replace(search, selection=_of_assessment(search.selection, found))


def of_codes(search: Search, tokens: str | None) -> Search:
    """The search for Observations of one of these codes, separated by commas, too."""
    found = (token.rpartition("|") for token in tokens.split(",")) if tokens else ()
    return replace(search, codes=tuple((system or None, code) for system, _, code in found))


def _of_patient(selection: Selection | None, patient_id: UUID | None) -> Selection | None:
    if selection is None or patient_id is None or selection.patient_id not in (None, patient_id):
        return None
    return replace(selection, patient_id=patient_id)


def _of_assessment(selection: Selection | None, assessment_id: UUID | None) -> Selection | None:
    if selection is None or assessment_id is None or selection.assessment_id not in (None, assessment_id):
        return None
    return replace(selection, assessment_id=assessment_id)


def as_uuid(text: str) -> UUID | None:
    """The UUID that a text is; null where it is none."""
    try:
        return UUID(text) if len(text) == UUID_LENGTH else None
    except ValueError:
        return None


def _count(text: str | None) -> int:
    if text is None:
        return DEFAULT_COUNT
    if not (text.isascii() and text.isdigit() and len(text) < 10 and int(text) > 0):
        raise InvalidSearch("_count: a whole number from 1 on is needed.", field="_count")
    return min(int(text), LARGEST_COUNT)


def _cursor(text: str | None) -> Cursor | None:
    if text is None:
        return None
    head, _, done = text.partition("~")
    identity, is_number = as_uuid(head), done.isascii() and done.isdigit() and len(done) < 10
    if identity is None or (done and not is_number) or identity.int == 2**128 - 1:
        raise InvalidSearch("_cursor: take it from the link `next` of a page.", field="_cursor")
    return Cursor(identity, int(done) if done else None)


def _within(selection: Selection, bounds: list[str]) -> Selection:
    """The selection between these bounds of `_lastUpdated`."""
    for first, last in map(_bound, bounds):
        begin = max(filter(None, (selection.changed_from, first)), default=None)
        end = min(filter(None, (selection.changed_to, last)), default=None)
        selection = replace(selection, changed_from=begin, changed_to=end)
    return selection


def _bound(text: str) -> tuple[dt.datetime | None, dt.datetime | None]:
    """The first and the last moment that a bound allows."""
    prefix = text[:2] if text[:2] in PREFIXES else ""
    found = moment(text[len(prefix) :].replace(" ", "+"))  # an unescaped plus sign is a space in a query
    try:
        if found is None:
            raise ValueError(text)
        first, last = found.first, _end(found)
    except (ValueError, OverflowError) as error:
        raise InvalidSearch("_lastUpdated: a date as ge2026-11-01 is needed.", field="_lastUpdated") from error
    bounds = {
        "ge": (first, None),
        "gt": (last + UNIT, None),
        "sa": (last + UNIT, None),
        "le": (None, last),
        "lt": (None, first - UNIT),
        "eb": (None, first - UNIT),
    }
    return bounds.get(prefix, (first, last))


def _end(found: Moment) -> dt.datetime:
    """The last moment that a date can stand for; a time stands for its millisecond, as it is written here."""
    first = found.first
    if found.parts == 1:
        return first.replace(year=first.year + 1) - UNIT
    if found.parts == 2:
        return (first + dt.timedelta(days=31)).replace(day=1) - UNIT
    return first + (dt.timedelta(days=1) if found.parts == 3 else dt.timedelta(milliseconds=1)) - UNIT


def has_code(resource: dict[str, object], codes: tuple[tuple[str | None, str], ...]) -> bool:
    """Whether an Observation has one of the codes; every one has where none are asked for."""
    return not codes or any(
        (system is None or system == own_system) and code == own_code
        for own_system, own_code in _codes_of(resource)
        for system, code in codes
    )


def _codes_of(resource: dict[str, object]) -> Iterator[tuple[str, str]]:
    concept = resource.get("code")
    for coding in concept.get("coding", []) if isinstance(concept, dict) else []:
        yield coding["system"], coding["code"]
