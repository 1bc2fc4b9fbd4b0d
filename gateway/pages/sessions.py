"""A person's session in a browser: access and refresh token in cookies that no script reads.

The access token is renewed silently by the refresh token when it runs out. A refresh token is good once, and
used twice it ends the session; two tabs that wake up together must share one exchange, so an exchange is remembered
for some seconds.
"""

import asyncio
import hashlib
import hmac
import secrets
from dataclasses import dataclass
from urllib.parse import urlsplit

from fastapi import Request, Response

from gateway.assessing.authentication import Authentication, IssuedTokens
from gateway.pages.draft_key import draft_key
from gateway.platform.encryption import decrypt, encrypt
from gateway.platform.identity.scopes import Principal, Scope
from shared.problems import NotAuthenticated, NotAuthorised

ACCESS, REFRESH, STAY = "trab_access", "trab_refresh", "trab_stay"
# Over https a cookie of this name is taken from this very host alone, whatever another site below the same domain sets.
HOST_ONLY = "__Host-"
LOOPBACK = ("127.0.0.1", "::1", "localhost")
# What the form tokens of a browser that nobody has signed in with are bound to.
ANONYMOUS = "trab_session"
EXCHANGE_REMEMBERED_S = 30
NOT_FROM_HERE = "The form was not sent from these pages, or the page is too old: load it again and send it once more."


@dataclass
class CurrentUser:
    """Whoever looks at a page: signed in or not.

    Args:
        binding: what the form tokens are bound to: the sign-in, or a random number of the browser's.
        new_tokens: tokens that the answer has to hand to the browser.
        stay: whether the browser was told to stay signed in.
        by_provider: whether the hospital's provider signed the person in.
    """

    binding: str
    who: Principal | None = None
    email: str | None = None
    new_tokens: IssuedTokens | None = None
    stay: bool = False
    by_provider: bool = False

    def known(self) -> Principal:
        """The principal.

        Raises:
            NotAuthenticated: nobody is signed in.
        """
        if self.who is None:
            raise NotAuthenticated("Sign in to see this page.")
        return self.who

    def may(self, scope: Scope) -> bool:
        """Whether a page should offer what needs this scope."""
        return self.who is not None and scope in self.who.scopes

    @property
    def is_staff(self) -> bool:
        return self.who is not None and not self.who.is_patient


class BrowserSessions:
    """Finds out who is signed in, and signs the forms that they are given.

    Args:
        authentication: knows who is behind a token.
        key: the installation's token secret.
        days: how long a browser that was told to stay signed in keeps its cookie.
    """

    def __init__(self, authentication: Authentication, key: str, days: int) -> None:
        self._authentication = authentication
        self._key = hashlib.sha256(f"pages:{key}".encode()).digest()
        self.days = days
        self._exchanges: dict[str, asyncio.Task[IssuedTokens]] = {}

    async def user(self, request: Request) -> CurrentUser:
        """Who sent this request, with renewed tokens where the access token has run out."""
        stay = cookie(request, STAY) == "1"
        for renew in (False, True):
            access, new_tokens = cookie(request, ACCESS), None
            try:
                if renew:
                    new_tokens = await self._renewed(cookie(request, REFRESH) or "")
                    access = new_tokens.access_token
                if access:
                    person = await self._authentication.signed_in_person(access)
                    binding, who = str(person.sign_in), person.principal
                    return CurrentUser(binding, who, person.email, new_tokens, stay, person.by_provider)
            except NotAuthenticated:
                continue
        return CurrentUser(cookie(request, ANONYMOUS) or secrets.token_urlsafe(16))

    def form_token(self, user: CurrentUser) -> str:
        """What a form of this session carries."""
        return hmac.new(self._key, user.binding.encode(), hashlib.sha256).hexdigest()[:40]

    def draft_key(self, user: CurrentUser) -> dict[str, str] | None:
        """What the browser of somebody who is signed in opens their unsent forms with, as a JSON Web Key."""
        return draft_key(self._key, user.who.id) if user.who else None

    def seal(self, user: CurrentUser, content: bytes) -> bytes:
        """Something for this session's own browser to carry, which nobody else can read or use."""
        return encrypt(self._key, content, f"once:{user.binding}".encode())

    def unseal(self, user: CurrentUser, sealed: bytes) -> bytes:
        """What was sealed for this session.

        Raises:
            CannotDecrypt: it was not.
        """
        return decrypt(self._key, sealed, f"once:{user.binding}".encode())

    def check_form(self, user: CurrentUser, token: object) -> None:
        """Refuse a form that these pages did not give to this session.

        Raises:
            NotAuthorised: with the cure.
        """
        if not isinstance(token, str) or not hmac.compare_digest(self.form_token(user).encode(), token.encode()):
            raise NotAuthorised(NOT_FROM_HERE)

    async def _renewed(self, token: str) -> IssuedTokens:
        if not token:
            raise NotAuthenticated("Nobody is signed in.")
        digest = hashlib.sha256(token.encode()).hexdigest()
        task = self._exchanges.get(digest)
        if task is None:
            task = self._exchanges[digest] = asyncio.create_task(self._authentication.refresh(token))
            asyncio.get_running_loop().call_later(EXCHANGE_REMEMBERED_S, self._exchanges.pop, digest, None)
        return await asyncio.shield(task)


