"""The authorization request. OpenID Connect Core §3.1.2; RFC 9126; abuse classes 2, 4, 9, 10, 12, P1."""

import json
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from idp.identity.account_links import AccountLinkRequest
from idp.identity.assurance import Acr
from idp.protocol.authorization_request import (
    CHECKS_AUTHORIZATION,
    CHECKS_PUSHED,
    Check,
    find_pushed_request_uri,
    read_request,
    trusted_redirect_uri,
)
from idp.protocol.errors import OAuthError, ProtocolError, UntrustedRequestError
from idp.protocol.model import AuthorizationRequest, Client, ClientStatus, Policy, RequestedClaim
from idp.protocol.parameters import Parameters, read_parameters

GOLDEN = Path(__file__).parents[1] / "golden" / "authorization_checks.txt"
ISSUER = "https://id.example"
POLICY = Policy(issuer=ISSUER)
CALLBACK = "https://network.example/callback"
CHALLENGE = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
CLIENT = Client(
    client_id="network",
    client_name="Network",
    redirect_uris=(CALLBACK, "https://network.example/other"),
    token_endpoint_auth_method="private_key_jwt",
    sector="network.example",
    scope=frozenset({"openid", "profile"}),
    profile_hosts=frozenset({"network.example"}),
)
GOOD = {
    "client_id": "network",
    "redirect_uri": CALLBACK,
    "response_type": "code",
    "scope": "openid",
    "code_challenge": CHALLENGE,
    "code_challenge_method": "S256",
}
LINK = json.dumps([{"type": "account_link", "account_id": "8c1f", "handle": "@lan"}])


def parameters(changes: dict[str, str | None]) -> Parameters:
    """Encode the good request with changes and read it back; None leaves a parameter out."""
    sent = {name: value for name, value in (GOOD | changes).items() if value is not None}
    return read_parameters(urlencode(sent).encode())


def read(changes: dict[str, str | None], client: Client = CLIENT) -> AuthorizationRequest:
    return read_request(parameters(changes), client, POLICY, CHECKS_AUTHORIZATION)


def test_the_smallest_request_is_read() -> None:
    assert read({}) == AuthorizationRequest(
        client_id="network",
        redirect_uri=CALLBACK,
        scope=frozenset({"openid"}),
        code_challenge=CHALLENGE,
    )


