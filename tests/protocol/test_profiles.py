"""Profiles: a registration meets its profile or is refused with the reason; requests are held to it."""

from dataclasses import replace

import pytest

from idp.protocol.authorization_request import CHECKS_AUTHORIZATION, CHECKS_PUSHED, read_request
from idp.protocol.client_authentication import assertion_audiences
from idp.protocol.client_metadata import InvalidClientMetadataError, read_client
from idp.protocol.errors import InvalidRequestError, InvalidScopeError, InvalidTargetError, OAuthError
from idp.protocol.model import AuthorizationRequest, Client
from idp.protocol.parameters import Parameters
from idp.protocol.profiles import GRANT_TYPES, METHODS, Profile, rules_of
from tests.support.protocol_builders import ISSUER, JWKS, POLICY, make_client

CLIENT = make_client()
REDIRECT_URI = CLIENT.redirect_uris[0]

CHALLENGE = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
REQUEST = {
    "client_id": CLIENT.client_id,
    "redirect_uri": REDIRECT_URI,
    "response_type": "code",
    "scope": "openid",
    "code_challenge": CHALLENGE,
    "code_challenge_method": "S256",
}
FAPI2 = {
    "client_name": "Quán Cóc",
    "redirect_uris": ["https://network.example/back"],
    "token_endpoint_auth_method": "private_key_jwt",
    "jwks": JWKS,
    "dpop_bound_access_tokens": True,
}


def read(client: Client, *, is_pushed: bool = False, **changes: str | None) -> AuthorizationRequest:
    parameters = {name: value for name, value in {**REQUEST, **changes}.items() if value is not None}
    checks = CHECKS_PUSHED if is_pushed else CHECKS_AUTHORIZATION
    return read_request(Parameters(parameters), client, POLICY, checks)


def reasons(metadata: dict[str, object], **policy: object) -> tuple[str, ...]:
    try:
        read_client(metadata, policy, "network")
    except InvalidClientMetadataError as refused:
        return refused.reasons
    return ()


@pytest.mark.parametrize("profile", list(Profile))
def test_a_profile_names_only_what_exists(profile: Profile) -> None:
    rules = rules_of(profile)
    assert rules.authentication_methods <= set(METHODS)
    assert rules.grant_types <= GRANT_TYPES
    assert rules.signing_algorithms


@pytest.mark.parametrize("profile", [Profile.FAPI2, Profile.FAPI2_MESSAGE_SIGNING])
def test_fapi_2_5_3_takes_neither_secrets_nor_rs256_nor_bearer_tokens(profile: Profile) -> None:
    rules = rules_of(profile)
    assert rules.authentication_methods == {
        "private_key_jwt",
        "tls_client_auth",
        "self_signed_tls_client_auth",
    }
    assert "RS256" not in rules.signing_algorithms
    assert rules.is_push_required
    assert rules.is_sender_constraint_required
    assert rules.is_issuer_the_only_audience
    assert not rules.does_rotate_refresh_tokens


@pytest.mark.parametrize("profile", ["fapi2", "fapi2-ms"])
def test_a_fapi_registration_is_read_with_what_its_profile_fixes(profile: str) -> None:
    client = read_client(FAPI2, {"profile": profile}, "network")
    assert client.require_pushed_authorization_requests
    assert client.require_signed_request_object is (profile == "fapi2-ms")
    assert client.id_token_signed_response_alg == "ES256"


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"token_endpoint_auth_method": "client_secret_basic"}, "token_endpoint_auth_method must be"),
        ({"dpop_bound_access_tokens": False}, "dpop_bound_access_tokens or tls_client_certificate"),
        ({"tls_client_certificate_bound_access_tokens": True}, "exclude each other"),
        ({"id_token_signed_response_alg": "RS256"}, "id_token_signed_response_alg must be"),
        ({"grant_types": ["urn:openid:params:grant-type:ciba"]}, "grant_types may not hold urn:openid"),
        ({"id_token_encrypted_response_enc": "A256GCM"}, "needs id_token_encrypted_response_alg"),
    ],
)
def test_what_a_fapi_profile_forbids_is_refused_with_the_reason(
    changes: dict[str, object], reason: str
) -> None:
    assert any(reason in given for given in reasons({**FAPI2, **changes}, profile="fapi2"))


