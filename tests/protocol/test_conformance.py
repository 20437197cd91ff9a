"""What is missing for a profile, told before a plan fails on it."""

from dataclasses import replace
from datetime import timedelta

import pytest

from idp.protocol.conformance import ServerFacts, client_gaps, server_gaps
from idp.protocol.model import ClientSecret
from idp.protocol.profiles import Profile
from tests.support.protocol_builders import NOW, make_client

READY = ServerFacts(
    issuer="https://idp.example",
    code_lifetime=timedelta(seconds=60),
    signing_algorithms=frozenset({"RS256", "PS256", "ES256", "EdDSA"}),
    takes_client_certificates=True,
    is_dpop_nonce_required=True,
    newest_event_at=NOW,
)


@pytest.mark.parametrize("profile", list(Profile))
def test_a_server_that_is_ready_lacks_nothing(profile: Profile) -> None:
    assert server_gaps(READY, profile, NOW) == ()


@pytest.mark.parametrize(
    ("server", "profile", "told"),
    [
        (replace(READY, issuer="http://localhost:8000"), Profile.OIDC, "the issuer must be https"),
        (replace(READY, newest_event_at=NOW + timedelta(seconds=1)), Profile.OIDC, "the clock is behind"),
        (replace(READY, signing_algorithms=frozenset({"ES256"})), Profile.OIDC, "no key signs with EdDSA"),
        (replace(READY, code_lifetime=timedelta(seconds=61)), Profile.FAPI2, "codes must not live longer"),
        (replace(READY, is_dpop_nonce_required=False), Profile.FAPI2, "IDP_DPOP_NONCE"),
        (replace(READY, takes_client_certificates=False), Profile.CIBA, "no certificates of clients"),
        (replace(READY, trouble="There is no database."), Profile.LOGOUT, "There is no database."),
    ],
)
def test_what_a_server_lacks_is_named(server: ServerFacts, profile: Profile, told: str) -> None:
    (gap,) = server_gaps(server, profile, NOW)
    assert gap.startswith(told)


def test_what_fapi_wants_does_not_trouble_others() -> None:
    bare = replace(READY, takes_client_certificates=False, is_dpop_nonce_required=False)
    assert server_gaps(bare, Profile.OIDC, NOW) == ()


def test_a_client_in_its_sandbox_or_without_a_secret_is_told() -> None:
    expired = ClientSecret(b"s" * 32, NOW, NOW)
    by_secret = make_client(token_endpoint_auth_method="client_secret_basic", is_sandbox=True)
    for secrets in ((), (expired,)):
        assert client_gaps(replace(by_secret, secrets=secrets), Profile.OIDC, NOW) == (
            "it is not approved for real people yet",
            "it has no secret that is valid",
        )