def test_the_fullest_request_is_read() -> None:
    request = read(
        {
            "scope": "profile openid something_else",
            "state": "s t&a=%22te",
            "nonce": "n-0S6_WzA2Mj",
            "response_mode": "form_post",
            "prompt": "login consent",
            "max_age": "3600",
            "acr_values": f"vn-3 {ISSUER}/acr/vn-2 vn-3 urn:other",
            "login_hint": "+84000123456",
            "id_token_hint": "a.b.c",
            "ui_locales": "vi en-GB vi",
            "claims": '{"id_token":{"acr":{"essential":true}}}',
            "authorization_details": LINK,
        }
    )
    assert request.scope == {"openid", "profile"}
    assert request.state == "s t&a=%22te"
    assert request.nonce == "n-0S6_WzA2Mj"
    assert request.response_mode == "form_post"
    assert request.prompt == {"login", "consent"}
    assert request.max_age == 3600
    assert request.acr_values == (Acr.VN_3, Acr.VN_2)
    assert request.login_hint == "+84000123456"
    assert request.id_token_hint == "a.b.c"
    assert request.ui_locales == ("vi", "en-GB")
    assert request.claims.id_token == {"acr": RequestedClaim(essential=True)}
    assert request.account_link == AccountLinkRequest(account_id="8c1f", handle="@lan")


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"foo": "bar"}, id="AUTHZ-12 unknown parameters are ignored"),
        pytest.param({"display": "hologram"}, id="AUTHZ-13 display"),
        pytest.param({"ui_locales": "xx-!! \u202e tlh"}, id="AUTHZ-13 ui_locales"),
        pytest.param({"claims_locales": "???"}, id="AUTHZ-13 claims_locales"),
        pytest.param({"login_hint": "\x01" * 300}, id="AUTHZ-13 login_hint"),
        pytest.param({"acr_values": "urn:x  1 \u202e"}, id="AUTHZ-14 acr_values"),
        pytest.param({"id_token_hint": "not a token"}, id="AUTHZ-20 id_token_hint is judged later"),
        pytest.param({"scope": "email_of_my_friends openid"}, id="OIDC Core §3.1.2.1 unknown scope"),
        pytest.param({"scope": "openid offline_access"}, id="OIDC Core §11 offline_access is ignored"),
        pytest.param({"scope": "  openid   profile "}, id="AUTHZ-15 order and spaces"),
        pytest.param({"state": "x" * 2048}, id="AUTHZ-03 long state"),
        pytest.param({"nonce": "n" * 512}, id="AUTHZ-23 long nonce"),
        pytest.param({"max_age": "0"}, id="OIDC Core §3.1.2.1 max_age zero"),
        pytest.param({"response_mode": "query"}, id="OAuth Multiple Response Types §2.1 query"),
        pytest.param({"request": ""}, id="RFC 6749 §3.1 without a value means omitted"),
    ],
)
def test_a_request_that_is_only_unusual_is_read(changes: dict[str, str | None]) -> None:
    assert read(changes).client_id == "network"


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        pytest.param({"response_type": None}, "invalid_request", id="AUTHZ-11 response_type missing"),
        pytest.param({"response_type": "token"}, "unsupported_response_type", id="RFC 9700 §2.1.2 implicit"),
        pytest.param(
            {"response_type": "code id_token"},
            "unsupported_response_type",
            id="AUTHZ-36 hybrid response type",
        ),
        pytest.param({"response_type": "CODE"}, "unsupported_response_type", id="RFC 6749 §3.1.1 upper case"),
        pytest.param({"response_mode": "fragment"}, "invalid_request", id="RFC 9700 §4.3 fragment"),
        pytest.param({"response_mode": "fragment.jwt"}, "invalid_request", id="JARM §2.3.2 fragment"),
        pytest.param({"scope": None}, "invalid_scope", id="OIDC Core §3.1.2.1 no scope"),
        pytest.param({"scope": "profile"}, "invalid_scope", id="OIDC Core §3.1.2.1 without openid"),
        pytest.param({"scope": "openid email"}, "invalid_scope", id="class 10 scope not registered"),
        pytest.param({"scope": 'openid "'}, "invalid_scope", id="RFC 6749 Appendix A.4 quotation mark"),
        pytest.param({"scope": "openid\tprofile"}, "invalid_scope", id="RFC 6749 Appendix A.4 tab"),
        pytest.param({"code_challenge": None}, "invalid_request", id="PAR-05 no code_challenge"),
        pytest.param({"code_challenge_method": "plain"}, "invalid_request", id="PAR-06 plain"),
        pytest.param({"code_challenge_method": None}, "invalid_request", id="RFC 7636 §4.3 means plain"),
        pytest.param({"state": "a\r\nb"}, "invalid_request", id="RFC 6749 Appendix A.5 CR LF"),
        pytest.param({"state": "trạng thái"}, "invalid_request", id="RFC 6749 Appendix A.5 not ASCII"),
        pytest.param({"state": "x" * 2049}, "invalid_request", id="AUTHZ-03 refused rather than cut"),
        pytest.param({"nonce": "a\nb"}, "invalid_request", id="class 12 nonce with a line feed"),
        pytest.param({"nonce": "n" * 513}, "invalid_request", id="AUTHZ-23 refused rather than cut"),
        pytest.param({"prompt": "none login"}, "invalid_request", id="OIDC Core §3.1.2.1 none with another"),
        pytest.param({"prompt": "dance"}, "invalid_request", id="OIDC Core §3.1.2.1 unknown prompt"),
        pytest.param({"prompt": "none create"}, "invalid_request", id="Registration via OIDC §4 none"),
        pytest.param({"max_age": "-1"}, "invalid_request", id="OIDC Core §3.1.2.1 negative max_age"),
        pytest.param({"max_age": "1.5"}, "invalid_request", id="OIDC Core §3.1.2.1 broken max_age"),
        pytest.param({"max_age": "9" * 11}, "invalid_request", id="class 25 endless max_age"),
        pytest.param({"max_age": "٣"}, "invalid_request", id="OIDC Core §3.1.2.1 other digits"),
        pytest.param({"request": "e30.e30."}, "invalid_request_object", id="class 4 request object unread"),
        pytest.param(
            {"request_uri": "https://network.example/r"}, "request_uri_not_supported", id="AUTHZ-24 class 13"
        ),
        pytest.param({"registration": "{}"}, "registration_not_supported", id="OIDC Core §3.1.2.6"),
        pytest.param({"claims": "[]"}, "invalid_request", id="OIDC Core §5.5 wrong claims"),
        pytest.param(
            {"authorization_details": "[]"}, "invalid_authorization_details", id="RFC 9396 §5 wrong details"
        ),
        pytest.param({"redirect_uri": f"{CALLBACK}/"}, "invalid_request", id="RFC 9700 §2.1 not registered"),
    ],
)
@pytest.mark.parametrize("checks", [CHECKS_AUTHORIZATION, CHECKS_PUSHED], ids=["authorize", "par"])
def test_a_wrong_request_is_refused_with_its_registered_code(
    checks: tuple[Check, ...], changes: dict[str, str | None], error: str
) -> None:
    with pytest.raises(OAuthError) as refusal:
        read_request(parameters(changes), CLIENT, POLICY, checks)
    if checks is CHECKS_PUSHED and "request_uri" in changes:
        error = "invalid_request"
    assert refusal.value.error == error


