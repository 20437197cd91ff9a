"""What an operator writes about upstreams: one JSON object of them, by id. UPSTREAMS.md explains each member.

Everything that differs between providers stands here and nowhere in the code: addresses, names of claims,
what their levels mean. A member that is not known is refused, so that nothing is believed by mistake.
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    TypeAdapter,
    ValidationError,
    model_validator,
)

from idp.identity.assurance import Proofing, authentication_context
from idp.protocol.jose import JOSEError, read_json_object
from idp.protocol.web_uris import WebURIError, read_web_uri

_ID = re.compile(r"[a-z][a-z0-9-]{0,31}")
_PLAIN = re.compile(r"[A-Za-z0-9._-]+")
"""What is the same before and after form encoding (RFC 6749 §2.3.1): there, implementations differ."""
_ANY_MOMENT = datetime(2000, 1, 1, tzinfo=UTC)


class UpstreamConfigurationError(ValueError):
    """The file of upstreams cannot be used; the message names each member and what is wrong with it."""


def _check_address(uri: str) -> str:
    try:
        read_web_uri(uri)
    except WebURIError as error:
        raise ValueError(str(error)) from error
    return uri


def _check_issuer(uri: str) -> str:
    _check_address(uri)
    if "?" in uri or uri.endswith("/"):
        raise ValueError("must have no query, and no slash at the end")
    return uri


def _check_amr(amr: tuple[str, ...]) -> tuple[str, ...]:
    if amr:
        authentication_context(amr, _ANY_MOMENT)
    return amr


Address = Annotated[str, AfterValidator(_check_address)]
Pointer = Annotated[str, Field(min_length=1, max_length=200)]
"""Where a value stands: a claim's name, or a JSON Pointer (RFC 6901) where it begins with a slash."""
AMR = Annotated[tuple[str, ...], AfterValidator(_check_amr)]
"""Authentication methods of our own vocabulary (RFC 8176)."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Translated(_Strict):
    """A claim whose values are those of the upstream, and what each means here."""

    claim: Pointer
    values: Mapping[str, AMR] = Field(min_length=1)


class TranslatedProofing(_Strict):
    """As Translated, for how an identity was proofed."""

    claim: Pointer
    values: Mapping[str, Proofing] = Field(min_length=1)


class Attributes(_Strict):
    """Where the members of a line of the register stand; all but the number are for first arrivals alone."""

    personal_number: Pointer
    name: Pointer | None = None
    birthdate: Pointer | None = None
    gender: Pointer | None = None
    nationality: Pointer | None = None
    phone_number: Pointer | None = None
    email: Pointer | None = None
    address: Pointer | None = None
    proofed_at: Pointer | None = None


class Mapped(_Strict):
    """What an upstream's claims mean."""

    subject: Pointer = "sub"
    attributes: Attributes
    birthdate_format: Literal["iso", "dd/mm/yyyy"] = "iso"
    always: AMR = ()
    """What every sign-in there proves, whatever it says."""
    level: Translated | None = None
    """A value that is not in the table refuses the sign-in."""
    methods: Translated | None = None
    """A list of values; those that are not in the table count for nothing."""
    proofing: TranslatedProofing | None = None
    create: bool = False
    """Whether somebody whom the register does not know is entered into it."""

    @model_validator(mode="after")
    def _check_enough(self) -> Self:
        if not (self.always or self.level or self.methods):
            raise ValueError("one of always, level and methods has to say what a sign-in there proves")
        if self.create and (
            self.proofing is None or self.attributes.name is None or self.attributes.birthdate is None
        ):
            raise ValueError("create needs proofing, and the attributes name and birthdate")
        return self


class ClientSecret(_Strict):
    """RFC 6749 §2.3.1."""

    method: Literal["client_secret_basic", "client_secret_post"]
    secret_file: str


class PrivateKeyJWT(_Strict):
    """RFC 7523 §2.2, the audience being the issuer."""

    method: Literal["private_key_jwt"]
    key_file: str
    """A private JWK with its `kid`."""
    algorithm: Literal["ES256", "PS256", "RS256", "EdDSA"] = "ES256"


class _Common(_Strict):
    name: Mapping[str, Annotated[str, Field(min_length=1, max_length=60)]]
    """How people know it, in each language of the pages."""
    client_id: Annotated[str, Field(min_length=1, max_length=255)]
    mapping: Mapped

    @model_validator(mode="after")
    def _check_name(self) -> Self:
        if self.name.keys() != {"vi", "en"}:
            raise ValueError("name needs vi and en, and nothing else")
        return self


