"""What a page shows once after a form was taken, such as a new key: the browser is sent on, so a reload makes no other.

The words travel in a cookie for a minute, encrypted and bound to the session, and are taken out when they are shown.
"""

import base64
import json
from http import HTTPStatus
from typing import Any

from fastapi import Request
from starlette.responses import RedirectResponse, Response

from gateway.pages.sessions import CurrentUser, cookie, sessions_of, set_cookie
from gateway.platform.encryption import CannotDecrypt

ONCE, SECONDS = "trab_once", 60


def sent_on(request: Request, user: CurrentUser, address: str, **told: str) -> Response:
    """Send the browser on to a page that tells this once."""
    response = RedirectResponse(address, HTTPStatus.SEE_OTHER)
    sealed = sessions_of(request).seal(user, json.dumps(told).encode())
    set_cookie(response, request, ONCE, base64.urlsafe_b64encode(sealed).decode(), SECONDS)
    return response


def told_once(request: Request, user: CurrentUser) -> dict[str, Any]:
    """What is to be told on this page; empty where nothing is. The answer takes it out of the browser."""
    kept = cookie(request, ONCE)
    if not kept:
        return {}
    request.state.told = True
    try:
        told: dict[str, Any] = json.loads(sessions_of(request).unseal(user, base64.urlsafe_b64decode(kept)))
    except (ValueError, CannotDecrypt):  # of another session, or changed
        return {}
    return told