@pytest.mark.parametrize("checks", [CHECKS_AUTHORIZATION, CHECKS_PUSHED], ids=["authorize", "par"])
def test_who_must_sign_its_requests_is_not_read_otherwise(checks: tuple[Check, ...]) -> None:
    """PAR-12; RFC 9101 §10.5; FAPI 2.0 Message Signing §5.3."""
    client = replace(CLIENT, require_signed_request_object=True)
    with pytest.raises(OAuthError, match="must sign") as refusal:
        read_request(parameters({}), client, POLICY, checks)
    assert refusal.value.error == "invalid_request"
    signed = replace(parameters({}), is_signed=True)
    assert read_request(signed, client, POLICY, checks).client_id == "network"


def test_an_essential_acr_is_a_condition_and_an_unknown_one_cannot_be_met() -> None:
    """OIDC Core §5.5.1.1; Core Error Code unmet_authentication_requirements 1.0."""
    asked = {"id_token": {"acr": {"essential": True, "values": [f"{ISSUER}/acr/vn-2", "urn:other", 7]}}}
    assert read({"claims": json.dumps(asked)}).essential_acrs == (Acr.VN_2,)
    asked["id_token"]["acr"]["values"] = ["urn:other"]
    with pytest.raises(OAuthError) as refusal:
        read({"claims": json.dumps(asked)})
    assert refusal.value.error == "unmet_authentication_requirements"


@pytest.mark.parametrize("name", ["state", "nonce", "scope", "code_challenge", "response_type", "foo"])
def test_a_repeated_parameter_is_refused(name: str) -> None:
    """RFC 6749 §3.1."""
    repeated = read_parameters(urlencode([*GOOD.items(), (name, "a"), (name, "b")]).encode())
    with pytest.raises(OAuthError, match=f"parameter {name} is repeated"):
        read_request(repeated, CLIENT, POLICY, CHECKS_AUTHORIZATION)


def test_a_client_pushes_only_its_own_requests() -> None:
    """RFC 9126 §2.1; class 4."""
    with pytest.raises(OAuthError, match="client_id is not the client that authenticated"):
        read_request(parameters({"client_id": "other"}), CLIENT, POLICY, CHECKS_PUSHED)
    assert read_request(parameters({"client_id": None}), CLIENT, POLICY, CHECKS_PUSHED).client_id == "network"


def test_a_client_without_the_grant_is_unauthorized() -> None:
    """RFC 6749 §4.1.2.1."""
    with pytest.raises(OAuthError) as refusal:
        read({}, replace(CLIENT, grant_types=frozenset({"client_credentials"})))
    assert refusal.value.error == "unauthorized_client"


