"""After the data secret was renewed: every key that the secret before wrapped is wrapped with the present one.

What the keys encrypt stays as it is. It can be stopped at any time and run again, while gateways work that know both
secrets: a row is changed only if it is still as it was read.
"""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import CursorResult, Update, select, update
from sqlalchemy.orm import InstrumentedAttribute

from gateway.platform.audit import audit_row
from gateway.platform.audit_actions import AuditAction
from gateway.platform.database.audit_chain import HEAD, TRAIL
from gateway.platform.database.engine import Sessions
from gateway.platform.database.tables import AccountRow, AuditHeadRow, OrganisationRow, PatientRow, SignInRow
from gateway.platform.encryption import KeyEncryptionKey
from gateway.platform.identity.scopes import OPERATOR
from gateway.records.patients import sealed_content

ROWS_AT_ONCE = 200
# What is wrapped beside the keys of patients, each bound to its row's id.
WRAPPED: tuple[tuple[InstrumentedAttribute[UUID], InstrumentedAttribute[Any]], ...] = (
    (OrganisationRow.id, OrganisationRow.data_key),
    (AccountRow.id, AccountRow.totp_secret),
    (SignInRow.id, SignInRow.provider_token),
)


@dataclass(frozen=True)
class Rewrap:
    """Wraps keys anew.

    Args:
        sessions: of the installation's database.
        kek: of the present secret, which knows the one before.
    """

    sessions: Sessions
    kek: KeyEncryptionKey

    async def run(self) -> int:
        """Go through all keys; how many were wrapped anew.

        Raises:
            CannotDecrypt: a key was wrapped with neither secret. Those before it are done.
        """
        done = await self._patients() + await self._trail()
        for identity, wrapped in WRAPPED:
            done += await self._column(identity, wrapped)
        if done:
            async with self.sessions.begin() as session:
                session.add(audit_row(None, OPERATOR, AuditAction.KEYS_REWRAPPED))
        return done

    async def left(self) -> int:
        """How many keys another secret than the present one wrapped."""
        count = 0
        for identity, wrapped in ((PatientRow.id, PatientRow.data_key), *WRAPPED):
            async for rows in self._pages(identity, wrapped):
                count += len(rows)
        async with self.sessions() as session:
            of_trail = (await session.scalars(select(AuditHeadRow.mac_key).where(AuditHeadRow.id == HEAD))).one()
        return count + (not self.kek.is_current(of_trail))

    async def _patients(self) -> int:
        done = 0
        async for page in self._pages(PatientRow.id, PatientRow.data_key):
            statements = []
            async with self.sessions() as session:
                wanted = PatientRow.id.in_([row.id for row in page])
                rows = (await session.scalars(select(PatientRow).where(wanted))).all()
            for row in rows:
                if row.data_key is None:  # erased meanwhile
                    continue
                self.kek.check_seal(sealed_content(row), row.seal)
                was = (PatientRow.id == row.id) & (PatientRow.data_key == row.data_key) & (PatientRow.seal == row.seal)
                row.data_key = self._anew(row.data_key, row.id)
                fresh = {"data_key": row.data_key, "seal": self.kek.seal(sealed_content(row))}
                statements.append(update(PatientRow).where(was).values(fresh))
            done += await self._execute(statements)
        return done

    async def _trail(self) -> int:
        async with self.sessions() as session:
            wrapped = (await session.scalars(select(AuditHeadRow.mac_key).where(AuditHeadRow.id == HEAD))).one()
        if self.kek.is_current(wrapped):
            return 0
        fresh = self._anew(wrapped, TRAIL)
        return await self._execute([update(AuditHeadRow).where(AuditHeadRow.mac_key == wrapped).values(mac_key=fresh)])

    async def _column(self, identity: InstrumentedAttribute[UUID], wrapped: InstrumentedAttribute[Any]) -> int:
        done = 0
        async for page in self._pages(identity, wrapped):
            done += await self._execute(
                [
                    update(identity.class_)
                    .where(identity == row.id, wrapped == row.wrapped)
                    .values({wrapped.key: self._anew(row.wrapped, row.id)})
                    for row in page
                ]
            )
        return done

    def _anew(self, wrapped: bytes, owner: UUID) -> bytes:
        return self.kek.wrap(self.kek.unwrap(wrapped, owner), owner)

    async def _pages(
        self, identity: InstrumentedAttribute[UUID], wrapped: InstrumentedAttribute[Any]
    ) -> AsyncIterator[Sequence[Any]]:
        """Rows of a table whose key is not wrapped with the present secret, as `id` and `wrapped`."""
        query = select(identity.label("id"), wrapped.label("wrapped")).where(wrapped.is_not(None))
        last: UUID | None = None
        while True:
            after = query if last is None else query.where(identity > last)
            async with self.sessions() as session:
                rows = (await session.execute(after.order_by(identity).limit(ROWS_AT_ONCE))).all()
            if not rows:
                return
            last = rows[-1].id
            if old := [row for row in rows if not self.kek.is_current(row.wrapped)]:
                yield old

    async def _execute(self, statements: Sequence[Update]) -> int:
        done = 0
        async with self.sessions.begin() as session:
            for statement in statements:
                result = await session.execute(statement.execution_options(synchronize_session=False))
                assert isinstance(result, CursorResult)  # noqa: S101 -- what an UPDATE gives
                done += result.rowcount
        return done
