"""What can go wrong when an account is linked, as a tree to catch at the height you need.

    RelyingPartyError                  everything below
    ├── ConfigurationError             our own mistake: address, key or stored session
    ├── ProviderUnavailableError       no answer, or one that makes no sense; try again later
    ├── ProviderRefusedError           the provider said no; `.error` holds the registered code
    │   ├── AuthorizationRefusedError  through the browser: access_denied and its kin
    │   └── RequestRefusedError        at a back-channel endpoint
    │       └── GrantRefusedError      the tokens are worth nothing any more: treat the link as ended
    └── UntrustedResponseError         the answer did not pass a check; nothing may be stored
        ├── CallbackError              the redirect is not the answer to what this browser started
        ├── MetadataError              discovery document or key set
        ├── PolicyError                policy document; keep the one you have
        └── TokenError                 token response, ID token or userinfo

`str(error)` is for the log; `error.kind_message` is for the person in front of the screen.
RFC 6749 §4.1.2.1 and §5.2, OpenID Connect Core §3.1.2.6, RFC 9126 §2.3.
"""

from collections.abc import Mapping

KIND_MESSAGES: Mapping[str, str] = {
    "access_denied": "Your account was not linked: you chose not to, or it is not possible now.",
    "login_required": "Please sign in at the provider to link your account.",
    "interaction_required": "Please confirm at the provider to link your account.",
    "consent_required": "Please agree at the provider to link your account.",
    "unmet_authentication_requirements": "This needs a stronger way to sign in at the provider.",
    "temporarily_unavailable": "The provider is busy. Please try again in a few minutes.",
    "server_error": "The provider had a problem. Please try again in a few minutes.",
    "invalid_grant": "The link took too long or is no longer valid. Please link your account again.",
    "invalid_token": "The link is no longer valid. Please link your account again.",
}
"""One calm sentence for each code that a person can do something about."""

_KIND_DEFAULT = "Linking did not work. Nothing was changed. Please try again."


class RelyingPartyError(Exception):
    """Anything that stops an account from being linked or checked."""

    kind_message: str = _KIND_DEFAULT


class ConfigurationError(RelyingPartyError):
    """An address, a key or a stored session of our own is not usable."""


class ProviderUnavailableError(RelyingPartyError):
    """The provider cannot be reached or does not answer as a provider does."""

    kind_message = "The provider cannot be reached at the moment. Please try again later."


class ProviderRefusedError(RelyingPartyError):
    """The provider answered with an OAuth error."""

    def __init__(self, error: str, description: str | None = None) -> None:
        super().__init__(f"{error}: {description}" if description else error)
        self.error = error
        self.description = description
        self.kind_message = KIND_MESSAGES.get(error, _KIND_DEFAULT)


class AuthorizationRefusedError(ProviderRefusedError):
    """The authorization response is an error (RFC 6749 §4.1.2.1)."""


class RequestRefusedError(ProviderRefusedError):
    """An endpoint refused the request (RFC 6749 §5.2, RFC 6750 §3.1, RFC 9126 §2.3)."""

    def __init__(self, error: str, description: str | None = None, status: int = 400) -> None:
        super().__init__(error, description)
        self.status = status


class GrantRefusedError(RequestRefusedError):
    """The code, refresh token or access token is expired, used, revoked or ended."""


class UntrustedResponseError(RelyingPartyError):
    """An answer did not pass a check."""


class CallbackError(UntrustedResponseError):
    """The redirect does not belong to what was started."""

    kind_message = "This answer does not belong to what you started here. Please start again."


class MetadataError(UntrustedResponseError):
    """The discovery document or the key set cannot be used."""

    kind_message = ProviderUnavailableError.kind_message


class PolicyError(UntrustedResponseError):
    """The policy document cannot be used, or needs a newer SDK."""


class TokenError(UntrustedResponseError):
    """The token response, the ID token or the userinfo answer failed a check."""
