"""What is said to the hospital's provider: the way there, the code brought back, a session renewed, the way out.

The authorization code flow of OpenID Connect Core 1.0 with PKCE (RFC 7636), as a confidential client (RFC 6749).
"""

import secrets
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any
from urllib.parse import quote, urlencode

from gateway.platform.identity.oidc_provider import OidcProvider, ProviderMetadata
from gateway.platform.identity.oidc_tokens import id_token_claims
from shared.outside import ask
from shared.problems import NotAuthenticated, ServiceUnavailable

CALLBACK, SIGNED_OUT = "/sign-in/provider/callback", "/sign-in?out=1"
LONGEST_REFRESH_TOKEN = 16_384
MOST_GROUPS = 2000
# Errors that say something of the installation and its secret, and nothing of the person.
OF_THE_INSTALLATION = ("invalid_client", "unauthorized_client", "unsupported_grant_type", "invalid_scope")


@dataclass(frozen=True)
class SignInRequest:
    """What a sign-in is begun with, and has to come back with."""

    state: str = field(default_factory=lambda: secrets.token_urlsafe(32), repr=False)
    nonce: str = field(default_factory=lambda: secrets.token_urlsafe(32), repr=False)
    verifier: str = field(default_factory=lambda: secrets.token_urlsafe(48), repr=False)


@dataclass(frozen=True)
class ProviderIdentity:
    """Whom the provider vouches for.

    Args:
        subject: its own name for the person, which never changes; with the issuer it is whom an account is bound to.
        name: an e-mail address where it tells one: for people to read, never to know somebody by.
        email: whether the name is an address that the provider does not call unverified.
        groups: as the provider names them; null where it said nothing of them, neither yes nor no.
        methods: how the person was authenticated: `acr` and `amr`.
        session: the provider's own session, which it may end.
        refresh_token: asks later whether the session may go on; null where the provider gives none.
    """

    issuer: str
    subject: str
    name: str
    email: bool
    groups: frozenset[str] | None
    methods: frozenset[str]
    session: str | None
    refresh_token: str | None = field(repr=False)


