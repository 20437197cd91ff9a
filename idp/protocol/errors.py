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
    fixed_headers: ClassVar[Mapping[str, str]] = {}

    @property
    def headers(self) -> Mapping[str, str]:
        """Return the headers that go with the answer."""
        return self.fixed_headers

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
    fixed_headers: ClassVar[Mapping[str, str]] = {"WWW-Authenticate": 'Basic realm="lienket"'}


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


class InvalidRequestObjectError(OAuthError):
    """RFC 9101 §6.3: the request object is malformed, badly signed, expired or for somebody else."""

    error = "invalid_request_object"


class InvalidTargetError(OAuthError):
    """RFC 8707 §2: the resource asked for is unknown, malformed or not this client's to use."""

    error = "invalid_target"


class UnmetAuthenticationRequirementsError(OAuthError):
    """OpenID Connect Core Error Code unmet_authentication_requirements 1.0: the level cannot be reached."""

    error = "unmet_authentication_requirements"


class InvalidDPoPProofError(OAuthError):
    """RFC 9449 §5: the proof is missing, malformed, replayed or not for this request."""

    error = "invalid_dpop_proof"


class UseDPoPNonceError(OAuthError):
    """RFC 9449 §8: the proof must hold the nonce that this answer brings."""

    error = "use_dpop_nonce"

    def __init__(self, description: str, *, nonce: str, detail: str | None = None) -> None:
        super().__init__(description, detail=detail)
        self.nonce = nonce

    @property
    def headers(self) -> Mapping[str, str]:
        """Return the nonce for the next proof: RFC 9449 §8.1."""
        return {"DPoP-Nonce": self.nonce}


class UnsupportedTokenTypeError(OAuthError):
    """RFC 7009 §2.2.1: tokens of this type cannot be revoked here."""

    error = "unsupported_token_type"


class AuthorizationPendingError(OAuthError):
    """RFC 8628 §3.5, CIBA Core §11: the person has not decided yet."""

    error = "authorization_pending"


class SlowDownError(OAuthError):
    """RFC 8628 §3.5, CIBA Core §11: asked again before the interval was over."""

    error = "slow_down"


class ExpiredTokenError(OAuthError):
    """RFC 8628 §3.5, CIBA Core §11: the device_code or auth_req_id has expired."""

    error = "expired_token"


class UnknownUserIdError(OAuthError):
    """CIBA Core §13: no person can be told from the hint."""

    error = "unknown_user_id"


class ExpiredLoginHintTokenError(OAuthError):
    """CIBA Core §13."""

    error = "expired_login_hint_token"


class InvalidBindingMessageError(OAuthError):
    """CIBA Core §13: the message cannot be shown as it is."""

    error = "invalid_binding_message"


class InvalidRedirectURIError(OAuthError):
    """RFC 7591 §3.2.2: a redirect URI may not be registered."""

    error = "invalid_redirect_uri"


class RefusedClientMetadataError(OAuthError):
    """RFC 7591 §3.2.2: what registration answers; the reasons of the rule stand in the description."""

    error = "invalid_client_metadata"


class InvalidSoftwareStatementError(OAuthError):
    """RFC 7591 §3.2.2: the software statement is malformed, badly signed or expired."""

    error = "invalid_software_statement"


class UnapprovedSoftwareStatementError(OAuthError):
    """RFC 7591 §3.2.2: nobody whom this server trusts signed the software statement."""

    error = "unapproved_software_statement"


class InvalidTokenError(OAuthError):
    """RFC 6750 §3.1: the access token is expired, revoked, malformed or otherwise invalid."""

    error = "invalid_token"
    status = 401
    fixed_headers: ClassVar[Mapping[str, str]] = {"WWW-Authenticate": 'Bearer error="invalid_token"'}


class InsufficientScopeError(OAuthError):
    """RFC 6750 §3.1."""

    error = "insufficient_scope"
    status = 403
    fixed_headers: ClassVar[Mapping[str, str]] = {"WWW-Authenticate": 'Bearer error="insufficient_scope"'}


class InsufficientUserAuthenticationError(OAuthError):
    """RFC 9470 §3: the person must sign in more strongly, or again, before this resource answers.

    `acr_values` and `max_age` are what the authorization request to come must ask for.
    """

    error = "insufficient_user_authentication"
    status = 401

    def __init__(
        self, description: str, *, acr_values: str | None = None, max_age: int | None = None
    ) -> None:
        super().__init__(description)
        self.acr_values = acr_values
        self.max_age = max_age

    @property
    def headers(self) -> Mapping[str, str]:
        """Return the challenge: RFC 9470 §3."""
        members = [f'error="{self.error}"', f'error_description="{self.description}"']
        if self.acr_values is not None:
            members.append(f'acr_values="{self.acr_values}"')
        if self.max_age is not None:
            members.append(f'max_age="{self.max_age}"')
        return {"WWW-Authenticate": f"Bearer {', '.join(members)}"}


class TemporarilyUnavailableError(OAuthError):
    """RFC 6749 §4.1.2.1: overload or a store out of reach; the caller may try again."""

    error = "temporarily_unavailable"
    status = 503
    fixed_headers: ClassVar[Mapping[str, str]] = {"Retry-After": "2"}


class ServerError(OAuthError):
    """RFC 6749 §4.1.2.1: something of ours broke; the log holds the reference."""

    error = "server_error"
    status = 500
