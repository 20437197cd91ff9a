"""Client registrations as reviewed files: `[client]` and `[policy]`. RFC 7591 §2, OpenID Registration §2.

`[client]` has the names of the standards. `[policy]` has ours:

    min_acr                 "vn-1" (default) … "vn-4"
    min_proofing            "vn1" (default), "vn2", "vnf"
    min_age                 full years, 0 … 120; absent: none
    max_links_per_citizen   1 … 1000; default 3
    link_validity           days as a number, "730d", or an ISO 8601 duration of days, weeks, months (30 days)
                            and years (365 days) such as "P730D" or "P2Y"; one day to ten years
    sector                  the host for which pairwise subjects are computed; default: the one host of
                            redirect_uris
    public_mark             true: accounts may show a mark that anybody can check, each if its person wants
                            it; default false
    profile_hosts           hosts that profile_uri of an account may have; default: the hosts of redirect_uris
                            and client_uri

A registration is refused with every reason at once, so that it is mended once. What is not understood is
refused as well: a reviewer who wrote it meant something by it.
"""

from collections.abc import Collection, Iterator, Mapping
from datetime import timedelta
from typing import Any

from idp.identity.account_links import LinkPolicy
from idp.identity.assurance import ACR_VALUES, Acr, Proofing, read_acr_value
from idp.protocol.authorization_request import SCOPES
from idp.protocol.jose import SIGNING_ALGORITHMS, JOSEError, parse_jwk, parse_jwk_set
from idp.protocol.jwe import find_encryption_key
from idp.protocol.metadata_reader import MetadataReader, host_of
from idp.protocol.model import Client
from idp.protocol.profile_metadata import (
    MEMBERS,
    check_profile,
    read_profile,
    read_profile_members,
)
from idp.protocol.profile_metadata import (
    POLICY_MEMBERS as PROFILE_POLICY_MEMBERS,
)
from idp.protocol.profiles import (
    CLIENT_SECRET_JWT,
    CODE_GRANT,
    GRANT_TYPES,
    METHODS,
    PRIVATE_KEY_JWT,
    REFRESH_GRANT,
    Profile,
    rules_of,
)
from idp.protocol.resources import ACCOUNT_LINK_SCOPES, SSF_SCOPES

CLIENT_MEMBERS = frozenset(
    {
        *MEMBERS,
        "application_type",
        "authorization_details_types",
        "client_id",
        "client_name",
        "client_uri",
        "contacts",
        "default_acr_values",
        "default_max_age",
        "grant_types",
        "id_token_signed_response_alg",
        "jwks",
        "jwks_uri",
        "logo_uri",
        "policy_uri",
        "redirect_uris",
        "require_auth_time",
        "response_types",
        "scope",
        "subject_type",
        "token_endpoint_auth_method",
        "token_endpoint_auth_signing_alg",
        "tos_uri",
        "userinfo_signed_response_alg",
    }
)
POLICY_MEMBERS = frozenset(
    {
        *PROFILE_POLICY_MEMBERS,
        "link_validity",
        "max_links_per_citizen",
        "min_acr",
        "min_age",
        "min_proofing",
        "profile_hosts",
        "public_mark",
        "sector",
    }
)


class InvalidClientMetadataError(ValueError):
    """A registration that is refused, with every reason: RFC 7591 §3.2.2 invalid_client_metadata."""

    def __init__(self, reasons: tuple[str, ...]) -> None:
        super().__init__("; ".join(reasons))
        self.reasons = reasons


