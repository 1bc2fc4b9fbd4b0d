import datetime as dt
from uuid import uuid4

import jwt
import pytest

from gateway.platform.clock import now
from gateway.platform.database.ids import uuid7
from gateway.platform.identity.access_tokens import AccessTokens, ApiClient, Person
from gateway.platform.identity.password_rules import check_password
from gateway.platform.identity.passwords import Passwords
from gateway.platform.identity.scopes import SCOPES_OF_ROLE, Principal, read_scopes
from shared.problems import InvalidInput, NotAuthenticated, NotAuthorised

KEY = "a key that is long enough for a test of tokens"


def test_scopes_are_read_in_their_own_order_and_unknown_ones_refused():
    assert read_scopes("models:read, assessments:write") == ["assessments:write", "models:read"]
    for bad in ("", "everything", "models:read everything"):
        with pytest.raises(InvalidInput):
            read_scopes(bad)


def test_what_no_scope_grants_is_refused():
    clinician = Principal("account:1", uuid4(), SCOPES_OF_ROLE["clinician"], "clinician")
    clinician.must_have("assessments:write")
    with pytest.raises(NotAuthorised, match="admin"):
        clinician.must_have("admin")


async def test_a_password_matches_itself_only():
    passwords = Passwords()
    stored = await passwords.hash("correct horse battery")
    assert "correct" not in stored
    assert await passwords.matches("correct horse battery", stored)
    assert not await passwords.matches("correct horse batterz", stored)
    assert not await passwords.matches("correct horse battery", None)


def test_a_token_names_its_bearer_until_it_expires():
    tokens = AccessTokens(KEY, dt.timedelta(minutes=1))
    person, system = Person(uuid7(), uuid7()), ApiClient("00ff", frozenset({"models:read", "assessments:read"}))
    assert tokens.verified(tokens.for_person(person)) == person
    assert tokens.verified(tokens.for_client(system, now() + dt.timedelta(minutes=1))) == system
    with pytest.raises(NotAuthenticated):
        tokens.verified(tokens.for_client(system, now() - dt.timedelta(seconds=1)))


def forged(key=KEY, algorithm="HS256", **changed):
    claims = {"sub": f"account:{uuid7()}", "sid": str(uuid7()), "aud": "trabecula", "iss": "trabecula", "exp": 2**31}
    claims = {name: value for name, value in {**claims, **changed}.items() if value is not None}
    return jwt.encode(claims, key, algorithm)


@pytest.mark.parametrize(
    "bad",
    [
        AccessTokens(KEY, dt.timedelta(minutes=-1)).for_person(Person(uuid7(), uuid7())),
        AccessTokens(KEY + "x", dt.timedelta(minutes=1)).for_person(Person(uuid7(), uuid7())),
        forged(sub="me"),
        forged(sub=f"root:{uuid7()}"),
        forged(sub=None),
        forged(sid=None),
        forged(sid="no id"),
        forged(aud="elsewhere"),
        forged(aud=["elsewhere"]),
        forged(iss="elsewhere"),
        forged(exp=None),
        forged(exp=1),
        forged(sub="key:00ff"),
        forged(sub="key:00ff", scope=7),
        forged(algorithm="HS512", key=KEY * 2),
        forged(algorithm="none", key=None),
        "rubbish",
        "",
    ],
)
def test_tokens_that_are_none(bad):
    with pytest.raises(NotAuthenticated):
        AccessTokens(KEY, dt.timedelta(minutes=1)).verified(bad)


def test_the_forger_of_the_tests_could_make_a_true_one():
    assert isinstance(AccessTokens(KEY, dt.timedelta(minutes=1)).verified(forged()), Person)


@pytest.mark.parametrize(
    "bad",
    [
        "short", "aaaaaaaaaaaaaaaa", "password1234", "qwertyuiop12", "abcdefghijklmnop", "trabecula1234",
        "ada.lovelace1", "123123123123123", "iloveyou12345", "x" * 257,
    ],
)  # fmt: skip
def test_passwords_that_are_easily_guessed_are_refused(bad):
    with pytest.raises(InvalidInput, match="password") as refused:
        check_password(bad, "ada.lovelace@clinic.example")
    assert bad not in refused.value.detail or bad == "short"


@pytest.mark.parametrize("good", ["orbit-lantern-cedar-42", "a password of some length", "ಸರಿಯಾದ ಪದಗಳು ನಾಲ್ಕು"])
def test_passwords_that_are_not(good):
    check_password(good, "ada.lovelace@clinic.example")


def test_ids_are_version_7_and_sort_by_time():
    ids = [uuid7() for _ in range(100)]
    assert len(set(ids)) == 100
    assert all(item.version == 7 and item.variant == "specified in RFC 4122" for item in ids)
    milliseconds = [item.int >> 80 for item in ids]
    assert milliseconds == sorted(milliseconds)
