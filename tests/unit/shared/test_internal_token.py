import jwt
import pytest

from shared import internal_token
from shared.problems import NotAuthenticated

SECRET = "a secret that is long enough for a test"


def test_a_token_opens_the_service_it_names():
    internal_token.verify(SECRET, "imaging", internal_token.issue(SECRET, "imaging"))


@pytest.mark.parametrize(
    "token",
    [
        None,
        "",
        "no.token.here",
        internal_token.issue(SECRET, "staging"),
        internal_token.issue("another secret, long enough as well", "imaging"),
        jwt.encode({"aud": "imaging", "iss": "gateway", "exp": 1}, SECRET, "HS256"),
        jwt.encode({"aud": "imaging", "iss": "gateway"}, SECRET, "HS256"),
        jwt.encode({"aud": "imaging", "iss": "elsewhere", "exp": 2**31}, SECRET, "HS256"),
        jwt.encode({"aud": "imaging", "iss": "gateway", "exp": 2**31}, "", "none"),
    ],
    ids=["none", "empty", "no token", "other service", "other secret", "old", "eternal", "other issuer", "unsigned"],
)
def test_anything_else_does_not(token):
    with pytest.raises(NotAuthenticated):
        internal_token.verify(SECRET, "imaging", token)
