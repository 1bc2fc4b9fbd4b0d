"""The organisation's own lines of the audit trail, for those who may read it."""

from dataclasses import dataclass

from gateway.platform.audit import Audit, AuditLine, Selection
from gateway.platform.audit_actions import AuditAction
from gateway.platform.identity.scopes import Principal
from gateway.platform.paging import Page


@dataclass(frozen=True)
class AuditTrail:
    """Reads the trail; reading it is a line of its own."""

    audit: Audit

    async def page(self, who: Principal, limit: int, wanted: Selection) -> Page[AuditLine, int]:
        """The organisation's lines, newest first."""
        lines = await self.audit.page(who.organisation_id, limit, wanted)
        await self.audit.write(who.organisation_id, who.id, AuditAction.AUDIT_TRAIL_READ)
        return lines
