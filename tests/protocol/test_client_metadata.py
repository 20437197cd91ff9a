from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from authlib.oauth2.rfc7591 import ClientMetadataClaims
from authlib.oidc.registration import ClientMetadataClaims as OpenIDClientMetadataClaims
from hypothesis import given
from hypothesis import strategies as st

from idp.identity.account_links import LinkPolicy
from idp.identity.assurance import Acr, Proofing
from idp.protocol.client_metadata import (
    CLIENT_MEMBERS,
    POLICY_MEMBERS,
    InvalidClientMetadataError,
    read_client,
)
from idp.protocol.metadata import server_metadata
from idp.protocol.model import Client, ClientSecret, ClientStatus
from idp.protocol.profile_metadata import TLS_NAMES
from idp.protocol.profiles import Profile
from idp.protocol.stored_client import dump_client, load_client
from tests.support.protocol_builders import ES256, ES384, JWKS, NOW, POLICY, RS256, public_jwk

MINIMAL: dict[str, Any] = {
    "client_name": "Mạng xã hội",
    "redirect_uris": ["https://network.example/callback"],
}
FULL: dict[str, Any] = {
    **MINIMAL,
    "client_id": "network",
    "redirect_uris": ["https://network.example/callback", "https://app.network.example/callback"],
    "token_endpoint_auth_method": "private_key_jwt",
    "token_endpoint_auth_signing_alg": "ES256",
    "grant_types": ["authorization_code", "refresh_token"],
    "response_types": ["code"],
    "scope": "openid profile offline_access",
    "jwks": JWKS,
    "id_token_signed_response_alg": "RS256",
    "userinfo_signed_response_alg": "EdDSA",
    "default_max_age": 3600,
    "default_acr_values": ["vn-2", "vn-1"],
    "require_auth_time": True,
    "subject_type": "pairwise",
    "application_type": "web",
    "authorization_details_types": ["account_link"],
    "client_uri": "https://www.network.example/",
    "logo_uri": "https://network.example/logo.png",
    "policy_uri": "https://network.example/privacy",
    "tos_uri": "https://network.example/terms",
    "contacts": ["ops@network.example"],
    "authorization_signed_response_alg": "ES256",
    "backchannel_authentication_request_signing_alg": "ES256",
    "backchannel_client_notification_endpoint": "https://network.example/approved",
    "backchannel_logout_session_required": True,
    "backchannel_logout_uri": "https://network.example/logout",
    "backchannel_token_delivery_mode": "ping",
    "backchannel_user_code_parameter": False,
    "dpop_bound_access_tokens": True,
    "id_token_encrypted_response_alg": "RSA-OAEP-256",
    "id_token_encrypted_response_enc": "A128GCM",
    "initiate_login_uri": "https://network.example/start",
    "introspection_signed_response_alg": "PS256",
    "post_logout_redirect_uris": ["https://network.example/bye"],
    "request_object_signing_alg": "ES256",
    "require_pushed_authorization_requests": True,
    "require_signed_request_object": True,
    "software_id": "9a1c",
    "software_version": "2.1",
    "tls_client_certificate_bound_access_tokens": False,
    "userinfo_encrypted_response_alg": "ECDH-ES",
}
FAPI2: dict[str, Any] = {
    "token_endpoint_auth_method": "private_key_jwt",
    "jwks": JWKS,
    "dpop_bound_access_tokens": True,
}
FAPI2_POLICY: dict[str, Any] = {"profile": "fapi2"}
FULL_POLICY: dict[str, Any] = {
    "min_acr": "vn-2",
    "min_proofing": "vn2",
    "min_age": 16,
    "max_links_per_citizen": 5,
    "link_validity": "P2Y",
    "sector": "network.example",
    "profile_hosts": ["network.example", "m.network.example"],
    "public_mark": True,
    "profile": "oidc",
    "require_pkce": False,
    "access_token_format": "opaque",
    "introspects": ["/account-links"],
}


def read(changes: dict[str, Any] | None = None, policy: dict[str, Any] | None = None) -> Client:
    return read_client({**MINIMAL, **(changes or {})}, policy or {}, "network")


def reasons(changes: dict[str, Any] | None = None, policy: dict[str, Any] | None = None) -> tuple[str, ...]:
    with pytest.raises(InvalidClientMetadataError) as caught:
        read(changes, policy)
    assert str(caught.value) == "; ".join(caught.value.reasons)
    return caught.value.reasons


