"""A person's password is checked: the same work and the same words whether the account exists or not."""

from dataclasses import dataclass
from uuid import UUID

from gateway.platform.audit import Audit
from gateway.platform.audit_actions import AuditAction
from gateway.platform.identity.accounts import Accounts
from gateway.platform.identity.passwords import Passwords
from gateway.platform.identity.scopes import account_actor
from gateway.platform.identity.second_factor import SecondFactors
from gateway.platform.identity.sign_in_delays import SignInDelays
from shared.problems import NotAuthenticated

REFUSAL = "The e-mail address, the password or the code of the authenticator app is wrong."


@dataclass(frozen=True)
class SignIn:
    """Checks passwords and second factors; an address that guesses waits longer and longer.

    Args:
        asks_second_factor: whether accounts that have one are asked for it.
    """

    accounts: Accounts
    passwords: Passwords
    audit: Audit
    delays: SignInDelays
    second_factors: SecondFactors
    asks_second_factor: bool

    async def account(self, email: str, password: str, code: str | None) -> UUID:
        """The account that these open.

        Args:
            code: of the second factor; null where the person is signed in already.

        Raises:
            NotAuthenticated: unknown or disabled, or the password or the code is wrong.
            TooManyAttempts: this address waits some time before the next attempt.
            TooBusy: as many passwords wait to be checked as may.
        """
        is_known = await self.delays.before(email)
        account = await self.accounts.by_email(email)
        opens = await self.passwords.matches(password, account.password_hash if account else None, is_known)
        if opens and account is not None and code is not None and self.asks_second_factor:
            opens = await self.second_factors.accepts(account, code)
        actor = account_actor(account.id) if account else "nobody"
        organisation = account.organisation_id if account else None
        if not opens or account is None:
            await self.delays.failed(email)
            await self.audit.write(organisation, actor, AuditAction.SIGN_IN, outcome="refused")
            raise NotAuthenticated(REFUSAL)
        await self.delays.succeeded(email)
        await self.audit.write(organisation, actor, AuditAction.SIGN_IN)
        return account.id
