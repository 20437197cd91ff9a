"""npm's openid-client and oauth4webapi sign a person in with nothing but issuer and credentials."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest
from joserfc.jwk import ECKey

from tests.support.main_job import Scene
from tests.support.node_party import converse
from tests.support.registrations import register
from tests.support.walk import visitor, walk

CALLBACK = "https://app.example/callback"
GOODBYE = "https://app.example/goodbye"
SCOPE = "openid profile email offline_access"


@dataclass(frozen=True)
class Case:
    """How a client is registered, and what its library is asked to use."""

    name: str
    who: str
    method: str
    metadata: Mapping[str, Any] = field(default_factory=dict)
    profile: str = "oidc"
    uses: tuple[str, ...] = ()
    """Of par, dpop, jar, jarm."""

    @property
    def client_id(self) -> str:
        return self.name.replace(" ", "-")


PLAIN = Case("plain", "Nguyễn Thị Lan", "client_secret_basic", {"id_token_signed_response_alg": "RS256"})
POSTED = Case("secret in the form", "Y Moan", "client_secret_post")
PUBLIC = Case("public and bound", "Phạm Đức Hoà", "none", {"dpop_bound_access_tokens": True}, uses=("dpop",))
FAPI = Case(
    "fapi2",
    "H'Len Niê",
    "private_key_jwt",
    {"dpop_bound_access_tokens": True},
    profile="fapi2",
    uses=("par", "dpop"),
)
FAPI_SIGNED = Case(
    "fapi2 with signed messages",
    "Lò Văn Pâng",
    "private_key_jwt",
    {
        "dpop_bound_access_tokens": True,
        "request_object_signing_alg": "ES256",
        "authorization_signed_response_alg": "ES256",
    },
    profile="fapi2-ms",
    uses=("par", "dpop", "jar", "jarm"),
)
CASES = [PLAIN, POSTED, PUBLIC, FAPI, FAPI_SIGNED]


@pytest.fixture(scope="module")
def key() -> ECKey:
    made = ECKey.generate_key("P-256", {"use": "sig", "alg": "ES256"}, private=True)
    made.ensure_kid()
    return made


@pytest.fixture(scope="module")
def secrets_of(
    scene: Scene, key: ECKey, tmp_path_factory: pytest.TempPathFactory
) -> Mapping[str, str | None]:
    described = [
        (registered(case, key), {"profile": case.profile, "min_acr": "vn-1", "sector": "app.example"})
        for case in CASES
    ]
    return register(scene.provider, tmp_path_factory.mktemp("registrations"), *described)


def registered(case: Case, key: ECKey) -> dict[str, Any]:
    keys = {"jwks": {"keys": [key.as_dict(private=False)]}} if case.method == "private_key_jwt" else {}
    return {
        "client_id": case.client_id,
        "client_name": f"npm, {case.name}",
        "client_uri": "https://app.example",
        "redirect_uris": [CALLBACK],
        "post_logout_redirect_uris": [GOODBYE],
        "grant_types": ["authorization_code", "refresh_token"],
        "scope": SCOPE,
        "token_endpoint_auth_method": case.method,
        "id_token_signed_response_alg": "ES256",
        **keys,
        **case.metadata,
    }


def signs_in(scene: Scene, script: str, case: Case, secrets_of: Mapping[str, str | None], key: ECKey) -> None:
    person = scene.person(case.who)
    told = {
        "issuer": scene.provider.url,
        "client_id": case.client_id,
        "client_secret": secrets_of[case.client_id],
        "jwk": key.as_dict(private=True),
        "method": case.method,
        "metadata": {
            name: value
            for name, value in registered(case, key).items()
            if name in {"id_token_signed_response_alg", "authorization_signed_response_alg"}
        },
        "redirect_uri": CALLBACK,
        "post_logout_redirect_uri": GOODBYE,
        "scope": SCOPE,
        **dict.fromkeys(case.uses, True),
        "introspection": case.method != "none",
        "revocation": True,
    }
    with visitor() as browser:
        learned = converse(script, told, lambda address: walk(browser, address, person))
    assert learned["acr"].startswith(f"{scene.provider.url}/acr/")
    assert learned["token_type"] == ("dpop" if "dpop" in case.uses else "bearer")
    assert learned["userinfo"]["sub"] == learned["sub"]
    assert learned["is_access_token_new"]
    assert learned["is_same_person"]
    assert learned["logged_out"]
    assert learned["refused"] == "invalid_grant"
    if case.method != "none":
        assert learned["introspected"]["active"]
        assert learned["introspected"]["client_id"] == case.client_id
    if "par" in case.uses:
        assert sorted(learned["front_channel"]) == ["client_id", "request_uri"]


@pytest.mark.needs("openid-client")
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_openid_client_signs_a_person_in_and_out(
    scene: Scene, secrets_of: Mapping[str, str | None], key: ECKey, case: Case
) -> None:
    signs_in(scene, "openid_client.mjs", case, secrets_of, key)


@pytest.mark.needs("oauth4webapi")
@pytest.mark.parametrize("case", [PLAIN, PUBLIC, FAPI], ids=lambda case: case.name)
def test_oauth4webapi_signs_a_person_in_and_out(
    scene: Scene, secrets_of: Mapping[str, str | None], key: ECKey, case: Case
) -> None:
    signs_in(scene, "oauth4webapi.mjs", case, secrets_of, key)
