"""A second OpenID provider, of other people's parts: discovery, PAR, PKCE, ID tokens, userinfo."""

import base64
from collections.abc import Callable
from dataclasses import dataclass, field
from html import escape
from typing import Any
from urllib.parse import parse_qsl

from authlib.oidc.core.util import create_half_hash
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from tests.support.upstream_server import Granted, UpstreamServer, form_of

Tamper = Callable[[dict[str, Any], dict[str, Any]], None]
"""Changes header and claims of an ID token before it is signed."""


def _key(kid: str) -> ECKey:
    return ECKey.generate_key("P-256", {"kid": kid, "use": "sig", "alg": "ES256"})


@dataclass
class OpenIDServer(UpstreamServer):
    """One issuer."""

    key: ECKey = field(default_factory=lambda: _key("k1"))
    has_par: bool = True
    has_iss: bool = True
    client_keys: KeySet | None = None
    """The client's keys where it authenticates by private_key_jwt."""
    tamper: Tamper | None = None
    replace_id_token: Callable[[str], str] | None = None
    userinfo_claims: dict[str, Any] = field(default_factory=dict)
    userinfo_is_signed: bool = False
    metadata_changes: dict[str, Any] = field(default_factory=dict)
    login_host: str | None = None
    """The host of a login page of its own, where people press a link; None knows them already."""
    used_assertions: set[str] = field(default_factory=set)
    pushed: dict[str, dict[str, str]] = field(default_factory=dict)

    def forget(self) -> None:
        super().forget()
        self.tamper = self.replace_id_token = None
        self.userinfo_claims, self.metadata_changes = {}, {}

    def app(self) -> Starlette:
        return Starlette(
            routes=[
                Route("/.well-known/openid-configuration", self.metadata),
                Route("/jwks", self.jwks),
                Route("/par", self.par, methods=["POST"]),
                Route("/authorize", self.authorize),
                Route("/login", self.login),
                Route("/token", self.token, methods=["POST"]),
                Route("/userinfo", self.userinfo),
            ]
        )

    async def metadata(self, http: Request) -> Response:
        bent = self.bent(http, {})
        offered = {"pushed_authorization_request_endpoint": f"{self.issuer}/par"} if self.has_par else {}
        return bent or JSONResponse(
            {
                "issuer": self.issuer,
                "authorization_endpoint": f"{self.issuer}/authorize",
                "token_endpoint": f"{self.issuer}/token",
                "jwks_uri": f"{self.issuer}/jwks",
                "userinfo_endpoint": f"{self.issuer}/userinfo",
                "response_types_supported": ["code"],
                "subject_types_supported": ["public"],
                "id_token_signing_alg_values_supported": ["RS256", "ES256"],
                "code_challenge_methods_supported": ["S256"],
                "authorization_response_iss_parameter_supported": self.has_iss,
                **offered,
                **self.metadata_changes,
            }
        )

    async def jwks(self, http: Request) -> Response:
        return self.bent(http, {}) or JSONResponse({"keys": [self.key.as_dict(private=False)]})

    async def par(self, http: Request) -> Response:
        form = await form_of(http)
        bent = self.bent(http, form)
        if bent is not None:
            return bent
        if not self._is_our_client(http, form):
            return JSONResponse({"error": "invalid_client"}, 401)
        request_uri = f"urn:ietf:params:oauth:request_uri:{len(self.pushed)}"
        self.pushed[request_uri] = form
        return JSONResponse({"request_uri": request_uri, "expires_in": 60}, 201)

    async def authorize(self, http: Request) -> Response:
        query = dict(http.query_params)
        bent = self.bent(http, query)
        if bent is not None:
            return bent
        if self.login_host is not None and http.url.hostname != self.login_host:
            return RedirectResponse(f"http://{self.login_host}:{self.port}/login?{http.url.query}", 302)
        if not self.has_par:
            return self.authorized(query)
        if set(query) != {"client_id", "request_uri"}:
            return JSONResponse({"error": "invalid_request"}, 400)
        return self.authorized(self.pushed.pop(query["request_uri"]))

    async def login(self, http: Request) -> Response:
        """Greet somebody who is not known yet."""
        return HTMLResponse(
            f'<h1>Lotus ID</h1><p><a href="/authorize?{escape(http.url.query)}">It is me</a></p>'
        )

    def told_with_every_answer(self) -> dict[str, str]:
        return {"iss": self.issuer} if self.has_iss else {}

    async def token(self, http: Request) -> Response:
        form = await form_of(http)
        bent = self.bent(http, form)
        if bent is not None:
            return bent
        if not self._is_our_client(http, form):
            return JSONResponse({"error": "invalid_client"}, 401)
        granted = self.redeemed(form)
        if granted is None:
            return JSONResponse({"error": "invalid_grant"}, 400)
        return JSONResponse(
            {
                "access_token": granted.access_token,
                "token_type": "Bearer",
                "expires_in": 60,
                "id_token": self.id_token(granted),
            }
        )

    def id_token(self, granted: Granted) -> str:
        now = int(self.clock().timestamp())
        header: dict[str, Any] = {"alg": "ES256", "kid": self.key.kid}
        half = create_half_hash(granted.access_token, "ES256")
        claims: dict[str, Any] = {
            "iss": self.issuer,
            "sub": granted.person.subject,
            "aud": self.client_id,
            "exp": now + 300,
            "iat": now,
            "auth_time": self.auth_time(),
            "nonce": granted.parameters.get("nonce"),
            "at_hash": half.decode(),
            **granted.person.claims,
        }
        if self.tamper is not None:
            self.tamper(header, claims)
        signed = jwt.encode(header, claims, self.key, algorithms=["ES256"])
        return signed if self.replace_id_token is None else self.replace_id_token(signed)

    async def userinfo(self, http: Request) -> Response:
        bent = self.bent(http, {})
        granted = self.bearer(http)
        if bent is not None or granted is None:
            return bent or JSONResponse({"error": "invalid_token"}, 401)
        claims = {"sub": granted.person.subject, **granted.person.claims, **self.userinfo_claims}
        if not self.userinfo_is_signed:
            return JSONResponse(claims)
        claims = {"iss": self.issuer, "aud": self.client_id, **claims}
        header = {"alg": "ES256", "kid": self.key.kid}
        signed = jwt.encode(header, claims, self.key, algorithms=["ES256"])
        return Response(signed, media_type="application/jwt")

    def _is_our_client(self, http: Request, form: dict[str, str]) -> bool:
        if self.client_keys is not None:
            assertion = jwt.decode(form.get("client_assertion", ""), self.client_keys, algorithms=["ES256"])
            claims = assertion.claims
            is_new = claims["jti"] not in self.used_assertions
            self.used_assertions.add(claims["jti"])
            is_ours = (claims["iss"], claims["sub"], claims["aud"]) == (
                self.client_id,
                self.client_id,
                self.issuer,
            )
            return is_new and is_ours and claims["exp"] > self.clock().timestamp()
        if "client_secret" in form:
            return (form["client_id"], form["client_secret"]) == (self.client_id, self.secret)
        scheme, _, encoded = http.headers.get("authorization", "").partition(" ")
        return scheme == "Basic" and base64.b64decode(encoded).decode() == f"{self.client_id}:{self.secret}"


def front_channel(address: str) -> dict[str, str]:
    """Return the parameters of an address."""
    return dict(parse_qsl(address.partition("?")[2]))
