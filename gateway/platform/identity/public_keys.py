"""Public keys of hospital systems (JWK Set, RFC 7517): those that may sign an assertion, and nothing else."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from shared.outside import is_secure_url
from shared.problems import InvalidInput

# Of SMART App Launch 2 and CDS Hooks 2, by the family of keys that each is of. Never a shared secret, never "none".
ALGORITHMS = {"RS384": "RSA", "ES384": "EC"}
CURVE = "P-384"
PUBLIC = {"RSA": ("kty", "n", "e"), "EC": ("kty", "crv", "x", "y")}
ABOUT = ("kid", "use", "alg")
PRIVATE = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})
MOST_KEYS, LONGEST_KID, LONGEST_URL = 20, 255, 500
# A modulus is written in base64: six bits a character. A longer one would cost more than a signature is worth.
LEAST_RSA_BITS, MOST_RSA_BITS, BITS_A_CHARACTER = 2048, 8192, 6


@dataclass(frozen=True)
class KeySet:
    """Where a system's public keys come from: one of the two.

    Args:
        jwks: the keys themselves, as a JWK Set.
        jwks_url: the address where the system publishes them.
    """

    jwks: dict[str, Any] | None = None
    jwks_url: str | None = None


def checked_key_set(jwks: Any, jwks_url: str | None, names: tuple[str, str] = ("jwks", "jwks_url")) -> KeySet:
    """What somebody gives as the keys of a system.

    Args:
        jwks: a JWK Set (RFC 7517) with 1 to 20 public keys, RSA of 2048 to 8192 bits or EC P-384, each with a `kid`.
        jwks_url: https, up to 500 characters; http on this very machine.
        names: of the two, as the caller knows them.

    Raises:
        InvalidInput: both, neither, or one that cannot be used; the message says why.
    """
    if (jwks is None) == (jwks_url is None):
        raise InvalidInput(f"Give one of {names[0]} and {names[1]}.", field=names[0])
    if jwks_url is not None:
        if not is_secure_url(jwks_url) or len(jwks_url) > LONGEST_URL or not jwks_url.isprintable():
            raise InvalidInput(f"{names[1]}: an address that begins with https://.", field=names[1])
        return KeySet(jwks_url=jwks_url)
    try:
        return KeySet(jwks={"keys": _checked_keys(jwks)})
    except ValueError as error:
        raise InvalidInput(f"{names[0]}: {error}.", field=names[0]) from error


def signing_key(keys: Sequence[Any], kid: str, algorithm: str) -> Any:
    """The one key of a set that this algorithm may be verified with, ready for use.

    Args:
        keys: as they were given or published; what cannot be used is passed over.

    Raises:
        ValueError: there is none, or more than one, of this id and family.
    """
    family = ALGORITHMS[algorithm]
    found = [key for key in keys if isinstance(key, dict) and key.get("kid") == kid and key.get("kty") == family]
    if len(found) != 1:
        raise ValueError(f"{len(found)} of the system's keys have this kid and are of the family {family}")
    if found[0].get("alg", algorithm) != algorithm:
        raise ValueError("the key of this kid is for another algorithm")
    return _imported(_checked_key(found[0]))


def _checked_keys(jwks: Any) -> list[dict[str, Any]]:
    keys = jwks.get("keys") if isinstance(jwks, dict) else None
    if not isinstance(keys, list) or not 1 <= len(keys) <= MOST_KEYS:
        raise ValueError(f"a JWK Set is needed: an object with a list `keys` of 1 to {MOST_KEYS} public keys")
    checked = [_checked_key(key) for key in keys]
    if len({(key["kid"], key["kty"]) for key in checked}) < len(checked):
        raise ValueError("two keys have the same kid: give each its own")
    for key in checked:
        _imported(key)
    return checked


def _checked_key(key: Any) -> dict[str, Any]:
    """The public members of a key.

    Raises:
        ValueError: it is no public key that may sign.
    """
    if not isinstance(key, dict) or key.get("kty") not in PUBLIC:
        raise ValueError("every key is an object with `kty` RSA or EC")
    if PRIVATE & set(key):
        raise ValueError("a key with its private part was sent: send the public part alone, and make a new key")
    kept = {name: key[name] for name in (*PUBLIC[key["kty"]], *ABOUT) if name in key}
    if not all(isinstance(value, str) for value in kept.values()) or set(PUBLIC[key["kty"]]) - set(kept):
        raise ValueError(f"a key of `kty` {key['kty']} has {', '.join(PUBLIC[key['kty']])}, all of them texts")
    if not 1 <= len(kept.get("kid", "")) <= LONGEST_KID or not kept["kid"].isprintable():
        raise ValueError(f"every key has a `kid` of 1 to {LONGEST_KID} printable characters")
    if kept.get("use", "sig") != "sig":
        raise ValueError("a key is for signatures: `use` is sig")
    if kept.get("alg", "RS384" if kept["kty"] == "RSA" else "ES384") not in ALGORITHMS:
        raise ValueError(f"`alg` is one of {', '.join(ALGORITHMS)}")
    _require_strength(kept)
    return kept


def _require_strength(key: dict[str, Any]) -> None:
    if key["kty"] == "EC" and key["crv"] != CURVE:
        raise ValueError(f"an EC key is on the curve {CURVE}, which ES384 needs")
    if key["kty"] == "RSA" and not LEAST_RSA_BITS <= len(key["n"]) * BITS_A_CHARACTER <= MOST_RSA_BITS + 16:
        raise ValueError(f"an RSA key has {LEAST_RSA_BITS} to {MOST_RSA_BITS} bits")


def _imported(key: dict[str, Any]) -> Any:
    """The key for the library; a start of the gateway does not wait for that."""
    from joserfc.errors import JoseError
    from joserfc.jwk import ECKey, RSAKey

    public = {name: key[name] for name in PUBLIC[key["kty"]]}
    try:
        return ECKey.import_key(public) if key["kty"] == "EC" else RSAKey.import_key(public)
    except (JoseError, ValueError, TypeError) as error:
        raise ValueError(f"the key {key['kid'][:40]} is none: {error}") from error
