"""What is over and nobody needs any more is deleted: sessions, invitations, batches, counts, and keys of requests."""

import datetime as dt
from dataclasses import dataclass

from sqlalchemy import ColumnElement, CursorResult, Delete, Update, delete, exists, select, update

from gateway.platform.clock import now
from gateway.platform.database.engine import Sessions
from gateway.platform.database.idempotency import SECRET_KEPT
from gateway.platform.database.tables import (
    AssessmentRow,
    BatchCaseRow,
    BatchRow,
    DeliveryRow,
    EventRow,
    FilmRow,
    IdempotentRequestRow,
    InvitationRow,
    MessageRow,
    OrderRow,
    ProviderRequestRow,
    RateCountRow,
    RefreshTokenRow,
    RenderingRow,
    ShadowAnswerRow,
    SignInDelayRow,
    SignInRow,
    UsedTokenRow,
)
from gateway.records.events import KEPT
from gateway.records.orders import REMEMBERED, WAITS
from gateway.records.outbox import ENDED

# How long what a test key made is kept.
TESTS_KEPT = dt.timedelta(days=7)


@dataclass(frozen=True)
class Retention:
    """Deletes what is over.

    Args:
        sessions: of the installation's database.
        days: how long ended sessions, used invitations, ended batches and the keys of requests are kept.
        validation_days: how long the answers of versions in the shadow are kept.
    """

    sessions: Sessions
    days: int
    validation_days: int

    async def delete_expired(self) -> int:
        """Delete what is over; how many rows that concerned."""
        moment = now()
        long_ago = moment - dt.timedelta(days=self.days)
        concerned = 0
        trials = delete(ShadowAnswerRow).where(ShadowAnswerRow.at < moment - dt.timedelta(days=self.validation_days))
        for statement in (*_at_once(moment), *_after(long_ago), trials):
            async with self.sessions.begin() as session:
                done = await session.execute(statement.execution_options(synchronize_session=False))
            assert isinstance(done, CursorResult)  # noqa: S101 -- what a DELETE or an UPDATE gives
            concerned += done.rowcount
        return concerned


def _at_once(moment: dt.datetime) -> list[Delete | Update]:
    """What nobody asks for once it has expired."""
    tables = (RenderingRow, RefreshTokenRow, RateCountRow, SignInDelayRow, ProviderRequestRow, UsedTokenRow)
    shown = IdempotentRequestRow.secret.is_not(None) & (IdempotentRequestRow.created_at < moment - SECRET_KEPT)
    over = (SignInRow.ends_at <= moment) & SignInRow.provider_token.is_not(None)
    return [
        *(delete(table).where(table.expires_at <= moment) for table in tables),
        delete(EventRow).where(EventRow.at < moment - KEPT),
        delete(OrderRow).where(OrderRow.received_at < moment - WAITS),
        delete(MessageRow).where(MessageRow.received_at < moment - REMEMBERED),
        delete(AssessmentRow).where(AssessmentRow.is_test, AssessmentRow.created_at < moment - TESTS_KEPT),
        update(SignInRow).where(over).values(provider_token=None),
        update(IdempotentRequestRow).where(shown).values(secret=None),
    ]


def _after(long_ago: dt.datetime) -> list[Delete | Update]:
    """What people may still ask about for a while."""
    still_goes_on = exists().where(BatchCaseRow.batch_id == BatchRow.id, BatchCaseRow.state.in_(("waiting", "working")))
    ended = select(BatchRow.id).where(BatchRow.created_at < long_ago, ~still_goes_on)
    invitation: ColumnElement[bool] = (InvitationRow.expires_at < long_ago) | (InvitationRow.used_at < long_ago)
    return [
        delete(SignInRow).where((SignInRow.ends_at < long_ago) | (SignInRow.revoked_at < long_ago)),
        delete(InvitationRow).where(invitation | (InvitationRow.revoked_at < long_ago)),
        delete(DeliveryRow).where(DeliveryRow.ended_at < long_ago, DeliveryRow.state.in_(ENDED)),
        delete(FilmRow).where(FilmRow.ended_at < long_ago, FilmRow.state == "ignored"),
        delete(BatchCaseRow).where(BatchCaseRow.batch_id.in_(ended)),
        delete(BatchRow).where(BatchRow.created_at < long_ago, ~exists().where(BatchCaseRow.batch_id == BatchRow.id)),
        delete(IdempotentRequestRow).where(IdempotentRequestRow.created_at < long_ago),
    ]
