"""A relying party's wish that a person be signed out. OpenID Connect RP-Initiated Logout 1.0.

Anybody can send a browser here, so nothing is believed but an ID token of ours: it names the client, and by
that the addresses that a browser may be sent to afterwards. Without one a person is asked, and stays here.
"""

import re
from collections.abc import Collection
from dataclasses import dataclass

from idp.protocol.authorization_request import MAX_STATE
from idp.protocol.errors import UntrustedRequestError
from idp.protocol.jose import JOSEError, PublicKey
from idp.protocol.model import Client, ClientStatus, Policy
from idp.protocol.parameters import Parameters, printable
from idp.protocol.tokens import pairwise_sid, read_id_token

_STATE = re.compile(rf"[ -~]{{1,{MAX_STATE}}}")
_MOST_LOCALES = 10


class UntrustedLogoutError(UntrustedRequestError):
    """The wish is not proven, so nobody is signed out and nothing redirects: a page says so."""


@dataclass(frozen=True, slots=True)
class LogoutHint:
    """An ID token that was verified; made by `verify_logout_hint` alone."""

    client_id: str
    subject: str
    sid: str | None


@dataclass(frozen=True, slots=True)
class LogoutRequest:
    """A wish that was read and checked; made by `read_logout_request` alone."""

    hint: LogoutHint | None = None
    post_logout_redirect_uri: str | None = None
    """Where the browser goes afterwards: registered by the client of the hint, byte for byte."""
    state: str | None = None
    ui_locales: tuple[str, ...] = ()


def verify_logout_hint(token: str, keys: Collection[PublicKey], policy: Policy) -> LogoutHint:
    """Verify an `id_token_hint`: RP-Initiated Logout §2, §4. Raises UntrustedLogoutError.

    "The OP SHOULD accept ID Tokens when the RP identified by the ID Token's aud claim and/or sid claim has a
    current session or had a recent session at the OP, even when the exp time has passed." The signature is
    never optional (CVE-2026-18569).
    """
    try:
        claims = read_id_token(token, keys)
    except JOSEError as error:
        raise UntrustedLogoutError("id_token_hint is not an ID token of ours", detail=str(error)) from error
    client_id, subject, sid = claims["aud"], claims["sub"], claims.get("sid")
    if claims["iss"] != policy.issuer or not isinstance(client_id, str) or not isinstance(subject, str):
        raise UntrustedLogoutError("id_token_hint is not an ID token of ours")
    if sid is not None and not isinstance(sid, str):
        raise UntrustedLogoutError("id_token_hint is not an ID token of ours", detail="sid is no string")
    return LogoutHint(client_id, subject, sid)


def read_logout_request(
    parameters: Parameters, hint: LogoutHint | None, client: Client | None
) -> LogoutRequest:
    """Check the parameters against the hint and the client it names. Raises UntrustedLogoutError.

    `logout_hint` decides nothing. An address without a hint is ignored: the person is asked, and stays.
    """
    if parameters.repeated:
        raise UntrustedLogoutError(f"parameter {printable(min(parameters.repeated))} is repeated")
    locales = tuple(parameters.get("ui_locales", "").split(" ")[:_MOST_LOCALES])
    if hint is None:
        return LogoutRequest(ui_locales=locales)
    if client is None or client.client_id != hint.client_id:
        raise UntrustedLogoutError("id_token_hint was issued to a client that is not registered")
    if parameters.get("client_id", hint.client_id) != hint.client_id:
        raise UntrustedLogoutError("id_token_hint was issued to another client than client_id")
    uri, state = parameters.get("post_logout_redirect_uri"), parameters.get("state")
    if uri is None:
        return LogoutRequest(hint, ui_locales=locales)
    check_post_logout_redirect_uri(uri, client)
    if state is not None and not _STATE.fullmatch(state):
        raise UntrustedLogoutError(f"state must be printable ASCII of at most {MAX_STATE} characters")
    return LogoutRequest(hint, uri, state, locales)


def check_post_logout_redirect_uri(uri: str, client: Client) -> None:
    """RP-Initiated Logout §3: "exactly match", as simple strings. Raises UntrustedLogoutError."""
    if client.status is not ClientStatus.ACTIVE:
        raise UntrustedLogoutError("the client is suspended")
    if uri not in client.post_logout_redirect_uris:
        raise UntrustedLogoutError("post_logout_redirect_uri is not registered", detail=uri[:500])


def is_meant(hint: LogoutHint, client: Client, *, subject: str, session_id: str) -> bool:
    """Tell whether a session of this browser is the one that the hint's ID token was issued in (§2).

    `subject` is how the client knows the person who is signed in.
    """
    is_same_session = hint.sid is None or hint.sid == pairwise_sid(session_id, client.sector)
    return hint.subject == subject and hint.client_id == client.client_id and is_same_session
