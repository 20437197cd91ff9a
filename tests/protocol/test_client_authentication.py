import base64
import hashlib
import hmac
import json
from datetime import timedelta
from typing import Any

import jwt
import pytest
from authlib.oauth2.rfc7523 import PrivateKeyJWT
from authlib.oauth2.rfc7523.assertion import private_key_jwt_sign
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from hypothesis import given
from hypothesis import strategies as st
from joserfc.jwk import ECKey

from idp.protocol.client_authentication import (
    ASSERTION_TYPE,
    AuthenticatedClient,
    ClientCredentials,
    UnknownClientKeyError,
    read_credentials,
    verify_credentials,
)
from idp.protocol.errors import InvalidClientError, InvalidRequestError
from idp.protocol.jose import parse_jwk_set
from idp.protocol.model import Client, ClientSecret, ClientStatus
from idp.protocol.profiles import METHODS, Profile
from tests.support.protocol_builders import (
    ES256,
    ISSUER,
    JWKS,
    NOW,
    OTHER,
    base64url,
    make_client,
    public_jwk,
    sign,
    sign_raw,
)

KEYS = parse_jwk_set(JWKS)
CLAIMS: dict[str, Any] = {
    "iss": "network",
    "sub": "network",
    "aud": ISSUER,
    "jti": "once",
    "iat": int(NOW.timestamp()),
    "exp": int(NOW.timestamp()) + 60,
}


def at(seconds: int) -> int:
    return int(NOW.timestamp()) + seconds


def with_assertion(assertion: str, **parameters: str) -> dict[str, str]:
    return {"client_assertion_type": ASSERTION_TYPE, "client_assertion": assertion, **parameters}


def basic(client_id: str, secret: str) -> str:
    return "Basic " + base64.b64encode(f"{client_id}:{secret}".encode()).decode()


def secret(value: str, expires_in: timedelta | None = None) -> ClientSecret:
    return ClientSecret(
        hashlib.sha256(value.encode()).digest(), NOW, None if expires_in is None else NOW + expires_in
    )


def public_pem(key: EllipticCurvePrivateKey) -> bytes:
    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def authenticate(assertion: str, client: Client | None = None, **options: Any) -> AuthenticatedClient:
    credentials = read_credentials(None, with_assertion(assertion))
    keys = options.get("keys", KEYS)
    return verify_credentials(credentials, client or make_client(), keys, issuer=ISSUER, now=NOW)