def read_client(metadata: Mapping[str, object], policy: Mapping[str, object], client_id: str) -> Client:
    """Read a registration into a client without secrets. Raises InvalidClientMetadataError.

    `client_id` is the one that the client gets; a file that fixes another one contradicts itself.
    """
    client = MetadataReader("client", metadata, CLIENT_MEMBERS)
    rules = MetadataReader("policy", policy, POLICY_MEMBERS)
    _check_identity(client, client_id)
    _check_fixed_members(client)
    profile = read_profile(rules)
    grant_types, scope = _read_grants(client)
    redirect_uris = client.redirect_uris("redirect_uris", required=CODE_GRANT in grant_types)
    client_uri = client.web_uri("client_uri")
    hosts = frozenset(host for uri in redirect_uris if (host := host_of(uri)))
    members = read_profile_members(client, rules, profile)
    read = Client(
        client_id=client_id,
        client_name=client.display_text("client_name", 100, required=True),
        redirect_uris=redirect_uris,
        token_endpoint_auth_method=client.choice(
            "token_endpoint_auth_method", METHODS, "client_secret_basic"
        ),
        sector=_read_sector(rules, hosts, members["sector_identifier_uri"], client_uri),
        grant_types=grant_types,
        scope=scope,
        jwks=_read_jwks(client),
        jwks_uri=client.web_uri("jwks_uri"),
        token_endpoint_auth_signing_alg=client.choice(
            "token_endpoint_auth_signing_alg", {*SIGNING_ALGORITHMS, "HS256"}, None
        ),
        id_token_signed_response_alg=client.choice(
            "id_token_signed_response_alg", SIGNING_ALGORITHMS, _default_algorithm(profile)
        ),
        userinfo_signed_response_alg=client.choice("userinfo_signed_response_alg", SIGNING_ALGORITHMS, None),
        default_max_age=client.integer("default_max_age", 0, 365 * 86400),
        default_acr_values=tuple(map(read_acr_value, client.choices("default_acr_values", list(ACR_VALUES)))),
        client_uri=client_uri,
        logo_uri=client.logo_uri("logo_uri"),
        policy_uri=client.web_uri("policy_uri"),
        tos_uri=client.web_uri("tos_uri"),
        contacts=client.texts("contacts", 10, 254),
        policy=_read_policy(rules),
        profile_hosts=_read_profile_hosts(rules, hosts, client_uri),
        public_mark=rules.boolean("public_mark") or False,
        **members,
    )
    _check_keys(client, read)
    check_profile(client, read)
    if client.reasons or rules.reasons:
        raise InvalidClientMetadataError((*client.reasons, *rules.reasons))
    return read


def _default_algorithm(profile: Profile) -> str:
    """OpenID Registration §2: RS256 where nothing is stated; where a profile forbids it, ES256."""
    return "RS256" if "RS256" in rules_of(profile).signing_algorithms else "ES256"


def _check_identity(client: MetadataReader, client_id: str) -> None:
    if not 0 < len(client_id) <= 255 or not client_id.isascii() or not client_id.isprintable():
        client.refuse("client_id", "must be 1 to 255 printable ASCII characters")
    if client.text("client_id", 255) not in {None, client_id}:
        client.refuse("client_id", "is not the id that the client has")


def _check_fixed_members(client: MetadataReader) -> None:
    """Accept members of the standards that have one possible value here, so that files may state it."""
    client.choice("subject_type", {"pairwise"}, "pairwise")
    client.boolean("require_auth_time")
    client.choices("response_types", {"code"}, may_be_empty=True)
    client.choices("authorization_details_types", {"account_link"})


def _read_grants(client: MetadataReader) -> tuple[frozenset[str], frozenset[str]]:
    grant_types = frozenset(client.choices("grant_types", GRANT_TYPES, ("authorization_code",)))
    value = client.text("scope", 200)
    scope = frozenset({"openid"} if value is None else value.split(" "))
    unknown = scope - SCOPES - ACCOUNT_LINK_SCOPES - SSF_SCOPES
    if unknown:
        client.refuse("scope", f"has no value {min(unknown)!r}; it may hold {' '.join(sorted(SCOPES))}")
    if not scope - {"offline_access"}:
        client.refuse("scope", "grants nothing")
    if "offline_access" in scope and REFRESH_GRANT not in grant_types:
        client.refuse("scope", "has offline_access, which needs the grant type refresh_token")
    return grant_types, scope


def _read_jwks(client: MetadataReader) -> dict[str, object] | None:
    """Keep of each key what RFC 7517 §4 knows: strings and lists; the file may say more about it."""
    jwks = client.mapping("jwks")
    keys = None if jwks is None else jwks.get("keys")
    if not isinstance(keys, list):
        return None if jwks is None else {"keys": None}
    return {"keys": [_key_members(key) if isinstance(key, Mapping) else None for key in keys]}


def _key_members(key: Mapping[str, object]) -> dict[str, object]:
    return {name: value for name, value in key.items() if isinstance(value, str) or _is_texts(value)}


def _is_texts(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(text, str) for text in value)