class OidcClient:
    """This installation, as the provider knows it.

    Args:
        provider: where its endpoints and keys are.
        client_id: what the installation is called there.
        client_secret: its secret there.
        public_url: where people reach the pages; what comes back is sent there and nowhere else.
        scopes: what is asked for.
        groups_claim: the claim with the groups.
    """

    def __init__(
        self,
        provider: OidcProvider,
        client_id: str,
        client_secret: str,
        public_url: str,
        scopes: str,
        groups_claim: str,
    ) -> None:
        self.provider, self.client_id = provider, client_id
        self._secret, self._public_url = client_secret, public_url.rstrip("/")
        self._scopes, self._groups_claim = scopes, groups_claim

    async def address(self, request: SignInRequest, methods: tuple[str, ...] = ()) -> str:
        """Where a browser is sent to sign in.

        Args:
            methods: `acr` values to ask for.

        Raises:
            ServiceUnavailable: the provider does not answer.
        """
        from authlib.oauth2.rfc6749.parameters import prepare_grant_uri
        from authlib.oauth2.rfc7636 import create_s256_code_challenge

        metadata = await self.provider.metadata()
        more = {
            "nonce": request.nonce,
            "code_challenge": create_s256_code_challenge(request.verifier),
            "code_challenge_method": "S256",
        }
        if methods:
            more["acr_values"] = " ".join(methods)
        return str(
            prepare_grant_uri(
                metadata.authorization_endpoint,
                self.client_id,
                "code",
                self._public_url + CALLBACK,
                self._scopes,
                request.state,
                **more,
            )
        )

    async def check_issuer(self, iss: str | None) -> None:
        """See that an answer is of this provider and of no other (RFC 9207).

        Raises:
            NotAuthenticated: it is another's, or does not say where this provider says it does.
            ServiceUnavailable: the provider does not answer.
        """
        missing = iss is None and (await self.provider.metadata()).names_itself
        if missing or iss not in (None, self.provider.issuer):
            raise NotAuthenticated("The answer is not of the sign-in provider.")

    async def exchange(self, code: str, request: SignInRequest) -> ProviderIdentity:
        """Whom a code stands for. The provider takes each code once, and only with the verifier it was begun with.

        Raises:
            NotAuthenticated: the provider refuses the code, or its token is not valid.
            ServiceUnavailable: it does not answer.
        """
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": self._public_url + CALLBACK}
        tokens = await self._tokens({**form, "code_verifier": request.verifier})
        return await self._identity(tokens, request.nonce, None)

    async def renew(self, refresh_token: str, subject: str) -> ProviderIdentity:
        """The same person as the provider knows them now.

        Args:
            subject: whose session it is.

        Raises:
            NotAuthenticated: the provider ends the session, or speaks of somebody else.
            ServiceUnavailable: it does not answer.
        """
        tokens = await self._tokens({"grant_type": "refresh_token", "refresh_token": refresh_token})
        return await self._identity({"refresh_token": refresh_token, **tokens}, None, subject)

    async def way_out(self) -> str | None:
        """Where a browser is sent to sign out at the provider, too; null where it has no such place."""
        try:
            end = (await self.provider.metadata()).end_session_endpoint
        except ServiceUnavailable:
            return None
        query = {"client_id": self.client_id, "post_logout_redirect_uri": self._public_url + SIGNED_OUT}
        return end and f"{end}{'&' if '?' in end else '?'}{urlencode(query)}"

    async def _tokens(self, form: dict[str, str]) -> dict[str, Any]:
        metadata = await self.provider.metadata()
        headers, form = self._with_secret(metadata, form)
        answer = await ask("POST", metadata.token_endpoint, headers=headers, body=urlencode(form))
        if answer.status == 200:
            return answer.document
        error = str(answer.document.get("error"))[:60]
        # Not `invalid_grant` alone, as RFC 6749 has it: some say `invalid_request` of a person whom they locked.
        if answer.status == HTTPStatus.BAD_REQUEST and error not in OF_THE_INSTALLATION:
            raise NotAuthenticated(f"The sign-in provider refuses ({error}).")
        raise ServiceUnavailable(f"The sign-in provider answers with {answer.status} {error}.")

    def _with_secret(self, metadata: ProviderMetadata, form: dict[str, str]) -> tuple[dict[str, str], dict[str, str]]:
        from authlib.common.encoding import to_unicode
        from authlib.oauth2.auth import ClientAuth

        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        if metadata.secret_in_form:
            return headers, {**form, "client_id": self.client_id, "client_secret": self._secret}
        # RFC 6749, 2.3.1: both are form-encoded before they are joined.
        auth = ClientAuth(quote(self.client_id, safe=""), quote(self._secret, safe=""), "client_secret_basic")
        _, headers, _ = auth.prepare("POST", metadata.token_endpoint, headers, "")
        return {name: to_unicode(value) for name, value in headers.items()}, form

    async def _identity(self, tokens: dict[str, Any], nonce: str | None, subject: str | None) -> ProviderIdentity:
        """Whom tokens are of. `subject` is null at the sign-in, which has to bring an ID token."""
        given, access_token = tokens.get("id_token"), tokens.get("access_token")
        if not isinstance(access_token, str) or not (isinstance(given, str) or (given is None and subject)):
            raise NotAuthenticated("The sign-in provider's answer is not whole.")
        claims: dict[str, Any] = {"sub": subject}
        if given:
            claims = await id_token_claims(given, self.provider, self.client_id, nonce, access_token)
        if subject is not None and claims["sub"] != subject:
            raise NotAuthenticated("The sign-in provider speaks of somebody else.")
        if self._groups_claim not in claims:
            claims = {**await self._userinfo(access_token, claims["sub"]), **claims}
        name, is_email = _name(claims)
        refresh_token = tokens.get("refresh_token")
        return ProviderIdentity(
            self.provider.issuer,
            claims["sub"],
            name,
            is_email,
            # An ID token without the claim is of somebody without groups; where there is none, that tells nothing.
            _texts(claims.get(self._groups_claim)) if given or self._groups_claim in claims else None,
            _texts(claims.get("amr")) | _texts(claims.get("acr")),
            _text(claims.get("sid"), 255),
            _text(refresh_token, LONGEST_REFRESH_TOKEN),
        )

    async def _userinfo(self, access_token: str, subject: str) -> dict[str, Any]:
        """What the provider tells beside the ID token; empty where it tells nothing."""
        endpoint = (await self.provider.metadata()).userinfo_endpoint
        if endpoint is None:
            return {}
        answer = await ask("GET", endpoint, headers={"Authorization": f"Bearer {access_token}"})
        if answer.status in (401, 403):
            raise NotAuthenticated("The sign-in provider refuses.")
        if answer.status != 200:
            raise ServiceUnavailable(f"The sign-in provider answers with {answer.status}.")
        if answer.document.get("sub") != subject:
            raise NotAuthenticated("The sign-in provider speaks of somebody else.")
        return answer.document


def _name(claims: dict[str, Any]) -> tuple[str, bool]:
    """What to show of a person, and whether it is an e-mail address that the provider stands by."""
    email = _text(claims.get("email"), 254)
    if email and "@" in email:
        return email.lower(), claims.get("email_verified") is not False
    return (_text(claims.get("preferred_username"), 254) or claims["sub"][:254]).lower(), False


def _text(value: object, most: int) -> str | None:
    return value if isinstance(value, str) and 0 < len(value) <= most and value.isprintable() else None


def _texts(value: object) -> frozenset[str]:
    """A list of texts, or one of them."""
    values = value if isinstance(value, list) else [value]
    return frozenset(text for text in values[:MOST_GROUPS] if isinstance(text, str))
