"""RFC 8705: whose certificate it is. RFC 9440: a certificate in a header."""

import ipaddress
from datetime import timedelta
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from hypothesis import given
from hypothesis import strategies as st

from idp.protocol.client_certificate import (
    MAX_LENGTH,
    ClientCertificate,
    ClientCertificateError,
    check_self_signed,
    check_tls_client_auth,
    read_authorities,
    read_certificate,
    read_certificate_header,
    read_distinguished_name,
    read_ip_address,
    registered_certificates,
)
from idp.protocol.jose import parse_jwk_set
from tests.support.certificates import MadeCertificate, make_certificate
from tests.support.protocol_builders import JWKS, NOW, base64url, make_client, public_jwk

SUBJECT = "CN=network,O=Quan Coc,C=VN"
AUTHORITY = make_certificate("CN=Authority,O=Test", is_authority=True)
OTHER_AUTHORITY = make_certificate("CN=Authority,O=Test", is_authority=True)
SAN = (
    x509.DNSName("Client.Network.example"),
    x509.UniformResourceIdentifier("https://network.example/client"),
    x509.IPAddress(ipaddress.ip_address("2001:db8::1")),
    x509.RFC822Name("ops@Network.example"),
)
ISSUED = make_certificate(SUBJECT, issuer=AUTHORITY, san=SAN)


def read(made: MadeCertificate, *authorities: MadeCertificate) -> ClientCertificate:
    return read_certificate(made.der, tuple(each.certificate for each in authorities or (AUTHORITY,)))


def client(**expected: str) -> Any:
    names = {f"tls_client_auth_{name}": value for name, value in expected.items()}
    return make_client(token_endpoint_auth_method="tls_client_auth", jwks=None, **names)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("subject_dn", SUBJECT),
        ("subject_dn", "cn=Network, o=QUAN  COC, c=vn"),
        ("subject_dn", "2.5.4.3=network,2.5.4.10=Quan Coc,2.5.4.6=VN"),
        ("san_dns", "client.network.example"),
        ("san_dns", "CLIENT.network.example"),
        ("san_uri", "https://network.example/client"),
        ("san_ip", "2001:db8:0:0::1"),
        ("san_email", "ops@network.EXAMPLE"),
    ],
)
def test_a_certificate_is_the_one_that_was_registered_by_name(name: str, value: str) -> None:
    """RFC 8705 §2.1.2; RFC 4517 §4.2.11, §4.2.15 on case and white space."""
    check_tls_client_auth(read(ISSUED), client(**{name: value}), NOW)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("subject_dn", "CN=other,O=Quan Coc,C=VN"),
        ("subject_dn", "CN=network"),
        ("subject_dn", "C=VN,O=Quan Coc,CN=network"),
        ("subject_dn", "CN=network+O=Quan Coc,C=VN"),
        ("subject_dn", "CN=network\\,O=Quan Coc,C=VN"),
        ("subject_dn", "OU=x,CN=network,O=Quan Coc,C=VN"),
        ("subject_dn", "no name"),
        ("subject_dn", ""),
        ("san_dns", "network.example"),
        ("san_dns", "*.network.example"),
        ("san_dns", "network"),
        ("san_uri", "https://network.example/Client"),
        ("san_uri", "https://network.example/"),
        ("san_ip", "2001:db8::2"),
        ("san_ip", "no address"),
        ("san_email", "OPS@network.example"),
        ("san_email", "ops@attacker.example"),
    ],
)
def test_another_name_is_another_client(name: str, value: str) -> None:
    with pytest.raises(ClientCertificateError):
        check_tls_client_auth(read(ISSUED), client(**{name: value}), NOW)


@pytest.mark.parametrize("expected", [{}, {"subject_dn": SUBJECT, "san_dns": "client.network.example"}])
def test_exactly_one_name_is_registered(expected: dict[str, str]) -> None:
    """RFC 8705 §2.1.2."""
    with pytest.raises(ClientCertificateError, match="exactly one"):
        check_tls_client_auth(read(ISSUED), client(**expected), NOW)


def test_a_certificate_without_alternative_names_holds_none() -> None:
    plain = make_certificate(SUBJECT, issuer=AUTHORITY)
    with pytest.raises(ClientCertificateError):
        check_tls_client_auth(read(plain), client(san_dns="network"), NOW)


