"""DISC: what the provider says of itself."""

import re
from typing import Any

import pytest

from tests.support.columns import Column
from tests.support.served_here import ServedHere

FAPI_ALGORITHMS = {"PS256", "ES256", "EdDSA"}
SCOPE_TOKEN = re.compile(r"[!#-\[\]-~]+")
LANGUAGE_TAG = re.compile(r"[a-z]{2,3}(-[A-Z][a-z]{3})?(-[A-Z]{2}|-[0-9]{3})?")

REGISTERED = frozenset(
    {
        # OpenID Connect Discovery 1.0 §3, RFC 8414 §2
        "issuer",
        "authorization_endpoint",
        "token_endpoint",
        "userinfo_endpoint",
        "jwks_uri",
        "registration_endpoint",
        "scopes_supported",
        "response_types_supported",
        "response_modes_supported",
        "grant_types_supported",
        "acr_values_supported",
        "subject_types_supported",
        "id_token_signing_alg_values_supported",
        "id_token_encryption_alg_values_supported",
        "id_token_encryption_enc_values_supported",
        "userinfo_signing_alg_values_supported",
        "userinfo_encryption_alg_values_supported",
        "userinfo_encryption_enc_values_supported",
        "request_object_signing_alg_values_supported",
        "request_object_encryption_alg_values_supported",
        "request_object_encryption_enc_values_supported",
        "token_endpoint_auth_methods_supported",
        "token_endpoint_auth_signing_alg_values_supported",
        "display_values_supported",
        "claim_types_supported",
        "claims_supported",
        "service_documentation",
        "claims_locales_supported",
        "ui_locales_supported",
        "claims_parameter_supported",
        "request_parameter_supported",
        "request_uri_parameter_supported",
        "require_request_uri_registration",
        "op_policy_uri",
        "op_tos_uri",
        "revocation_endpoint",
        "revocation_endpoint_auth_methods_supported",
        "revocation_endpoint_auth_signing_alg_values_supported",
        "introspection_endpoint",
        "introspection_endpoint_auth_methods_supported",
        "introspection_endpoint_auth_signing_alg_values_supported",
        "code_challenge_methods_supported",
        "signed_metadata",
        # RFC 8628, RFC 8705, RFC 9101, RFC 9126, RFC 9207, RFC 9396, RFC 9449, RFC 9701, RFC 9728
        "device_authorization_endpoint",
        "tls_client_certificate_bound_access_tokens",
        "mtls_endpoint_aliases",
        "require_signed_request_object",
        "pushed_authorization_request_endpoint",
        "require_pushed_authorization_requests",
        "authorization_response_iss_parameter_supported",
        "authorization_details_types_supported",
        "dpop_signing_alg_values_supported",
        "introspection_signing_alg_values_supported",
        "introspection_encryption_alg_values_supported",
        "introspection_encryption_enc_values_supported",
        "protected_resources",
        # JARM §4, Prompt Create §4, RP-Initiated and Back-Channel Logout, CIBA Core §4
        "authorization_signing_alg_values_supported",
        "authorization_encryption_alg_values_supported",
        "authorization_encryption_enc_values_supported",
        "prompt_values_supported",
        "end_session_endpoint",
        "backchannel_logout_supported",
        "backchannel_logout_session_supported",
        "backchannel_authentication_endpoint",
        "backchannel_token_delivery_modes_supported",
        "backchannel_authentication_request_signing_alg_values_supported",
        "backchannel_user_code_parameter_supported",
        # OpenID Federation 1.0 §5.1.1, draft-ietf-oauth-status-list-21 §9.1
        "federation_historical_keys_endpoint",
        "status_list_aggregation_endpoint",
        # OpenID Connect for Identity Assurance 1.0 §9
        "verified_claims_supported",
        "trust_frameworks_supported",
        "evidence_supported",
        "documents_supported",
        "documents_methods_supported",
        "documents_check_methods_supported",
        "documents_validation_methods_supported",
        "documents_verification_methods_supported",
        "electronic_records_supported",
        "claims_in_verified_claims_supported",
        "attachments_supported",
        "digest_algorithms_supported",
    }
)

TYPES: dict[str, type] = {
    "issuer": str,
    "authorization_endpoint": str,
    "token_endpoint": str,
    "jwks_uri": str,
    "response_types_supported": list,
    "subject_types_supported": list,
    "id_token_signing_alg_values_supported": list,
}


@pytest.fixture
def metadata(op: ServedHere) -> dict[str, Any]:
    document: dict[str, Any] = op.browser().get("/.well-known/openid-configuration").json()
    return document


@pytest.mark.item("DISC-01")
def test_disc_01_the_document_lies_at_the_address_made_of_the_issuer(op: ServedHere, column: Column) -> None:
    response = op.browser().get("/.well-known/openid-configuration")
    assert (response.status_code, response.headers["content-type"]) == (200, "application/json")
    assert response.json()["issuer"] == op.issuer


