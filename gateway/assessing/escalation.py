"""A second alarm where nobody looks at an emergency, and how emergencies stand for Prometheus."""

import datetime as dt
from dataclasses import dataclass, field

import structlog
from prometheus_client import CollectorRegistry, Gauge

from gateway.platform.clock import now
from gateway.records.escalations import Escalations

# The kind of destinations that are written to by mail.
MAIL = "mail"


def _gauge(name: str, about: str) -> Gauge:
    return Gauge(f"trabecula_emergencies_{name}", about, registry=None)


@dataclass(frozen=True)
class Escalating:
    """Looks again and again; every gateway shows the same figures.

    Args:
        after: nobody acknowledged an emergency for so long.
    """

    after: dt.timedelta
    count: Gauge = field(default_factory=lambda: _gauge("unacknowledged", "Emergencies that nobody looks at"))
    oldest: Gauge = field(
        default_factory=lambda: _gauge("oldest_unacknowledged_seconds", "Since when the oldest of them is open")
    )

    def register(self, registry: CollectorRegistry) -> None:
        """Show the figures."""
        registry.register(self.count)
        registry.register(self.oldest)

    async def look(self, escalations: Escalations) -> None:
        """Send what is due, and renew the figures."""
        for alert_id in await escalations.escalate(self.after):
            structlog.get_logger("trabecula").warning("nobody looks at an emergency", alert=str(alert_id))
        stands = await escalations.unacknowledged()
        self.count.set(stands.count)
        self.oldest.set((now() - stands.oldest_at).total_seconds() if stands.oldest_at else 0)
