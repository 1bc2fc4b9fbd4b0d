"""The second factor of staff: a code that changes every 30 s (TOTP, RFC 6238), or a recovery code that works once."""

import datetime as dt
import secrets
from dataclasses import dataclass, field
from uuid import UUID

from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor import InvalidToken
from cryptography.hazmat.primitives.twofactor.totp import TOTP
from sqlalchemy import delete, select, update

from gateway.platform.audit import audit_row
from gateway.platform.audit_actions import AuditAction
from gateway.platform.clock import now
from gateway.platform.database.engine import Sessions
from gateway.platform.database.tables import AccountRow, RecoveryCodeRow
from gateway.platform.encryption import KeyEncryptionKey
from gateway.platform.identity.refresh_tokens import end_all_sessions
from gateway.platform.identity.scopes import account_actor
from gateway.platform.identity.secret_hash import digest
from shared.kept_secrets import new_code
from shared.problems import Conflict, InvalidInput

# What authenticator apps expect: 160 bits, SHA-1, six digits, 30 s. RFC 6238 has nothing against SHA-1 in this place.
KEY_BYTES, DIGITS, STEP_S = 20, 6, 30
# Clocks may be a step apart, either way.
STEPS = (0, -1, 1)
RECOVERY_CODES = 8
ISSUER = "Trabecula"


@dataclass(frozen=True)
class NewSecondFactor:
    """What an authenticator app is given; it counts only once a code of it was typed."""

    secret: bytes = field(repr=False)
    address: str = field(repr=False)

    @property
    def text(self) -> str:
        """The secret as people type it (RFC 4648, base32)."""
        return self.address.partition("secret=")[2].partition("&")[0]


class SecondFactors:
    """Sets, checks and takes away second factors.

    Args:
        sessions: of the installation's database.
        kek: encrypts the secrets, each bound to its account.
    """

    def __init__(self, sessions: Sessions, kek: KeyEncryptionKey) -> None:
        self._sessions, self._kek = sessions, kek

    def new(self, email: str) -> NewSecondFactor:
        """A secret for an authenticator app; nothing is stored yet."""
        return of_secret(secrets.token_bytes(KEY_BYTES), email)

    async def set(self, account_id: UUID, secret: bytes, code: str) -> list[str]:
        """Let a secret count from now on; gives recovery codes, which are shown this once.

        Raises:
            InvalidInput: the code is not of this secret.
            Conflict: the account has a second factor; the operator takes it away.
        """
        step = matching_step(secret, code, now(), None)
        if step is None:
            raise InvalidInput("The code is not right: see that the clocks agree, and type the newest.", field="code")
        codes = [new_code() for _ in range(RECOVERY_CODES)]
        async with self._sessions.begin() as session:
            row = await session.get_one(AccountRow, account_id, with_for_update=True)
            if row.totp_secret is not None:
                raise Conflict("This account has a second factor already.")
            row.totp_secret, row.totp_step = self._kek.wrap(secret, account_id), step
            session.add_all(RecoveryCodeRow(code_hash=_hash(code), account_id=account_id) for code in codes)
            actor = account_actor(account_id)
            session.add(audit_row(row.organisation_id, actor, AuditAction.SECOND_FACTOR_SET, actor))
        return codes

    async def accepts(self, account: AccountRow, code: str) -> bool:
        """Whether a code, or a recovery code, opens the account now; each opens it once. True where none is set."""
        if account.totp_secret is None:
            return True
        step = matching_step(self._kek.unwrap(account.totp_secret, account.id), code, now(), account.totp_step)
        if step is None:
            return await self._use_recovery_code(account, code)
        fresh = (AccountRow.id == account.id) & (AccountRow.totp_step < step)
        async with self._sessions.begin() as session:
            taken = update(AccountRow).where(fresh).values(totp_step=step).returning(AccountRow.id)
            return await session.scalar(taken) is not None

    async def reset(self, account_id: UUID, by: str) -> None:
        """Take a second factor away, with its recovery codes; the person sets another at the next sign-in."""
        async with self._sessions.begin() as session:
            row = await session.get_one(AccountRow, account_id)
            row.totp_secret, row.totp_step = None, 0
            await session.execute(end_all_sessions(account_id))
            await session.execute(delete(RecoveryCodeRow).where(RecoveryCodeRow.account_id == account_id))
            session.add(audit_row(row.organisation_id, by, AuditAction.SECOND_FACTOR_RESET, account_actor(account_id)))

    async def _use_recovery_code(self, account: AccountRow, code: str) -> bool:
        mine = (RecoveryCodeRow.code_hash == _hash(code)) & (RecoveryCodeRow.account_id == account.id)
        async with self._sessions.begin() as session:
            found = await session.scalar(select(RecoveryCodeRow.account_id).where(mine))
            if found is None:
                return False
            await session.execute(delete(RecoveryCodeRow).where(mine))
            actor = account_actor(account.id)
            session.add(audit_row(account.organisation_id, actor, AuditAction.RECOVERY_CODE_USED, actor))
        return True


def of_secret(secret: bytes, email: str) -> NewSecondFactor:
    """A secret with the address (`otpauth:`) that apps read.

    Raises:
        InvalidInput: it is none that was made here.
    """
    if len(secret) != KEY_BYTES:
        raise InvalidInput("secret: load the page again.", field="secret")
    return NewSecondFactor(secret, _totp(secret).get_provisioning_uri(email, ISSUER))


def matching_step(secret: bytes, code: str, moment: dt.datetime, last_step: int | None) -> int | None:
    """The time step that a code is of, none before or at the last one that was used; null where it is of none."""
    given = "".join(filter(str.isdecimal, code))
    if len(given) != DIGITS or not given.isascii():
        return None
    totp, present = _totp(secret), int(moment.timestamp()) // STEP_S
    for step in (present + offset for offset in STEPS):
        try:
            totp.verify(given.encode(), step * STEP_S)
        except InvalidToken:
            continue
        return step if last_step is None or step > last_step else None
    return None


def _totp(secret: bytes) -> TOTP:
    return TOTP(secret, DIGITS, SHA1(), STEP_S)  # noqa: S303 -- within HMAC


def _hash(code: str) -> bytes:
    return digest("".join(filter(str.isalnum, code)).upper())
