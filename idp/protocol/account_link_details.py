"""Authorization details of type `account_link`: which account a platform wants linked. RFC 9396."""

import re
from collections.abc import Mapping
from collections.abc import Set as AbstractSet

from idp.identity.account_links import AccountLink, AccountLinkRequest
from idp.identity.display_text import is_displayable
from idp.protocol.errors import InvalidAuthorizationDetailsError
from idp.protocol.parameters import printable
from idp.protocol.strict_json import StrictJSONError, read_json
from idp.protocol.web_uris import WebURIError, read_web_uri

TYPE = "account_link"
MEMBERS: frozenset[str] = frozenset({"type", "account_id", "handle", "profile_uri", "purpose"})

MAX_ACCOUNT_ID = 255
MAX_HANDLE = 64
MAX_PROFILE_URI = 500
_PURPOSE = re.compile(r"[a-z_]{1,40}")


def read_account_link(authorization_details: str, profile_hosts: AbstractSet[str]) -> AccountLinkRequest:
    """Read the `authorization_details` parameter. RFC 9396 §2, §5.

    `profile_hosts` are the hosts that the client registered. Raises InvalidAuthorizationDetailsError.
    """
    details = _only_object(authorization_details)
    if details.get("type") != TYPE:
        raise InvalidAuthorizationDetailsError(f"the only type of authorization_details is {TYPE}")
    unknown = details.keys() - MEMBERS
    if unknown:
        # RFC 9396 §5: an object that "contains unknown fields" is refused, never half understood.
        known = ", ".join(sorted(MEMBERS))
        raise InvalidAuthorizationDetailsError(
            f"{TYPE} has no member {printable(min(unknown))}; its members are {known}"
        )
    return AccountLinkRequest(
        account_id=read_account_id(details),
        handle=read_handle(details),
        profile_uri=read_profile_uri(details, profile_hosts),
        purpose=_purpose(details),
    )


def enriched(link: AccountLink, receipt: str | None = None) -> list[dict[str, str]]:
    """Return the `authorization_details` of the token response. RFC 9396 §7, §7.1 (enriched details).

    `receipt` is what the client keeps of the link, where one is given (see `idp.protocol.link_receipt`).
    """
    members = {
        "type": TYPE,
        "link_id": link.link_id,
        "account_id": link.account_id,
        "handle": link.handle,
        "profile_uri": link.profile_uri,
        "purpose": link.purpose,
        "receipt": receipt,
    }
    return [{name: value for name, value in members.items() if value is not None}]


def _only_object(authorization_details: str) -> dict[str, object]:
    try:
        document = read_json(authorization_details)
    except StrictJSONError as error:
        raise InvalidAuthorizationDetailsError(f"authorization_details {error}") from None
    if not isinstance(document, list) or not all(isinstance(item, dict) for item in document):
        raise InvalidAuthorizationDetailsError("authorization_details must be an array of objects")
    if len(document) != 1:
        # One consent names one account; two at once could not be told apart by the person.
        raise InvalidAuthorizationDetailsError(f"authorization_details must hold exactly one {TYPE}")
    only: dict[str, object] = document[0]
    return only


def _text(details: Mapping[str, object], name: str) -> str | None:
    value = details.get(name)
    if name in details and not isinstance(value, str):
        raise InvalidAuthorizationDetailsError(f"{name} must be a string")
    return value if isinstance(value, str) else None


def read_account_id(details: Mapping[str, object]) -> str:
    """Return the platform's immutable id of the account. Raises InvalidAuthorizationDetailsError."""
    account_id = _text(details, "account_id")
    if account_id is None:
        raise InvalidAuthorizationDetailsError("account_id is required")
    if len(account_id) > MAX_ACCOUNT_ID or not is_displayable(account_id):
        raise InvalidAuthorizationDetailsError(
            f"account_id must be 1 to {MAX_ACCOUNT_ID} characters, all visible"
        )
    return account_id


def read_handle(details: Mapping[str, object]) -> str | None:
    """Return how the account is called where people see it. Raises InvalidAuthorizationDetailsError."""
    handle = _text(details, "handle")
    if handle is not None and (len(handle) > MAX_HANDLE or not is_displayable(handle)):
        raise InvalidAuthorizationDetailsError(f"handle must be 1 to {MAX_HANDLE} characters, all visible")
    return handle


def read_profile_uri(details: Mapping[str, object], profile_hosts: AbstractSet[str]) -> str | None:
    """Return where the account is seen, on a registered host. Raises InvalidAuthorizationDetailsError."""
    profile_uri = _text(details, "profile_uri")
    if profile_uri is None:
        return None
    if len(profile_uri) > MAX_PROFILE_URI:
        raise InvalidAuthorizationDetailsError(f"profile_uri is longer than {MAX_PROFILE_URI} characters")
    try:
        host = read_web_uri(profile_uri).host
    except WebURIError as error:
        raise InvalidAuthorizationDetailsError(f"profile_uri: {error}") from None
    if host not in profile_hosts:
        raise InvalidAuthorizationDetailsError("profile_uri has a host that the client did not register")
    return profile_uri


def _purpose(details: dict[str, object]) -> str | None:
    purpose = _text(details, "purpose")
    if purpose is not None and not _PURPOSE.fullmatch(purpose):
        raise InvalidAuthorizationDetailsError("purpose must be 1 to 40 lower-case letters or underscores")
    return purpose
