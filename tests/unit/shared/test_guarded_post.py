"""What a receiver asks for with Retry-After."""

from shared.guarded_post import retry_after_s


def test_what_retry_after_says():
    assert retry_after_s("120") == 120
    assert retry_after_s("Wed, 21 Oct 2015 07:28:00 GMT") == 0
    assert retry_after_s("soon") is None
    assert retry_after_s(None) is None