def _check_keys(client: MetadataReader, read: Client) -> None:
    """RFC 7591 §2: jwks or jwks_uri, never both; whoever signs, or is encrypted to, has one of them."""
    if read.jwks is not None and read.jwks_uri is not None:
        client.refuse("jwks", "and jwks_uri exclude each other")
    algorithm = read.token_endpoint_auth_signing_alg
    if read.token_endpoint_auth_method == PRIVATE_KEY_JWT:
        if algorithm == "HS256":
            client.refuse("token_endpoint_auth_signing_alg", "HS256 is for client_secret_jwt alone")
    elif algorithm is not None and (read.token_endpoint_auth_method, algorithm) != (
        CLIENT_SECRET_JWT,
        "HS256",
    ):
        client.refuse("token_endpoint_auth_signing_alg", "does not fit token_endpoint_auth_method")
    encryption = {read.id_token_encrypted_response_alg, read.userinfo_encrypted_response_alg} - {None}
    if read.jwks is None:
        if read.jwks_uri is None:
            for purpose in _purposes_of_keys(read, encryption):
                client.refuse("jwks", f"or jwks_uri is needed for {purpose}")
        return
    _check_registered_keys(client, read, read.jwks)
    for wanted in sorted(filter(None, encryption)):
        if find_encryption_key(read.jwks, wanted) is None:
            client.refuse("jwks", f"has no key to encrypt to with {wanted}")


def _purposes_of_keys(read: Client, encryption: Collection[str | None]) -> Iterator[str]:
    if read.token_endpoint_auth_method == PRIVATE_KEY_JWT:
        yield PRIVATE_KEY_JWT
    if read.require_signed_request_object:
        yield "signed requests"
    if encryption:
        yield "encrypted answers"


def _check_registered_keys(client: MetadataReader, read: Client, jwks: Mapping[str, Any]) -> None:
    """RFC 7517 §5: public, strong, well-formed; with one that signs, unless all of them are to encrypt to."""
    entries = jwks["keys"]
    only_encrypts = bool(entries) and all(
        isinstance(entry, Mapping) and entry.get("use") == "enc" for entry in entries or ()
    )
    signs = read.token_endpoint_auth_method == PRIVATE_KEY_JWT or read.require_signed_request_object
    try:
        # What `parse_jwk` passes over it has looked at: private material refuses a key for any use.
        keys = [parse_jwk(entry) for entry in entries] if only_encrypts else parse_jwk_set(jwks)
    except JOSEError as error:
        client.refuse("jwks", f"is refused: {error}")
        return
    algorithm = read.token_endpoint_auth_signing_alg
    usable = SIGNING_ALGORITHMS if algorithm in {None, "HS256"} else {algorithm}
    if (signs or not only_encrypts) and not any(key is not None and usable & key.algorithms for key in keys):
        client.refuse("jwks", f"has no key for {' or '.join(sorted(usable))}")


def _read_sector(
    rules: MetadataReader, hosts: frozenset[str], sector_identifier_uri: str | None, client_uri: str | None
) -> str:
    """OpenID Connect Core §8.1: the host of sector_identifier_uri or of the redirect URIs, or stated.

    A client without redirect URIs (CIBA, client_credentials) is known by its own address.
    """
    sector = rules.host("sector")
    if sector is None and sector_identifier_uri is not None:
        sector = host_of(sector_identifier_uri)
    if sector is None and not hosts and client_uri is not None:
        sector = host_of(client_uri)
    if sector is None and len(hosts) != 1:
        if hosts:
            rules.refuse("sector", f"is needed: redirect_uris have the hosts {', '.join(sorted(hosts))}")
        else:
            rules.refuse("sector", "is needed: no redirect URI has a host")
    return sector or min(hosts, default="")


def _read_profile_hosts(
    rules: MetadataReader, hosts: frozenset[str], client_uri: str | None
) -> frozenset[str]:
    if rules.has("profile_hosts"):
        return frozenset(rules.hosts("profile_hosts"))
    own = host_of(client_uri) if client_uri else None
    return hosts | {own} if own else hosts


def _read_policy(rules: MetadataReader) -> LinkPolicy:
    default = LinkPolicy()
    validity = rules.days("link_validity", 1, 3650)
    most = rules.integer("max_links_per_citizen", 1, 1000)
    return LinkPolicy(
        min_proofing=Proofing(rules.choice("min_proofing", list(Proofing), default.min_proofing.value)),
        min_acr=Acr(rules.choice("min_acr", list(Acr), default.min_acr.value)),
        min_age=rules.integer("min_age", 0, 120),
        max_links_per_citizen=default.max_links_per_citizen if most is None else most,
        link_validity=default.link_validity if validity is None else timedelta(days=validity),
    )
