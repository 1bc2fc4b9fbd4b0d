"""Archives that are asked for new films: Orthanc by its list of changes, any other by DICOMweb (QIDO-RS, WADO-RS)."""

import datetime as dt
import io
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from gateway.interop.dicom.destinations import DicomWebDestination
from gateway.interop.dicom.received import MODALITIES
from gateway.interop.dicom.store import CONNECTING_S
from gateway.interop.dicom.stow import ANSWER_S, client

if TYPE_CHECKING:
    from requests import Session

# Changes of Orthanc read at a time, and studies or instances that an answer of QIDO has at most.
CHANGES, PAGE = 100, 100
NEW_INSTANCE = "NewInstance"
NOT_FOUND = 404


@dataclass(frozen=True)
class Found:
    """A film in an archive.

    Args:
        sop_uid: its SOPInstanceUID.
        at: where the archive has it.
    """

    sop_uid: str
    at: tuple[str, ...]


class Archive(Protocol):
    """Something that has films, and says which. Blocking."""

    def recent(self, since: dt.date) -> Iterator[Found]:
        """Its radiographs (CR, DX) of studies since this day."""

    def fetch(self, at: tuple[str, ...]) -> bytes | None:
        """The file (PS3.10); null where it is there no more."""


@dataclass(frozen=True)
class Orthanc:
    """Orthanc's own interface.

    Args:
        session: of requests, with what the server asks for.
        url: of the server.
        largest: bytes of one film; a larger one is not fetched.
    """

    session: "Session"
    url: str
    largest: int

    def changes(self, since: int) -> tuple[list[tuple[int, str | None]], int, bool]:
        """What changed after this number: (number, the instance's id where one came in), the last number, the end."""
        answer = self._get("/changes", since=since, limit=CHANGES).json()
        changed = [
            (int(change["Seq"]), str(change["ID"]) if change["ChangeType"] == NEW_INSTANCE else None)
            for change in answer["Changes"]
        ]
        return changed, int(answer["Last"]), bool(answer["Done"])

    def is_film(self, instance: str) -> bool:
        """Whether it is a radiograph by its modality, so that of a CT study nothing is fetched."""
        answer = self._get(f"/instances/{instance}/simplified-tags")
        return answer.status_code != NOT_FOUND and answer.json().get("Modality") in MODALITIES

    def recent(self, since: dt.date) -> Iterator[Found]:
        """Its radiographs of studies since this day."""
        for modality in sorted(MODALITIES):
            query = {"Modality": modality, "StudyDate": f"{since:%Y%m%d}-"}
            asked: Any = {"Level": "Instance", "Expand": True, "Query": query}
            answer = self.session.post(f"{self.url}/tools/find", json=asked, timeout=(CONNECTING_S, ANSWER_S))
            answer.raise_for_status()
            for instance in answer.json():
                yield Found(str(instance["MainDicomTags"]["SOPInstanceUID"]), (str(instance["ID"]),))

    def fetch(self, at: tuple[str, ...]) -> bytes | None:
        """The file; null where it is there no more, or is larger than a film."""
        answer = self._get(f"/instances/{at[0]}/file", stream=True)
        with answer:
            if answer.status_code == NOT_FOUND:
                return None
            data = bytearray()
            for piece in answer.iter_content(1_000_000):
                data += piece
                if len(data) > self.largest:
                    return None
        return bytes(data)

    def _get(self, path: str, stream: bool = False, **parameters: Any) -> Any:
        timeout = (CONNECTING_S, ANSWER_S)
        answer = self.session.get(f"{self.url}{path}", params=parameters, stream=stream, timeout=timeout)
        if answer.status_code != NOT_FOUND:
            answer.raise_for_status()
        return answer


@dataclass(frozen=True)
class DicomWeb:
    """Any archive that speaks DICOMweb (PS3.18).

    Args:
        to: its address and what it asks for.
    """

    to: DicomWebDestination

    def recent(self, since: dt.date) -> Iterator[Found]:
        """Its radiographs of studies since this day."""
        asked = client(self.to)
        for study in sorted(set(self._studies(since))):
            for instance in asked.search_for_instances(study, fields=["Modality"]):
                if value_of(instance, "00080060") in MODALITIES:
                    series, sop_uid = value_of(instance, "0020000E"), value_of(instance, "00080018")
                    if series and sop_uid:
                        yield Found(sop_uid, (study, series, sop_uid))

    def fetch(self, at: tuple[str, ...]) -> bytes | None:
        """The file as the archive stores it; null where it is there no more."""
        from requests import HTTPError

        study, series, instance = at
        try:
            dataset = client(self.to).retrieve_instance(study, series, instance, (("application/dicom", "*"),))
        except HTTPError as error:
            if error.response is not None and error.response.status_code == NOT_FOUND:
                return None
            raise
        file = io.BytesIO()
        dataset.save_as(file, enforce_file_format=True)
        return file.getvalue()

    def _studies(self, since: dt.date) -> Iterator[str]:
        asked = client(self.to)
        for modality in sorted(MODALITIES):
            filters, offset = {"StudyDate": f"{since:%Y%m%d}-", "ModalitiesInStudy": modality}, 0
            while studies := asked.search_for_studies(limit=PAGE, offset=offset, search_filters=filters):
                yield from (uid for study in studies if (uid := value_of(study, "0020000D")))
                offset += len(studies)
                if len(studies) < PAGE:
                    break


def value_of(item: dict[str, Any], tag: str) -> str | None:
    """The first value of an element in DICOM's JSON."""
    values = item.get(tag, {}).get("Value") or [None]
    return str(values[0]) if values[0] is not None else None


def orthanc(url: str, authorization: str | None, largest: int) -> Orthanc:
    """Orthanc at an address, with the value of the header that it asks for."""
    from requests import Session

    session = Session()
    session.trust_env, session.max_redirects = False, 0
    if authorization:
        session.headers["Authorization"] = authorization
    return Orthanc(session, url.rstrip("/"), largest)