class OpenIDConfiguration(_Common):
    """A standard OpenID provider."""

    kind: Literal["openid"]
    issuer: Annotated[str, AfterValidator(_check_issuer)]
    client_authentication: ClientSecret | PrivateKeyJWT = Field(discriminator="method")
    scope: str = "openid"
    acr_values: str = ""
    """What is asked for, as the upstream calls it; what was reached is in `mapping`."""
    id_token_algorithms: frozenset[Literal["ES256", "ES384", "PS256", "RS256", "EdDSA"]] = Field(
        default=frozenset({"ES256"}), min_length=1
    )
    userinfo: Literal["none", "json", "signed"] = "none"
    signs_in_anew: bool = False
    """Whether everybody who is sent there signs in there, each time; needed where auth_time is not told."""

    @model_validator(mode="after")
    def _check_openid(self) -> Self:
        if "openid" not in self.scope.split():
            raise ValueError("scope has to hold openid")
        _check_plain(self.client_id, self.client_authentication)
        return self


class EncryptedBody(_Strict):
    """How the dialect's userinfo is asked for and encrypted."""

    method: Literal["GET", "POST"] = "GET"
    within: Pointer | None = None
    """Where in a JSON answer the JWE stands; None where it is the whole body."""
    algorithm: Literal["dir", "ECDH-ES"]
    encryption: Literal["A128GCM", "A256GCM", "A128CBC-HS256", "A256CBC-HS512"] = "A256GCM"
    key_file: str
    """A JWK: the shared secret (`oct`) for dir, our private key (`EC`) for ECDH-ES."""


class DialectConfiguration(_Common):
    """A provider that speaks OAuth 2.0 without an ID token and encrypts its userinfo."""

    kind: Literal["dialect"]
    authorization_endpoint: Address
    token_endpoint: Address
    userinfo_endpoint: Address
    client_authentication: ClientSecret
    issuer: str | None = None
    """The `iss` that its authorization responses hold (RFC 9207); None where they hold none."""
    scope: str = ""
    parameters: Mapping[str, str] = Field(default_factory=dict)
    """More parameters of the authorization request, always the same."""
    fresh_parameters: Mapping[str, str] = Field(default_factory=dict)
    """More parameters where the person is to sign in anew there."""
    has_pkce: bool = True
    """False only where the upstream refuses the parameters: nothing else protects a stolen code there."""
    userinfo: EncryptedBody
    token_subject: Pointer | None = None
    """Where the token response names the person; then userinfo has to be about the same one."""
    auth_time: Pointer | None = None
    """Where userinfo says when the person signed in, in seconds since 1970."""
    signs_in_anew: bool = False
    """Whether everybody who is sent there signs in there, each time; needed where auth_time is not told."""

    @model_validator(mode="after")
    def _check_dialect(self) -> Self:
        if self.auth_time is None and not self.signs_in_anew:
            raise ValueError("auth_time has to be told, or signs_in_anew be true")
        reserved = (self.parameters.keys() | self.fresh_parameters.keys()) & _OWN_PARAMETERS
        if reserved:
            raise ValueError(f"parameters must not hold {min(reserved)}")
        _check_plain(self.client_id, self.client_authentication)
        return self


_OWN_PARAMETERS = frozenset(
    {
        "client_id",
        "code_challenge",
        "code_challenge_method",
        "redirect_uri",
        "response_mode",
        "response_type",
        "scope",
        "state",
    }
)


def _check_plain(client_id: str, authentication: ClientSecret | PrivateKeyJWT) -> None:
    if authentication.method == "client_secret_basic" and not _PLAIN.fullmatch(client_id):
        raise ValueError("client_secret_basic needs a client_id of letters, digits, . _ and -")


UpstreamConfiguration = OpenIDConfiguration | DialectConfiguration

_UPSTREAMS: TypeAdapter[dict[str, UpstreamConfiguration]] = TypeAdapter(
    dict[str, Annotated[UpstreamConfiguration, Field(discriminator="kind")]]
)


def read_upstreams(document: bytes) -> dict[str, UpstreamConfiguration]:
    """Read the file of upstreams. Raises UpstreamConfigurationError, which quotes no value."""
    try:
        found = _UPSTREAMS.validate_python(read_json_object(document))
    except JOSEError as error:
        raise UpstreamConfigurationError(str(error)) from error
    except ValidationError as error:
        problems = [
            f"{'.'.join(map(str, problem['loc']))}: {problem['msg']}"
            for problem in error.errors(include_url=False, include_input=False)
        ]
        raise UpstreamConfigurationError("; ".join(problems)) from error
    for upstream_id in found:
        if not _ID.fullmatch(upstream_id):
            raise UpstreamConfigurationError("an id has up to 32 small letters, digits and hyphens")
    return found
