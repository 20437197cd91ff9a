"""Tokens that only their client can use. RFC 9449 (DPoP), RFC 8705 (mutual TLS). Pure."""

from collections.abc import Mapping
from dataclasses import replace
from typing import ClassVar

from idp.protocol.client_certificate import ClientCertificate
from idp.protocol.confirmation import Confirmation
from idp.protocol.dpop import ALGORITHMS, DPoPProof
from idp.protocol.errors import (
    InvalidDPoPProofError,
    InvalidGrantError,
    InvalidRequestError,
    InvalidTokenError,
    UseDPoPNonceError,
)
from idp.protocol.model import AuthorizationRequest, Client
from idp.protocol.profiles import rules_of

_ALGORITHMS = " ".join(sorted(ALGORITHMS))


def _challenge(error: str) -> Mapping[str, str]:
    """RFC 9449 §7.1: what a resource answers to whoever should have proven a key."""
    return {"WWW-Authenticate": f'DPoP error="{error}", algs="{_ALGORITHMS}"'}


class InvalidDPoPTokenError(InvalidTokenError):
    """A token that is refused where a proof of its key is asked for: RFC 9449 §7.1, §7.2."""

    fixed_headers: ClassVar[Mapping[str, str]] = _challenge(InvalidTokenError.error)


class ProofRefusedByResourceError(InvalidDPoPProofError):
    """A proof that a resource refuses: RFC 9449 §7.1 wants 401 and a challenge."""

    status = 401
    fixed_headers: ClassVar[Mapping[str, str]] = _challenge(InvalidDPoPProofError.error)


class NonceWantedByResourceError(UseDPoPNonceError):
    """A proof without our nonce, at a resource: RFC 9449 §9."""

    status = 401

    @property
    def headers(self) -> Mapping[str, str]:
        """Return the nonce and the challenge."""
        return {**super().headers, **_challenge(self.error)}


def confirmation_for(
    client: Client, dpop: DPoPProof | None, certificate: ClientCertificate | None
) -> Confirmation | None:
    """Choose the key that a client's tokens are bound to, of those that its request proved.

    RFC 9449 §5: a proof that is sent counts, asked for or not. A certificate counts where the client
    registered it (RFC 8705 §3.4), or where its profile wants bound tokens and it sent no proof: many
    clients present one for no other purpose than to sign in. Whether that is enough is for `check_binding`.
    """
    if client.tls_client_certificate_bound_access_tokens:
        return None if certificate is None else Confirmation(x5t_s256=certificate.x5t_s256)
    if dpop is not None:
        return Confirmation(jkt=dpop.jkt)
    is_wanted = rules_of(client.profile).is_sender_constraint_required and not client.dpop_bound_access_tokens
    return Confirmation(x5t_s256=certificate.x5t_s256) if is_wanted and certificate is not None else None


def check_confirmation(
    confirmation: Confirmation | None,
    scheme: str,
    dpop: DPoPProof | None,
    certificate: ClientCertificate | None,
) -> None:
    """Check that a token is used by whom it is bound to: RFC 9449 §7, RFC 8705 §3. Raises InvalidTokenError.

    `scheme` is that of the Authorization header, in lower case. A token bound to a key is nothing as a bearer
    token (§7.2), and the scheme DPoP nothing for one that is not (CVE-2024-49755; KC #48428).
    """
    bound = Confirmation() if confirmation is None else confirmation
    if scheme == "dpop" and bound.jkt is None:
        raise InvalidDPoPTokenError("the access token is not bound to a DPoP key; it is of type Bearer")
    if bound.jkt is not None and scheme != "dpop":
        raise InvalidDPoPTokenError("the access token is bound to a DPoP key; use the scheme DPoP")
    if bound.jkt is not None and (dpop is None or dpop.jkt != bound.jkt):
        raise InvalidDPoPTokenError("the access token is bound to another DPoP key")
    if bound.x5t_s256 is not None and (certificate is None or certificate.x5t_s256 != bound.x5t_s256):
        raise InvalidTokenError("the access token is bound to a client certificate; use mutual TLS with it")


def check_sender_is_bound(confirmation: Confirmation | None) -> None:
    """Check that a token is bound to a key at all, where a stolen one would do too much harm.

    Raises InvalidDPoPTokenError, whose challenge says how to get one that is (RFC 9449 §7.1).
    """
    if confirmation is None:
        raise InvalidDPoPTokenError(
            "this needs an access token that is bound to its sender: ask for one with a DPoP proof, or over "
            "mutual TLS, and use it in the same way"
        )


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


def bound_request(request: AuthorizationRequest, dpop: DPoPProof | None) -> AuthorizationRequest:
    """Bind the code of a pushed request to the key of its proof: RFC 9449 §10.1.

    Raises InvalidDPoPProofError where `dpop_jkt` names another key.
    """
    if dpop is None:
        return request
    if request.dpop_jkt not in {None, dpop.jkt}:
        raise InvalidDPoPProofError("dpop_jkt is not the thumbprint of the key of the DPoP proof")
    return replace(request, dpop_jkt=dpop.jkt)


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
