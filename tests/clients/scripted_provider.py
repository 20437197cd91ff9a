"""A provider on paper: answers the SDK through httpx.MockTransport and remembers what it was asked."""

import base64
import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlsplit

import httpx
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet

ISSUER = "https://id.example"
CLIENT_ID = "quan-coc"
REDIRECT_URI = "https://quancoc.example/callback"
NOW = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)


def make_key(kid: str) -> ECKey:
    return ECKey.generate_key("P-256", {"kid": kid, "alg": "ES256", "use": "sig"}, private=True)


def half_hash(access_token: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(access_token.encode()).digest()[:16]).rstrip(b"=").decode()


def good_claims(nonce: str, account_id: str, now: datetime, access_token: str = "at-1") -> dict[str, Any]:
    issued_at = int(now.timestamp())
    return {
        "iss": ISSUER,
        "sub": "pairwise-lan",
        "aud": CLIENT_ID,
        "iat": issued_at,
        "exp": issued_at + 600,
        "nonce": nonce,
        "at_hash": half_hash(access_token),
        "acr": f"{ISSUER}/acr/vn-2",
        "amr": ["pwd", "otp", "mfa"],
        "auth_time": issued_at - 20,
        "account_link": {
            "link_id": "lnk_1",
            "account_id": account_id,
            "status": "active",
            "linked_at": issued_at,
            "expires_at": issued_at + 730 * 86_400,
        },
        "verified_claims": {
            "verification": {"trust_framework": "vn_nd69_2024", "assurance_level": "vn2"},
            "claims": {"age_over_16": True},
        },
    }


def sign(claims: dict[str, Any], key: ECKey, **header: object) -> str:
    protected = {"alg": "ES256", "kid": key.kid, "typ": "JWT", **header}
    return jwt.encode({k: v for k, v in protected.items() if v is not None}, claims, key)


@dataclass
class ScriptedProvider:
    """Set `change_claims`, `change_answer` or `offline` to make it misbehave."""

    client_key: ECKey = field(default_factory=lambda: make_key("client-1"))
    signing_key: ECKey = field(default_factory=lambda: make_key("op-1"))
    now: datetime = NOW
    offline: bool = False
    ended: bool = False
    published: list[ECKey] = field(default_factory=list)
    requests: list[httpx.Request] = field(default_factory=list)
    pushed: dict[str, str] = field(default_factory=dict)
    seen_jti: set[str] = field(default_factory=set)
    refresh_tokens: list[str] = field(default_factory=lambda: ["rt-0"])
    change_claims: Callable[[dict[str, Any]], object] | None = None
    change_answer: Callable[[str, dict[str, Any]], object] | None = None

    def __post_init__(self) -> None:
        self.published = self.published or [self.signing_key]

    def clock(self) -> datetime:
        return self.now

    def use_real_time(self) -> None:
        self.now = datetime.now(UTC)

    def advance(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)

    def transport(self) -> httpx.MockTransport:
        return httpx.MockTransport(self.answer)

    def count(self, path: str) -> int:
        return sum(1 for request in self.requests if request.url.path == path)

    def agree(self, url: str, **changes: str | None) -> dict[str, str]:
        """Play the person who agrees: what the browser brings back to the platform."""
        query = dict(parse_qsl(urlsplit(url).query))
        assert query == {"client_id": CLIENT_ID, "request_uri": "urn:ietf:params:oauth:request_uri:r1"}
        response = {"code": "code-1", "state": self.pushed["state"], "iss": ISSUER, **changes}
        return {name: value for name, value in response.items() if value is not None}

    def answer(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        if self.offline:
            raise httpx.ConnectError("nobody is there", request=request)
        status, document = self._route(request)
        if self.change_answer is not None:
            self.change_answer(request.url.path, document)
        return httpx.Response(status, json=document, headers={"cache-control": "public, max-age=300"})

    def _route(self, request: httpx.Request) -> tuple[int, dict[str, Any]]:
        path = request.url.path
        if path == "/.well-known/openid-configuration":
            return 200, self._metadata()
        if path == "/jwks":
            return 200, json.loads(json.dumps(KeySet(list(self.published)).as_dict(private=False)))
        if path == "/userinfo":
            return self._userinfo(request)
        form = parse_qs(request.content.decode())
        assert all(len(values) == 1 for values in form.values()), "a parameter is repeated"
        sent = {name: values[0] for name, values in form.items()}
        self._check_client(request, sent)
        if path == "/par":
            self.pushed = sent
            return 201, {"request_uri": "urn:ietf:params:oauth:request_uri:r1", "expires_in": 90}
        return self._token(sent)

    def _metadata(self) -> dict[str, Any]:
        return {
            "issuer": ISSUER,
            "authorization_endpoint": f"{ISSUER}/authorize",
            "pushed_authorization_request_endpoint": f"{ISSUER}/par",
            "token_endpoint": f"{ISSUER}/token",
            "userinfo_endpoint": f"{ISSUER}/userinfo",
            "end_session_endpoint": f"{ISSUER}/end_session",
            "jwks_uri": f"{ISSUER}/jwks",
            "response_types_supported": ["code"],
            "code_challenge_methods_supported": ["S256"],
            "id_token_signing_alg_values_supported": ["ES256", "RS256"],
            "authorization_response_iss_parameter_supported": True,
        }

    def _check_client(self, request: httpx.Request, sent: dict[str, str]) -> None:
        if "authorization" in request.headers:
            expected = "Basic " + base64.b64encode(b"quan-coc:s%2Bcret").decode()
            assert request.headers["authorization"] == expected
            return
        assert sent["client_assertion_type"] == "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
        claims = jwt.decode(sent["client_assertion"], self.client_key, ["ES256"]).claims
        assert claims["iss"] == claims["sub"] == CLIENT_ID
        assert claims["aud"] == ISSUER
        assert claims["exp"] - claims["iat"] == 60
        assert claims["jti"] not in self.seen_jti
        self.seen_jti.add(claims["jti"])

    def _token(self, sent: dict[str, str]) -> tuple[int, dict[str, Any]]:
        if self.ended:
            return 400, {"error": "invalid_grant"}
        answer: dict[str, Any] = {"access_token": "at-1", "token_type": "Bearer", "expires_in": 600}
        if sent["grant_type"] == "refresh_token":
            if sent["refresh_token"] != self.refresh_tokens[-1]:
                return 400, {"error": "invalid_grant", "error_description": "the refresh token was used"}
            self.refresh_tokens.append(f"rt-{len(self.refresh_tokens)}")
            claims = good_claims("", "", self.now)
            del claims["nonce"]
        else:
            assert sent["redirect_uri"] == self.pushed["redirect_uri"]
            digest = hashlib.sha256(sent["code_verifier"].encode()).digest()
            challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
            if sent["code"] != "code-1" or challenge != self.pushed["code_challenge"]:
                return 400, {"error": "invalid_grant"}
            [detail] = json.loads(self.pushed["authorization_details"])
            claims = good_claims(self.pushed["nonce"], detail["account_id"], self.now)
            answer["authorization_details"] = [{**detail, "link_id": "lnk_1"}]
        if self.change_claims is not None:
            self.change_claims(claims)
        answer["refresh_token"] = self.refresh_tokens[-1]
        answer["id_token"] = sign(claims, self.signing_key)
        return 200, answer

    def _userinfo(self, request: httpx.Request) -> tuple[int, dict[str, Any]]:
        assert request.headers["authorization"] == "Bearer at-1"
        if self.ended:
            return 401, {"error": "invalid_token"}
        return 200, {"sub": "pairwise-lan"}
