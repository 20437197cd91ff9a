"""Self-registration as rules: what results from any metadata, and what any policy makes of it."""

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from idp.protocol.approval import as_it_counts, check_approved
from idp.protocol.authorization_request import SCOPES
from idp.protocol.client_metadata import CLIENT_MEMBERS
from idp.protocol.errors import (
    InvalidRedirectURIError,
    InvalidSoftwareStatementError,
    RefusedClientMetadataError,
    UnapprovedSoftwareStatementError,
    UnauthorizedClientError,
)
from idp.protocol.jose import JOSEError
from idp.protocol.model import Client, ClientStatus
from idp.protocol.profiles import GRANT_TYPES, METHODS, Profile
from idp.protocol.registration import read_registration, registered_metadata
from idp.protocol.registration_policy import (
    RegistrationPolicy,
    check_change,
    check_registration,
    dump_policy,
    load_policy,
)
from idp.protocol.sector_identifier import check_sector_document, read_sector_document
from idp.protocol.software_statement import read_statement_issuers, verify_software_statement
from tests.support.protocol_builders import ISSUER, JWKS, NOW, make_client, sign

OPEN = RegistrationPolicy()
METADATA: dict[str, Any] = {"redirect_uris": ["https://self.example/callback"]}
CLIENT_ID = "0f" * 16
PRINTABLE = {chr(code) for code in range(0x20, 0x7F)} - set('"\\')

policies = st.builds(
    RegistrationPolicy,
    profile=st.sampled_from(Profile),
    grant_types=st.frozensets(st.sampled_from(sorted(GRANT_TYPES)), min_size=1),
    scopes=st.frozensets(st.sampled_from(sorted(SCOPES)), min_size=1),
    authentication_methods=st.frozensets(st.sampled_from(METHODS), min_size=1),
    hosts=st.frozensets(st.sampled_from(["self.example", "other.example"])),
    is_pkce_required=st.booleans(),
    is_software_statement_required=st.booleans(),
    is_sandbox=st.booleans(),
)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=6,
)
telling = st.fixed_dictionaries(
    {},
    optional={
        "redirect_uris": st.lists(
            st.sampled_from(
                ["https://self.example/a", "https://other.example/b", "com.app:/c", "http://localhost/d"]
            ),
            max_size=3,
            unique=True,
        ),
        "grant_types": st.lists(st.sampled_from(sorted(GRANT_TYPES)), max_size=3, unique=True),
        "scope": st.sampled_from(["openid", "openid phone", "profile", "account_links.read"]),
        "token_endpoint_auth_method": st.sampled_from(METHODS),
        "jwks": st.just(JWKS),
        "dpop_bound_access_tokens": st.booleans(),
        "client_uri": st.sampled_from(["https://self.example/", "https://bank.example/"]),
        "backchannel_token_delivery_mode": st.just("poll"),
    },
)


def read(changes: dict[str, Any] | None = None, policy: RegistrationPolicy = OPEN) -> Client:
    return read_registration(METADATA | (changes or {}), policy, CLIENT_ID, ISSUER)


@given(st.dictionaries(st.sampled_from(sorted(CLIENT_MEMBERS)) | st.text(max_size=6), values), policies)
def test_no_metadata_raises_anything_else(changes: dict[str, Any], policy: RegistrationPolicy) -> None:
    """Abuse class 25; RFC 6749 §5.2 on what a description may hold."""
    try:
        client = read(changes, policy)
    except (InvalidRedirectURIError, RefusedClientMetadataError) as error:
        refused: InvalidRedirectURIError | RefusedClientMetadataError = error
    else:
        check_registration(client, policy)
        return
    assert set(refused.description) <= PRINTABLE


@given(telling, policies)
def test_abuse_14_what_results_is_within_the_policy(
    metadata: dict[str, Any], policy: RegistrationPolicy
) -> None:
    try:
        client = read_registration(metadata, policy, CLIENT_ID, ISSUER)
    except (InvalidRedirectURIError, RefusedClientMetadataError):
        return
    assert client.profile is policy.profile
    assert client.grant_types <= policy.grant_types
    assert client.scope <= policy.scopes
    assert client.token_endpoint_auth_method in policy.authentication_methods
    assert client.is_pkce_required or not policy.is_pkce_required
    assert client.is_sandbox == policy.is_sandbox
    assert not client.introspects
    assert client.sector.endswith(".invalid") or all(
        uri.startswith(f"https://{client.sector}/") for uri in client.redirect_uris
    )


@given(telling)
def test_what_is_told_can_be_sent_again(metadata: dict[str, Any]) -> None:
    """RFC 7592 §2.2: a client reads itself, changes a member and sends the rest back."""
    policy = replace(OPEN, grant_types=GRANT_TYPES)
    try:
        client = read_registration(metadata, policy, CLIENT_ID, ISSUER)
    except (InvalidRedirectURIError, RefusedClientMetadataError):
        return
    told = json.loads(json.dumps(registered_metadata(client)))
    assert read_registration(told, policy, CLIENT_ID, ISSUER) == client


@given(policies)
def test_a_policy_comes_back_as_it_was_kept(policy: RegistrationPolicy) -> None:
    assert load_policy(dump_policy(policy)) == policy


def test_a_policy_of_an_older_release_takes_defaults() -> None:
    assert load_policy("{}") == OPEN


