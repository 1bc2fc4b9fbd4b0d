"""The end of the audit trail, noted outside the database: who cuts the trail, or writes it anew, disagrees with it.

A noted head is signed with a key of the data secret, so that nobody else can note another.
"""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

import anyio
import structlog

from gateway.platform.audit import Audit
from gateway.platform.clock import now
from gateway.platform.encryption import CannotDecrypt, KeyEncryptionKey
from gateway.platform.owner_only import replace_file
from gateway.platform.syslog import Syslog, SyslogMessage


@dataclass(frozen=True)
class NotedHead:
    """The end of the trail at some time: how many lines there were, and the hash of the last."""

    length: int
    hash: str
    signature: str


@dataclass(frozen=True)
class HeadNotes:
    """Notes the head in the log, in a file and on the site's log server, and finds it again.

    Args:
        audit: the trail.
        kek: signs.
        file: beside the database, and not in it.
        log_server: the site's, where there is one.
    """

    audit: Audit
    kek: KeyEncryptionKey
    file: Path
    log_server: Syslog | None = None

    async def note(self) -> None:
        """Write the present head to log, file and log server, unless the trail disagrees with the last one."""
        log, earlier = structlog.get_logger("trabecula"), self.noted()
        if earlier is not None and not await self.audit.holds(earlier.length, earlier.hash):
            log.error("the audit trail was cut or written anew", **asdict(earlier))
            return
        length, head = await self.audit.head()
        noted = NotedHead(length, head, self._signature(length, head))
        log.info("audit head", **asdict(noted))
        replace_file(self.file, json.dumps(asdict(noted)))
        if self.log_server is not None:
            message = SyslogMessage(now(), "audit-head", json.dumps(asdict(noted)))
            await anyio.to_thread.run_sync(self.log_server.send, [message])

    def noted(self) -> NotedHead | None:
        """The head in the file; null where there is none, or where it is not this installation's own."""
        try:
            found = NotedHead(**json.loads(self.file.read_text()))
            self.kek.check_seal(_content(found.length, found.hash), bytes.fromhex(found.signature))
        except (OSError, ValueError, TypeError, CannotDecrypt):
            return None
        return found

    def _signature(self, length: int, head: str) -> str:
        return self.kek.seal(_content(length, head)).hex()


def _content(length: int, head: str) -> bytes:
    return f"audit head {length} {head}".encode()