def test_a_client_without_a_credential_needs_pkce() -> None:
    public: dict[str, object] = {
        "client_name": "App",
        "redirect_uris": ["https://app.example/back"],
        "token_endpoint_auth_method": "none",
    }
    assert reasons(public) == ()
    assert any("none needs PKCE" in reason for reason in reasons(public, require_pkce=False))


def test_the_logout_profile_needs_somewhere_to_tell() -> None:
    metadata: dict[str, object] = {"client_name": "Net", "redirect_uris": ["https://network.example/back"]}
    assert any("backchannel_logout_uri" in reason for reason in reasons(metadata, profile="logout"))


def test_openid_registration_2_the_default_is_rs256_except_where_a_profile_forbids_it() -> None:
    metadata: dict[str, object] = {"client_name": "Net", "redirect_uris": ["https://network.example/back"]}
    assert read_client(metadata, {}, "network").id_token_signed_response_alg == "RS256"


def test_a_request_that_is_not_pushed_is_refused_where_pushing_is_required() -> None:
    for client in (
        replace(CLIENT, require_pushed_authorization_requests=True),
        replace(CLIENT, profile=Profile.FAPI2),
    ):
        with pytest.raises(InvalidRequestError, match="push"):
            read(client)
        assert read(client, is_pushed=True).redirect_uri == REDIRECT_URI


def test_pkce_may_be_left_out_only_where_the_registration_says_so() -> None:
    without: dict[str, str | None] = {"code_challenge": None, "code_challenge_method": None}
    relaxed = replace(CLIENT, is_pkce_required=False)
    assert read(relaxed, **without).code_challenge is None
    for client in (
        CLIENT,
        replace(relaxed, token_endpoint_auth_method="none"),
        replace(relaxed, profile=Profile.FAPI2),
    ):
        with pytest.raises(InvalidRequestError):
            read(client, is_pushed=True, **without)


@pytest.mark.parametrize("changes", [{"code_challenge_method": "plain"}, {"code_challenge_method": None}])
def test_pkce_that_is_sent_counts_even_where_it_is_not_required(changes: dict[str, str | None]) -> None:
    with pytest.raises(InvalidRequestError):
        read(replace(CLIENT, is_pkce_required=False), **changes)


def test_plain_oauth_is_for_clients_that_did_not_register_openid() -> None:
    plain = replace(CLIENT, scope=frozenset({"profile"}))
    assert read(plain, scope="profile").scope == {"profile"}
    with pytest.raises(InvalidScopeError):
        read(plain, scope="openid")
    with pytest.raises(InvalidScopeError):
        read(replace(CLIENT, scope=frozenset({"openid", "profile"})), scope="profile")


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"dpop_jkt": "short"}, InvalidRequestError),
        ({"dpop_jkt": "A" * 42 + "!"}, InvalidRequestError),
        ({"resource": "https://elsewhere.example/"}, InvalidTargetError),
        ({"resource": f"{ISSUER}/userinfo#part"}, InvalidTargetError),
    ],
)
def test_a_binding_or_target_that_cannot_be_is_refused(
    changes: dict[str, str], error: type[OAuthError]
) -> None:
    with pytest.raises(error):
        read(CLIENT, **changes)


def test_a_resource_is_asked_for_once() -> None:
    parameters = Parameters(REQUEST, frozenset({"resource"}))
    with pytest.raises(InvalidTargetError):
        read_request(parameters, CLIENT, POLICY, CHECKS_AUTHORIZATION)


def test_rfc_10070_the_audience_of_an_assertion_is_the_issuer_alone_under_fapi() -> None:
    fapi = replace(CLIENT, profile=Profile.FAPI2)
    assert assertion_audiences(fapi, ISSUER) == {ISSUER}
    assert assertion_audiences(CLIENT, ISSUER) == {ISSUER, f"{ISSUER}/token"}
    ciba = replace(CLIENT, profile=Profile.CIBA)
    assert f"{ISSUER}/backchannel-authentication" in assertion_audiences(ciba, ISSUER)
