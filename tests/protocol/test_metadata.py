import json
from pathlib import Path
from typing import Any

import pytest
from authlib.oauth2 import rfc8414, rfc9101
from authlib.oidc import discovery

from idp.protocol.claims import CLAIMS_OF_SCOPE
from idp.protocol.metadata import resource_metadata, server_metadata
from idp.protocol.model import Policy
from idp.protocol.resources import RESOURCES, resource_metadata_uri
from tests.support.protocol_builders import ISSUER, POLICY

METADATA = server_metadata(POLICY)
REGISTERED = {
    "acr_values_supported",
    "authorization_details_types_supported",
    "authorization_endpoint",
    "authorization_response_iss_parameter_supported",
    "authorization_signing_alg_values_supported",
    "backchannel_authentication_endpoint",
    "backchannel_authentication_request_signing_alg_values_supported",
    "backchannel_logout_session_supported",
    "backchannel_logout_supported",
    "backchannel_token_delivery_modes_supported",
    "backchannel_user_code_parameter_supported",
    "claim_types_supported",
    "claims_in_verified_claims_supported",
    "claims_parameter_supported",
    "claims_supported",
    "code_challenge_methods_supported",
    "device_authorization_endpoint",
    "documents_check_methods_supported",
    "documents_supported",
    "dpop_signing_alg_values_supported",
    "electronic_records_supported",
    "end_session_endpoint",
    "evidence_supported",
    "federation_historical_keys_endpoint",
    "grant_types_supported",
    "id_token_encryption_alg_values_supported",
    "id_token_encryption_enc_values_supported",
    "id_token_signing_alg_values_supported",
    "introspection_endpoint",
    "introspection_endpoint_auth_methods_supported",
    "introspection_endpoint_auth_signing_alg_values_supported",
    "introspection_signing_alg_values_supported",
    "issuer",
    "jwks_uri",
    "prompt_values_supported",
    "protected_resources",
    "pushed_authorization_request_endpoint",
    "registration_endpoint",
    "request_object_signing_alg_values_supported",
    "request_parameter_supported",
    "request_uri_parameter_supported",
    "require_pushed_authorization_requests",
    "response_modes_supported",
    "response_types_supported",
    "revocation_endpoint",
    "revocation_endpoint_auth_methods_supported",
    "revocation_endpoint_auth_signing_alg_values_supported",
    "scopes_supported",
    "status_list_aggregation_endpoint",
    "subject_types_supported",
    "token_endpoint",
    "token_endpoint_auth_methods_supported",
    "token_endpoint_auth_signing_alg_values_supported",
    "trust_frameworks_supported",
    "ui_locales_supported",
    "userinfo_encryption_alg_values_supported",
    "userinfo_encryption_enc_values_supported",
    "userinfo_endpoint",
    "userinfo_signing_alg_values_supported",
    "verified_claims_supported",
}


def test_golden() -> None:
    golden = Path(__file__).parent.parent / "golden" / "discovery.json"
    assert json.loads(golden.read_text(encoding="utf-8")) == METADATA


def test_authlib_accepts_it() -> None:
    """RFC 8414 §2 and OpenID Connect Discovery §3, by code that is not ours."""
    rfc8414.AuthorizationServerMetadata(METADATA).validate()
    discovery.OpenIDProviderMetadata(METADATA).validate(
        metadata_classes=[rfc9101.AuthorizationServerMetadata]
    )


def test_only_registered_names() -> None:
    """DISC-11; IANA OAuth Authorization Server Metadata."""
    assert METADATA.keys() == REGISTERED


