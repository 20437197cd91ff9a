"""Authlib's own client, written without us in mind, signs a person in and out: discovery, userinfo, refresh.

Its httpx integration says at import that httpx will give way to httpx2. That is Authlib's to settle: this one
warning is let through here, and every other one fails the test.
"""

import importlib
import json
from collections.abc import Mapping
from typing import Any

import httpx
import pytest
from authlib.common.urls import add_params_to_uri
from authlib.oauth2.rfc7523 import PrivateKeyJWT
from authlib.oauth2.rfc8414 import AuthorizationServerMetadata
from authlib.oidc.core import CodeIDToken, UserInfo
from authlib.oidc.discovery import OpenIDProviderMetadata
from joserfc import jwt
from joserfc.errors import BadSignatureError, JoseError
from joserfc.jwk import ECKey, KeySet

from tests.support.main_job import Scene
from tests.support.registrations import register
from tests.support.walk import visitor, walk

pytestmark = pytest.mark.filterwarnings("ignore:The httpx module is deprecated")

CALLBACK = "https://app.example/callback"
GOODBYE = "https://app.example/goodbye"
VERIFIER = "a-verifier-that-is-long-enough-for-rfc-7636-0123456789"
FAPI = "fapi"
NONCE = "nonce-of-this-sign-in"

POLICY = {"min_acr": "vn-2", "sector": "app.example"}


@pytest.fixture(scope="module")
def key() -> ECKey:
    made = ECKey.generate_key("P-256", {"use": "sig", "alg": "ES256"}, private=True)
    made.ensure_kid()
    return made


@pytest.fixture(scope="module")
def secrets_of(scene: Scene, key: ECKey, tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Any]:
    """Register a client for each method, and one under FAPI; return what each authenticates with."""
    keyed = {
        "token_endpoint_auth_method": "private_key_jwt",
        "id_token_signed_response_alg": "ES256",
        "jwks": {"keys": [key.as_dict(private=False)]},
    }
    described = {
        "client_secret_basic": {"id_token_signed_response_alg": "RS256"},
        "private_key_jwt": keyed,
        FAPI: {**keyed, "dpop_bound_access_tokens": True},
    }
    files = [
        (metadata(name, **more), {**POLICY, "profile": "fapi2" if name == FAPI else "oidc"})
        for name, more in described.items()
    ]
    secrets = register(scene.provider, tmp_path_factory.mktemp("registrations"), *files)
    return {name: secrets[client_id_of(name)] or key for name in described}


def metadata(name: str, **more: Any) -> dict[str, Any]:
    return {
        "client_id": client_id_of(name),
        "client_name": f"Authlib {name}",
        "client_uri": "https://app.example",
        "redirect_uris": [CALLBACK],
        "post_logout_redirect_uris": [GOODBYE],
        "grant_types": ["authorization_code", "refresh_token"],
        "scope": "openid profile email offline_access",
        **more,
    }


def client_id_of(method: str) -> str:
    return f"authlib-{method.replace('_', '-')}"


def discovered(scene: Scene, document: str = "openid-configuration") -> dict[str, Any]:
    metadata: dict[str, Any] = httpx.get(
        f"{scene.provider.url}/.well-known/{document}", trust_env=False
    ).json()
    return metadata


def authlib_client(scene: Scene, name: str, secret: Any) -> Any:
    """Authlib's client, configured as its manual says.

    It addresses a client assertion to the token endpoint, which the profile `oidc` tolerates.
    """
    method = "private_key_jwt" if name == FAPI else name
    made = importlib.import_module("authlib.integrations.httpx_client").OAuth2Client(
        client_id_of(name),
        secret,
        token_endpoint_auth_method=method,
        scope="openid profile offline_access",
        redirect_uri=CALLBACK,
        code_challenge_method="S256",
        trust_env=False,
        timeout=20.0,
    )
    if method == "private_key_jwt":
        token_endpoint = discovered(scene)["token_endpoint"]
        made.register_client_auth_method(PrivateKeyJWT(token_endpoint, alg="ES256"))
    return made