def from_here(request: Request) -> bool:
    """Whether a browser says that a request that changes something came from a page of this very site."""
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        return site in ("same-origin", "none")
    origin = request.headers.get("origin")
    return origin is None or urlsplit(origin).netloc == request.headers.get("host")


def set_token_cookies(
    response: Response, request: Request, sessions: BrowserSessions, tokens: IssuedTokens, *, stay: bool
) -> None:
    """Put a person's tokens into the browser's cookies: until it closes, or for as long as they are good."""
    age = sessions.days * 86_400 if stay else None
    for name, value in ((ACCESS, tokens.access_token), (REFRESH, tokens.refresh_token or ""), (STAY, str(int(stay)))):
        set_cookie(response, request, name, value, age)


def end_session(response: Response, request: Request) -> None:
    """Take the tokens, and everything else that the pages keep there, out of the browser."""
    for name in (ACCESS, REFRESH, STAY):
        delete_cookie(response, request, name)
    response.headers["Clear-Site-Data"] = '"cache", "storage"'


def set_anonymous_cookie(response: Response, request: Request, user: CurrentUser) -> None:
    """Let a browser that nobody has signed in with keep what its form tokens are bound to."""
    if user.who is None and cookie(request, ANONYMOUS) != user.binding:
        set_cookie(response, request, ANONYMOUS, user.binding, None)


def cookie(request: Request, name: str) -> str | None:
    """What the browser keeps under one of the names here."""
    return request.cookies.get(_full_name(request, name))


def set_cookie(response: Response, request: Request, name: str, value: str, age: int | None) -> None:
    """Let the browser keep something that no script reads: until it closes, or for some seconds."""
    full, secure = _full_name(request, name), is_encrypted(request)
    response.set_cookie(full, value, max_age=age, path="/", secure=secure, httponly=True, samesite="lax")


def delete_cookie(response: Response, request: Request, name: str) -> None:
    """Let the browser forget something."""
    full, secure = _full_name(request, name), is_encrypted(request)
    response.delete_cookie(full, path="/", secure=secure, httponly=True, samesite="lax")


def is_encrypted(request: Request) -> bool:
    """Whether the browser came over https, here or at the edge."""
    return request.url.scheme == "https"


def can_be_overheard(request: Request) -> bool:
    """Whether passwords cross a network in the clear."""
    return not is_encrypted(request) and request.url.hostname not in LOOPBACK


def _full_name(request: Request, name: str) -> str:
    return f"{HOST_ONLY}{name}" if is_encrypted(request) else name


def local_path(text: str | None, otherwise: str = "/") -> str:
    """A path on this site to go on to; anything that a browser could take for another site is not one."""
    if not text or not text.startswith("/") or text.startswith("//") or "\\" in text or not text.isprintable():
        return otherwise
    return text


def sessions_of(request: Request) -> BrowserSessions:
    """The browser sessions of the app that serves this request."""
    sessions: BrowserSessions = request.app.state.sessions
    return sessions
