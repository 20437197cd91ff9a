"""A provider that speaks a dialect: no discovery, ID token or nonce; who it is stands in an encrypted body.

Names and shape are invented after public descriptions of such providers; it is nobody's interface.
"""

import json
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from joserfc import jwe
from joserfc.jwk import ECKey, OctKey
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.support.upstream_server import Granted, UpstreamServer, form_of


@dataclass
class DialectServer(UpstreamServer):
    """One provider."""

    key: OctKey | ECKey = field(default_factory=lambda: OctKey.generate_key(256))
    """The secret that both sides know (dir), or the client's public key (ECDH-ES)."""
    algorithm: str = "dir"
    encryption: str = "A256GCM"
    change_claims: Callable[[dict[str, Any]], None] | None = None
    replace_body: Callable[[str], str] | None = None

    def forget(self) -> None:
        super().forget()
        self.change_claims = self.replace_body = None

    def app(self) -> Starlette:
        return Starlette(
            routes=[
                Route("/connect", self.connect),
                Route("/exchange", self.exchange, methods=["POST"]),
                Route("/citizen", self.citizen, methods=["POST"]),
            ]
        )

    async def connect(self, http: Request) -> Response:
        query = dict(http.query_params)
        return self.bent(http, query) or self.authorized(query)

    async def exchange(self, http: Request) -> Response:
        form = await form_of(http)
        bent = self.bent(http, form)
        if bent is not None:
            return bent
        if (form.get("client_id"), form.get("client_secret")) != (self.client_id, self.secret):
            return JSONResponse({"error": "invalid_client"}, 401)
        granted = self.redeemed(form)
        if granted is None:
            return JSONResponse({"error": "invalid_grant"}, 400)
        return JSONResponse(
            {
                "access_token": granted.access_token,
                "token_type": "bearer",
                "account": {"id": granted.person.subject},
            }
        )

    async def citizen(self, http: Request) -> Response:
        bent = self.bent(http, {})
        granted = self.bearer(http)
        if bent is not None or granted is None:
            return bent or JSONResponse({"code": 401}, 401)
        return JSONResponse({"code": 0, "data": self.encrypted(granted)})

    def encrypted(self, granted: Granted) -> str:
        claims: dict[str, Any] = {
            "account": {"id": granted.person.subject},
            "signed_in": self.auth_time(),
            "trace": secrets.token_hex(4),
            **granted.person.claims,
        }
        if self.change_claims is not None:
            self.change_claims(claims)
        header = {"alg": self.algorithm, "enc": self.encryption}
        allowed = [self.algorithm, self.encryption]
        body = jwe.encrypt_compact(header, json.dumps(claims), self.key, algorithms=allowed)
        return body if self.replace_body is None else self.replace_body(body)
