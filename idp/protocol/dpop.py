"""DPoP: proof that the sender of a request holds a private key. RFC 9449.

A proof is good for one request: its method, its address, some seconds, one `jti`. This rule judges everything
but the last; the caller spends `DPoPProof.jti` and refuses one that was spent before (§11.1).
"""

import base64
import hashlib
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Never

from idp.protocol.embedded_key import EmbeddedKey, embedded_key
from idp.protocol.errors import InvalidDPoPProofError, UseDPoPNonceError
from idp.protocol.jose import JOSEError, PublicKey, VerifiedJWS, verify_jws_with

TYPE = "dpop+jwt"
"""`typ` of a proof (§4.2), so that no other token passes for one (RFC 8725 §3.11)."""

ALGORITHMS = frozenset({"ES256", "PS256", "EdDSA"})
"""What FAPI 2.0 §5.4.1 allows; a symmetric key could prove nothing (§11.6)."""

MAX_AGE = timedelta(seconds=60)
"""How old a proof may be."""
CLOCK_SKEW = timedelta(seconds=10)
"""How far a client's clock may run ahead of ours (§11.1), and behind an `exp` of the proof's own."""

MAX_JTI_LENGTH = 255

_REQUIRED = ("jti", "htm", "htu", "iat")

_HTTP_URI = re.compile(r"(https?)://([^/?#@]+)([^?#]*)", re.IGNORECASE)
_DEFAULT_PORT = {"http": ":80", "https": ":443"}
_UNRESERVED = re.compile(r"%(?:2[DEde]|3[0-9]|[46][1-9A-Fa-f]|[57][0-9Aa]|5[Ff]|7[Ee])")
_ESCAPE = re.compile(r"%[0-9A-Fa-f]{2}")


@dataclass(frozen=True, slots=True)
class DPoPProof:
    """A proof that was verified; made by `verify_proof` alone. Its `jti` is not spent yet."""

    jkt: str
    """Thumbprint of the key (RFC 7638), the value of `cnf.jkt` and `dpop_jkt`."""
    jti: str
    expires_at: datetime
    """After this the proof is too old, and its `jti` need not be remembered."""


def _refuse(reason: str, cause: Exception | None = None) -> Never:
    raise InvalidDPoPProofError(f"the DPoP proof is refused: {reason}") from cause


def verify_proof(
    headers: Sequence[str],
    *,
    method: str,
    urls: Collection[str],
    access_token: str | None,
    nonces: Sequence[str] | None,
    now: datetime,
    is_nonce_required: bool = True,
) -> DPoPProof:
    """Verify the proof of a request: RFC 9449 §4.3, its checks in their order.

    `headers` are all values of the header field DPoP; `urls` the addresses under which the endpoint is known,
    without query. `access_token` is the token sent along to a resource, None elsewhere. `nonces` are those we
    gave out and still take, the newest first; None takes any proof without looking. Where a nonce is offered
    and not required, a proof may lack it but not have a wrong one. Raises InvalidDPoPProofError;
    UseDPoPNonceError with the newest nonce (§8).
    """
    if len(headers) != 1:
        _refuse("exactly one header field DPoP is needed")
    verified, key = _verify_signature(headers[0])
    claims = verified.claims
    jti = claims["jti"]
    if not isinstance(jti, str) or not 0 < len(jti) <= MAX_JTI_LENGTH:
        _refuse(f"jti is not a string of 1 to {MAX_JTI_LENGTH} characters")
    if claims["htm"] != method:
        _refuse("htm is not the method of this request")
    if not _is_one_of(claims["htu"], urls):
        _refuse("htu is not the address of this request")
    expires_at = _check_times(claims, now)
    if access_token is not None and claims.get("ath") != access_token_hash(access_token):
        _refuse("ath is not the hash of the access token")
    if nonces is not None:
        _check_nonce(claims.get("nonce"), nonces, is_required=is_nonce_required)
    return DPoPProof(key.jkt, jti, expires_at)


def _verify_signature(proof: str) -> tuple[VerifiedJWS, EmbeddedKey]:
    """§4.3 (2-7): a JWS of the right type and algorithm, by the public key in its own header."""
    found: list[EmbeddedKey] = []

    def choose(header: Mapping[str, Any], algorithm: str) -> PublicKey:
        found.append(embedded_key(header, algorithm))
        return found[0].key

    try:
        verified = verify_jws_with(proof, choose, algorithms=ALGORITHMS, typ=TYPE, required=_REQUIRED)
    except JOSEError as error:
        _refuse(str(error), error)
    return verified, found[0]


def _check_times(claims: Mapping[str, Any], now: datetime) -> datetime:
    """§4.3 (11), §11.1; `exp` and `nbf` are not asked for, and hold where they stand (RFC 7519 §4.1)."""
    present, skew = now.timestamp(), CLOCK_SKEW.total_seconds()
    oldest = present - MAX_AGE.total_seconds()
    issued_at = claims["iat"]
    if not oldest <= issued_at <= present + skew:
        _refuse("iat is not the present time; set the clock, or make a new proof for each request")
    if claims.get("nbf", present) > present + skew or claims.get("exp", present) < present - skew:
        _refuse("it is not valid at this time, by its own nbf or exp")
    return datetime.fromtimestamp(issued_at, UTC) + MAX_AGE


def _check_nonce(nonce: object, nonces: Sequence[str], *, is_required: bool) -> None:
    """§4.3 (10), §8: a nonce is public and only has to be fresh."""
    if nonce in nonces or (nonce is None and not is_required):
        return
    raise UseDPoPNonceError("the DPoP proof needs the nonce of the header DPoP-Nonce", nonce=nonces[0])


def access_token_hash(access_token: str) -> str:
    """Return `ath`: §4.2, SHA-256 of the token as base64url."""
    digest = hashlib.sha256(access_token.encode("utf-8", "surrogatepass")).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def _is_one_of(htu: object, urls: Collection[str]) -> bool:
    """§4.3 (9): compared without query and fragment, after normalization (RFC 3986 §6.2.2, §6.2.3)."""
    if not isinstance(htu, str):
        return False
    if htu in urls:
        return True
    normal = _normalized(htu)
    return normal is not None and any(normal == _normalized(url) for url in urls)


def _normalized(uri: str) -> str | None:
    """Return scheme, host and path in their usual spelling; None for what is no http address.

    Dot segments stay: no client of ours has a reason to write them.
    """
    parts = _HTTP_URI.match(uri)
    if parts is None:
        return None
    scheme, authority = parts[1].lower(), parts[2].lower()
    path = _UNRESERVED.sub(lambda escape: chr(int(escape[0][1:], 16)), parts[3])
    path = _ESCAPE.sub(lambda escape: escape[0].upper(), path)
    return f"{scheme}://{authority.removesuffix(_DEFAULT_PORT[scheme])}{path or '/'}"
