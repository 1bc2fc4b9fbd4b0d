"""STOW-RS as an origin server (PS3.18 10.5): each file is taken in by itself, and the answer tells of each."""

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import anyio
import structlog

from gateway.interop.dicom.receive import CANNOT_UNDERSTAND, OUT_OF_RESOURCES, disk_is_low
from gateway.interop.dicom.received import received_film
from gateway.records.films import ReceivedFilm
from shared.problems import InvalidInput, MalformedBody

# PS3.18 table 10.5.3-1: all were stored, some were, none was.
ALL, SOME, NONE = 200, 202, 409
# Their tags, as DICOM's JSON writes them (PS3.6).
SOP_CLASS, SOP_INSTANCE, FAILURE = "00081150", "00081155", "00081197"
FAILED, STORED = "00081198", "00081199"


TakeIn = Callable[[ReceivedFilm], Awaitable[object]]
TurnAway = Callable[[str], Awaitable[None]]


async def stow(
    files: AsyncIterator[bytes | None], folder: Path, take_in: TakeIn, turn_away: TurnAway
) -> tuple[int, dict[str, Any]]:
    """Take files in; gives the status and the answer in DICOM's JSON.

    Args:
        files: each a DICOM file, or null where one was too large.
        folder: on the disk that must not run full.
        take_in: stores a film and returns once it is stored.
        turn_away: counts what was refused, by reason.

    Raises:
        MalformedBody: there was no file.
    """
    stored: list[dict[str, Any]] = []
    failed: list[dict[str, Any]] = []
    async for data in files:
        film, reason, status = await _read(data, folder)
        if film is not None and status is None:
            try:
                await take_in(film)
            except Exception:  # the database is away, say: the sender keeps the film and tries again
                structlog.get_logger("trabecula").exception("a film was not stored")
                status = OUT_OF_RESOURCES
        if reason is not None:
            await turn_away(reason)
        (stored if status is None else failed).append(_item(film, status))
    if not stored and not failed:
        raise MalformedBody("There is no DICOM file in the body.")
    answer = {FAILED: _sequence(failed)} if failed else {}
    answer |= {STORED: _sequence(stored)} if stored else {}
    return (SOME if stored and failed else ALL if stored else NONE), answer


async def _read(data: bytes | None, folder: Path) -> tuple[ReceivedFilm | None, str | None, int | None]:
    """(the film, why there is none, the failure's code)."""
    if data is None:
        return None, "too_large", CANNOT_UNDERSTAND
    try:
        film = await anyio.to_thread.run_sync(received_film, data)
    except InvalidInput as error:
        return None, error.members.get("reason", "not_dicom"), CANNOT_UNDERSTAND
    return (film, "disk_low", OUT_OF_RESOURCES) if disk_is_low(folder) else (film, None, None)


def _item(film: ReceivedFilm | None, status: int | None) -> dict[str, Any]:
    item: dict[str, Any] = {}
    if film is not None:
        item[SOP_CLASS] = {"vr": "UI", "Value": [film.header["sop_class_uid"]]}
        item[SOP_INSTANCE] = {"vr": "UI", "Value": [film.sop_uid]}
    if status is not None:
        item[FAILURE] = {"vr": "US", "Value": [status]}
    return item


def _sequence(items: list[dict[str, Any]]) -> dict[str, Any]:
    return {"vr": "SQ", "Value": items}
