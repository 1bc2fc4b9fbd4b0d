import datetime as dt
from uuid import uuid4

import jwt
import pytest

from gateway.accounts.attempts import Attempts
from gateway.accounts.passwords import Passwords
from gateway.accounts.scopes import SCOPES_OF_ROLE, Principal, read_scopes
from gateway.accounts.tokens import AccessTokens
from gateway.database.ids import uuid7
from shared.problems import InvalidInput, NotAuthenticated, NotAuthorised, TooManyAttempts

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


def test_a_token_names_its_account_until_it_expires():
    account = uuid7()
    assert AccessTokens(KEY, dt.timedelta(minutes=1)).account_of(
        AccessTokens(KEY, dt.timedelta(minutes=1)).issue(account)
    ) == account  # fmt: skip
    for bad in (
        AccessTokens(KEY, dt.timedelta(minutes=-1)).issue(account),
        AccessTokens(KEY + "x", dt.timedelta(minutes=1)).issue(account),
        jwt.encode({"sub": "me", "aud": "trabecula", "exp": 2**31}, KEY, "HS256"),
        jwt.encode({"sub": str(account), "aud": "elsewhere", "exp": 2**31}, KEY, "HS256"),
        "rubbish",
    ):
        with pytest.raises(NotAuthenticated):
            AccessTokens(KEY, dt.timedelta(minutes=1)).account_of(bad)


async def test_attempts_are_counted_for_the_account_and_for_the_address():
    attempts = Attempts(2)
    await attempts.count("A@clinic", "10.0.0.1")
    await attempts.count("a@clinic ", "10.0.0.2")
    with pytest.raises(TooManyAttempts):
        await attempts.count("a@clinic", "10.0.0.3")
    await attempts.count("b@clinic", "10.0.0.1")
    with pytest.raises(TooManyAttempts):
        await attempts.count("c@clinic", "10.0.0.1")


def test_ids_are_version_7_and_sort_by_time():
    ids = [uuid7() for _ in range(100)]
    assert len(set(ids)) == 100
    assert all(one.version == 7 and one.variant == "specified in RFC 4122" for one in ids)
    milliseconds = [one.int >> 80 for one in ids]
    assert milliseconds == sorted(milliseconds)