@pytest.mark.parametrize(
    ("member", "needed"),
    [
        pytest.param("id_token_signing_alg_values_supported", {"RS256", "ES256", "EdDSA"}, id="DISC-04"),
        pytest.param(
            "token_endpoint_auth_methods_supported",
            {"private_key_jwt", "client_secret_basic", "client_secret_post"},
            id="DISC-06",
        ),
        pytest.param("grant_types_supported", {"authorization_code", "refresh_token"}, id="DISC-07"),
        pytest.param("scopes_supported", {"openid", *CLAIMS_OF_SCOPE}, id="DISC-08"),
        pytest.param("ui_locales_supported", {"vi", "en"}, id="DISC-09"),
        pytest.param("response_modes_supported", {"query", "form_post"}, id="DISC-14"),
        pytest.param("code_challenge_methods_supported", {"S256"}, id="DISC-17"),
        pytest.param("response_types_supported", {"code"}, id="RFC 9700 §2.1.2 code alone"),
        pytest.param("subject_types_supported", {"pairwise"}, id="OIDC Core §8.1"),
        pytest.param("authorization_details_types_supported", {"account_link"}, id="RFC 9396 §10"),
        pytest.param("trust_frameworks_supported", {"vn_nd69_2024"}, id="DISC-25"),
        pytest.param("claims_in_verified_claims_supported", {"age_over_16"}, id="DISC-25 claims"),
        pytest.param("evidence_supported", {"document", "electronic_record"}, id="DISC-25 evidence"),
        pytest.param("documents_supported", {"idcard", "passport"}, id="Identity Assurance §8 documents"),
        pytest.param("documents_check_methods_supported", {"vpip", "bvp"}, id="Identity Assurance §8 checks"),
        pytest.param("electronic_records_supported", {"population_register"}, id="Identity Assurance §8"),
        pytest.param("claims_supported", {"sub", "account_link", "age_over_16"}, id="DISC-10"),
        pytest.param("acr_values_supported", {f"{ISSUER}/acr/vn-2"}, id="OIDC Core §2 acr"),
    ],
)
def test_names_what_is_supported(member: str, needed: set[str]) -> None:
    assert needed <= set(METADATA[member])
    assert len(set(METADATA[member])) == len(METADATA[member])


@pytest.mark.parametrize("issuer", ["https://idp.example", "http://localhost:8000", "https://a.example/t"])
def test_every_address_begins_with_the_issuer(issuer: str) -> None:
    """DISC-01, DISC-05, abuse 21: the issuer comes from the configuration, never from a Host header."""
    metadata: dict[str, Any] = server_metadata(Policy(issuer))
    assert metadata["issuer"] == issuer
    addresses = [value for name, value in metadata.items() if name.endswith(("_endpoint", "_uri"))]
    assert len(addresses) == 13
    assert all(address.startswith(f"{issuer}/") for address in addresses)


def test_disc_18_proofs_of_possession() -> None:
    assert METADATA["dpop_signing_alg_values_supported"] == ["ES256", "EdDSA", "PS256"]


def test_disc_20_mutual_tls_is_told_where_certificates_can_be_presented() -> None:
    """RFC 8705 §3.3, §5; DISC-24. Nobody asks a browser for a certificate."""
    own = {"tls_client_certificate_bound_access_tokens", "mtls_endpoint_aliases"}
    methods = {"tls_client_auth", "self_signed_tls_client_auth"}
    assert not own & METADATA.keys()
    assert not methods & set(METADATA["token_endpoint_auth_methods_supported"])
    metadata = server_metadata(Policy(ISSUER, mtls_origin="https://mtls.idp.example:8443"))
    assert metadata.keys() - METADATA.keys() == own
    assert metadata["tls_client_certificate_bound_access_tokens"] is True
    assert methods <= set(metadata["token_endpoint_auth_methods_supported"])
    aliases = metadata["mtls_endpoint_aliases"]
    assert aliases["token_endpoint"] == "https://mtls.idp.example:8443/token"
    assert aliases["pushed_authorization_request_endpoint"] == "https://mtls.idp.example:8443/par"
    assert not {"authorization_endpoint", "end_session_endpoint", "jwks_uri"} & aliases.keys()
    rfc8414.AuthorizationServerMetadata(metadata).validate()


@pytest.mark.parametrize("path", RESOURCES)
def test_each_resource_describes_itself(path: str) -> None:
    """RFC 9728 §2, §4: and nothing is promised there that the server's own document contradicts."""
    document = resource_metadata(POLICY, path)
    assert document["resource"] in METADATA["protected_resources"]
    assert document["authorization_servers"] == [ISSUER]
    assert document["dpop_signing_alg_values_supported"] == METADATA["dpop_signing_alg_values_supported"]
    assert "query" not in document["bearer_methods_supported"]
    assert "tls_client_certificate_bound_access_tokens" not in document
    mutual = resource_metadata(Policy(ISSUER, mtls_origin="https://mtls.idp.example"), path)
    assert mutual["tls_client_certificate_bound_access_tokens"] is True


def test_a_resource_is_described_beside_its_host() -> None:
    """RFC 9728 §3.1: inserted between host and path."""
    described = resource_metadata_uri("https://a.example/t", "/userinfo")
    assert described == "https://a.example/.well-known/oauth-protected-resource/t/userinfo"