def test_the_scope_that_nobody_stated_is_what_the_policy_lets_a_client_ask_for() -> None:
    assert read().scope == OPEN.scopes - {"offline_access"}
    renewing = read({"grant_types": ["authorization_code", "refresh_token"]})
    assert renewing.scope == OPEN.scopes
    assert read(policy=replace(OPEN, scopes=frozenset({"openid", "email"}))).scope == {"openid", "email"}


def test_a_public_client_has_pkce_whatever_the_policy_says() -> None:
    lenient = replace(OPEN, is_pkce_required=False)
    assert read(policy=lenient).is_pkce_required is False
    assert read({"token_endpoint_auth_method": "none"}, lenient).is_pkce_required is True


def test_the_hosts_of_accounts_are_those_that_get_answers() -> None:
    """Abuse case P11: nobody shows accounts at a host that is merely named."""
    assert read({"client_uri": "https://self.example/"}).profile_hosts == {"self.example"}


def test_every_reason_comes_at_once() -> None:
    policy = replace(OPEN, scopes=frozenset({"openid"}), hosts=frozenset({"good.example"}))
    with pytest.raises(RefusedClientMetadataError) as caught:
        read({"scope": "openid phone", "grant_types": ["client_credentials"]}, policy)
    for told in ("grant_types may not hold", "scope may not hold phone", "redirect_uris number 1"):
        assert told in caught.value.description


def test_a_redirect_uri_alone_has_its_own_code() -> None:
    with pytest.raises(InvalidRedirectURIError):
        read(policy=replace(OPEN, hosts=frozenset({"good.example"})))
    with pytest.raises(InvalidRedirectURIError):
        read({"redirect_uris": ["https://self.example/#x"]})
    with pytest.raises(RefusedClientMetadataError):
        read({"redirect_uris": ["https://self.example/#x"], "default_max_age": -1})


class TestChange:
    def test_a_client_in_its_sandbox_may_change(self) -> None:
        before = make_client(is_sandbox=True)
        check_change(before, replace(before, client_name="X"))

    def test_an_approved_one_changes_its_keys_and_contacts(self) -> None:
        before = make_client()
        check_change(before, replace(before, jwks=None, jwks_uri="https://a.example/j", contacts=("x",)))

    @pytest.mark.parametrize(
        "name", ["client_name", "redirect_uris", "scope", "sector", "policy", "is_sandbox"]
    )
    def test_and_nothing_that_somebody_looked_at(self, name: str) -> None:
        before = make_client()
        with pytest.raises(RefusedClientMetadataError, match=name):
            check_change(before, replace(before, **{name: object()}))


class TestApproval:
    @pytest.mark.parametrize(
        ("is_sandbox", "is_production", "status"),
        [
            (True, True, ClientStatus.UNAPPROVED),
            (True, False, ClientStatus.ACTIVE),
            (False, True, ClientStatus.ACTIVE),
        ],
    )
    def test_counts_where_real_people_are(
        self, *, is_sandbox: bool, is_production: bool, status: ClientStatus
    ) -> None:
        client = make_client(is_sandbox=is_sandbox)
        assert as_it_counts(client, is_production=is_production).status is status

    def test_a_suspended_client_stays_suspended(self) -> None:
        client = make_client(is_sandbox=True, status=ClientStatus.SUSPENDED)
        assert as_it_counts(client, is_production=True) == client

    def test_the_client_is_told(self) -> None:
        check_approved(make_client())
        with pytest.raises(UnauthorizedClientError):
            check_approved(make_client(status=ClientStatus.UNAPPROVED))


class TestSector:
    @given(st.binary(max_size=200))
    def test_any_document_is_read_or_refused(self, document: bytes) -> None:
        try:
            assert isinstance(read_sector_document(document), frozenset)
        except RefusedClientMetadataError:
            return

    def test_a_client_without_addresses_cannot_be_listed(self) -> None:
        client = make_client(redirect_uris=(), token_endpoint_auth_method="client_secret_basic")
        with pytest.raises(RefusedClientMetadataError):
            check_sector_document(client, frozenset())

    def test_a_client_that_polls_is_known_by_its_keys(self) -> None:
        """CIBA Core §4."""
        client = make_client(redirect_uris=(), jwks=None, jwks_uri="https://a.example/jwks")
        check_sector_document(client, frozenset({"https://a.example/jwks"}))
        with pytest.raises(RefusedClientMetadataError):
            check_sector_document(client, frozenset({"https://b.example/jwks"}))


class TestStatement:
    issuers = read_statement_issuers(json.dumps({"https://authority.example": JWKS}).encode())

    def test_what_it_says_of_the_token_is_not_said_of_the_client(self) -> None:
        signed = sign({"iss": "https://authority.example", "jti": "1", "iat": 1, "client_name": "X"})
        assert verify_software_statement(signed, self.issuers, ISSUER, NOW) == {"client_name": "X"}

    @given(st.text(max_size=60) | st.binary(max_size=60).map(lambda raw: raw.decode("latin-1")))
    def test_any_statement_is_read_or_refused(self, statement: str) -> None:
        with pytest.raises((InvalidSoftwareStatementError, UnapprovedSoftwareStatementError)):
            verify_software_statement(statement, self.issuers, ISSUER, NOW)

    @pytest.mark.parametrize("document", [b"", b"[]", b'{"a":7}', b'{"a":{"keys":[]}}', b'{"a":{}}'])
    def test_a_file_of_issuers_that_holds_none_is_refused(self, document: bytes) -> None:
        with pytest.raises(JOSEError):
            read_statement_issuers(document)
