"""The registered error codes, one class each.

    ProtocolError
    ├── OAuthError              answered as RFC 6749 §5.2 JSON, or redirected as §4.1.2.1 where that is safe
    │   └── one class per registered code
    └── UntrustedRequestError   client or redirect URI are not proven: an HTML page, never a redirect

`description` is public and helps the caller; `detail` is for the log alone and never sent.
"""

from collections.abc import Mapping
from typing import ClassVar


class ProtocolError(Exception):
    """A request that is refused. `description` is public, `detail` stays in the log."""

    def __init__(self, description: str, *, detail: str | None = None) -> None:
        super().__init__(description)
        self.description = description
        self.detail = detail


class UntrustedRequestError(ProtocolError):
    """The client or its redirect URI is not proven, so nothing may redirect (RFC 6749 §4.1.2.1)."""


class OAuthError(ProtocolError):
    """An error with a registered code (RFC 6749 §11.4 and the registries that extend it)."""

    error: ClassVar[str]
    status: ClassVar[int] = 400
    headers: ClassVar[Mapping[str, str]] = {}

    def as_parameters(self) -> dict[str, str]:
        """Return the members of an error response: `error` and `error_description`, nothing else."""
        return {"error": self.error, "error_description": self.description}


class InvalidRequestError(OAuthError):
    """RFC 6749 §4.1.2.1, §5.2."""

    error = "invalid_request"


class InvalidClientError(OAuthError):
    """RFC 6749 §5.2: client authentication failed."""

    error = "invalid_client"
    status = 401
    headers: ClassVar[Mapping[str, str]] = {"WWW-Authenticate": 'Basic realm="lienket"'}


class InvalidGrantError(OAuthError):
    """RFC 6749 §5.2: the code or refresh token is invalid, expired, revoked or another client's."""

    error = "invalid_grant"


class UnauthorizedClientError(OAuthError):
    """RFC 6749 §4.1.2.1: the client may not use this grant or response type."""

    error = "unauthorized_client"


class UnsupportedGrantTypeError(OAuthError):
    """RFC 6749 §5.2."""

    error = "unsupported_grant_type"


class UnsupportedResponseTypeError(OAuthError):
    """RFC 6749 §4.1.2.1."""

    error = "unsupported_response_type"


class InvalidScopeError(OAuthError):
    """RFC 6749 §4.1.2.1."""

    error = "invalid_scope"


class AccessDeniedError(OAuthError):
    """RFC 6749 §4.1.2.1: the person, or the policy on their behalf, refused."""

    error = "access_denied"
    status = 403


class LoginRequiredError(OAuthError):
    """OpenID Connect Core §3.1.2.6: prompt=none, and nobody is signed in."""

    error = "login_required"


class InteractionRequiredError(OAuthError):
    """OpenID Connect Core §3.1.2.6."""

    error = "interaction_required"


class ConsentRequiredError(OAuthError):
    """OpenID Connect Core §3.1.2.6: prompt=none, and the person must be asked."""

    error = "consent_required"


class AccountSelectionRequiredError(OAuthError):
    """OpenID Connect Core §3.1.2.6."""

    error = "account_selection_required"


class InvalidRequestURIError(OAuthError):
    """RFC 9101 §6.3, RFC 9126 §4: the request_uri is unknown, used or expired."""

    error = "invalid_request_uri"


class RequestNotSupportedError(OAuthError):
    """OpenID Connect Core §3.1.2.6: the request parameter is not supported."""

    error = "request_not_supported"


class RequestURINotSupportedError(OAuthError):
    """OpenID Connect Core §3.1.2.6: a request_uri that was not pushed is not supported."""

    error = "request_uri_not_supported"


class RegistrationNotSupportedError(OAuthError):
    """OpenID Connect Core §3.1.2.6: the registration parameter is not supported."""

    error = "registration_not_supported"


class InvalidAuthorizationDetailsError(OAuthError):
    """RFC 9396 §5."""

    error = "invalid_authorization_details"


class InvalidTokenError(OAuthError):
    """RFC 6750 §3.1: the access token is expired, revoked, malformed or otherwise invalid."""

    error = "invalid_token"
    status = 401
    headers: ClassVar[Mapping[str, str]] = {"WWW-Authenticate": 'Bearer error="invalid_token"'}


class InsufficientScopeError(OAuthError):
    """RFC 6750 §3.1."""

    error = "insufficient_scope"
    status = 403
    headers: ClassVar[Mapping[str, str]] = {"WWW-Authenticate": 'Bearer error="insufficient_scope"'}


class TemporarilyUnavailableError(OAuthError):
    """RFC 6749 §4.1.2.1: overload or a store out of reach; the caller may try again."""

    error = "temporarily_unavailable"
    status = 503
    headers: ClassVar[Mapping[str, str]] = {"Retry-After": "2"}


class ServerError(OAuthError):
    """RFC 6749 §4.1.2.1: something of ours broke; the log holds the reference."""

    error = "server_error"
    status = 500
