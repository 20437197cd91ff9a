"""Tokens that only their client can use. RFC 9449 (DPoP), RFC 8705 (mutual TLS). Pure."""

from idp.protocol.confirmation import Confirmation
from idp.protocol.errors import InvalidDPoPProofError, InvalidGrantError, InvalidRequestError
from idp.protocol.model import Client
from idp.protocol.profiles import rules_of


def check_binding(confirmation: Confirmation | None, client: Client) -> None:
    """Check that a token is bound as its client must have it: RFC 9449 §5.2, RFC 8705 §3.4, FAPI 2.0 §5.3.2.

    The last word on it, at the choke-point. Raises InvalidDPoPProofError, InvalidRequestError.
    """
    if client.dpop_bound_access_tokens and (confirmation is None or confirmation.jkt is None):
        raise InvalidDPoPProofError("this client's tokens are bound to a key: send a DPoP proof")
    wants_certificate = client.tls_client_certificate_bound_access_tokens
    if wants_certificate and (confirmation is None or confirmation.x5t_s256 is None):
        raise InvalidRequestError("this client's tokens are bound to its certificate: use mutual TLS")
    if rules_of(client.profile).is_sender_constraint_required and confirmation is None:
        raise InvalidDPoPProofError("this client's profile needs bound tokens: send a DPoP proof")


def check_bound_code(dpop_jkt: str | None, confirmation: Confirmation | None) -> None:
    """Check that a code bound to a DPoP key is redeemed with it: RFC 9449 §10. Raises InvalidGrantError."""
    if dpop_jkt is not None and (confirmation is None or confirmation.jkt != dpop_jkt):
        raise InvalidGrantError("the code is bound to another DPoP key")


def check_bound_refresh(bound: Confirmation | None, confirmation: Confirmation | None) -> None:
    """Check a refresh token that is bound to a key, as a public client's is: RFC 9449 §5.

    A confidential client is bound by its authentication instead and may change keys. Raises
    InvalidGrantError.
    """
    if bound is not None and bound != confirmation:
        raise InvalidGrantError("the refresh token is bound to another key")
