"""The authorization request: which checks run, in which order, and what they leave. Pure.

OpenID Connect Core §3.1.2; RFC 6749 §4.1.1; RFC 9126 §2.1; RFC 9700 §2.1. The tables at the end are the
policy. `trusted_redirect_uri` stands apart: until it has returned, nothing may redirect.
"""

import re
from collections.abc import Callable

from idp.identity.account_links import AccountLinkRequest
from idp.identity.display_text import is_displayable
from idp.protocol.account_link_details import read_account_link
from idp.protocol.claims_parameter import read_claims
from idp.protocol.errors import (
    InvalidRequestError,
    InvalidRequestObjectError,
    InvalidScopeError,
    InvalidTargetError,
    RegistrationNotSupportedError,
    RequestURINotSupportedError,
    UnauthorizedClientError,
    UnsupportedResponseTypeError,
    UntrustedRequestError,
)
from idp.protocol.model import AuthorizationRequest, ClaimsRequest, Client, ClientStatus, Policy
from idp.protocol.parameters import Parameters, check_not_repeated, printable
from idp.protocol.pkce import check_code_challenge
from idp.protocol.profiles import rules_of
from idp.protocol.redirect_uris import match_redirect_uri
from idp.protocol.requested_acr import essential_acrs, wished_acrs
from idp.protocol.resources import check_resource
from idp.protocol.response_modes import check_response_mode

Check = Callable[[Parameters, Client], None]

PUSHED_REQUEST_URI = "urn:ietf:params:oauth:request_uri:"
"""RFC 9126 §2.2: what every request_uri of ours begins with."""

PROMPTS: frozenset[str] = frozenset({"none", "login", "consent", "select_account", "create"})
SCOPES: frozenset[str] = frozenset(
    {"openid", "profile", "email", "phone", "address", "offline_access", "account_links.read"}
)

MAX_STATE = 2048
MAX_NONCE = 512
MAX_LOGIN_HINT = 255
MAX_UI_LOCALES = 10

# RFC 6749 Appendix A.5: state = 1*VSCHAR; A.4: scope-token = 1*NQCHAR.
_STATE = re.compile(rf"[ -~]{{1,{MAX_STATE}}}")
_SCOPE_TOKEN = re.compile(r"[!#-\[\]-~]+")
_THUMBPRINT = re.compile(r"[A-Za-z0-9_-]{43}")
_MAX_AGE = re.compile(r"[0-9]{1,10}")
_LANGUAGE_TAG = re.compile(r"[A-Za-z]{2,8}(?:-[A-Za-z0-9]{1,8}){0,4}")


def trusted_redirect_uri(parameters: Parameters, client: Client) -> str:
    """Return where an answer to this browser may go, be it an error. Raises UntrustedRequestError.

    RFC 6749 §4.1.2.1: where client or redirect URI fail, the server "MUST NOT automatically redirect the
    user-agent to the invalid redirection URI".
    """
    ambiguous = parameters.repeated & {"client_id", "redirect_uri", "request_uri"}
    if ambiguous:
        raise UntrustedRequestError(f"parameter {min(ambiguous)} is repeated")
    if parameters.get("client_id") != client.client_id:
        raise UntrustedRequestError("client_id is not the one that was looked up")
    if client.status is not ClientStatus.ACTIVE:
        raise UntrustedRequestError("this client is suspended")
    return match_redirect_uri(parameters.get("redirect_uri"), client.redirect_uris)


def find_pushed_request_uri(parameters: Parameters) -> str | None:
    """Return the request_uri when it is one of ours; None when the request stands in the parameters.

    RFC 9126 §4. Raises UntrustedRequestError when it was sent twice.
    """
    if "request_uri" in parameters.repeated:
        raise UntrustedRequestError("parameter request_uri is repeated")
    request_uri = parameters.get("request_uri", "")
    return request_uri if request_uri.startswith(PUSHED_REQUEST_URI) else None


def read_request(
    parameters: Parameters, client: Client, policy: Policy, checks: tuple[Check, ...]
) -> AuthorizationRequest:
    """Run the checks in their order, then return the request as one immutable value. Raises OAuthError."""
    for check in checks:
        check(parameters, client)
    claims = _claims(parameters)
    return AuthorizationRequest(
        client_id=client.client_id,
        redirect_uri=parameters["redirect_uri"],
        scope=_scope(parameters) & client.scope & SCOPES,
        code_challenge=parameters.get("code_challenge"),
        state=parameters.get("state"),
        nonce=parameters.get("nonce"),
        response_mode=parameters.get("response_mode", "query"),
        prompt=_prompt(parameters),
        max_age=int(parameters["max_age"]) if "max_age" in parameters else client.default_max_age,
        acr_values=wished_acrs(parameters, client, policy.issuer, claims),
        login_hint=_login_hint(parameters),
        id_token_hint=parameters.get("id_token_hint"),
        ui_locales=_ui_locales(parameters),
        claims=claims,
        account_link=_account_link(parameters, client),
        dpop_jkt=parameters.get("dpop_jkt"),
        resource=check_resource(parameters.get("resource"), policy),
        essential_acrs=essential_acrs(claims, policy.issuer),
    )