def test_defaults() -> None:
    """RFC 7591 §2; OpenID Registration §2: the ID token is signed with RS256 unless another is asked for."""
    assert read() == Client(
        client_id="network",
        client_name="Mạng xã hội",
        redirect_uris=("https://network.example/callback",),
        token_endpoint_auth_method="client_secret_basic",
        sector="network.example",
        profile_hosts=frozenset({"network.example"}),
        id_token_signed_response_alg="RS256",
    )
    assert read({**FAPI2, "id_token_signed_response_alg": "PS256"}, FAPI2_POLICY).profile is Profile.FAPI2
    assert read(FAPI2, FAPI2_POLICY).id_token_signed_response_alg == "ES256", "FAPI 2.0 §5.4.1 forbids RS256"


def test_everything_stated() -> None:
    client = read(FULL, FULL_POLICY)
    assert client.policy == LinkPolicy(
        min_proofing=Proofing.VN2,
        min_acr=Acr.VN_2,
        min_age=16,
        max_links_per_citizen=5,
        link_validity=timedelta(days=730),
    )
    assert client.scope == {"openid", "profile", "offline_access"}
    assert client.grant_types == {"authorization_code", "refresh_token"}
    assert client.default_acr_values == (Acr.VN_2, Acr.VN_1)
    assert client.profile_hosts == {"network.example", "m.network.example"}
    assert (client.id_token_signed_response_alg, client.userinfo_signed_response_alg) == ("RS256", "EdDSA")
    assert client.jwks == JWKS
    assert client.contacts == ("ops@network.example",)
    assert client.public_mark
    assert client.secrets == ()


def test_authlib_accepts_the_same_registration() -> None:
    """RFC 7591 §2 and OpenID Registration §2, by code that is not ours."""
    server = server_metadata(POLICY)
    authlib_view = {**FULL, "default_acr_values": [f"{POLICY.issuer}/acr/vn-2"]}
    for claims in (ClientMetadataClaims, OpenIDClientMetadataClaims):
        claims(authlib_view, {}, claims.get_claims_options(server)).validate()


def test_every_member_is_exercised_here() -> None:
    exclusive = {"jwks_uri", "sector_identifier_uri", "userinfo_encrypted_response_enc", *TLS_NAMES}
    assert CLIENT_MEMBERS - exclusive == FULL.keys()
    assert FULL_POLICY.keys() == POLICY_MEMBERS


def test_profile_hosts_default_to_the_clients_own() -> None:
    client = read({"client_uri": "https://www.network.example/"})
    assert client.profile_hosts == {"network.example", "www.network.example"}
    assert read(policy={"profile_hosts": []}).profile_hosts == frozenset()


def test_a_client_of_this_machine_may_use_http() -> None:
    client = read(
        {"redirect_uris": ["http://localhost:8100/callback"], "client_uri": "http://localhost:8100"}
    )
    assert client.sector == "localhost"