@pytest.mark.parametrize(
    ("made", "authorities"),
    [
        pytest.param(make_certificate(SUBJECT), (AUTHORITY,), id="self-signed"),
        pytest.param(
            make_certificate(SUBJECT, issuer=OTHER_AUTHORITY), (AUTHORITY,), id="same name, other key"
        ),
        pytest.param(ISSUED, (OTHER_AUTHORITY,), id="an authority we do not know"),
        pytest.param(
            make_certificate(SUBJECT, issuer=ISSUED), (AUTHORITY, ISSUED), id="by who is no authority"
        ),
        pytest.param(
            make_certificate(SUBJECT, issuer=make_certificate("CN=Mine", is_authority=True)),
            (AUTHORITY,),
            id="by a certificate that a client registered for itself",
        ),
    ],
)
def test_a_name_counts_only_where_an_authority_of_ours_gave_it(
    made: MadeCertificate, authorities: tuple[MadeCertificate, ...]
) -> None:
    """Anybody can write anybody's name into a certificate."""
    with pytest.raises(ClientCertificateError, match="authority"):
        check_tls_client_auth(read(made, *authorities), client(subject_dn=SUBJECT), NOW)


def test_without_authorities_no_name_counts() -> None:
    with pytest.raises(ClientCertificateError, match="authority"):
        check_tls_client_auth(read_certificate(ISSUED.der), client(subject_dn=SUBJECT), NOW)


def test_an_authority_that_has_expired_vouches_for_nobody() -> None:
    old = make_certificate("CN=Old", is_authority=True, valid_until=NOW - timedelta(days=1))
    with pytest.raises(ClientCertificateError, match="authority"):
        check_tls_client_auth(
            read(make_certificate(SUBJECT, issuer=old), old), client(subject_dn=SUBJECT), NOW
        )


@pytest.mark.parametrize("days", [-3, 3])
def test_a_certificate_counts_in_its_time_only(days: int) -> None:
    made = make_certificate(
        SUBJECT,
        issuer=AUTHORITY,
        valid_from=NOW - timedelta(days=1),
        valid_until=NOW + timedelta(days=1),
    )
    read_back = read(made)
    keys = parse_jwk_set({"keys": [made.jwk]})
    check_tls_client_auth(read_back, client(subject_dn=SUBJECT), NOW)
    check_self_signed(read_back, keys, NOW)
    then = NOW + timedelta(days=days)
    with pytest.raises(ClientCertificateError, match="not valid now"):
        check_tls_client_auth(read_back, client(subject_dn=SUBJECT), then)
    with pytest.raises(ClientCertificateError, match="not valid now"):
        check_self_signed(read_back, keys, then)


@pytest.mark.parametrize(
    "private_key",
    [
        ec.generate_private_key(ec.SECP256R1()),
        ec.generate_private_key(ec.SECP384R1()),
        rsa.generate_private_key(65537, 2048),
        ed25519.Ed25519PrivateKey.generate(),
    ],
    ids=["P-256", "P-384", "RSA", "Ed25519"],
)
def test_a_self_signed_certificate_is_known_by_its_key(private_key: Any) -> None:
    """RFC 8705 §2.2: a renewed certificate of the same key does, whatever it says."""
    first, renewed = (make_certificate(name, private_key=private_key) for name in ("CN=one", "CN=two"))
    keys = parse_jwk_set({"keys": [*JWKS["keys"], public_jwk(private_key)]})
    for made in (first, renewed):
        check_self_signed(read_certificate(made.der), keys, NOW)


def test_another_key_is_another_client() -> None:
    with pytest.raises(ClientCertificateError, match="registered keys"):
        check_self_signed(read_certificate(ISSUED.der), parse_jwk_set(JWKS), NOW)
    with pytest.raises(ClientCertificateError, match="registered keys"):
        check_self_signed(read_certificate(ISSUED.der), (), NOW)


def test_the_thumbprint_is_that_of_rfc_8705_appendix_a() -> None:
    """The RFC's own certificate, its only published vector."""
    certificate = (
        "MIIBBjCBrAIBAjAKBggqhkjOPQQDAjAPMQ0wCwYDVQQDDARtdGxzMB4XDTE4MTAxODEyMzcwOVoXDTIyMDUwMjEyMzcwOVowDzENMAsGA1UE"
        "AwwEbXRsczBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABNcnyxwqV6hY8QnhxxzFQ03C7HKW9OylMbnQZjjJ/Au08/coZwxS7LfA4vOLS9WuneIX"
        "hbGGWvsDSb0tH6IxLm8wCgYIKoZIzj0EAwIDSQAwRgIhAP0RC1E+vwJD/D1AGHGzuri+hlV/PpQEKTWUVeORWz83AiEA5x2eXZOVbUlJSGQgjwD5"
        "vaUaKlLR50Q2DmFfQj1L+SY="
    )
    assert (
        read_certificate(read_certificate_header(f":{certificate}:")).x5t_s256
        == "A4DtL2JmUMhAsvJj5tKyn64SqzmuXbMrJa0n761y5v0"
    )