class TestReading:
    def test_basic_is_form_urldecoded(self) -> None:
        """RFC 6749 §2.3.1."""
        credentials = read_credentials(basic("a%3Ab+c", "%C3%A9%25%3A:x"), {})
        assert credentials == ClientCredentials("a:b c", "client_secret_basic", secret="é%::x")

    def test_rfc_6749_section_2_3_1_example(self) -> None:
        header = "Basic czZCaGRSa3F0MzpnWDFmQmF0M2JW"
        assert read_credentials(header, {}) == ClientCredentials(
            "s6BhdRkqt3", "client_secret_basic", secret="gX1fBat3bV"
        )

    def test_rfc_6749_section_2_3_1_post(self) -> None:
        form = {"client_id": "s6BhdRkqt3", "client_secret": "7Fjfp0ZBr1KtDRbnfVdmIw"}
        assert read_credentials(None, form).method == "client_secret_post"

    def test_an_assertion_names_its_client(self) -> None:
        """RFC 7521 §4.2: client_id is optional."""
        credentials = read_credentials(None, with_assertion(sign(CLAIMS)))
        assert (credentials.client_id, credentials.method) == ("network", "private_key_jwt")

    def test_no_secret_shows_in_a_log(self) -> None:
        assert "gX1f" not in repr(read_credentials(basic("a", "gX1f"), {}))
        assert "eyJ" not in repr(read_credentials(None, with_assertion(sign(CLAIMS))))

    @pytest.mark.parametrize(
        ("authorization", "form"),
        [
            pytest.param(basic("a", "b"), {"client_id": "a", "client_secret": "b"}, id="Basic and post"),
            pytest.param(basic("a", "b"), {"client_assertion": "x"}, id="Basic and assertion"),
            pytest.param(basic("a", "b"), {"client_assertion_type": "x"}, id="Basic and assertion type"),
            pytest.param("Bearer x", {"client_id": "a", "client_secret": "b"}, id="Bearer and post"),
            pytest.param(None, with_assertion("x", client_secret="b"), id="assertion and post"),
        ],
    )
    def test_two_methods_in_one_request_are_refused(
        self, authorization: str | None, form: dict[str, str]
    ) -> None:
        """RFC 6749 §2.3, §5.2."""
        with pytest.raises(InvalidRequestError, match="more than one"):
            read_credentials(authorization, form)

    @pytest.mark.parametrize(
        ("authorization", "form"),
        [
            pytest.param(None, {}, id="TOK-10 nothing"),
            pytest.param(None, {"client_secret": "b"}, id="secret without client_id"),
            pytest.param(None, {"client_id": "", "client_secret": "b"}, id="RFC 6749 §3.1 empty is absent"),
            pytest.param("", {}, id="header empty"),
            pytest.param("Bearer abc", {}, id="another scheme"),
            pytest.param("Basic", {}, id="Basic alone"),
            pytest.param("Basic ***", {}, id="Basic no base64"),
            pytest.param("Basic é", {}, id="Basic not ASCII"),
            pytest.param("Basic " + base64.b64encode(b"ab").decode(), {}, id="Basic without colon"),
            pytest.param("Basic " + base64.b64encode(b"a:\xff").decode(), {}, id="Basic not UTF-8"),
            pytest.param(basic("a", "%FF"), {}, id="Basic percent-encoded not UTF-8"),
            pytest.param(basic("", "b"), {}, id="Basic without client_id"),
            pytest.param(basic("a", ""), {}, id="Basic without secret"),
            pytest.param(basic("a", "b"), {"client_id": "c"}, id="TOK-14 other client_id in the form"),
            pytest.param(basic("a%00", "b"), {}, id="NUL in client_id"),
            pytest.param(basic("a" * 256, "b"), {}, id="client_id oversize"),
            pytest.param(None, {"client_assertion": sign(CLAIMS)}, id="assertion without its type"),
            pytest.param(None, {"client_assertion_type": ASSERTION_TYPE}, id="type without assertion"),
            pytest.param(
                None,
                {
                    "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:saml2-bearer",
                    "client_assertion": sign(CLAIMS),
                },
                id="RFC 7522 SAML assertion",
            ),
            pytest.param(None, with_assertion("x"), id="assertion no JWS"),
            pytest.param(None, with_assertion(sign({"sub": 1})), id="sub a number"),
            pytest.param(None, with_assertion(sign({})), id="TOK-11 no sub"),
            pytest.param(
                None, with_assertion(sign(CLAIMS), client_id="other"), id="TOK-14 client_id not sub"
            ),
        ],
    )
    def test_refused(self, authorization: str | None, form: dict[str, str]) -> None:
        with pytest.raises(InvalidClientError):
            read_credentials(authorization, form)

    @given(
        st.none()
        | st.text()
        | st.text().map(lambda text: f"Basic {text}")
        | st.binary().map(lambda raw: "Basic " + base64.b64encode(raw).decode()),
        st.dictionaries(
            st.sampled_from(["client_id", "client_secret", "client_assertion", "client_assertion_type"]),
            st.text() | st.just(ASSERTION_TYPE) | st.just(sign(CLAIMS)),
        ),
    )
    def test_no_request_raises_anything_else(self, authorization: str | None, form: dict[str, str]) -> None:
        try:
            credentials = read_credentials(authorization, form)
            verify_credentials(
                credentials, make_client(client_id=credentials.client_id), KEYS, issuer=ISSUER, now=NOW
            )
        except (InvalidClientError, InvalidRequestError):
            return