def check_repeated(parameters: Parameters, _client: Client) -> None:
    """RFC 6749 §3.1: "Request and response parameters MUST NOT be included more than once"."""
    check_not_repeated(parameters)


def check_client_id(parameters: Parameters, client: Client) -> None:
    """RFC 9126 §2.1: the client that authenticated is the one that the request names."""
    if parameters.get("client_id", client.client_id) != client.client_id:
        raise InvalidRequestError("client_id is not the client that authenticated")


def check_request(parameters: Parameters, client: Client) -> None:
    """RFC 9101 §10.5, FAPI 2.0 Message Signing §5.3: whoever must sign its requests has done so.

    A request object that stands here unread counts for nothing (§6.3), and neither does what is beside it.
    """
    if "request" in parameters:
        raise InvalidRequestObjectError("the request object was not read")
    is_required = client.require_signed_request_object or rules_of(client.profile).is_request_object_required
    if is_required and not parameters.is_signed:
        raise InvalidRequestError("this client must sign its authorization requests (RFC 9101)")


def check_request_uri(parameters: Parameters, _client: Client) -> None:
    """OIDC Core §3.1.2.6: nothing is fetched from an address that a request names (RFC 9101 §10.4)."""
    if "request_uri" in parameters:
        raise RequestURINotSupportedError("only a request_uri made by the pushed request endpoint is read")


def check_no_request_uri(parameters: Parameters, _client: Client) -> None:
    """RFC 9126 §2.1: a request that is pushed "MUST NOT" hold request_uri itself."""
    if "request_uri" in parameters:
        raise InvalidRequestError("request_uri must not be pushed")


def check_registration(parameters: Parameters, _client: Client) -> None:
    """OIDC Core §3.1.2.6: clients are registered by operators, not by their requests."""
    if "registration" in parameters:
        raise RegistrationNotSupportedError("the registration parameter is not supported")


def check_redirect_uri(parameters: Parameters, client: Client) -> None:
    """RFC 9126 §2.3: a pushed request that fails is answered as JSON, so this error has a code."""
    try:
        match_redirect_uri(parameters.get("redirect_uri"), client.redirect_uris)
    except UntrustedRequestError as error:
        raise InvalidRequestError(error.description, detail=error.detail) from None


def check_grant_type(_parameters: Parameters, client: Client) -> None:
    """RFC 6749 §4.1.2.1: unauthorized_client."""
    if "authorization_code" not in client.grant_types:
        raise UnauthorizedClientError("this client may not use the authorization code grant")


def check_response_type(parameters: Parameters, _client: Client) -> None:
    """RFC 6749 §3.1.1; RFC 9700 §2.1.2: no response type that puts tokens into the address bar."""
    response_type = parameters.get("response_type")
    if response_type is None:
        raise InvalidRequestError("response_type is required")
    if response_type != "code":
        raise UnsupportedResponseTypeError("response_type must be code")


def check_scope(parameters: Parameters, client: Client) -> None:
    """RFC 6749 §3.3; OIDC Core §3.1.2.1: openid is required, scopes not understood are ignored.

    A client that did not register openid speaks plain OAuth 2.0 and gets no ID token. `offline_access` is
    asked for by libraries on their own: a client that may not have it gets none (OIDC Core §11).
    """
    scope = _scope(parameters)
    if not all(map(_SCOPE_TOKEN.fullmatch, scope)):
        raise InvalidScopeError("scope holds a character that is not allowed")
    if "openid" in client.scope and "openid" not in scope:
        raise InvalidScopeError("scope must contain openid")
    if not scope & SCOPES & client.scope - {"offline_access"}:
        raise InvalidScopeError("scope holds nothing that is registered for this client")
    forbidden = (scope & SCOPES) - client.scope - {"offline_access"}
    if forbidden:
        raise InvalidScopeError(f"scope {min(forbidden)} is not registered for this client")


def check_pkce(parameters: Parameters, client: Client) -> None:
    """RFC 9700 §2.1.1: every client, every request, unless a confidential one was registered without.

    What is sent counts in any case: a challenge that is malformed or plain is never passed over.
    """
    is_sent = parameters.keys() & {"code_challenge", "code_challenge_method"}
    is_required = client.is_pkce_required or client.is_public or rules_of(client.profile).is_pkce_required
    if not is_sent and not is_required:
        return
    check_code_challenge(parameters.get("code_challenge"), parameters.get("code_challenge_method"))


