"""A client that registers itself. RFC 7591 §2, §3; RFC 7592 §2.2, §3; OpenID Connect Registration §2, §3.

What is not understood is ignored here (RFC 7591 §2), where a reviewed file that says it is refused. What is
left out takes the default of the standard; a name, the scope and the sector are chosen here.
"""

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from idp.identity.assurance import parse_acr
from idp.protocol.account_link_details import TYPE as ACCOUNT_LINK
from idp.protocol.client_metadata import CLIENT_MEMBERS, InvalidClientMetadataError, read_client
from idp.protocol.errors import InvalidRedirectURIError, RefusedClientMetadataError
from idp.protocol.metadata_reader import host_of
from idp.protocol.model import Client
from idp.protocol.profiles import CODE_GRANT, NONE, PRIVATE_KEY_JWT, REFRESH_GRANT
from idp.protocol.registration_policy import RegistrationPolicy, check_registration
from idp.protocol.sector_identifier import answers_go_straight_back
from idp.protocol.web_uris import LOOPBACK_HOSTS

MAX_DESCRIPTION = 1000
"""Characters of `error_description`."""

_NOT_FOR_DESCRIPTIONS = re.compile(r"[^ !#-\[\]-~]")
_DEFAULT_SCOPES = frozenset({"openid", "profile", "email", "phone", "address"})


def read_registration(
    metadata: Mapping[str, Any], policy: RegistrationPolicy, client_id: str, issuer: str
) -> Client:
    """Return the client that results, without secrets, judged by the policy.

    Raises InvalidRedirectURIError, RefusedClientMetadataError.
    """
    stated = {
        name: value for name, value in metadata.items() if name in CLIENT_MEMBERS and value is not None
    } | {"client_id": client_id}
    with_defaults = _with_defaults(stated, policy, client_id, issuer)
    try:
        client = read_client(with_defaults, _rules(with_defaults, policy, client_id), client_id)
    except InvalidClientMetadataError as refused:
        raise _refusal(refused.reasons) from refused
    client = replace(client, is_sandbox=policy.is_sandbox)
    check_registration(client, policy)
    return client


def _refusal(reasons: tuple[str, ...]) -> InvalidRedirectURIError | RefusedClientMetadataError:
    """RFC 7591 §3.2.2: ASCII, without quotes; `invalid_redirect_uri` where nothing else is wrong."""
    named = [reason.partition(".")[2].replace("sector is", "sector_identifier_uri is") for reason in reasons]
    text = _NOT_FOR_DESCRIPTIONS.sub("?", "; ".join(named).replace('"', "'"))[:MAX_DESCRIPTION]
    if all(reason.startswith("redirect_uris ") for reason in named):
        return InvalidRedirectURIError(text)
    return RefusedClientMetadataError(text)


def _with_defaults(
    stated: Mapping[str, Any], policy: RegistrationPolicy, client_id: str, issuer: str
) -> Mapping[str, Any]:
    """RFC 7591 §2: what the server may choose where the client is silent."""
    chosen = dict(stated)
    chosen.setdefault("client_name", _name_for(stated, client_id))
    chosen.setdefault("scope", _scope_for(stated, policy))
    levels = stated.get("default_acr_values")
    if isinstance(levels, list):
        # The metadata names levels as addresses; a registration keeps their short form.
        chosen["default_acr_values"] = [_short_acr(level, issuer) for level in levels]
    return chosen


def _name_for(stated: Mapping[str, Any], client_id: str) -> str:
    return next(iter(_redirect_hosts(stated)), None) or client_id


def _scope_for(stated: Mapping[str, Any], policy: RegistrationPolicy) -> str:
    """All that the policy lets a client ask for; access while the person is away, to a client that renews."""
    grant_types = stated.get("grant_types", [CODE_GRANT])
    wanted = set(_DEFAULT_SCOPES)
    if isinstance(grant_types, list) and REFRESH_GRANT in grant_types:
        wanted.add("offline_access")
    return " ".join(sorted(wanted & policy.scopes)) or "openid"


def _short_acr(level: object, issuer: str) -> object:
    short = parse_acr(level, issuer) if isinstance(level, str) else None
    return level if short is None else short.value


def _rules(stated: Mapping[str, Any], policy: RegistrationPolicy, client_id: str) -> Mapping[str, object]:
    """Return `[policy]` as an operator would have to write it for this client."""
    rules: dict[str, object] = {
        "profile": policy.profile.value,
        # PKCE is all that a public client has (RFC 9700 §2.1.1).
        "require_pkce": policy.is_pkce_required or stated.get("token_endpoint_auth_method") == NONE,
        # Not the host of client_uri: nobody has shown that it is the client's.
        "profile_hosts": sorted(_redirect_hosts(stated)),
    }
    sector = None if "sector_identifier_uri" in stated else _sector_for(stated, client_id)
    return rules if sector is None else rules | {"sector": sector}


def _redirect_hosts(stated: Mapping[str, Any]) -> frozenset[str]:
    return frozenset(host for uri in _redirect_uris(stated) if (host := host_of(uri)) is not None)


def _redirect_uris(stated: Mapping[str, Any]) -> list[str]:
    uris = stated.get("redirect_uris")
    return [uri for uri in uris if isinstance(uri, str)] if isinstance(uris, list) else []


def _sector_for(stated: Mapping[str, Any], client_id: str) -> str | None:
    """Return the one host that gets all answers, else a sector of the client's own; None for several hosts.

    OpenID Connect Core §8.1 has several hosts state a `sector_identifier_uri`. Nobody is given the subjects
    of a host that gets only some of the answers (the rest go to an app, to a loopback address, or straight to
    whoever polls), or that is merely named (`client_uri`): abuse case P7.
    """
    if len(_redirect_hosts(stated) - LOOPBACK_HOSTS) > 1:
        return None
    recipients = {host_of(uri) for uri in _redirect_uris(stated)}
    if not recipients or answers_go_straight_back(stated.get("grant_types")):
        recipients.add(_host_of_keys(stated))
    host = recipients.pop()
    is_alone = not recipients and host is not None and host not in LOOPBACK_HOSTS
    return host if is_alone else f"client-{client_id}.invalid"


def _host_of_keys(stated: Mapping[str, Any]) -> str | None:
    """CIBA Core §4: the host of `jwks_uri` stands for a client that proves itself with its keys."""
    jwks_uri = stated.get("jwks_uri")
    if not isinstance(jwks_uri, str) or stated.get("token_endpoint_auth_method") != PRIVATE_KEY_JWT:
        return None
    return host_of(jwks_uri)


def registered_metadata(client: Client) -> dict[str, Any]:
    """Return everything that is registered, defaults included: RFC 7591 §3.2.1, RFC 7592 §3."""
    document: dict[str, Any] = {"client_id": client.client_id}
    for name in sorted(CLIENT_MEMBERS & set(Client.__dataclass_fields__)):
        value = getattr(client, name)
        if value is not None and value != ():
            document[name] = sorted(value) if isinstance(value, frozenset) else value
    is_redirected = CODE_GRANT in client.grant_types
    return document | {
        "redirect_uris": client.redirect_uris,
        "scope": " ".join(sorted(client.scope)),
        "response_types": ["code"] if is_redirected else [],
        "subject_type": "pairwise",
        "require_auth_time": True,
        **({"authorization_details_types": [ACCOUNT_LINK]} if is_redirected else {}),
    }