class TestSecret:
    client = make_client(
        token_endpoint_auth_method="client_secret_basic",
        secrets=(secret("old", timedelta(hours=1)), secret("new"), secret("gone", timedelta(0))),
    )

    def verify(self, value: str, client: Client | None = None, method: str = "client_secret_basic") -> None:
        credentials = ClientCredentials("network", method, secret=value)
        proven = verify_credentials(credentials, client or self.client, (), issuer=ISSUER, now=NOW)
        assert proven == AuthenticatedClient(client or self.client, method)

    @pytest.mark.parametrize("value", ["old", "new"])
    def test_both_secrets_work_while_rotating(self, value: str) -> None:
        self.verify(value)

    @pytest.mark.parametrize("value", ["gone", "", "ne", "newx", "new\0", "\ud800"])
    def test_others_do_not(self, value: str) -> None:
        with pytest.raises(InvalidClientError):
            self.verify(value)

    def test_a_client_without_secrets_has_none_that_fits(self) -> None:
        with pytest.raises(InvalidClientError):
            self.verify("", make_client(token_endpoint_auth_method="client_secret_basic"))

    def test_the_method_must_be_the_registered_one(self) -> None:
        with pytest.raises(InvalidClientError):
            self.verify("new", method="client_secret_post")

    def test_a_secret_never_replaces_an_assertion(self) -> None:
        with pytest.raises(InvalidClientError):
            self.verify("new", make_client(secrets=self.client.secrets))

    def test_secrets_are_compared_in_constant_time(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Abuse 28: every live secret is compared, even after one fits."""
        compared: list[bytes] = []

        def compare(left: bytes, right: bytes) -> bool:
            compared.append(right)
            return left == right

        monkeypatch.setattr("idp.protocol.client_authentication.hmac.compare_digest", compare)
        self.verify("old")
        assert len(compared) == 2


class TestPublic:
    """RFC 6749 §2.1: the client says who it is and proves nothing; PKCE binds the code to it."""

    public = make_client(token_endpoint_auth_method="none")

    def verify(self, form: dict[str, str], client: Client) -> AuthenticatedClient:
        return verify_credentials(read_credentials(None, form), client, (), issuer=ISSUER, now=NOW)

    def test_names_itself(self) -> None:
        assert self.verify({"client_id": "network"}, self.public).method == "none"
        # RFC 6749 §3.1: a parameter without a value was not sent.
        assert self.verify({"client_id": "network", "client_secret": ""}, self.public).method == "none"

    @pytest.mark.parametrize("method", [method for method in METHODS if method != "none"])
    def test_no_other_client_may(self, method: str) -> None:
        """Abuse 9: a confidential client is not let in without its credential."""
        with pytest.raises(InvalidClientError):
            self.verify({"client_id": "network"}, make_client(token_endpoint_auth_method=method))

    def test_a_secret_does_not_make_it_confidential(self) -> None:
        with pytest.raises(InvalidClientError):
            self.verify({"client_id": "network", "client_secret": "x"}, self.public)


class TestSharedSecretAssertion:
    """OpenID Connect Core §9: client_secret_jwt, an HMAC made with the secret itself."""

    client = make_client(token_endpoint_auth_method="client_secret_jwt", jwks=None)

    def verify(
        self, assertion: str, *, secrets: tuple[bytes, ...] = (b"o" * 43, b"n" * 43)
    ) -> AuthenticatedClient:
        credentials = read_credentials(None, with_assertion(assertion))
        return verify_credentials(
            credentials, self.client, (), issuer=ISSUER, now=NOW, shared_secrets=secrets
        )

    @pytest.mark.parametrize("key", ["o", "n"])
    def test_either_secret_signs_while_rotating(self, key: str) -> None:
        proven = self.verify(jwt.encode(CLAIMS, key * 43, "HS256"))
        assert proven.method == "client_secret_jwt"
        assert proven.assertion is not None

    @pytest.mark.parametrize(
        "assertion",
        [
            pytest.param(jwt.encode(CLAIMS, "x" * 43, "HS256"), id="another secret"),
            pytest.param(jwt.encode(CLAIMS, None, "none"), id="alg none"),
            pytest.param(jwt.encode(CLAIMS, "n" * 64, "HS512"), id="another hash"),
            pytest.param(sign(CLAIMS), id="a key pair in place of the secret"),
            pytest.param(jwt.encode({**CLAIMS, "aud": "x"}, "n" * 43, "HS256"), id="another audience"),
            pytest.param(jwt.encode({**CLAIMS, "iss": "x"}, "n" * 43, "HS256"), id="another issuer"),
            pytest.param(
                jwt.encode(CLAIMS, "n" * 43, "HS256", {"crit": ["x"], "x": 1}), id="RFC 7515 §4.1.11 crit"
            ),
        ],
    )
    def test_nothing_else_does(self, assertion: str) -> None:
        with pytest.raises(InvalidClientError):
            self.verify(assertion)

    @pytest.mark.parametrize("key", [b"", public_pem(ES256)], ids=["empty", "CVE-2016-10555 public key"])
    def test_no_key_of_another_kind_becomes_a_secret(self, key: bytes) -> None:
        """Abuse 11: an empty HMAC key, and a public key taken for one."""
        header, payload = (base64url(json.dumps(part).encode()) for part in ({"alg": "HS256"}, CLAIMS))
        signed = f"{header}.{payload}"
        forged = f"{signed}.{base64url(hmac.digest(key, signed.encode(), 'sha256'))}"
        with pytest.raises(InvalidClientError):
            self.verify(forged, secrets=(b"",) if not key else (b"n" * 43,))
        with pytest.raises(InvalidClientError):
            authenticate(forged)


class TestAudience:
    """RFC 10070 names the issuer; what was usual before is tolerated where no profile forbids it."""

    @pytest.mark.parametrize(
        ("profile", "audience"),
        [
            *((profile, ISSUER) for profile in Profile),
            (Profile.OIDC, f"{ISSUER}/token"),
            (Profile.LOGOUT, f"{ISSUER}/token"),
            (Profile.IDA, f"{ISSUER}/token"),
            (Profile.CIBA, f"{ISSUER}/token"),
            (Profile.CIBA, f"{ISSUER}/backchannel-authentication"),
        ],
    )
    def test_of_each_profile(self, profile: Profile, audience: str) -> None:
        authenticate(sign({**CLAIMS, "aud": audience}), make_client(profile=profile))

    @pytest.mark.parametrize(
        ("profile", "audience"),
        [
            (Profile.OIDC, f"{ISSUER}/backchannel-authentication"),
            (Profile.FAPI2, f"{ISSUER}/token"),
            (Profile.FAPI2_MESSAGE_SIGNING, f"{ISSUER}/token"),
        ],
    )
    def test_of_another_profile(self, profile: Profile, audience: str) -> None:
        """CVE-2025-27370."""
        with pytest.raises(InvalidClientError):
            authenticate(sign({**CLAIMS, "aud": audience}), make_client(profile=profile))

    @pytest.mark.parametrize("profile", [Profile.FAPI2, Profile.FAPI2_MESSAGE_SIGNING, Profile.CIBA])
    def test_rs256_is_refused_where_the_profile_forbids_it(self, profile: Profile) -> None:
        """FAPI 2.0 §5.4.1."""
        with pytest.raises(InvalidClientError):
            authenticate(sign(CLAIMS, "RS256"), make_client(profile=profile))


class TestAssertion:
    @pytest.mark.parametrize("algorithm", ["ES256", "PS256", "RS256", "EdDSA"])
    def test_proves_the_client_and_is_spent(self, algorithm: str) -> None:
        proven = authenticate(sign(CLAIMS, algorithm))
        assert proven.client.client_id == "network"
        assert proven.assertion is not None
        assert (proven.assertion.jti, proven.assertion.expires_at) == ("once", NOW + timedelta(seconds=60))

    @pytest.mark.parametrize(
        "changes",
        [
            pytest.param({"iat": at(8), "nbf": at(8)}, id="PAR-09 iat and nbf 8 s ahead"),
            pytest.param({"iat": at(-3000)}, id="issued long ago"),
            pytest.param({"exp": at(3600)}, id="RFC 7523 §3 an hour, as Authlib signs"),
            pytest.param({"jti": "j" * 255}, id="jti of 255 characters"),
        ],
    )
    def test_tolerated(self, changes: dict[str, Any]) -> None:
        authenticate(sign({**CLAIMS, **changes}))

    def test_iat_is_optional(self) -> None:
        authenticate(sign({name: value for name, value in CLAIMS.items() if name != "iat"}))

    @pytest.mark.parametrize("typ", ["JWT", "client-authentication+jwt"])
    def test_typ_of_an_assertion(self, typ: str) -> None:
        authenticate(sign(CLAIMS, headers={"typ": typ}))

    @pytest.mark.parametrize(
        "changes",
        [
            pytest.param({"aud": f"{ISSUER}/authorize"}, id="CVE-2025-27370 another endpoint as audience"),
            pytest.param({"aud": f"{ISSUER}/par"}, id="PAR-08 PAR endpoint as audience"),
            pytest.param({"aud": [ISSUER]}, id="RFC 10070 audience an array of one"),
            pytest.param({"aud": [ISSUER, "https://evil.example"]}, id="CVE-2025-27371 audience an array"),
            pytest.param({"aud": f"{ISSUER}/"}, id="audience with a slash"),
            pytest.param({"aud": ISSUER.upper()}, id="audience in capitals"),
            pytest.param({"aud": ""}, id="audience empty"),
            pytest.param({"aud": None}, id="audience null"),
            pytest.param({"iss": "other"}, id="RFC 7523 §3 iss another client"),
            pytest.param({"iss": ISSUER}, id="RFC 7523 §3 iss the provider"),
            pytest.param({"iss": None}, id="RFC 7523 §3 iss missing"),
            pytest.param({"exp": None}, id="RFC 7523 §3 exp missing"),
            pytest.param({"exp": at(0)}, id="RFC 7523 §3 expired this second"),
            pytest.param({"exp": at(-1)}, id="TOK-11 expired"),
            pytest.param({"exp": at(3611)}, id="exp over an hour ahead"),
            pytest.param({"exp": 1e300}, id="exp beyond any calendar"),
            pytest.param({"exp": -1e300}, id="exp before any calendar"),
            pytest.param({"exp": True}, id="exp a boolean"),
            pytest.param({"exp": str(at(60))}, id="exp a string"),
            pytest.param({"iat": at(62), "exp": at(122)}, id="PAR-09 iat 62 s ahead"),
            pytest.param({"nbf": at(62), "exp": at(122)}, id="PAR-09 nbf 62 s ahead"),
            pytest.param({"nbf": 1e300}, id="nbf beyond any calendar"),
            pytest.param({"jti": None}, id="RFC 7523 §3 jti missing"),
            pytest.param({"jti": ""}, id="jti empty"),
            pytest.param({"jti": "j" * 256}, id="jti too long"),
            pytest.param({"jti": 7}, id="jti a number"),
            pytest.param({"jti": "a\0b"}, id="jti with NUL"),
        ],
    )
    def test_refused(self, changes: dict[str, Any]) -> None:
        # PyJWT refuses to write some of these, so they are signed as bytes.
        payload = json.dumps({**CLAIMS, **changes}).encode()
        with pytest.raises(InvalidClientError) as caught:
            authenticate(sign_raw(b'{"alg":"ES256","kid":"ec"}', payload))
        assert not isinstance(caught.value, UnknownClientKeyError)

    @pytest.mark.parametrize(
        "assertion",
        [
            pytest.param(jwt.encode(CLAIMS, None, "none", {"kid": "ec"}), id="TOK-11 alg none"),
            pytest.param(jwt.encode(CLAIMS, "s" * 32, "HS256", {"kid": "ec"}), id="client_secret_jwt"),
            pytest.param(jwt.encode(CLAIMS, OTHER, "ES256", {"kid": "ec"}), id="another key"),
            pytest.param(
                jwt.encode(CLAIMS, OTHER, "ES256", {"kid": "ec", "jwk": public_jwk(OTHER)}),
                id="CVE-2026-27962 embedded jwk header",
            ),
            pytest.param(sign(CLAIMS, headers={"typ": "at+jwt"}), id="RFC 8725 §3.11 an access token"),
            pytest.param(sign(CLAIMS, headers={"typ": "dpop+jwt"}), id="RFC 8725 §3.11 a DPoP proof"),
            pytest.param(
                sign_raw(b'{"alg":"ES256","kid":"ec","typ":1}', json.dumps(CLAIMS).encode()), id="typ 1"
            ),
        ],
    )
    def test_a_forged_or_foreign_token_is_refused(self, assertion: str) -> None:
        with pytest.raises(InvalidClientError):
            authenticate(assertion)

    def test_only_the_registered_algorithm(self) -> None:
        """OpenID Registration §2 token_endpoint_auth_signing_alg."""
        client = make_client(token_endpoint_auth_signing_alg="ES256")
        authenticate(sign(CLAIMS, "ES256"), client)
        with pytest.raises(InvalidClientError):
            authenticate(sign(CLAIMS, "RS256"), client)

    def test_an_unknown_kid_asks_for_the_keys_again(self) -> None:
        """TOK-26."""
        with pytest.raises(UnknownClientKeyError):
            authenticate(sign(CLAIMS, headers={"kid": "new"}))

    def test_a_client_without_keys_is_refused(self) -> None:
        with pytest.raises(InvalidClientError):
            authenticate(sign(CLAIMS), keys=())

    @given(st.integers(min_value=0, max_value=600))
    def test_a_truncated_assertion_is_refused(self, cut: int) -> None:
        """Abuse 28."""
        assertion = sign(CLAIMS)
        with pytest.raises(InvalidClientError):
            authenticate(assertion[: cut % len(assertion)] or "x")

    def test_authlib_signs_what_we_accept(self) -> None:
        """Its own client takes the audience as `token_endpoint`."""
        pem = ES256.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        key = ECKey.import_key(pem)
        now = int(NOW.timestamp())
        authenticate(private_key_jwt_sign(key, "network", ISSUER, "ES256", issued_at=now))
        assert PrivateKeyJWT.name == "private_key_jwt"


def test_every_failure_reads_the_same() -> None:
    """Abuse P6 in small: no answer tells whether a client exists, is suspended or uses another method."""
    credentials = read_credentials(None, with_assertion(sign(CLAIMS)))
    wrong = read_credentials(None, with_assertion(sign({**CLAIMS, "aud": "x"})))
    said = set()
    reasons = set()
    for case, client in (
        (credentials, None),
        (credentials, make_client(client_id="other")),
        (credentials, make_client(status=ClientStatus.SUSPENDED)),
        (credentials, make_client(token_endpoint_auth_method="client_secret_basic")),
        (wrong, make_client()),
    ):
        with pytest.raises(InvalidClientError) as caught:
            verify_credentials(case, client, KEYS, issuer=ISSUER, now=NOW)
        said.add((caught.value.description, caught.value.status, caught.value.error))
        reasons.add(caught.value.detail)
    assert len(said) == 1
    assert len(reasons) == 4
    assert said.pop()[1:] == (401, "invalid_client")