def test_the_defaults_of_the_registration_apply_where_the_request_is_silent() -> None:
    """OpenID Registration §2: default_max_age, default_acr_values."""
    client = replace(CLIENT, default_max_age=60, default_acr_values=(Acr.VN_2,))
    assert (read({}, client).max_age, read({}, client).acr_values) == (60, (Acr.VN_2,))
    assert read({"max_age": "5"}, client).max_age == 5
    assert read({"acr_values": "vn-1"}, client).acr_values == (Acr.VN_1,)
    assert read({"claims": '{"id_token":{"acr":null}}'}, client).acr_values == ()


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"client_id": None}, id="class 2 no client"),
        pytest.param({"client_id": "other"}, id="class 2 another client"),
        pytest.param({"redirect_uri": None}, id="AUTHZ-09 redirect_uri omitted"),
        pytest.param({"redirect_uri": "https://evil.example/"}, id="AUTHZ-08 redirect_uri not registered"),
        pytest.param({"redirect_uri": f"{CALLBACK}?x=1"}, id="AUTHZ-10 redirect_uri with another query"),
        pytest.param(
            {"redirect_uri": "https://evil.example/", "response_type": "x"},
            id="CVE-2026-41479 unsupported response_type before validation",
        ),
    ],
)
def test_nothing_redirects_before_client_and_redirect_uri_are_proven(changes: dict[str, str | None]) -> None:
    with pytest.raises(UntrustedRequestError):
        trusted_redirect_uri(parameters(changes), CLIENT)


@pytest.mark.parametrize("name", ["client_id", "redirect_uri", "request_uri"])
def test_nothing_redirects_when_its_direction_is_ambiguous(name: str) -> None:
    """RFC 6749 §3.1; class 1."""
    value = GOOD.get(name, "x")
    repeated = read_parameters(urlencode([*GOOD.items(), (name, value), (name, value)]).encode())
    with pytest.raises(UntrustedRequestError):
        trusted_redirect_uri(repeated, CLIENT)


def test_nothing_redirects_to_a_suspended_client() -> None:
    """Class 17."""
    with pytest.raises(UntrustedRequestError):
        trusted_redirect_uri(parameters({}), replace(CLIENT, status=ClientStatus.SUSPENDED))


def test_a_registered_redirect_uri_is_trusted() -> None:
    assert trusted_redirect_uri(parameters({"scope": None}), CLIENT) == CALLBACK


def test_only_our_own_request_uri_is_a_pushed_one() -> None:
    """RFC 9126 §2.2, §4."""
    pushed = "urn:ietf:params:oauth:request_uri:abc"
    assert find_pushed_request_uri(parameters({"request_uri": pushed})) == pushed
    assert find_pushed_request_uri(parameters({"request_uri": "https://network.example/r"})) is None
    assert find_pushed_request_uri(parameters({})) is None
    with pytest.raises(UntrustedRequestError):
        find_pushed_request_uri(read_parameters(b"request_uri=a&request_uri=b"))


def matrix() -> str:
    """Draw which check runs where, in the order of its table."""
    rows = list(dict.fromkeys(CHECKS_PUSHED + CHECKS_AUTHORIZATION))
    lines = [f"{'check':28}{'/authorize':>12}{'/par':>6}"]
    for check in rows:
        places = (
            str(table.index(check) + 1) if check in table else "-"
            for table in (CHECKS_AUTHORIZATION, CHECKS_PUSHED)
        )
        lines.append("{:28}{:>12}{:>6}".format(check.__name__, *places))
    return "\n".join(lines) + "\n"


def test_the_policy_is_the_reviewed_one() -> None:
    """Change the golden file together with the tables, and only on purpose."""
    assert matrix() == GOLDEN.read_text()


@pytest.mark.parametrize("check", dict.fromkeys(CHECKS_PUSHED + CHECKS_AUTHORIZATION))
def test_every_check_cites_its_clause(check: object) -> None:
    assert "§" in (check.__doc__ or "")


@given(
    st.dictionaries(
        st.sampled_from(
            [
                *GOOD,
                "state",
                "nonce",
                "prompt",
                "max_age",
                "claims",
                "authorization_details",
                "acr_values",
                "response_mode",
                "ui_locales",
                "login_hint",
                "id_token_hint",
            ]
        ),
        st.text(),
    )
)
def test_any_request_is_read_or_refused(changes: dict[str, str | None]) -> None:
    description = ""
    try:
        read(changes)
    except ProtocolError as error:
        description = error.description
    assert description.isascii()
    assert '"' not in description