@pytest.mark.parametrize(
    ("method", "who", "algorithm"),
    [
        ("client_secret_basic", "Nguyễn Thị Lan", "RS256"),
        ("private_key_jwt", "H'Len Niê", "ES256"),
    ],
)
def test_authlib_signs_a_person_in(
    scene: Scene, secrets_of: Mapping[str, Any], method: str, who: str, algorithm: str
) -> None:
    metadata, person = discovered(scene), scene.person(who)
    with authlib_client(scene, method, secrets_of[method]) as client:
        address, state = client.create_authorization_url(
            metadata["authorization_endpoint"],
            code_verifier=VERIFIER,
            nonce=NONCE,
            max_age=300,
            acr_values=f"{scene.provider.url}/acr/vn-2",
            claims=json.dumps({"id_token": {"name": {"essential": True}}}),
        )
        with visitor() as browser:
            callback = walk(browser, address, person, ticked=("name",))
            token = client.fetch_token(
                metadata["token_endpoint"],
                authorization_response=callback,
                state=state,
                code_verifier=VERIFIER,
            )
            assert leave(browser, metadata, token["id_token"]) == f"{GOODBYE}?state=leaving"
        claims = checked_id_token(scene, metadata, token, client.client_id, algorithm)
        assert claims["acr"] == f"{scene.provider.url}/acr/vn-2"
        assert claims["amr"] == ["pwd", "otp", "mfa"]
        assert claims["name"] == person.name

        told = UserInfo(client.get(metadata["userinfo_endpoint"]).raise_for_status().json())
        assert told.sub == claims["sub"]

        renewed = client.refresh_token(metadata["token_endpoint"], token["refresh_token"])
        assert renewed["refresh_token"] != token["refresh_token"]
        assert renewed["access_token"] != token["access_token"]
        again = client.get(metadata["userinfo_endpoint"]).raise_for_status().json()
        assert again["sub"] == claims["sub"]


def leave(browser: httpx.Client, metadata: Mapping[str, Any], id_token: str) -> str:
    """Send the person to the end of the session; return where they are sent on to."""
    asked = [("id_token_hint", id_token), ("post_logout_redirect_uri", GOODBYE), ("state", "leaving")]
    return browser.get(add_params_to_uri(metadata["end_session_endpoint"], asked)).headers["location"]


def checked_id_token(
    scene: Scene, metadata: Mapping[str, Any], token: Mapping[str, Any], client_id: str, algorithm: str
) -> CodeIDToken:
    """Validate an ID token with Authlib's and joserfc's own classes."""
    keys = KeySet.import_key_set(httpx.get(metadata["jwks_uri"], trust_env=False).json())
    decoded = jwt.decode(token["id_token"], keys, algorithms=[algorithm])
    expected = {"iss": {"values": [scene.provider.url]}, "aud": {"value": client_id}}
    claims = CodeIDToken(
        decoded.claims,
        decoded.header,
        options=expected,
        params={
            "nonce": NONCE,
            "client_id": client_id,
            "access_token": token["access_token"],
            "max_age": 300,
        },
    )
    claims.validate()
    with pytest.raises(JoseError):
        CodeIDToken(decoded.claims, decoded.header, options=expected, params={"nonce": "another"}).validate()
    head, body, signature = token["id_token"].split(".")
    flipped = ("B" if signature[0] == "A" else "A") + signature[1:]
    with pytest.raises(BadSignatureError):
        jwt.decode(f"{head}.{body}.{flipped}", keys, algorithms=[algorithm])
    return claims


@pytest.mark.parametrize("document", ["openid-configuration", "oauth-authorization-server"])
def test_authlib_finds_no_fault_with_the_metadata(scene: Scene, document: str) -> None:
    reader = OpenIDProviderMetadata if document == "openid-configuration" else AuthorizationServerMetadata
    metadata = reader(discovered(scene, document))
    metadata.validate()
    assert metadata["issuer"] == scene.provider.url


def test_under_fapi_an_assertion_for_the_token_endpoint_is_refused(
    scene: Scene, secrets_of: Mapping[str, Any]
) -> None:
    with authlib_client(scene, FAPI, secrets_of[FAPI]) as client:
        errors = importlib.import_module("authlib.integrations.base_client")
        with pytest.raises(errors.OAuthError, match="invalid_client"):
            client.fetch_token(
                discovered(scene)["token_endpoint"], code="whatever", code_verifier=VERIFIER, state="state"
            )
