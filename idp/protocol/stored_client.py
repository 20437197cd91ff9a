"""A client's registration as one JSON document, to be kept and read back. RFC 7591 §2 names.

Secrets and status are kept beside it, since they change without the registration: `load_client` gives the
client back active and without secrets.
"""

import dataclasses
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

import orjson

from idp.identity.account_links import LinkPolicy
from idp.identity.assurance import Acr, Proofing, read_acr_value
from idp.protocol.model import Client
from idp.protocol.profiles import Profile

_KEPT_ELSEWHERE = frozenset({"secrets", "status"})


def dump_client(client: Client) -> str:
    """Return the registration as JSON with sorted members, equal for equal clients."""
    document = {
        field.name: _plain(getattr(client, field.name))
        for field in dataclasses.fields(client)
        if field.name not in _KEPT_ELSEWHERE
    }
    return orjson.dumps(document, option=orjson.OPT_SORT_KEYS).decode()


def load_client(document: str) -> Client:
    """Return the client of a document made by `dump_client`. Members that are missing take their defaults."""
    members: dict[str, Any] = orjson.loads(document)
    return Client(
        **{name: _READERS[name](value) if name in _READERS else value for name, value in members.items()}
    )


def _plain(value: object) -> object:
    match value:
        case frozenset():
            return sorted(value)
        case timedelta():
            return int(value.total_seconds())
        case LinkPolicy():
            return {field.name: _plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    return value


def _policy(members: Mapping[str, Any]) -> LinkPolicy:
    return LinkPolicy(
        **{
            **members,
            "min_proofing": Proofing(members["min_proofing"]),
            "min_acr": Acr(members["min_acr"]),
            "link_validity": timedelta(seconds=members["link_validity"]),
        }
    )


_READERS: Mapping[str, Callable[[Any], Any]] = {
    "redirect_uris": tuple,
    "grant_types": frozenset,
    "scope": frozenset,
    "default_acr_values": lambda values: tuple(map(read_acr_value, values)),
    "contacts": tuple,
    "policy": _policy,
    "profile_hosts": frozenset,
    "profile": Profile,
    "post_logout_redirect_uris": tuple,
    "introspects": frozenset,
}
