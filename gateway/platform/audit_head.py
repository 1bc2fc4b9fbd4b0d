"""The end of the audit trail, noted outside the database: who cuts the trail, or writes it anew, disagrees with it.

A noted head is signed with a key of the data secret, so that nobody else can note another.
"""

import hmac
import json
from dataclasses import asdict, dataclass
from pathlib import Path

import structlog

from gateway.platform.audit import Audit
from gateway.platform.encryption import KeyEncryptionKey


@dataclass(frozen=True)
class NotedHead:
    """The end of the trail at some time: how many lines there were, and the hash of the last."""

    length: int
    hash: str
    signature: str


@dataclass(frozen=True)
class HeadNotes:
    """Notes the head in the log and in a file, and finds it again.

    Args:
        audit: the trail.
        kek: signs.
        file: beside the database, and not in it.
    """

    audit: Audit
    kek: KeyEncryptionKey
    file: Path

    async def note(self) -> None:
        """Write the present head to the log and to the file, unless the trail disagrees with the last one."""
        log, earlier = structlog.get_logger("trabecula"), self.noted()
        if earlier is not None and not await self.audit.holds(earlier.length, earlier.hash):
            log.error("the audit trail was cut or written anew", **asdict(earlier))
            return
        length, head = await self.audit.head()
        noted = NotedHead(length, head, self._signature(length, head))
        log.info("audit head", **asdict(noted))
        part = self.file.with_name(f"{self.file.name}.part")
        part.touch(mode=0o600)
        part.write_text(json.dumps(asdict(noted)))
        part.replace(self.file)

    def noted(self) -> NotedHead | None:
        """The head in the file; null where there is none, or where it is not this installation's own."""
        try:
            found = NotedHead(**json.loads(self.file.read_text()))
        except (OSError, ValueError, TypeError):
            return None
        own = hmac.compare_digest(str(found.signature), self._signature(found.length, found.hash))
        return found if own else None

    def _signature(self, length: int, head: str) -> str:
        return self.kek.seal(f"audit head {length} {head}".encode()).hex()
