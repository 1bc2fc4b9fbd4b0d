"""Keeps the caller's address at hand while a request is served."""

from starlette.types import ASGIApp, Receive, Scope, Send

from gateway.platform.client_address import forget_client_address, remember_client_address


class ClientAddressMiddleware:
    """Notes the caller's network address for the audit trail. Behind a proxy it is what the proxy forwards."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        client = scope.get("client")
        token = remember_client_address(client[0] if client else None)
        try:
            await self.app(scope, receive, send)
        finally:
            forget_client_address(token)