@pytest.mark.parametrize(
    ("validity", "days"),
    [(730, 730), ("730d", 730), ("P730D", 730), ("P2Y", 730), ("P6M", 180), ("P2W", 14), ("P1Y1M1D", 396)],
)
def test_link_validity(validity: object, days: int) -> None:
    assert read(policy={"link_validity": validity}).policy.link_validity == timedelta(days=days)


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        pytest.param({"client_secret": "x"}, "client_secret", id="a secret in a reviewed file"),
        pytest.param({"colour": "red"}, "colour", id="unknown member"),
        pytest.param({"client_id": "other"}, "client_id", id="another client_id"),
        pytest.param({"client_name": None}, "client_name", id="RFC 7591 §2 name null"),
        pytest.param({"client_name": ""}, "client_name", id="name empty"),
        pytest.param({"client_name": "a" * 101}, "client_name", id="name too long"),
        pytest.param(
            {"client_name": "Bank\u202egro.elpmaxe"}, "client_name", id="P11 bidi control in the name"
        ),
        pytest.param({"client_name": "a\nb"}, "client_name", id="P11 line break in the name"),
        pytest.param({"redirect_uris": []}, "redirect_uris", id="RFC 6749 §3.1.2.2 none"),
        pytest.param({"redirect_uris": "https://a.example"}, "redirect_uris", id="a string"),
        pytest.param({"redirect_uris": [1]}, "redirect_uris", id="a number"),
        pytest.param({"redirect_uris": ["https://a.example/#x"]}, "redirect_uris", id="REG-05 fragment"),
        pytest.param({"redirect_uris": ["http://a.example/"]}, "redirect_uris", id="RFC 9700 §2.6 http"),
        pytest.param({"redirect_uris": ["https://a.example/*"]}, "redirect_uris", id="abuse 1 wildcard"),
        pytest.param({"redirect_uris": ["https://a.example/"] * 2}, "redirect_uris", id="twice"),
        pytest.param(
            {"token_endpoint_auth_method": "tls_client_auth"},
            "tls_client_auth_subject_dn",
            id="RFC 8705 §2.1.2",
        ),
        pytest.param(
            {"token_endpoint_auth_method": "tls_client_auth", "tls_client_auth_subject_dn": "network"},
            "tls_client_auth_subject_dn",
            id="RFC 4514 no distinguished name",
        ),
        pytest.param(
            {"token_endpoint_auth_method": "tls_client_auth", "tls_client_auth_san_ip": "network.example"},
            "tls_client_auth_san_ip",
            id="RFC 8705 §2.1.2 no address",
        ),
        pytest.param(
            {"token_endpoint_auth_method": "self_signed_tls_client_auth"},
            "jwks",
            id="RFC 8705 §2.2.2 no keys",
        ),
        pytest.param(
            {
                "token_endpoint_auth_method": "none",
                "grant_types": ["client_credentials"],
                "scope": "account_links.read",
            },
            "grant_types",
            id="RFC 6749 §4.4 a public client for itself",
        ),
        pytest.param(
            {"token_endpoint_auth_method": ["private_key_jwt"]}, "token_endpoint_auth_method", id="list"
        ),
        pytest.param({"token_endpoint_auth_method": "private_key_jwt"}, "jwks", id="RFC 7591 §2 no keys"),
        pytest.param({"jwks": JWKS, "jwks_uri": "https://a.example/jwks"}, "jwks", id="RFC 7591 §2 both"),
        pytest.param(
            {"jwks": {"keys": [{**public_jwk(ES256), "d": "AA"}]}}, "jwks", id="private key in the file"
        ),
        pytest.param({"jwks": {"keys": []}}, "jwks", id="no key"),
        pytest.param({"jwks": []}, "jwks", id="a list"),
        pytest.param({"jwks": {"keys": [public_jwk(ES384)]}}, "jwks", id="no key of an algorithm of ours"),
        pytest.param(
            {
                "token_endpoint_auth_method": "private_key_jwt",
                "token_endpoint_auth_signing_alg": "ES256",
                "jwks": {"keys": [public_jwk(RS256)]},
            },
            "jwks",
            id="no key for the algorithm registered",
        ),
        pytest.param({"jwks_uri": "http://a.example/jwks"}, "jwks_uri", id="RFC 7591 §2 jwks_uri http"),
        pytest.param({"jwks_uri": "https://a@evil.example/"}, "jwks_uri", id="abuse 13 user information"),
        pytest.param({"jwks_uri": "file:///etc/passwd"}, "jwks_uri", id="abuse 13 another scheme"),
        pytest.param(
            {"token_endpoint_auth_signing_alg": "ES256"}, "token_endpoint_auth_signing_alg", id="unused"
        ),
        pytest.param(
            {"token_endpoint_auth_signing_alg": "none"}, "token_endpoint_auth_signing_alg", id="none"
        ),
        pytest.param(
            {"id_token_signed_response_alg": "none"}, "id_token_signed_response_alg", id="IDT-03 none"
        ),
        pytest.param({"id_token_signed_response_alg": "HS256"}, "id_token_signed_response_alg", id="HS256"),
        pytest.param({"grant_types": ["implicit"]}, "grant_types", id="implicit"),
        pytest.param({"grant_types": ["password"]}, "grant_types", id="RFC 9700 §2.4 passwords"),
        pytest.param({"grant_types": []}, "grant_types", id="no grant type"),
        pytest.param({"grant_types": ["authorization_code"] * 2}, "grant_types", id="grant type twice"),
        pytest.param({"response_types": ["code id_token"]}, "response_types", id="hybrid"),
        pytest.param({"scope": "offline_access"}, "scope", id="a scope that grants nothing"),
        pytest.param({"scope": "openid everything"}, "scope", id="unknown scope"),
        pytest.param({"scope": ["openid"]}, "scope", id="RFC 7591 §2 scope a list"),
        pytest.param({"scope": "openid offline_access"}, "scope", id="offline_access without refresh_token"),
        pytest.param({"subject_type": "public"}, "subject_type", id="public subjects"),
        pytest.param({"application_type": "desktop"}, "application_type", id="OpenID Registration §2"),
        pytest.param({"initiate_login_uri": "http://localhost/"}, "initiate_login_uri", id="REG-06 http"),
        pytest.param(
            {"id_token_encrypted_response_enc": "A256GCM"}, "id_token_encrypted_response_enc", id="enc alone"
        ),
        pytest.param({"userinfo_encrypted_response_alg": "ECDH-ES"}, "jwks", id="nothing to encrypt to"),
        pytest.param(
            {"userinfo_encrypted_response_alg": "ECDH-ES", "jwks": {"keys": [public_jwk(RS256)]}},
            "jwks",
            id="no key to encrypt to with ECDH-ES",
        ),
        pytest.param(
            {"require_signed_request_object": True}, "jwks", id="RFC 9101 §10.5 no keys to verify with"
        ),
        pytest.param(
            {"jwks": {"keys": [{**public_jwk(RS256), "use": "enc", "d": "AA"}]}},
            "jwks",
            id="a private key to decrypt with in the file",
        ),
        pytest.param({"default_max_age": -1}, "default_max_age", id="negative"),
        pytest.param({"default_max_age": True}, "default_max_age", id="a boolean"),
        pytest.param({"default_acr_values": ["vn-9"]}, "default_acr_values", id="unknown acr"),
        pytest.param({"require_auth_time": "yes"}, "require_auth_time", id="a string for a boolean"),
        pytest.param({"logo_uri": "javascript:alert(1)"}, "logo_uri", id="P11 javascript"),
        pytest.param({"tos_uri": 5}, "tos_uri", id="an address that is a number"),
        pytest.param({"contacts": ["a"] * 11}, "contacts", id="too many contacts"),
        pytest.param({"contacts": ["a\u200bb"]}, "contacts", id="invisible character in a contact"),
        pytest.param({"contacts": [None]}, "contacts", id="a contact that is no string"),
    ],
)
def test_a_client_is_refused(changes: dict[str, Any], name: str) -> None:
    assert any(reason.startswith(f"client.{name} ") for reason in reasons(changes))


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        pytest.param({"colour": "red"}, "colour", id="unknown member"),
        pytest.param({"min_acr": "vn-9"}, "min_acr", id="unknown acr"),
        pytest.param({"min_acr": 2}, "min_acr", id="a number"),
        pytest.param({"min_proofing": "vn3"}, "min_proofing", id="unknown proofing"),
        pytest.param({"min_age": -1}, "min_age", id="negative age"),
        pytest.param({"min_age": "16"}, "min_age", id="age a string"),
        pytest.param({"max_links_per_citizen": 0}, "max_links_per_citizen", id="no place at all"),
        pytest.param({"max_links_per_citizen": True}, "max_links_per_citizen", id="a boolean"),
        *(
            pytest.param({"link_validity": value}, "link_validity", id=f"link_validity {value!r}")
            for value in (
                0,
                -1,
                "0d",
                "P",
                "PT1H",
                "P0D",
                "P11Y",
                "730",
                "1.5d",
                3651,
                True,
                None,
                [],
                "P1D1Y",
            )
        ),
        pytest.param({"sector": "https://network.example"}, "sector", id="a URI for a host"),
        pytest.param({"sector": "Network.example"}, "sector", id="capitals"),
        pytest.param({"sector": "network.example:443"}, "sector", id="a port"),
        pytest.param({"sector": ""}, "sector", id="empty"),
        pytest.param({"profile_hosts": "network.example"}, "profile_hosts", id="a string for a list"),
        pytest.param({"public_mark": "yes"}, "public_mark", id="a string for a yes"),
        pytest.param({"profile_hosts": ["network.example/@lan"]}, "profile_hosts", id="a path"),
        pytest.param({"profile_hosts": ["*.example"]}, "profile_hosts", id="a wildcard"),
    ],
)
def test_a_policy_is_refused(changes: dict[str, Any], name: str) -> None:
    assert any(reason.startswith(f"policy.{name} ") for reason in reasons(policy=changes))


