"""Keys, clients, grants and links that the protocol tests share. The keys are made anew in every run."""

import base64
import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm

from idp.identity.account_links import AccountLink, Status
from idp.identity.assurance import Acr, Proofing
from idp.protocol.model import AuthorizationCode, ClaimsRequest, Client, Grant, Policy, RefreshToken

NOW = datetime(2026, 11, 20, 3, 0, tzinfo=UTC)
ISSUER = "https://idp.example"
POLICY = Policy(issuer=ISSUER)

ES256 = ec.generate_private_key(ec.SECP256R1())
ES384 = ec.generate_private_key(ec.SECP384R1())
RS256 = rsa.generate_private_key(65537, 2048)
ED25519 = ed25519.Ed25519PrivateKey.generate()
OTHER = ec.generate_private_key(ec.SECP256R1())

PRIVATE_KEYS: dict[str, Any] = {"ES256": ES256, "RS256": RS256, "PS256": RS256, "EdDSA": ED25519}
KIDS = {"ES256": "ec", "RS256": "rsa", "PS256": "rsa", "EdDSA": "ed"}


def public_jwk(private_key: Any, kid: str | None = None) -> dict[str, Any]:
    kind = {ec.EllipticCurvePrivateKey: ECAlgorithm, rsa.RSAPrivateKey: RSAAlgorithm}
    algorithm = next((a for k, a in kind.items() if isinstance(private_key, k)), OKPAlgorithm)
    jwk = algorithm.to_jwk(private_key.public_key(), as_dict=True)
    jwk.pop("key_ops", None)
    return jwk if kid is None else {**jwk, "kid": kid}


JWKS = {"keys": [public_jwk(ES256, "ec"), public_jwk(RS256, "rsa"), public_jwk(ED25519, "ed")]}


def base64url(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()


def sign(
    claims: Mapping[str, Any], algorithm: str = "ES256", headers: Mapping[str, Any] | None = None
) -> str:
    return jwt.encode(
        dict(claims), PRIVATE_KEYS[algorithm], algorithm, {"kid": KIDS[algorithm], **(headers or {})}
    )


def sign_raw(header: bytes, payload: bytes) -> str:
    """Sign bytes as they are with the ES256 key, however odd they may be."""
    signing_input = f"{base64url(header)}.{base64url(payload)}"
    signature = ECAlgorithm(ECAlgorithm.SHA256, ec.SECP256R1).sign(signing_input.encode(), ES256)
    return f"{signing_input}.{base64url(signature)}"


def sign_header(**members: Any) -> str:
    """Sign with the given header members beside alg and kid; PyJWT would refuse to write some of them."""
    return sign_raw(json.dumps({"alg": "ES256", "kid": "ec", **members}).encode(), b'{"sub":"a"}')


def make_client(**changes: Any) -> Client:
    return replace(
        Client(
            client_id="network",
            client_name="Mạng xã hội",
            redirect_uris=("https://network.example/callback",),
            token_endpoint_auth_method="private_key_jwt",
            sector="network.example",
            grant_types=frozenset({"authorization_code", "refresh_token"}),
            jwks=JWKS,
        ),
        **changes,
    )


def make_grant(**changes: Any) -> Grant:
    return replace(
        Grant(
            grant_id="grant-1",
            client_id="network",
            citizen_id="citizen-1",
            subject="pairwise-subject",
            session_id="session-1",
            scope=frozenset({"openid"}),
            claims=ClaimsRequest(),
            acr=Acr.VN_2,
            amr=("pwd", "otp", "mfa"),
            auth_time=NOW - timedelta(minutes=2),
            nonce="nonce-1",
            consent_id="consent-1",
            link_id="link-1",
            issued_at=NOW - timedelta(seconds=20),
            expires_at=NOW + timedelta(days=365),
        ),
        **changes,
    )


def make_code(**changes: Any) -> AuthorizationCode:
    return replace(
        AuthorizationCode(
            code_hash=b"h" * 32,
            redirect_uri="https://network.example/callback",
            # RFC 7636 Appendix B.
            code_challenge="E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
            grant=make_grant(),
            expires_at=NOW + timedelta(seconds=40),
        ),
        **changes,
    )


CODE_VERIFIER = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"


def make_refresh_token(**changes: Any) -> RefreshToken:
    return replace(
        RefreshToken(
            token_hash=b"r" * 32,
            grant_id="grant-1",
            generation=1,
            issued_at=NOW - timedelta(days=1),
            expires_at=NOW + timedelta(days=29),
        ),
        **changes,
    )


def make_link(**changes: Any) -> AccountLink:
    return replace(
        AccountLink(
            link_id="link-1",
            client_id="network",
            account_id="4711",
            citizen_id="citizen-1",
            subject="pairwise-subject",
            status=Status.ACTIVE,
            proofing=Proofing.VN2,
            acr=Acr.VN_2,
            requested_at=NOW - timedelta(minutes=1),
            handle="@lan",
            profile_uri="https://network.example/@lan",
            purpose="post",
            place=1,
            linked_at=NOW,
            expires_at=NOW + timedelta(days=730),
        ),
        **changes,
    )