def check_pushed(_parameters: Parameters, client: Client) -> None:
    """RFC 9126 §5, §6; FAPI 2.0 §5.3.2.2: such a client's requests come by the pushed request endpoint."""
    if client.require_pushed_authorization_requests or rules_of(client.profile).is_push_required:
        raise InvalidRequestError("this client must push its authorization requests (RFC 9126)")


def check_dpop_jkt(parameters: Parameters, _client: Client) -> None:
    """RFC 9449 §10: a JWK thumbprint, that is the base64url form of a SHA-256 hash."""
    if not _THUMBPRINT.fullmatch(parameters.get("dpop_jkt", "A" * 43)):
        raise InvalidRequestError("dpop_jkt must be a JWK SHA-256 thumbprint")


def check_one_resource(parameters: Parameters, _client: Client) -> None:
    """RFC 8707 §2: several resources may be asked for; here a token is for one."""
    if "resource" in parameters.repeated:
        raise InvalidTargetError("resource may be sent once: a token is for one resource")


def check_state(parameters: Parameters, _client: Client) -> None:
    """RFC 6749 §4.1.1, Appendix A.5: ASCII that prints; never cut, because it returns byte for byte."""
    state = parameters.get("state")
    if state is not None and not _STATE.fullmatch(state):
        raise InvalidRequestError(f"state must be printable ASCII of at most {MAX_STATE} characters")


def check_nonce(parameters: Parameters, _client: Client) -> None:
    """OIDC Core §3.1.2.1: passed on unmodified, so what cannot be passed on is refused."""
    nonce = parameters.get("nonce", "")
    if len(nonce) > MAX_NONCE or not nonce.isprintable():
        raise InvalidRequestError(f"nonce must be at most {MAX_NONCE} characters without controls")


def check_prompt(parameters: Parameters, _client: Client) -> None:
    """OIDC Core §3.1.2.1: "If this parameter contains none with any other value, an error is returned"."""
    prompt = _prompt(parameters)
    if prompt - PROMPTS:
        raise InvalidRequestError(f"prompt {printable(min(prompt - PROMPTS))} is not supported")
    if "none" in prompt and len(prompt) > 1:
        raise InvalidRequestError("prompt none excludes every other value")


def check_max_age(parameters: Parameters, _client: Client) -> None:
    """OIDC Core §3.1.2.1: seconds, not negative."""
    if not _MAX_AGE.fullmatch(parameters.get("max_age", "0")):
        raise InvalidRequestError("max_age must be a number of seconds")


def check_claims(parameters: Parameters, _client: Client) -> None:
    """OIDC Core §5.5; OpenID Connect for Identity Assurance §5.3."""
    _claims(parameters)


def check_authorization_details(parameters: Parameters, client: Client) -> None:
    """RFC 9396 §5."""
    _account_link(parameters, client)


def _scope(parameters: Parameters) -> frozenset[str]:
    return frozenset(parameters.get("scope", "").split(" ")) - {""}


def _prompt(parameters: Parameters) -> frozenset[str]:
    return frozenset(parameters.get("prompt", "").split(" ")) - {""}


def _claims(parameters: Parameters) -> ClaimsRequest:
    return read_claims(parameters["claims"]) if "claims" in parameters else ClaimsRequest()


def _account_link(parameters: Parameters, client: Client) -> AccountLinkRequest | None:
    if "authorization_details" not in parameters:
        return None
    return read_account_link(parameters["authorization_details"], client.profile_hosts)


def _login_hint(parameters: Parameters) -> str | None:
    """OIDC Core §3.1.2.1 leaves the hint to our discretion: what cannot be an identifier is forgotten."""
    login_hint = parameters.get("login_hint", "")
    return login_hint if len(login_hint) <= MAX_LOGIN_HINT and is_displayable(login_hint) else None


def _ui_locales(parameters: Parameters) -> tuple[str, ...]:
    """OIDC Core §3.1.2.1: locales that are not supported, or not locales at all, are no error."""
    tags = filter(_LANGUAGE_TAG.fullmatch, parameters.get("ui_locales", "").split(" "))
    return tuple(dict.fromkeys(tags))[:MAX_UI_LOCALES]


_CHECKS_EVERYWHERE: tuple[Check, ...] = (
    check_registration,
    check_grant_type,
    check_response_type,
    check_response_mode,
    check_scope,
    check_pkce,
    check_dpop_jkt,
    check_one_resource,
    check_state,
    check_nonce,
    check_prompt,
    check_max_age,
    check_claims,
    check_authorization_details,
)

CHECKS_AUTHORIZATION: tuple[Check, ...] = (
    check_repeated,
    check_redirect_uri,
    check_pushed,
    check_request,
    check_request_uri,
    *_CHECKS_EVERYWHERE,
)

CHECKS_PUSHED: tuple[Check, ...] = (
    check_repeated,
    check_client_id,
    check_no_request_uri,
    check_request,
    check_redirect_uri,
    *_CHECKS_EVERYWHERE,
)
