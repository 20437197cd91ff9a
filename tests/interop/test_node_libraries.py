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
SCOPE = "openid profile email offline_access"


@dataclass(frozen=True)
class Case:
    """How a client is registered, and what its library is asked to use."""

    name: str
    who: str
    method: str
    metadata: Mapping[str, Any] = field(default_factory=dict)
    uses: Mapping[str, bool] = field(default_factory=dict)

    @property
    def client_id(self) -> str:
        return self.name.replace(" ", "-")


CASES = [
    Case("plain", "Nguyễn Thị Lan", "client_secret_basic", {"id_token_signed_response_alg": "RS256"}),
    Case("keyed and pushed", "H'Len Niê", "private_key_jwt", uses={"par": True}),
]


@pytest.fixture(scope="module")
def key() -> ECKey:
    made = ECKey.generate_key("P-256", {"use": "sig", "alg": "ES256"}, private=True)
    made.ensure_kid()
    return made


@pytest.fixture(scope="module")
def secrets_of(
    scene: Scene, key: ECKey, tmp_path_factory: pytest.TempPathFactory
) -> Mapping[str, str | None]:
    described = [(registered(case, key), {"min_acr": "vn-2", "sector": "app.example"}) for case in CASES]
    return register(scene.provider, tmp_path_factory.mktemp("registrations"), *described)


def registered(case: Case, key: ECKey) -> dict[str, Any]:
    keys = {"jwks": {"keys": [key.as_dict(private=False)]}} if case.method == "private_key_jwt" else {}
    return {
        "client_id": case.client_id,
        "client_name": f"npm, {case.name}",
        "client_uri": "https://app.example",
        "redirect_uris": [CALLBACK],
        "grant_types": ["authorization_code", "refresh_token"],
        "scope": SCOPE,
        "token_endpoint_auth_method": case.method,
        "id_token_signed_response_alg": "ES256",
        **keys,
        **case.metadata,
    }


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
@pytest.mark.parametrize(
    "library",
    [
        pytest.param("openid_client.mjs", marks=pytest.mark.needs("openid-client"), id="openid-client"),
        pytest.param("oauth4webapi.mjs", marks=pytest.mark.needs("oauth4webapi"), id="oauth4webapi"),
    ],
)
def test_a_library_signs_a_person_in(
    scene: Scene, secrets_of: Mapping[str, str | None], key: ECKey, library: str, case: Case
) -> None:
    person = scene.person(case.who)
    told = {
        "issuer": scene.provider.url,
        "client_id": case.client_id,
        "client_secret": secrets_of[case.client_id],
        "jwk": key.as_dict(private=True),
        "method": case.method,
        "metadata": {
            "id_token_signed_response_alg": registered(case, key)["id_token_signed_response_alg"],
        },
        "redirect_uri": CALLBACK,
        "scope": SCOPE,
        **case.uses,
    }
    with visitor() as browser:
        learned = converse(library, told, lambda address: walk(browser, address, person))
    assert learned["acr"] == f"{scene.provider.url}/acr/vn-2"
    assert learned["token_type"] == ("dpop" if case.uses.get("dpop") else "bearer")
    assert learned["userinfo"]["sub"] == learned["sub"]
    assert learned["is_access_token_new"]
    assert learned["is_same_person"]
    if case.uses.get("par"):
        assert sorted(learned["front_channel"]) == ["client_id", "request_uri"]
