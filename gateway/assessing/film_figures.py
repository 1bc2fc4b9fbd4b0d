"""How the queue of films stands, as figures for Prometheus."""

from prometheus_client import Gauge

from gateway.platform.clock import now
from gateway.records.film_queue import FilmQueue

DEPTH = Gauge("trabecula_inbox_depth", "Films that wait to be assessed", registry=None)
OLDEST = Gauge("trabecula_inbox_oldest_waiting_seconds", "Since when the oldest of them waits", registry=None)
ENDED = Gauge("trabecula_inbox_films", "Films by what became of them", ["state"], registry=None)
TURNED_AWAY = Gauge(
    "trabecula_inbox_turned_away", "What was turned away at the door, since the installation began", ["reason"],
    registry=None,
)  # fmt: skip
FIGURES = (DEPTH, OLDEST, ENDED, TURNED_AWAY)
# As they are shown from the start on, at 0.
STATES = ("done", "refused", "ignored", "dead", "erased")


async def film_figures(queue: FilmQueue) -> None:
    """Count anew. Every gateway shows the same figures, as they share one queue."""
    backlog = await queue.backlog()
    DEPTH.set(backlog.waiting)
    OLDEST.set((now() - backlog.oldest_at).total_seconds() if backlog.oldest_at else 0)
    for state in STATES:
        ENDED.labels(state).set(backlog.counts.get(state, 0))
    for reason, count in backlog.turned_away.items():
        TURNED_AWAY.labels(reason).set(count)