@pytest.mark.item("DISC-02")
def test_disc_02_the_issuer_is_https_and_plain(metadata: dict[str, Any], column: Column) -> None:
    assert re.fullmatch(r"https://[^?#]+", metadata["issuer"])


@pytest.mark.item("DISC-03")
def test_disc_03_what_is_required_is_there_and_of_its_type(metadata: dict[str, Any], column: Column) -> None:
    assert {name: type(metadata.get(name)) for name in TYPES} == TYPES
    assert all(
        isinstance(each, str) and each
        for name, kind in TYPES.items()
        for each in (metadata[name] if kind is list else [metadata[name]])
    )


@pytest.mark.item("DISC-04")
def test_disc_04_id_tokens_can_be_signed_as_the_profile_needs(
    metadata: dict[str, Any], column: Column
) -> None:
    needed = {"RS256"} if column.algorithm == "RS256" else FAPI_ALGORITHMS
    assert needed & set(metadata["id_token_signing_alg_values_supported"])
    assert "none" not in metadata["id_token_signing_alg_values_supported"]


@pytest.mark.item("DISC-05")
def test_disc_05_every_address_is_https(metadata: dict[str, Any], column: Column) -> None:
    places = {**metadata, **metadata.get("mtls_endpoint_aliases", {})}
    addresses = [value for name, value in places.items() if name.endswith(("_endpoint", "_uri"))]
    assert addresses
    assert all(address.startswith("https://") for address in addresses)


@pytest.mark.item("DISC-06")
def test_disc_06_the_clients_authentication_is_listed(metadata: dict[str, Any], column: Column) -> None:
    assert column.method in metadata["token_endpoint_auth_methods_supported"]


@pytest.mark.item("DISC-07")
def test_disc_07_grant_types_and_challenge_methods_are_not_empty(
    metadata: dict[str, Any], column: Column
) -> None:
    assert metadata["grant_types_supported"]
    assert metadata["code_challenge_methods_supported"]


@pytest.mark.item("DISC-08")
def test_disc_08_scopes_have_openid_and_legal_characters(metadata: dict[str, Any], column: Column) -> None:
    assert "openid" in metadata["scopes_supported"]
    assert all(SCOPE_TOKEN.fullmatch(scope) for scope in metadata["scopes_supported"])


@pytest.mark.item("DISC-09")
def test_disc_09_locales_are_language_tags(metadata: dict[str, Any], column: Column) -> None:
    tags = metadata.get("ui_locales_supported", []) + metadata.get("claims_locales_supported", [])
    assert tags
    assert all(LANGUAGE_TAG.fullmatch(tag) for tag in tags)


@pytest.mark.item("DISC-10")
def test_disc_10_userinfo_claims_and_scopes_are_named(metadata: dict[str, Any], column: Column) -> None:
    assert metadata["userinfo_endpoint"]
    assert {"sub", "email", "name"} <= set(metadata["claims_supported"])
    assert {"openid", "profile", "email"} <= set(metadata["scopes_supported"])


@pytest.mark.item("DISC-11")
def test_disc_11_no_member_has_a_name_of_our_own(metadata: dict[str, Any], column: Column) -> None:
    assert sorted(metadata.keys() - REGISTERED) == []


@pytest.mark.item("DISC-12")
def test_disc_12_request_objects_may_be_signed_with_rs256(metadata: dict[str, Any], column: Column) -> None:
    assert "RS256" in metadata["request_object_signing_alg_values_supported"]


@pytest.mark.item("DISC-14")
def test_disc_14_form_post_is_a_response_mode(metadata: dict[str, Any], column: Column) -> None:
    assert "form_post" in metadata["response_modes_supported"]


@pytest.mark.item("DISC-15")
def test_disc_15_responses_say_who_sent_them(metadata: dict[str, Any], column: Column) -> None:
    assert metadata["authorization_response_iss_parameter_supported"] is True


@pytest.mark.item("DISC-16")
def test_disc_16_the_endpoint_for_pushing_is_named(metadata: dict[str, Any], column: Column) -> None:
    assert metadata["pushed_authorization_request_endpoint"].startswith("https://")
    assert isinstance(metadata.get("require_pushed_authorization_requests", False), bool)


@pytest.mark.item("DISC-17")
def test_disc_17_challenge_grant_and_response_type_are_listed(
    metadata: dict[str, Any], column: Column
) -> None:
    assert "S256" in metadata["code_challenge_methods_supported"]
    assert "authorization_code" in metadata["grant_types_supported"]
    assert "code" in metadata["response_types_supported"]


