"""A person's password is checked: the same work and the same words whether the account exists, is locked or neither."""

import datetime as dt
from uuid import UUID

from gateway.platform.audit import Audit
from gateway.platform.audit_actions import AuditAction
from gateway.platform.clock import now
from gateway.platform.identity.accounts import Accounts
from gateway.platform.identity.passwords import Passwords
from gateway.platform.identity.scopes import account_actor
from shared.problems import NotAuthenticated

REFUSAL = (
    "The e-mail address or the password is wrong, or too many wrong passwords have locked the account for some minutes."
)


class SignIn:
    """Checks passwords and locks accounts after failures in a row.

    Args:
        failures: wrong passwords in a row that lock the account.
        lockout: for how long.
    """

    def __init__(
        self, accounts: Accounts, passwords: Passwords, audit: Audit, failures: int, lockout: dt.timedelta
    ) -> None:
        self._accounts, self._passwords, self._audit = accounts, passwords, audit
        self._failures, self._lockout = failures, lockout

    async def account(self, email: str, password: str) -> UUID:
        """The account that these open.

        Raises:
            NotAuthenticated: unknown, disabled or locked, or the password is wrong.
        """
        account = await self._accounts.by_email(email)
        matches = await self._passwords.matches(password, account.password_hash if account else None)
        if account is None:
            await self._audit.write(None, "nobody", AuditAction.SIGN_IN, outcome="refused")
            raise NotAuthenticated(REFUSAL)
        actor = account_actor(account.id)
        if account.locked_until and account.locked_until > now():
            await self._audit.write(account.organisation_id, actor, AuditAction.SIGN_IN_LOCKED, outcome="refused")
            raise NotAuthenticated(REFUSAL)
        if not matches:
            await self._accounts.count_failure(account.id, self._failures, self._lockout)
            await self._audit.write(account.organisation_id, actor, AuditAction.SIGN_IN, outcome="refused")
            raise NotAuthenticated(REFUSAL)
        await self._accounts.forget_failures(account.id)
        await self._audit.write(account.organisation_id, actor, AuditAction.SIGN_IN)
        return account.id