def test_every_reason_comes_at_once() -> None:
    found = reasons(
        {"colour": "red", "scope": "everything", "logo_uri": "x", "grant_types": ["password"]},
        {"min_age": 200, "min_acr": "x"},
    )
    names = {reason.split(" ")[0] for reason in found}
    assert names == {
        "client.colour", "client.scope", "client.logo_uri", "client.grant_types", "policy.min_age",
        "policy.min_acr",
    }  # fmt: skip


def test_an_empty_registration_says_what_is_needed() -> None:
    with pytest.raises(InvalidClientMetadataError) as caught:
        read_client({}, {}, "network")
    assert {reason.split(" ")[0] for reason in caught.value.reasons} == {
        "client.client_name", "client.redirect_uris", "policy.sector",
    }  # fmt: skip


@pytest.mark.parametrize("client_id", ["", "a\0b", "é", "x" * 256])
def test_a_client_id_that_no_request_could_carry_is_refused(client_id: str) -> None:
    with pytest.raises(InvalidClientMetadataError):
        read_client(MINIMAL, {}, client_id)


def test_a_public_client_has_pkce_and_nothing_else() -> None:
    """RFC 9700 §2.1.1."""
    public = read({"token_endpoint_auth_method": "none"})
    assert (public.is_public, public.is_pkce_required) == (True, True)
    found = reasons({"token_endpoint_auth_method": "none"}, {"require_pkce": False})
    assert found == ("client.token_endpoint_auth_method none needs PKCE",)