@pytest.mark.item("DISC-18")
def test_disc_18_proofs_may_be_signed_as_fapi_allows(metadata: dict[str, Any], column: Column) -> None:
    assert FAPI_ALGORITHMS & set(metadata["dpop_signing_alg_values_supported"])


@pytest.mark.item("DISC-19")
def test_disc_19_every_list_of_algorithms_has_one_that_fapi_allows(
    metadata: dict[str, Any], column: Column
) -> None:
    lists = {
        "token_endpoint_auth_signing_alg_values_supported",
        "userinfo_signing_alg_values_supported",
        "request_object_signing_alg_values_supported",
    }
    assert all(FAPI_ALGORITHMS & set(metadata[name]) for name in lists)


@pytest.mark.item("DISC-20")
def test_disc_20_mutual_tls_is_described(metadata: dict[str, Any], column: Column) -> None:
    assert metadata["tls_client_certificate_bound_access_tokens"] is True
    methods = set(metadata["token_endpoint_auth_methods_supported"])
    assert methods & {"tls_client_auth", "self_signed_tls_client_auth"}
    aliases = metadata["mtls_endpoint_aliases"]
    assert {"token_endpoint", "pushed_authorization_request_endpoint"} <= aliases.keys()


@pytest.mark.item("DISC-21")
def test_disc_21_signed_responses_are_described(metadata: dict[str, Any], column: Column) -> None:
    assert "jwt" in metadata["response_modes_supported"]
    assert FAPI_ALGORITHMS & set(metadata["authorization_signing_alg_values_supported"])


@pytest.mark.item("DISC-22")
def test_disc_22_the_metadata_of_rfc_8414_names_the_same_issuer(op: ServedHere, column: Column) -> None:
    response = op.browser().get("/.well-known/oauth-authorization-server")
    assert response.status_code == 200
    assert response.json()["issuer"] == op.issuer


@pytest.mark.item("DISC-23")
def test_disc_23_logout_is_described(metadata: dict[str, Any], column: Column) -> None:
    assert metadata["end_session_endpoint"].startswith("https://")
    assert metadata["backchannel_logout_supported"] is True
    assert metadata["backchannel_logout_session_supported"] is True
    assert not metadata.get("frontchannel_logout_supported", False)


@pytest.mark.item("DISC-24")
def test_disc_24_backchannel_authentication_is_described(metadata: dict[str, Any], column: Column) -> None:
    assert metadata["backchannel_authentication_endpoint"].startswith("https://")
    assert {"poll", "ping"} <= set(metadata["backchannel_token_delivery_modes_supported"])
    assert "urn:openid:params:grant-type:ciba" in metadata["grant_types_supported"]
    assert metadata["tls_client_certificate_bound_access_tokens"] is True


@pytest.mark.item("DISC-25")
def test_disc_25_what_can_be_verified_is_described(metadata: dict[str, Any], column: Column) -> None:
    assert metadata["claims_parameter_supported"] is True
    assert metadata["verified_claims_supported"] is True
    assert metadata["trust_frameworks_supported"]
    assert metadata["claims_in_verified_claims_supported"]


def transmitter(op: ServedHere) -> dict[str, Any]:
    response = op.browser().get("/.well-known/ssf-configuration")
    assert (response.status_code, response.headers["content-type"]) == (200, "application/json")
    described: dict[str, Any] = response.json()
    return described


@pytest.mark.item("DISC-27")
def test_disc_27_the_transmitter_of_events_describes_itself(op: ServedHere, column: Column) -> None:
    described = transmitter(op)
    assert described["issuer"] == op.issuer
    for name, value in described.items():
        assert value not in ([], ""), name
        if name.endswith(("_endpoint", "_uri")):
            assert value.startswith("https://"), name
    assert described["default_subjects"] in {"ALL", "NONE"}


@pytest.mark.item("DISC-28")
def test_disc_28_what_receivers_of_caep_need_is_described(op: ServedHere, column: Column) -> None:
    described = transmitter(op)
    assert described["spec_version"] == "1_0"
    assert {"jwks_uri", "configuration_endpoint", "status_endpoint", "verification_endpoint"} <= set(
        described
    )
    assert {"urn:ietf:rfc:8935", "urn:ietf:rfc:8936"} == set(described["delivery_methods_supported"])
    assert {"spec_urn": "urn:ietf:rfc:6749"} in described["authorization_schemes"]


@pytest.mark.item("DISC-29")
def test_disc_29_any_page_may_read_discovery_and_keys(op: ServedHere, column: Column) -> None:
    for path in ("/.well-known/openid-configuration", "/jwks"):
        response = op.browser().get(path, headers={"origin": "https://app.example"})
        assert response.headers["access-control-allow-origin"] == "*"
        assert "access-control-allow-credentials" not in response.headers