def test_a_key_set_brings_its_certificates() -> None:
    one, two = make_certificate("CN=one"), make_certificate("CN=two", is_authority=True)
    broken = [{"x5c": value} for value in ([], "AAAA", ["!"], ["AAAA"], [7], None, {})]
    jwks = {
        "keys": [one.jwk, public_jwk(one.private_key), *broken, two.jwk | {"x5c": [*two.jwk["x5c"], "AAAA"]}]
    }
    assert registered_certificates(jwks) == (one.der, two.der)
    assert registered_certificates(None) == ()


def test_an_authority_file_holds_certificates() -> None:
    assert read_authorities((AUTHORITY.pem + OTHER_AUTHORITY.pem).encode()) == (
        AUTHORITY.certificate,
        OTHER_AUTHORITY.certificate,
    )
    for nothing in (b"", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", b"\xff"):
        with pytest.raises(ClientCertificateError):
            read_authorities(nothing)


@pytest.mark.parametrize("name", ["2001:db8::1", "192.0.2.1"])
def test_an_address_has_one_spelling(name: str) -> None:
    assert read_ip_address(name) == name


def test_a_proxy_passes_a_certificate_on_in_either_form() -> None:
    assert read_certificate_header(ISSUED.as_rfc_9440) == ISSUED.der
    assert read_certificate_header(ISSUED.as_nginx_sends_it) == ISSUED.der
    assert read_certificate_header(ISSUED.pem.replace("\n", " ")) == ISSUED.der


@pytest.mark.parametrize(
    "value",
    [
        "",
        ":",
        "::",
        ":AAA:",
        ":AAAA====:",
        ":AA\nAA:",
        "AAAA",
        "(null)",
        ISSUED.as_rfc_9440 + ISSUED.as_rfc_9440,
        f"{ISSUED.as_rfc_9440}, {ISSUED.as_rfc_9440}",
        ISSUED.as_nginx_sends_it + ISSUED.as_nginx_sends_it,
        "-----BEGIN CERTIFICATE-----AAA-----END CERTIFICATE-----",
        "-----BEGIN PRIVATE KEY-----AAAA-----END PRIVATE KEY-----",
        base64url(ISSUED.der),
    ],
    ids=[f"header {number}" for number in range(14)],
)
def test_anything_else_in_the_header_is_refused(value: str) -> None:
    with pytest.raises(ClientCertificateError):
        read_certificate_header(value)


@given(st.text(max_size=200) | st.text("AB+/=:%0- ", max_size=60).map(lambda text: f":{text}:"))
def test_any_header_is_read_or_refused(value: str) -> None:
    try:
        der = read_certificate_header(value)
    except ClientCertificateError:
        return
    assert der


@given(st.binary(max_size=300) | st.integers(0, len(ISSUED.der) - 1).map(lambda cut: ISSUED.der[:cut]))
def test_any_bytes_are_read_or_refused(der: bytes) -> None:
    with pytest.raises(ClientCertificateError):
        read_certificate(der)


@pytest.mark.parametrize(
    ("written", "odd"),
    [
        pytest.param(b"\xa0\x03\x02\x01\x02", b"\xa0\x03\x02\x01\x03", id="of a version to come"),
        pytest.param(b"\x0c\x08Quan Coc", b"\x03\x08Quan Coc", id="a name that is a bit string"),
        pytest.param(b"\x82\x16Client.", b"\xa3\x16Client.", id="an X.400 address"),
    ],
)
def test_an_odd_certificate_is_refused_and_breaks_nothing(written: bytes, odd: bytes) -> None:
    """cryptography has an exception of its own for each of them."""
    assert ISSUED.der.count(written) == 1
    with pytest.raises(ClientCertificateError):
        read_certificate(ISSUED.der.replace(written, odd))


def test_a_giant_is_not_looked_at() -> None:
    with pytest.raises(ClientCertificateError, match="too long"):
        read_certificate(bytes(MAX_LENGTH + 1))


@given(st.integers(0, len(ISSUED.der) - 1), st.integers(0, 255))
def test_a_certificate_changed_at_any_byte_is_nobodys(position: int, value: int) -> None:
    """Abuse class 28: it is unreadable, or its authority's signature no longer holds."""
    changed = ISSUED.der[:position] + bytes([value]) + ISSUED.der[position + 1 :]
    try:
        found = read_certificate(changed, (AUTHORITY.certificate,))
    except ClientCertificateError:
        return
    assert found.vouched_until is None or changed == ISSUED.der


@given(st.text(max_size=80))
def test_any_name_is_read_or_refused(text: str) -> None:
    try:
        assert read_distinguished_name(text)
    except ClientCertificateError:
        return
