"""`/v1/keys/{key_id}/jwks`: administrators let a hospital system sign with keys of its own (SMART Backend Services)."""

from typing import Annotated, Any

from fastapi import APIRouter
from pydantic import BaseModel, Field

from gateway.api.deps import Administrator
from gateway.api.keys import KeyId
from gateway.context import Context
from gateway.platform.identity.public_keys import LONGEST_URL, KeySet
from shared.problem_responses import example_response, problem_responses
from shared.problems import InvalidInput, NotAuthenticated, NotAuthorised, NotFound

router = APIRouter(
    prefix="/v1/keys/{key_id}/jwks",
    tags=["keys"],
    responses=problem_responses(NotAuthenticated, NotAuthorised, NotFound),
)
EXAMPLE = {
    "jwks": {"keys": [{"kty": "EC", "kid": "2026-11", "alg": "ES384", "crv": "P-384", "x": "Pl4Q...", "y": "fHgs..."}]},
    "jwks_url": None,
}


class KeySetView(BaseModel):
    """Where the system's public keys come from: one of the two."""

    jwks: Annotated[
        dict[str, Any] | None, Field(description="A JWK Set (RFC 7517) of 1 to 20 public keys, RSA or EC P-384")
    ] = None
    jwks_url: Annotated[
        str | None,
        Field(max_length=LONGEST_URL, description="https address of the set; asked once an hour, and for a new `kid`"),
    ] = None

    @classmethod
    def of(cls, key_set: KeySet) -> "KeySetView":
        """As they travel."""
        return cls(jwks=key_set.jwks, jwks_url=key_set.jwks_url)


@router.put("", responses={**example_response(EXAMPLE), **problem_responses(InvalidInput)})
async def put_key_set(key_id: KeyId, request: KeySetView, who: Administrator, ctx: Context) -> KeySetView:
    """Let a system sign with its own keys (`private_key_jwt`, RS384 or ES384). **Its secret ends at once.**

    Only who can do as much as the key, and for as long, may name its keys; it hangs on them from then on. Sent again,
    it replaces the set. The key's id is the `client_id`.
    """
    return KeySetView.of(await ctx.backend_services.put_keys(key_id, who, request.jwks, request.jwks_url))


@router.get("", responses=example_response(EXAMPLE))
async def get_key_set(key_id: KeyId, who: Administrator, ctx: Context) -> KeySetView:
    """The public keys that a system signs with; both are null where it has a secret instead."""
    return KeySetView.of(await ctx.backend_services.get_keys(key_id, who))
