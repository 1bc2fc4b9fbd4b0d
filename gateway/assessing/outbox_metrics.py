"""How the outbox stands, for Prometheus: what waits, since when, what is dead, and what this gateway has sent."""

from dataclasses import dataclass, field

from prometheus_client import CollectorRegistry, Gauge

from gateway.assessing.dicom_results import DICOMWEB, DIMSE
from gateway.assessing.escalation import MAIL
from gateway.assessing.outbox_worker import SENT
from gateway.assessing.results import HL7
from gateway.assessing.webhooks import WEBHOOK
from gateway.platform.clock import now
from gateway.records.outbox import Outbox

# Shown from the start, so that nothing waiting is told from nobody looking.
KINDS = (WEBHOOK, DIMSE, DICOMWEB, HL7, MAIL)


def _gauge(name: str, about: str) -> Gauge:
    return Gauge(f"trabecula_outbox_{name}", about, ["kind"], registry=None)


@dataclass(frozen=True)
class OutboxMetrics:
    """The figures of the outbox that all gateways share; each of them shows the same."""

    waiting: Gauge = field(default_factory=lambda: _gauge("waiting", "Deliveries that wait to be sent"))
    oldest: Gauge = field(default_factory=lambda: _gauge("oldest_seconds", "Since when the oldest of them waits"))
    committing: Gauge = field(
        default_factory=lambda: _gauge("committing", "Deliveries that an archive took and has yet to confirm")
    )
    dead: Gauge = field(default_factory=lambda: _gauge("dead", "Deliveries that were given up"))

    def register(self, registry: CollectorRegistry) -> None:
        """Show the figures."""
        for metric in (self.waiting, self.oldest, self.committing, self.dead, SENT):
            registry.register(metric)

    async def look(self, outbox: Outbox) -> None:
        """Renew the figures, of all organisations."""
        stands, moment = await outbox.backlog(), now()
        for kind in {*KINDS, *stands}:
            backlog = stands[kind]
            age_s = (moment - backlog.oldest_at).total_seconds() if backlog.oldest_at else 0.0
            self.waiting.labels(kind).set(backlog.waiting)
            self.oldest.labels(kind).set(age_s)
            self.committing.labels(kind).set(backlog.committing)
            self.dead.labels(kind).set(backlog.dead)