def test_keys_that_are_to_be_encrypted_to_need_not_sign() -> None:
    to_encrypt_to = {**public_jwk(RS256, "e"), "use": "enc"}
    described = {"id_token_encrypted_response_alg": "RSA-OAEP-256", "jwks": {"keys": [to_encrypt_to]}}
    assert read(described).id_token_encrypted_response_enc == "A256GCM"
    found = reasons({**described, "token_endpoint_auth_method": "private_key_jwt"})
    assert found == ("client.jwks has no key for ES256 or EdDSA or PS256 or RS256",)


def test_a_client_that_only_acts_for_itself_needs_no_address_to_come_back_to() -> None:
    described = {
        "client_name": "Cổng",
        "client_uri": "https://portal.example",
        "grant_types": ["client_credentials"],
        "response_types": [],
        "scope": "account_links.read",
    }
    client = read_client(described, {}, "portal")
    assert (client.redirect_uris, client.sector, "openid" in client.scope) == ((), "portal.example", False)


def test_several_hosts_need_a_sector() -> None:
    """OpenID Connect Core §8.1."""
    several = {"redirect_uris": ["https://a.example/", "https://b.example/"]}
    assert "a.example, b.example" in reasons(several)[0]
    assert read(several, {"sector": "a.example"}).sector == "a.example"
    assert reasons({"redirect_uris": ["com.example.app:/callback"]})


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=6,
)


@given(
    st.dictionaries(st.sampled_from(sorted(CLIENT_MEMBERS)) | st.text(max_size=6), VALUES),
    st.dictionaries(st.sampled_from(sorted(POLICY_MEMBERS)) | st.text(max_size=6), VALUES),
)
def test_no_metadata_raises_anything_else(changes: dict[str, Any], policy: dict[str, Any]) -> None:
    try:
        client = read(changes, policy)
    except InvalidClientMetadataError:
        return
    assert load_client(dump_client(client)) == client


class TestStored:
    def test_members_of_a_key_that_no_key_has_are_not_kept(self) -> None:
        """A file format knows dates and boundless numbers, JSON in a store does not."""
        odd = {"keys": [{**public_jwk(ES256), "made": NOW, "n": 10**40}], "comment": 10**40}
        client = read({"jwks": odd})
        assert client.jwks == {"keys": [public_jwk(ES256)]}
        assert load_client(dump_client(client)) == client

    def test_round_trip(self) -> None:
        for client in (read(), read(FULL, FULL_POLICY)):
            assert load_client(dump_client(client)) == client

    def test_secrets_and_status_are_kept_elsewhere(self) -> None:
        secret = ClientSecret(b"s" * 32, NOW)
        client = replace(read(), secrets=(secret,), status=ClientStatus.SUSPENDED)
        document = dump_client(client)
        assert "secret" not in document.replace("client_secret_basic", "")
        assert load_client(document) == read()

    def test_equal_clients_give_equal_documents(self) -> None:
        shuffled = {**dict(reversed(FULL.items())), "scope": "offline_access profile openid"}
        assert dump_client(read(shuffled, FULL_POLICY)) == dump_client(read(FULL, FULL_POLICY))

    def test_a_document_of_an_older_release_takes_defaults(self) -> None:
        old = (
            '{"client_id":"a","client_name":"A","redirect_uris":["https://a.example/"],"sector":"a.example",'
        )
        client = load_client(old + '"token_endpoint_auth_method":"client_secret_basic"}')
        assert client.policy == LinkPolicy()
        assert client.redirect_uris == ("https://a.example/",)
